"""Bank conflicts of the tiles in local memory, by the addresses that a warp makes: for every tile of the
rows that the program print_variants prints (standard input), the stores of a stage (tile.clh: keep_stage) and the loads of a k group (multiply_stage), 32 banks of 4 bytes.
The addresses are those of tile.clh, written down here once more: a change there is one here.

A warp's access takes as many passes as the busiest bank has different words; accesses of 16 bytes are made by a quarter of
the warp at a time. Printed: passes beyond the least, a line a variant; exit 1 where there are any."""
import re
import sys

WARP, BANKS = 32, 32


def passes(words):
    """Of the words that some lanes touch together."""
    banks = {}
    for word in words:
        banks.setdefault(word % BANKS, set()).add(word)
    return max(map(len, banks.values()))


def wide(starts):
    """Of 16 bytes from each of 32 starts, a quarter of the warp at a time; 4 is the least."""
    return sum(passes([start + i for start in starts[quarter:quarter + 8] for i in range(4)])
               for quarter in range(0, WARP, 8))


def excess(bm, bn, bk, tm, tn):
    """(stores of A, stores of B, loads of A, loads of B): passes beyond the least, of all warps and steps."""
    kw, tx = bk // 4, bn // tn
    threads, a_step, b_step = bm // tm * tx, (bm // 4 + 1) * 4, bn
    run_m, run_n = bm // (tm // 4), bn // (tn // 4)
    found = [0, 0, 0, 0]
    for warp in range(0, threads, WARP):
        lanes = range(warp, warp + WARP)
        for i in range(bm * bk // 16 // threads):
            chunks = [lane + i * threads for lane in lanes]
            at = [(c // 2 // bm * 2 + c % 2) * 4 * a_step + c // 2 % bm for c in chunks]
            found[0] += sum(passes([word + part * a_step for word in at]) - 1 for part in range(4))
        for i in range(bn * bk // 16 // threads):
            chunks = [lane + i * threads for lane in lanes]
            at = [c % (kw * 16) // 16 * b_step + c // (kw * 16) * 64 + c % 16 * 4 for c in chunks]
            found[1] += wide(at) - 4
        for k in range(kw):
            for h in range(tm // 4):
                found[2] += wide([k * a_step + h * run_m + lane // tx * 4 for lane in lanes]) - 4
            for h in range(tn // 4):
                found[3] += wide([k * b_step + h * run_n + lane % tx * 4 for lane in lanes]) - 4
    return found


def main():
    shape = re.compile(r"^(\w+) .*-DBM=(\d+) -DBN=(\d+) -DBK=(\d+) -DTM=(\d+) -DTN=(\d+)")
    rows = [(m.group(1), *map(int, m.groups()[1:])) for m in map(shape.match, sys.stdin) if m]
    bad = not rows
    for name, *sizes in rows:
        found = excess(*sizes)
        bad |= any(found)
        print(f"{name}: conflicts of stores {found[0]} + {found[1]}, of loads {found[2]} + {found[3]}")
    sys.exit(bad)


main()
