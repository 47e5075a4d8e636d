#!/usr/bin/env bash
# examples/ocr/run as a test: test.sh BUILD. Exit status 77 is "skipped": there is no build/nets-venv (scripts/test makes
# it), no font, or the networks cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/ocr
"$here/../../bench/nets/venv.sh" --there >/dev/null || exit 77
"$here/../../bench/quant/python.sh" "$here/networks.py" "$folder/float" || exit 77
"$here/../../bench/quant/python.sh" "$here/draw.py" page "$here/page.txt" "$folder/page.png" || exit 77
exec "$here/run" "$1" "$folder"
