#!/usr/bin/env bash
# The comparison with ONNX Runtime as tests; exit status 77 is "skipped".
#
#   test.sh groups OCTET      every operator that quantizers know as a group of its own, where build/nets-venv is there
#                             already (scripts/test makes it)
#   test.sh everyday OCTET    a few small networks, likewise
#   test.sh all OCTET         every network in every form
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case $1 in
    groups)
        python=$("$here/venv.sh" --there) || exit 77
        exec "$python" "$here/groups.py" --octet "$2"
        ;;
    everyday)
        python=$("$here/venv.sh" --there) || exit 77
        exec "$python" "$here/run.py" --octet "$2" --inputs 4 \
            --nets squeezenet_small,mobilenetv2_small,mobilenetv3_small,resnet18_small \
            --forms qop_u8_tensor,qop_s8_channel,qdq_u8_channel,qdq_s8_tensor
        ;;
    all)
        python=$("$here/venv.sh") || exit 77
        exec "$python" "$here/run.py" --octet "$2"
        ;;
esac
