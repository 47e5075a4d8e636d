# shellcheck shell=bash
# What the scripts share. Sourced; sets `root` and changes to it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# have COMMAND: true when the command exists
have() { command -v "$1" >/dev/null 2>&1; }

# die TEXT...: one line to stderr, exit 1
die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# as many jobs as there are processors
jobs=$(nproc 2>/dev/null || echo 2)

# configure PRESET: of CMakePresets.json, which owns the flags; into build/PRESET. With Ninja and ccache where they are
# here; a folder made with one generator stays with it.
configure()
{
    local preset=$1 generator=() launcher=${CMAKE_C_COMPILER_LAUNCHER-}
    if [ ! -f "build/$preset/CMakeCache.txt" ] && have ninja; then
        generator=(-G Ninja)
    fi
    [ -n "$launcher" ] || ! have ccache || launcher=ccache
    cmake --preset "$preset" "${generator[@]}" "-DCMAKE_C_COMPILER_LAUNCHER=$launcher"
}

# quietly LOG COMMAND...: the log shows only on failure
quietly()
{
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        grep -E -A 8 'error|warning|Error' "$log" | head -n 60 >&2 || true
        tail -n 15 "$log" >&2
        return 1
    fi
}

# build PRESET [TARGET...]: configure and build
build()
{
    local preset=$1
    shift
    local targets=()
    [ $# -eq 0 ] || targets=(--target "$@")
    mkdir -p "build/$preset"
    quietly "build/$preset/configure.log" configure "$preset"
    quietly "build/$preset/build.log" cmake --build --preset "$preset" -j "$jobs" "${targets[@]}"
}

# formatted_files: what clang-format looks after, one a line
formatted_files()
{
    find include src kernels tests bench examples -name '*.[ch]' -o -name '*.cl' -o -name '*.clh' | sort
}

# shell_files: every script of the repository, one a line
shell_files()
{
    {
        find scripts -name '*.sh'
        grep -rlIE '^#!(/usr/bin/env |/bin/)(ba)?sh' scripts .ci tests bench examples
    } | sort -u
}

# show COMMAND...: print it as one would type it, and run it
show()
{
    printf '\n$ %s\n' "$*"
    "$@"
}
