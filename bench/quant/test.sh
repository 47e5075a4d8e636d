#!/usr/bin/env bash
# Octet's quantized files beside ONNX Runtime as a test; exit status 77 is "skipped": no build/nets-venv (scripts/test
# makes it).
#
#   test.sh OCTET
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../nets/venv.sh" --there) || exit 77
exec "$python" "$here/small.py" "$1"
