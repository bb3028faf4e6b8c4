# For the parts: strict mode, paths, and expectations. Each case runs in an empty folder of its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
models=$(cd "$here/../Fixtures/models" && pwd)

# expect STATUS COMMAND...: runs it with its output in `out` and `err` and fails unless it exits so.
expect() {
    local expected=$1 status=0
    shift
    "$@" >out 2>err </dev/null || status=$?
    if [ $status -ne "$expected" ]; then
        echo "exit $status, expected $expected: $*"
        cat out err
        return 1
    fi
}

# names WORD...: fails unless stderr contains each.
names() {
    local word
    for word; do
        grep -qF -- "$word" err || {
            echo "the message does not name '$word':"
            cat err
            return 1
        }
    done
}

# cases NAME...: answers --list; otherwise calls the function of the case's first word with its words.
main() {
    if [ "$1" = --list ]; then
        cases
    else
        local words
        read -ra words <<<"$1"
        "${words[@]}"
    fi
}
