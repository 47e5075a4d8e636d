# shellcheck shell=bash
# What scripts/demo and scripts/test share. Sourced; sets `root` and changes to it.

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

# build DIR CMAKE-ARGUMENT...: configure (once per set of arguments) and build; the log shows only on failure
build()
{
    local dir=$1 log=$1/build.log jobs
    shift
    jobs=$(nproc 2>/dev/null || echo 2)
    mkdir -p "$dir"
    # A folder made with one generator stays with it; a new one takes Ninja where there is one.
    if [ ! -f "$dir/CMakeCache.txt" ] && have ninja; then
        set -- -G Ninja "$@"
    fi
    if ! { cmake -S . -B "$dir" "$@" && cmake --build "$dir" -j "$jobs"; } >"$log" 2>&1; then
        grep -E -A 8 'error|warning|Error' "$log" | head -n 60 >&2 || true
        tail -n 15 "$log" >&2
        return 1
    fi
}

# show COMMAND...: print it as one would type it, and run it
show()
{
    printf '\n$ %s\n' "$*"
    "$@"
}
