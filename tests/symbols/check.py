#!/usr/bin/env python3
"""What the shared library exports, held to what is written of it: check.py LIBRARY SOURCE [--update]

tests/symbols/exported.txt lists every exported symbol behind the header that declares it, so that a function which comes,
goes, or moves from the stable headers to octet/experimental.h or back shows in a change. The list must be what
`nm -D` tells of the library and what include/ declares, and each declaration must stand directly under its comment; one
that returns an octet_status says there which errors it has. --update writes the list anew.
"""
import pathlib
import re
import subprocess
import sys

library, source = sys.argv[1], pathlib.Path(sys.argv[2])
listing = source / "tests" / "symbols" / "exported.txt"
wrong = []


def declared():
    """symbol -> its header; says what is not documented."""
    found = {}
    for path in sorted((source / "include" / "octet").glob("*.h")):
        text = path.read_text()
        for m in re.finditer(r"^OCTET_API\s+([^;]*?)\b(octet_\w+)\(", text, re.M):
            returns, name = m.group(1).strip(), m.group(2)
            found[name] = path.name
            comment = re.search(r"/\*((?:(?!\*/).)*)\*/\n\Z", text[:m.start()], re.S)
            if not comment:
                wrong.append(f"{path.name}: {name} is not documented: a comment stands directly before a declaration")
            elif returns == "octet_status" and "Errors:" not in comment.group(1):
                wrong.append(f"{path.name}: the comment of {name} does not say which \"Errors:\" it returns")
    return found


def exported():
    text = subprocess.run(["nm", "-D", "-P", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in text.splitlines()}


headers = declared()
if "--update" in sys.argv:
    listing.write_text("".join(f"{h} {s}\n" for h, s in sorted((h, s) for s, h in headers.items())))
listed = {s: h for h, s in (line.split() for line in listing.read_text().splitlines())}
if len(listed) < 50:
    wrong.append(f"exported.txt has hardly any symbols: {len(listed)}")
symbols = exported()
for s in sorted(symbols - headers.keys()):
    wrong.append(f"the library exports {s}, which no header declares")
for s in sorted(headers.keys() - symbols):
    wrong.append(f"{headers[s]} declares {s}, which the library does not export")
for s in sorted(headers.keys() | listed.keys()):
    if headers.get(s) != listed.get(s):
        wrong.append(f"{s}: exported.txt has it in {listed.get(s, 'no header')}, it is in {headers.get(s, 'no header')}; "
                     "where that is meant, tests/symbols/check.py LIBRARY SOURCE --update, and a line in CHANGELOG.md")
print("\n".join(wrong) or f"{len(symbols)} exported symbols, each listed and documented")
sys.exit(1 if wrong else 0)
