#!/bin/sh
# The documentation against the code: README.md names exactly the operators of src/graph/op_table.def (those of no file, PASSES, apart), links lead
# somewhere, and every octet_ function and type that the documents name is in the public headers.
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

for document in README.md $(find docs examples -name '*.md'); do
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
done
exit $bad
