#!/usr/bin/env bash
# Runs one case of a part in a folder of its own and says ok or FAIL; the output of a failed case follows, in one piece.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part=$1
case=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
begin=$SECONDS
cd "$folder"
set +e
bash "$here/$part.sh" "$case" >"$folder.log" 2>&1 </dev/null
status=$?
set -e
if [ $status -eq 0 ]; then
    result="ok   $part: $case ($((SECONDS - begin)) s)"
else
    result="FAIL $part: $case"$'\n'$(tail -40 "$folder.log" | sed 's/^/     /')
fi
rm -f "$folder.log"
printf '%s\n' "$result"
exit $((status != 0))
