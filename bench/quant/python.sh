#!/usr/bin/env bash
# The Python of bench/nets with Pillow: python.sh SCRIPT ARGUMENT...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../nets/venv.sh")
packages=$here/../../build/quant/packages
"$python" -c "import PIL" 2>/dev/null || [ -d "$packages" ] || "$python" -m pip install -q --target "$packages" -r "$here/requirements.txt"
PYTHONPATH=$packages exec "$python" "$@"
