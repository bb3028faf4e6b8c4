#!/usr/bin/env bash
# Holds README.md to what it says: types its quick start in a clean folder, with `sterna` in the path, and compares the table of
# operators, the forecasts, the list of commands and the excerpt of the emitted C with the tool's own.
#
#   Tests/readme.sh
#   Tests/readme.sh --update    writes operators, forecasts and excerpt into README.md and checks nothing
#
# STERNA is the tool; the debug build of this checkout unless set.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sterna=${STERNA:-$root/.build/debug/sterna}
readme=$root/README.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "README.md: $*" >&2
    exit 1
}

# block NAME: what stands between `<!-- NAME -->` and `<!-- end -->`.
block() { awk -v begin="<!-- $1 -->" '$0 == begin { inside = 1; next } $0 == "<!-- end -->" { inside = 0 } inside' "$readme"; }

# replace NAME FILE: puts the file there.
replace() {
    awk -v begin="<!-- $1 -->" -v file="$2" '
        $0 == "<!-- end -->" { inside = 0 }
        !inside
        $0 == begin { inside = 1; while ((getline line < file) > 0) print line }' "$readme" >"$work/readme"
    cp "$work/readme" "$readme"
}

{
    echo '| operator | condition |'
    echo '|---|---|'
    "$sterna" operators | sed 's/^\([A-Za-z]*\)  *\(.*\)$/| \1 | \2 |/; s/|  |$/| always |/'
} >"$work/operators"
{
    echo '```c'
    # The head of the second layer, up to where its memory begins.
    awk '/^\/\*$/ { text = ""; inside = 1 } inside && /^ \* Input:/ { inside = 0 } inside { text = text $0 "\n" }
        / \* Stage 2 of/ { found = 1 } found && !inside { printf "%s", text; exit }' "$root/firmware/har.c"
    echo ' */'
    echo '```'
} >"$work/excerpt"
{
    echo '```'
    "$sterna" inspect "$root/training/delivered/har.onnx" --core cortex-m4 |
        awk '/^choices/ { inside = 1; next } inside && !NF { exit } inside { sub(/^  /, ""); print }'
    echo '```'
} >"$work/choices"
if [ "${1-}" = --update ]; then
    replace operators "$work/operators"
    replace choices "$work/choices"
    replace excerpt "$work/excerpt"
    exit
fi
for name in operators choices excerpt; do
    [ "$(wc -l <"$work/$name")" -gt 5 ]
    block $name | diff -u - "$work/$name" || fail "'$name' is out of date: Tests/readme.sh --update"
done

"$sterna" --help | awk '/^SUBCOMMANDS:/ { list = 1; next } list && /^  [a-z]/ { print $1 }' >"$work/verbs"
[ -s "$work/verbs" ]
while read -r verb; do
    grep -q "^| \`sterna $verb[ \`]" "$readme" || fail "no row for sterna $verb"
done <"$work/verbs"

# The quick start: as many lines as promised, none fails, and the last prints what its comment says.
block 'quick start' | sed '/^```/d' >"$work/quickstart.sh"
lines=$(grep -c . "$work/quickstart.sh" || true)
if [ "$lines" -lt 5 ] || [ "$lines" -gt 15 ]; then fail "the quick start has $lines lines, expected 5 to 15"; fi
mkdir "$work/bin" "$work/project"
ln -s "$sterna" "$work/bin/sterna"
cd "$work/project"
PATH=$work/bin:$PATH bash -euxo pipefail "$work/quickstart.sh" | tee "$work/output"
promised=$(sed -n 's/.*# prints: //p' "$work/quickstart.sh")
printed=$(tail -1 "$work/output")
if [ -z "$promised" ] || [ "$printed" != "$promised" ]; then
    fail "promises '$promised', but the quick start prints '$printed'"
fi
