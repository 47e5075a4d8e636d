#!/bin/sh
# The asserts of src/ are in the archive: every object that is made from a file with an assert calls __assert_fail (or what
# this libc calls it).
#
#   check_asserts.sh ARCHIVE
set -eu
archive=$1
cd "$(dirname "$0")/.."
work=$(mktemp)
trap 'rm -f "$work"' EXIT
nm -A "$archive" 2>/dev/null | sed -nE 's/^[^:]*:([^:]*)\.o:.* U _*assert.*/\1/p' | sort -u >"$work"
bad=0
found=0
# shellcheck disable=SC2013 # no file of src/ has blanks in its name
for file in $(grep -rlE '^[[:space:]]+assert\(' src --include='*.c' | grep -v -e ^src/cli/ -e ^src/pictures/); do
    found=$((found + 1))
    grep -qx "${file##*/}" "$work" || { echo "FAIL: the asserts of $file are not in ${archive##*/}: see OCTET_ASSERTS"; bad=1; }
done
[ "$found" -gt 0 ] || { echo "FAIL: no assert in src/, so this test looks for the wrong thing"; bad=1; }
exit $bad
