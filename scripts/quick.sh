# shellcheck shell=bash disable=SC2154
# The quick loop of scripts/test: what to test after a change, by names. Sourced after lib.sh.
#
# A file's tests are those that bear its name, the family's name or its folder's, in the parallel trees (src/ref/ref_gemm.c,
# kernels/gemm/, tests/test_gemm.c); then those that include its header; then a few that run everything once. They are
# run in this order as far as a minute goes, by the times that CTest kept of their last runs.

quick_tree=build/gcc
quick_budget=$((40 * jobs)) # seconds of tests, all jobs together: what is left of a minute after a build
quick_basis=(layers test_demo test_graph test_passes test_executor test_device)

# changed_files: against the last commit; on a clean tree, since main
changed_files()
{
    local files
    files=$(git diff --name-only HEAD; git ls-files --others --exclude-standard)
    if [ -z "$files" ] && git rev-parse -q --verify main >/dev/null; then
        files=$(git diff --name-only "$(git merge-base HEAD main)" HEAD)
    fi
    printf '%s\n' "$files" | grep . | sort -u
}

# tests_named WORD...: of $quick_all, those called test_WORD (or its plural) or test_WORD_...
tests_named()
{
    local word
    for word in "$@"; do
        printf '%s\n' "${quick_all[@]}" | grep -E "^test_${word}(e?s)?(_|\$)" || true
    done
}

# tests_with TEXT: the tests in whose source the text is
tests_with()
{
    local file
    while read -r file; do
        file=${file##*/}
        tests_named "${file#test_}"
    done < <(grep -lF -- "$1" tests/test_*.c | sed 's/\.c$//')
}

# rank TESTS-FROM-STDIN: "RANK NAME" a line
rank()
{
    sed "s/^/$1 /"
}

# tests_of FILE: "RANK NAME" a line; 1 is nearest
tests_of()
{
    local file=$1 stem word folder
    stem=${file##*/}
    stem=${stem%.*}
    case $file in
        tests/test_*.c) tests_named "${stem#test_}" | rank 1 ;;
        tests/data/*) tests_with "${file##*/}" | rank 1 ;;
        tests/fuzz/fuzz_*.c) printf '1 %s\n' "$stem" "${stem}_every" ;;
        tests/fuzz/made_*) echo 1 fuzz_graphs ;;
        tests/fuzz/*mutants*) echo 1 fuzz_mutants ;;
        tests/fuzz/* | tests/stub_opencl/*) printf '1 %s\n' fuzz_plan fuzz_onnx fuzz_command_line ;;
        tests/gpu_compile/*) echo 1 gpu_compile ;;
        tests/fault_layer/*) echo 1 test_faults ;;
        tests/*.h) tests_with "\"${file##*/}\"" | rank 2 ;;
        *.md | tests/check_docs.sh) echo 1 docs ;;
        include/* | cmake/* | tests/client/* | CMake*) printf '1 %s\n' docs layers library_alone install ;;
        examples/digits/*) printf '1 %s\n' test_demo demo_program ;;
        examples/ocr/*) echo 1 test_ocr ;;
        src/cli/* | src/pictures/*) printf '1 %s\n' test_cli_files test_cli test_cli_writes fuzz_command_line fuzz_arrays fuzz_pictures ;;
        src/io/*) printf '1 %s\n' test_io test_cli_writes test_cli_files ;;
        src/* | kernels/*)
            folder=$(basename "$(dirname "$file")")
            word=$(sed -E 's/^(ref|infer|lower|pass|oct)_//' <<<"$stem")
            tests_named "$stem" "$word" | rank 1
            tests_named "${word%%_*}" "${word##*_}" "$folder" | rank 2
            tests_with "\"$stem.h\"" | rank 3
            printf '4 %s\n' "${quick_basis[@]}"
            ;;
    esac
}

# choose FILE...: names of tests within the budget, in $quick_chosen; the rest in $quick_left
choose()
{
    local file name cost spent=0 costs=$quick_tree/Testing/Temporary/CTestCostData.txt
    quick_chosen=() quick_left=()
    while read -r name; do
        [[ " ${quick_all[*]} " == *" $name "* ]] || continue
        cost=$(awk -v name="$name" '$1 == name && $2 > 0 { print int($3 + 0.5); exit }' "$costs" 2>/dev/null || true)
        cost=${cost:-5} # not run yet
        if [ ${#quick_chosen[@]} -eq 0 ] || [ $((spent + cost)) -le "$quick_budget" ]; then
            quick_chosen+=("$name")
            spent=$((spent + cost))
        else
            quick_left+=("$name")
        fi
    done < <(for file in "$@"; do tests_of "$file"; done | sort -s -n -k 1,1 | awk '!seen[$2]++ { print $2 }')
}

# targets_of TEST...: what has to be built for them
targets_of()
{
    local name
    for name in "$@"; do
        [ "$name" != layers ] || continue # the archive is enough
        sed -nE "s/^add_test\(\[=\[$name\]=\] (.*)\)\$/\1/p" $quick_tree/tests/{,fuzz/}CTestTestfile.cmake
    done | grep -o "\"$root/$quick_tree"'[^"]*"' | tr -d '"' | sort -u | while read -r path; do
        case ${path##*/} in
            gcc) echo all ;;
            octet) echo octet_cli ;;
            liboctet.a) echo octet_static ;;
            *) echo "${path##*/}" ;;
        esac
    done
}

