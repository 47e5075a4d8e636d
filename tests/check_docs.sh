#!/bin/sh
# The documentation against the code: README.md names exactly the operators of src/graph/op_table.def (those of no file,
# PASSES, apart), links lead somewhere, every octet_ function and type that the documents name is in the public headers, every
# file, preset and step of scripts/test is there, every variable of the environment is listed, and CMake's version is the
# header's.
#
#   check_docs.sh SOURCE
set -eu
cd "$1"
bad=0
complain() { echo "FAIL: $*"; bad=1; }

operators=$(sed -n '/, PASSES[,)]/d; s/^OCT_[A-Z_]*(\([A-Za-z0-9]*\)[,)].*/\1/p' src/graph/op_table.def)
[ "$(printf '%s\n' "$operators" | wc -l)" -ge 27 ] || complain "op_table.def has hardly any operators"
table=$(awk '/^\| runs as/ { inside = 1 } /^$/ { inside = 0 } inside' README.md | sed 1,2d | cut -d '|' -f 3-)
for operator in $operators; do
    printf '%s\n' "$table" | grep -qw "$operator" || complain "README.md does not name the operator $operator"
done
for operator in $(printf '%s\n' "$table" | tr -c 'A-Za-z0-9\n' ' '); do
    printf '%s\n' "$operators" | grep -qx "$operator" || complain "README.md names $operator, op_table.def does not"
done

steps=$(scripts/test --list)
for document in README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md $(find docs examples -name '*.md'); do
    # shellcheck disable=SC2013 # words are what is wanted
    for link in $(grep -o '](\([^)]*\))' "$document" | sed 's/^](//; s/)$//; s/#.*//'); do
        case $link in
            http*) ;;
            *) [ -e "$(dirname "$document")/$link" ] || complain "$document links to $link, which is not there" ;;
        esac
    done
    # shellcheck disable=SC2013
    for name in $(grep -ow 'octet_[a-z0-9_]*[a-z0-9]' "$document" | sort -u); do
        grep -qw "$name" include/octet/*.h src/*/*.h CMakeLists.txt cmake/*.cmake ||
            complain "$document names $name, the public headers do not"
    done
    # shellcheck disable=SC2013,SC2016
    for path in $(grep -oE '`(src|include|kernels|tests|bench|examples|scripts|cmake|docs)/[A-Za-z0-9_./-]*`' "$document" | tr -d '`'); do
        case $path in *FAMILY* | *NAME*) continue ;; esac # stands for many
        [ -e "$path" ] || [ -e "$path.c" ] || complain "$document names $path, which is not there"
    done
    # shellcheck disable=SC2013
    for preset in $(grep -oE -e '--preset [a-z]+' "$document" | sed 's/.* //'); do
        grep -q "\"name\": \"$preset\"" CMakePresets.json || complain "$document names the preset $preset, CMakePresets.json does not"
    done
    # shellcheck disable=SC2013,SC2016
    for name in $(grep -oE '`scripts/test( [a-z][a-z-]*)+' "$document" | cut -d ' ' -f 2-); do
        printf '%s\n' "$steps" | grep -q "^$name " || complain "$document names the step $name, scripts/test --list does not"
    done
done
# shellcheck disable=SC2013
for variable in $(sed -n 's/^    {"\([A-Z_0-9]*\)", .*/\1/p' src/base/environment.c); do
    grep -q "^| .*\`$variable\`.* |" docs/hardware.md || complain "docs/hardware.md does not list $variable"
done

version=$(sed -nE 's/^project\(octet VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)
header=$(sed -nE 's/^#define OCTET_VERSION_(MAJOR|MINOR|PATCH) //p' include/octet/octet.h | paste -sd .)
[ "$version" = "$header" ] || complain "CMakeLists.txt says version $version, octet.h $header"
exit $bad
