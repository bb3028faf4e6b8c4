#!/usr/bin/env bash
# Does what README.md tells a newcomer to type: the block behind `<!-- quick start -->`, in a clean folder, with `sterna` in
# PATH. Fails with the first command that fails, and where a command is not what the README says it is.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sterna=${STERNA:-$root/.build/debug/sterna}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^<!-- quick start -->/ { wanted = 1 } wanted && /^```/ { if (inside) exit; inside = 1; next } inside' \
    "$root/README.md" >"$work/quickstart.sh"
lines=$(grep -c . "$work/quickstart.sh" || true)
if [ "$lines" -lt 5 ] || [ "$lines" -gt 12 ]; then
    echo "README.md: the quick start has $lines lines, expected about ten" >&2
    exit 1
fi
mkdir "$work/bin" "$work/project"
ln -s "$sterna" "$work/bin/sterna"
cd "$work/project"
PATH=$work/bin:$PATH bash -euxo pipefail "$work/quickstart.sh"
