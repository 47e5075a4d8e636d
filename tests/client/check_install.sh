#!/bin/sh
# Install Octet from a build folder into a folder beside it, then use it as a stranger would.
#
#   check_install.sh BUILD SOURCE CC [CXX]
#
# Checks: the shared library exports octet_* and nothing else; the headers alone compile as C99 and C++11, pedantic;
# a program builds and runs through find_package, shared and static, and through pkg-config, shared and static;
# the example in README.md builds and runs; the installed command starts.
set -eu
build=$1 source=$2 cc=$3 cxx=${4-}
work=$build/install-check
stage=$work/stage
model=$source/examples/digits/digits_int8.onnx

step() { echo "-- $*"; }
fail() { echo "FAIL: $*"; exit 1; }

rm -rf "$work"
mkdir -p "$work"

step "install"
cmake --install "$build" --prefix "$stage" >"$work/install.log" || { cat "$work/install.log"; fail "cmake --install"; }
pc=$(find "$stage" -name octet.pc)
[ -n "$pc" ] || fail "octet.pc is not installed"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(dirname "$PKG_CONFIG_PATH")
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
if grep -rIl "$source" "$stage"; then
    fail "these installed files name the source folder"
fi

step "exported symbols"
symbols=$(nm -D --defined-only "$libdir/liboctet.so" | awk '{print $NF}')
[ "$(printf '%s\n' "$symbols" | grep -c '^octet_')" -ge 30 ] || fail "hardly any octet_ symbols: $symbols"
foreign=$(printf '%s\n' "$symbols" | grep -v '^octet_' || true)
[ -z "$foreign" ] || fail "liboctet.so exports $foreign"

step "soname"
version=$(sed -nE 's/^Version: //p' "$pc")
case $version in
    0.*) soname=liboctet.so.${version%.*} ;; # before 1.0 with the minor
    *) soname=liboctet.so.${version%%.*} ;;
esac
[ "$(readlink "$libdir/liboctet.so")" = "$soname" ] || fail "liboctet.so is not a link to $soname"
readelf -d "$libdir/liboctet.so" | grep -qF "[$soname]" || fail "the SONAME is not $soname"

step "headers alone"
opencl=$(pkg-config --cflags OpenCL 2>/dev/null || true)
for header in "$stage"/include/octet/*.h; do
    name=octet/${header##*/}
    printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$name" "$name" >"$work/header.c"
    cp "$work/header.c" "$work/header.cc"
    # shellcheck disable=SC2086
    "$cc" -std=c99 -pedantic -Wall -Wextra -Werror -I"$stage/include" $opencl -fsyntax-only "$work/header.c"
    if [ -n "$cxx" ]; then
        # shellcheck disable=SC2086
        "$cxx" -std=c++11 -pedantic -Wall -Wextra -Werror -I"$stage/include" $opencl -fsyntax-only "$work/header.cc"
    fi
done
[ -n "$cxx" ] || echo "   no C++ compiler: C only"

step "find_package"
if ! { cmake -S "$source/tests/client" -B "$work/client" -DCMAKE_PREFIX_PATH="$stage" -DCMAKE_C_COMPILER="$cc" &&
    cmake --build "$work/client"; } >"$work/client.log" 2>&1; then
    cat "$work/client.log"
    fail "the client does not build with find_package"
fi
"$work/client/client" "$model"
"$work/client/client_static" "$model"

step "pkg-config"
# shellcheck disable=SC2046
"$cc" -std=c99 -pedantic -Wall -Wextra -Werror "$source/tests/client/client.c" -o "$work/client_pc" \
    $(pkg-config --cflags --libs octet)
"$work/client_pc" "$model"
# shellcheck disable=SC2046
"$cc" -std=c99 -DOCTET_STATIC "$source/tests/client/client.c" -o "$work/client_pc_static" \
    $(pkg-config --cflags octet) "$libdir/liboctet.a" $(pkg-config --static --libs-only-l octet | sed 's/-loctet//') \
    -pthread
"$work/client_pc_static" "$model"

step "the example of README.md"
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$source/README.md" >"$work/readme.c"
[ "$(wc -l <"$work/readme.c")" -ge 15 ] || fail "README.md has no example of C"
# shellcheck disable=SC2046
"$cc" -std=c11 -Wall -Wextra -Werror "$work/readme.c" -o "$work/readme" $(pkg-config --cflags --libs octet)
lines=$("$work/readme" "$model" | grep -c '^[0-9]: ')
[ "$lines" -eq 10 ] || fail "the example prints $lines scores, not 10"
if "$work/readme" "$work/no-such-file" >"$work/readme.out" 2>&1; then
    fail "the example succeeds without a model"
fi

step "the examples of docs/api.md"
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source/docs/api.md" >"$work/api.c"
[ "$(wc -l <"$work/api.c")" -ge 80 ] || fail "docs/api.md has no examples of C"
# shellcheck disable=SC2046,SC2086
"$cc" -std=c11 -Wall -Wextra -Werror -fsyntax-only "$work/api.c" $(pkg-config --cflags octet) $opencl

if [ -x "$stage/bin/octet" ]; then
    step "the command"
    "$stage/bin/octet" --version
fi
echo "installed Octet works"
