#!/usr/bin/env bash
# The one place that knows where the tests' build lies and how it is made.
#
#   Tests/swift.sh build             the tool and the Swift tests, into .build-tests
#   Tests/swift.sh test [OPTION...]  runs the tests as they were built; options of `swift test`, such as --filter NAME
#   Tests/swift.sh tool              prints the path of that build's sterna
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=.build-tests
# The walls between the targets: an import that Package.swift does not name is an error. The same for both verbs: another
# option would build anew.
options=(--scratch-path $folder --explicit-target-dependency-import-check error)
# The planner, the emitter and the interpreter are optimized: see the end of Package.swift.
export STERNA_OPTIMIZED_TESTS=1

verb=${1-}
[ $# -eq 0 ] || shift
case $verb in
build)
    swift build --build-tests "${options[@]}"
    test -x $folder/debug/sterna
    ;;
test) swift test --skip-build "${options[@]}" --disable-xctest "$@" ;;
tool) echo "$PWD/$folder/debug/sterna" ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
    exit 64
    ;;
esac
