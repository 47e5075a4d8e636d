#!/bin/sh
# The library by itself, as a program that embeds it builds it: no command, no tests, no examples, on a machine that has
# neither libpng nor libjpeg nor zlib. The ONNX decoder is BUILD's, and ccache is used where BUILD uses it.
#
#   check_alone.sh BUILD SOURCE CC
set -eu
build=$1 source=$2 cc=$3
work=$build/alone-check
log=$build/alone-check.log
fail() { echo "FAIL: $*"; exit 1; }

hide=''
for package in PNG JPEG ZLIB; do
    hide="$hide -DCMAKE_DISABLE_FIND_PACKAGE_$package=ON"
done
# -O0: what is asked is whether it builds.
# shellcheck disable=SC2086
if ! { cmake -S "$source" -B "$work" -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0 $hide \
    -DOCTET_COMMAND=OFF -DOCTET_TESTS=OFF -DOCTET_EXAMPLES=OFF -DOCTET_ONNX_PB="$build/onnx_pb" &&
    cmake --build "$work"; } >"$log" 2>&1; then
    tail -n 40 "$log"
    fail "the library does not build by itself"
fi
foreign=$(readelf -d "$work/liboctet.so" | sed -nE 's/.*NEEDED.*\[(lib(png|jpeg|z)[^]]*)\].*/\1/p')
[ -z "$foreign" ] || fail "liboctet.so wants $foreign"
if cmake -S "$source" -B "$work/refused" -DOCTET_COMMAND=OFF -DOCTET_TESTS=ON >"$log" 2>&1 ||
    ! grep -q 'OCTET_COMMAND=ON' "$log"; then
    fail "tests without the command are not refused with a word: see $log"
fi
echo "the library builds by itself"