# check_text FILE...: the form of those that changed, where the tools are here
check_text()
{
    local files=()
    mapfile -t files < <(formatted_files | grep -Fx -f <(printf '%s\n' "$@") || true)
    if [ ${#files[@]} -gt 0 ] && { have clang-format-14 || have clang-format; }; then
        scripts/format --check "${files[@]}"
    fi
    mapfile -t files < <(shell_files | grep -Fx -f <(printf '%s\n' "$@") || true)
    if [ ${#files[@]} -gt 0 ] && have shellcheck; then
        shellcheck -x -P scripts "${files[@]}"
    fi
}

# quick [LABEL-OR-REGEX]
quick()
{
    local what=$1 changed=() selection=() targets=()
    mkdir -p $quick_tree
    if [ ! -f $quick_tree/CMakeCache.txt ] || [ CMakePresets.json -nt $quick_tree/CMakeCache.txt ]; then
        quietly $quick_tree/configure.log configure gcc
    fi
    # Without a target of consequence, CMake sees to its own files first.
    quietly $quick_tree/build.log cmake --build --preset gcc -j "$jobs" --target octet_static
    mapfile -t quick_all < <(ctest --preset gcc -N | sed -nE 's/^ *Test +#[0-9]+: //p')
    if [ -n "$what" ]; then
        selection=(-R "$what")
        if ctest --preset gcc --print-labels | grep -qx " *$what"; then
            selection=(-L "^$what\$")
        fi
        mapfile -t quick_chosen < <(ctest --preset gcc -N "${selection[@]}" | sed -nE 's/^ *Test +#[0-9]+: //p')
        [ ${#quick_chosen[@]} -gt 0 ] || die "no label and no test of every day is like '$what'; ctest --preset gcc -N names them"
        quick_left=()
    else
        git rev-parse -q --git-dir >/dev/null 2>&1 ||
            die "not a git checkout; scripts/test --quick WHAT takes a label or a test"
        mapfile -t changed < <(changed_files)
        if [ ${#changed[@]} -eq 0 ]; then
            echo "nothing changed since main: ${quick_basis[*]}"
            quick_chosen=("${quick_basis[@]}") quick_left=()
        else
            printf 'changed: %s\n' "${changed[*]}"
            check_text "${changed[@]}"
            choose "${changed[@]}"
        fi
    fi
    if [ ${#quick_chosen[@]} -eq 0 ]; then
        echo "no test is named after any of these"
    else
        mapfile -t targets < <(targets_of "${quick_chosen[@]}")
        [ ${#targets[@]} -eq 0 ] ||
            quietly $quick_tree/build.log cmake --build --preset gcc -j "$jobs" --target "${targets[@]}"
        ctest --preset gcc -j "$jobs" -R "^($(IFS='|' && echo "${quick_chosen[*]}"))\$"
    fi
    [ ${#quick_left[@]} -eq 0 ] || echo "left to scripts/test, for a minute is over: ${quick_left[*]}"
    printf 'scripts/test --quick: passed in %d s\n' "$SECONDS"
}
