"""What a work-item executes in one round of a kernel's main loop, counted in the machine code of an NVIDIA GPU:
nvdisasm -c FILE | loops.py DOTS, where a round makes DOTS dot products a work-item; 0: as many as are written there.

The main loop is the outermost one with dot products. Of the ways through it the one that fetches most in the widest pieces
and least in others is followed, the path of aligned operands inside a matrix, and of those the shortest. A loop inside it
counts as often as its dot products need. Printed: DOTS INSTRUCTIONS PIPE WAITS, then a count for each kind. PIPE: what goes through the pipe
of integer multiplications, the dot products among it, at half the rate of the others. WAITS: fetches of 16 bytes whose
result is touched before the next dot product, so that the round stands still for the memory."""
import re
import sys
from collections import Counter

LINE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)(.*);")
KINDS = (("dot", r"IDP"), ("local load", r"LDS"), ("local store", r"STS"), ("global load of 16", r"LDG\.\S*128"),
         ("global load", r"LDG"), ("barrier", r"BAR"), ("multiplication", r"IMAD|XMAD"), ("spill", r"LDL|STL"))


def kind(opcode):
    return next((name for name, pattern in KINDS if re.match(pattern, opcode)), "other")


def blocks_of(text):
    """[(instructions, successors)]: basic blocks in the order of their addresses; an instruction: (opcode, operands)."""
    blocks, labels = [[]], {}
    for line in text:
        if label := re.match(r"\s*(\.L_x_\d+):", line):
            if blocks[-1]:
                blocks.append([])
            labels[label[1]] = len(blocks) - 1
        elif found := LINE.search(line):
            blocks[-1].append(found.groups())
            if re.match(r"BRA|EXIT", found[2]):
                blocks.append([])
    result = []
    for i, block in enumerate(blocks):
        guard, opcode, rest = block[-1] if block else (None, "", "")
        to = [labels[name] for name in re.findall(r"`\((\.L_x_\d+)\)", rest) if name in labels] if opcode == "BRA" else []
        always = opcode in ("BRA", "EXIT") and not guard and "P" not in rest.split("`")[0]
        result.append(([(op, operands) for _, op, operands in block if op != "NOP"],
                       to + ([] if always or i + 1 >= len(blocks) else [i + 1])))
    return result


def loops_of(blocks):
    """(first, last) of each loop."""
    ends = {}
    for i, (_, to) in enumerate(blocks):
        for target in to:
            if target <= i:
                ends[target] = max(ends.get(target, i), i)
    return sorted(ends.items())


def outermost(loops):
    return [(a, b) for a, b in loops if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in loops)]


def count(blocks, span):
    return Counter(kind(op) for i in span for op, _ in blocks[i][0])


def weigh(way):
    counts = way[0]
    return (counts["dot"], counts["global load of 16"] + counts["local store"], -counts["global load"], -sum(counts.values()))


def round_of(blocks, first, last, inner, dots):
    """(counts, blocks) of the best way from `first` round to it."""
    best, done = {first: (Counter(), [])}, (Counter(), [])
    for i in range(first, last + 1):
        if i not in best:
            continue
        loop = next(((a, b) for a, b in inner if a == i), (i, i))
        span = range(loop[0], loop[1] + 1)
        here = count(blocks, span)
        if loop in inner:
            if not here["dot"]:
                continue  # over single elements: not the way of aligned operands
            times = max(1, round(dots / here["dot"])) if dots else 1
            here = Counter({name: number * times for name, number in here.items()})
        way = (best[i][0] + here, best[i][1] + list(span))
        for to in {to for block in span for to in blocks[block][1] if to not in span or to == first}:
            if to == first:
                if way[0]["dot"] and (not done[1] or weigh(way) > weigh(done)):
                    done = way
            elif loop[1] < to <= last and (to not in best or weigh(way) > weigh(best[to])):
                best[to] = way
    return done


def waits(blocks, path):
    """Fetches of 16 bytes that are touched before a dot product comes."""
    code = [line for i in path for line in blocks[i][0]]
    found = 0
    for at, (op, operands) in enumerate(code):
        if kind(op) != "global load of 16":
            continue
        register = int(re.match(r"\s*R(\d+)", operands)[1])
        own = {f"R{register + i}" for i in range(4)}
        for later, text in code[at + 1:]:
            if kind(later) == "dot":
                break
            if own & set(re.findall(r"\bR\d+", text)):
                found += 1
                break
    return found


def main():
    dots = int(sys.argv[1])
    blocks = blocks_of(sys.stdin)
    loops = loops_of(blocks)
    rounds = []
    for a, b in outermost([loop for loop in loops if count(blocks, range(loop[0], loop[1] + 1))["dot"]]):
        inner = outermost([(c, d) for c, d in loops if (c, d) != (a, b) and a <= c and d <= b])
        rounds.append(round_of(blocks, a, b, inner, dots))
    counts, path = max(rounds, key=lambda way: way[0]["dot"], default=(Counter(), []))
    print(counts["dot"], sum(counts.values()), counts["dot"] + counts["multiplication"], waits(blocks, path),
          ", ".join(f"{name} {number}" for name, number in counts.most_common()))
    if len(sys.argv) > 2:
        for i in path:
            print(i)
            for op, rest in blocks[i][0]:
                if kind(op) != "dot":
                    print("   ", op, rest.strip())


main()
