#!/usr/bin/env bash
# Changed models that still run, beside ONNX Runtime; exit status 77 is "skipped": its virtual environment is not there.
#
#   mutants.sh RUN_MUTANTS COUNT    half of the mutants of tests/data, half of libonnx-testdata where that is installed
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../bench/nets/venv.sh" --there) || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
models=$here/../data
failed=0

# compare COUNT MODEL...
compare()
{
    local kept=$work/kept
    mkdir "$kept"
    "$run" --keep "$kept" "$@" || failed=1
    "$python" "$here/compare_mutants.py" "$kept" 2>&1 | grep -v 'EP Error\|^Falling back\|^\*\*\*' || failed=1
    rm -r "$kept"
}

run=$1
half=$((($2 + 1) / 2))
mapfile -t ours < <(find "$models" -name '*.onnx' ! -name 'bad_*' | sort)
mapfile -t theirs < <(find /usr/share/libonnx-testdata/data/node -name model.onnx -size -4k 2>/dev/null | sort)
compare "$half" "${ours[@]}"
[ ${#theirs[@]} -eq 0 ] || compare "$half" "${theirs[@]}"
exit $failed
