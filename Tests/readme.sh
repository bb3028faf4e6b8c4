#!/usr/bin/env bash
# Does what README.md tells a newcomer to type: the block behind `<!-- quick start -->`, in a clean folder, with `sterna` in
# PATH. Fails with the first command that fails, and where the result is not what the README says.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sterna=${STERNA:-$root/.build/debug/sterna}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^<!-- quick start -->/ { wanted = 1 } wanted && /^```/ { if (inside) exit; inside = 1; next } inside' \
    "$root/README.md" >"$work/quickstart.sh"
lines=$(grep -c . "$work/quickstart.sh" || true)
if [ "$lines" -lt 5 ] || [ "$lines" -gt 15 ]; then
    echo "README.md: the quick start has $lines lines, expected about ten" >&2
    exit 1
fi
mkdir "$work/bin" "$work/project"
ln -s "$sterna" "$work/bin/sterna"
cd "$work/project"
PATH=$work/bin:$PATH bash -euxo pipefail "$work/quickstart.sh" | tee "$work/output"

promised=$(sed -n 's/.*# prints: //p' "$work/quickstart.sh")
printed=$(tail -1 "$work/output")
if [ -z "$promised" ] || [ "$printed" != "$promised" ]; then
    echo "README.md promises '$promised', the quick start prints '$printed'" >&2
    exit 1
fi

# The table of operators is what the tool says.
sed -n '/^<!-- operators -->/,/^<!-- end of operators -->/p' "$root/README.md" | sed -n 's/^| \([A-Z].*\) |$/\1/p' >"$work/written"
"$sterna" operators | sed 's/^\([A-Za-z]*\)  *\(.*\)$/\1 | \2/; s/ | $/ | always/' >"$work/meant"
diff -u "$work/written" "$work/meant" || {
    echo "README.md: the table of operators is not what \`sterna operators\` prints" >&2
    exit 1
}

# The excerpt of the emitted C is one.
awk '/^<!-- excerpt of firmware\/har.c -->/ { wanted = 1 } wanted && /^```/ { if (inside) exit; inside = 1; next } inside' \
    "$root/README.md" >"$work/excerpt"
[ -s "$work/excerpt" ]
while IFS= read -r line; do
    grep -qxF -- "$line" "$root/firmware/har.c" || {
        echo "README.md: firmware/har.c has no line '$line'" >&2
        exit 1
    }
done <"$work/excerpt"

# Every command has its row.
"$sterna" --help | awk '/^SUBCOMMANDS:/ { list = 1; next } list && /^  [a-z]/ && !/See/ { print $1 }' >"$work/verbs"
[ -s "$work/verbs" ]
while read -r verb; do
    grep -q "^| \`sterna $verb[ \`]" "$root/README.md" || {
        echo "README.md: no row for sterna $verb" >&2
        exit 1
    }
done <"$work/verbs"
