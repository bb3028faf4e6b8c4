#!/usr/bin/env bash
# Holds the tool to what it promises, by its command line alone.
#
#   Tests/acceptance/run.sh              everything
#   Tests/acceptance/run.sh PART...      models, edge, verdicts, calls, programs, reproducibility
#
# STERNA is the tool; the debug build of this checkout unless set. JOBS checks run at a time, 2 unless set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STERNA=$(realpath "${STERNA:-$here/../../.build/debug/sterna}")
export STERNA
parts=("$@")
if [ $# -eq 0 ]; then parts=(models edge verdicts calls programs reproducibility); fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The harness is compiled once for each target and level.
export STERNA_OBJECTS=$work/objects
for part in "${parts[@]}"; do
    [ -f "$here/$part.sh" ] || {
        echo "no part '$part'" >&2
        exit 64
    }
    # A part run with --list prints its cases, one a line; with a case it checks that one and fails or not.
    bash "$here/$part.sh" --list >"$work/$part.list"
    begin=$SECONDS
    if ! xargs -d '\n' -P "${JOBS:-2}" -n 1 bash "$here/one.sh" "$part" <"$work/$part.list" | tee "$work/$part.log"; then
        failed=1
    fi
    passed=$(grep -c '^ok   ' "$work/$part.log" || true)
    total=$(wc -l <"$work/$part.list")
    echo "acceptance: $part: $passed of $total passed in $((SECONDS - begin)) s"
    if [ "$passed" -ne "$total" ] || [ "$total" -eq 0 ]; then failed=1; fi
done
exit "${failed:-0}"
