#!/bin/sh
# Are all the calls that Octet makes and that may fail among those that tests make fail? OpenCL's in cl_calls.def, the C
# library's in libc_faults.c, or below, with what cannot fail, or only by its caller's mistake.
#
#   check.sh FOLDER OBJECT...    the folder of this script's sources; objects and archives that hold all of Octet
set -eu
folder=$1
shift
bad=0

undefined=$(nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u)
defined=$(nm "$@" | awk 'NF == 3 && $2 ~ /[TtDdBbRrC]/ { print $3 }' | sort -u)
wrapped=$(sed -nE 's/^WRAP_SIMPLE\(([a-z0-9_]+),.*/\1/p; s/^WRAP(_STREAM)?\([^,]*, ([a-z0-9_]+),.*/\2/p' "$folder/libc_faults.c")
[ "$(printf '%s\n' "$wrapped" | wc -l)" -gt 50 ] || { echo "FAIL: hardly any call is wrapped"; bad=1; }
[ "$(printf '%s\n' "$undefined" | grep -c '^cl[A-Z]')" -gt 30 ] || { echo "FAIL: hardly any OpenCL call is made"; bad=1; }

cannot_fail()
{
    case $1 in
        # texts, bytes, numbers, the clock
        mem* | str* | __ctype_* | snprintf | vsnprintf | __isoc*_sscanf | __isoc*_strto* | qsort | bsearch | clock_gettime | time | *gmtime_r) ;;
        ceil* | floor* | rint* | round* | nearbyint* | lrint* | trunc* | fabs* | fma* | fmin* | frexp* | ldexp* | log* | exp* | pow* | sqrt* | cos* | sin* | tan* | erf*) ;;
        # numbers that the system tells, else none; a pause, a signal that is ignored
        __isoc99_fscanf | fscanf | nanosleep | __sysv_signal | signal | dlerror | dlclose) ;;
        # threads that are there, the process, the environment
        pthread_mutex_* | pthread_cond_* | pthread_join | pthread_once | get[a-z]*id | getenv | setenv | unsetenv | sysconf | isatty | madvise | \
            umask | sig* | raise | __sig* | _setjmp | longjmp | __tls_get_addr | __errno_location | __assert_fail | __stack_chk_fail | \
            _GLOBAL_OFFSET_TABLE_ | getpagesize | __gcov_*) ;;
        # streams: what they know; a folder that is closed; formats of other libraries
        stdin | stdout | stderr | fileno | ferror | feof | clearerr | rewind | setvbuf | closedir | dirfd | alphasort) ;;
        pb_* | png_* | jpeg_* | inflate* | deflate* | crc32* | CLBlast*) ;;
        *) return 1 ;;
    esac
}

for name in $undefined; do
    printf '%s\n' "$defined" | grep -qx "$name" && continue
    case $name in
        cl[A-Z]*)
            grep -qx "TAKE($name)" "$folder/cl_calls.def" || { echo "FAIL: tests/fault_layer/cl_calls.def does not name $name"; bad=1; }
            ;;
        *)
            printf '%s\n' "$wrapped" | grep -qx "$name" || cannot_fail "$name" ||
                { echo "FAIL: $name is neither wrapped in tests/fault_layer/libc_faults.c nor listed in check.sh as one that cannot fail"; bad=1; }
            ;;
    esac
done
exit $bad
