#!/usr/bin/env bash
# What a change to planner or emitter does to emitted files: digests of some thousand compilations.
#
#   Tests/manifest.sh                   compares with Tests/manifest/manifest.txt, and lists what differs
#   Tests/manifest.sh --update          writes that file anew
#   Tests/manifest.sh --diff [COMMIT]   shows how files that differ have changed since COMMIT (HEAD), which it builds beside
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
committed=Tests/manifest/manifest.txt
work=$PWD/build/manifest
mkdir -p "$work"

# emit TREE NAME=VALUE...: runs the test in a checkout.
emit() {
    local tree=$1
    shift
    (cd "$tree" && env "$@" Tests/swift.sh test --filter ManifestTests) >"$work/log" 2>&1
}

# changed FILE FILE: keys of lines that are in one of them only.
changed() { sort "$1" "$2" | uniq -u | cut -d' ' -f2- | sort -u; }

Tests/swift.sh build
rm -f "$work/now.txt"
new=()
if [ "${1-}" = --update ]; then new=(STERNA_MANIFEST_NEW=1); fi
emit . STERNA_MANIFEST="$work/now.txt" "${new[@]}" || grep -a '✘' "$work/log" || true
[ -s "$work/now.txt" ] || {
    tail -20 "$work/log"
    exit 1
}
case ${1-} in
--update)
    cp "$work/now.txt" $committed
    wc -l <$committed
    # Every kernel and every way of computing should be there three times.
    grep -a '^only [0-9]* times: ' "$work/log" || true
    ;;
--diff)
    commit=$(git rev-parse "${2-HEAD}")
    git show "$commit:$committed" >"$work/then.txt"
    changed "$work/now.txt" "$work/then.txt" >"$work/changed"
    echo "$(wc -l <"$work/changed") of $(wc -l <"$work/now.txt") differ from $commit"
    [ -s "$work/changed" ] || exit 0
    # Its build stays for the next time.
    mkdir -p "$work/base"
    find "$work/base" -mindepth 1 -maxdepth 1 ! -name .build-tests -exec rm -rf {} +
    git archive "$commit" | tar -x -C "$work/base"
    "$work/base/Tests/swift.sh" build >"$work/log"
    rm -rf "$work/a" "$work/b"
    # A few are enough to see what they have in common.
    only=$(head -20 "$work/changed")
    emit "$work/base" STERNA_MANIFEST_ONLY="$only" STERNA_MANIFEST_FILES="$work/a"
    emit . STERNA_MANIFEST_ONLY="$only" STERNA_MANIFEST_FILES="$work/b"
    diff -ru "$work/a" "$work/b" || true
    ;;
'')
    changed "$work/now.txt" $committed >"$work/changed"
    echo "$(wc -l <"$work/changed") of $(wc -l <"$work/now.txt") differ"
    head -50 "$work/changed"
    [ ! -s "$work/changed" ]
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
    exit 64
    ;;
esac
