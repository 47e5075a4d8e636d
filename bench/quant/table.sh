#!/usr/bin/env bash
# The table of run.py over three seeds as a test: fails where Octet's networks are further from float than those of ONNX
# Runtime's quantizer. Exit status 77 is "skipped": no build/nets-venv (scripts/test makes it), or a package cannot be had.
#
#   table.sh OCTET FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/../nets/venv.sh" --there >/dev/null || exit 77
"$here/python.sh" -c "import PIL" || exit 77
exec "$here/run" --octet "$1" --folder "$2" --seeds 3 --models det cls rec nude vad vad_parts
