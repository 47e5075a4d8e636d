#!/usr/bin/env bash
# The Python that bench/nets and tests/oracle run on: prints the path of an interpreter with the packages of
# requirements.txt. It is $PYTHON when that is set; else that of build/nets-venv, made here from PyPI when it is missing
# or was made for other versions.
#
#   venv.sh            make it if need be; exit status 1 with a word when it cannot be had
#   venv.sh --there    do not make it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../build/nets-venv

if [ -n "${PYTHON-}" ]; then
    echo "$PYTHON"
    exit 0
fi
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    [ "${1-}" != --there ] || { echo "no build/nets-venv; bench/nets/venv.sh makes it" >&2; exit 1; }
    mkdir -p "$(dirname "$venv")"
    rm -rf "$venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r "$here/requirements.txt"; } >"$venv.log" 2>&1; then
        rm -rf "$venv"
        echo "no virtual environment with the packages of bench/nets/requirements.txt: $(tail -n 1 "$venv.log")" >&2
        exit 1
    fi
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
echo "$(cd "$venv" && pwd)/bin/python"
