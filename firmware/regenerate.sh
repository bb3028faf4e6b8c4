#!/usr/bin/env bash
# Regenerates the committed output for the built-in model: har.h, har.c, har.json, test_har.c and the example's har_sample.h.
#
#   firmware/regenerate.sh            writes them
#   firmware/regenerate.sh --check    writes nothing; fails where they differ from what the tool emits
#
# STERNA is the tool; unless set, the debug build of this checkout, built first.
set -euo pipefail
firmware=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${1-} in
"") check=false ;;
--check) check=true ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac

if [ -z "${STERNA-}" ]; then
    (cd "$firmware/.." && swift build --product sterna >&2)
    STERNA=$firmware/../.build/debug/sterna
fi
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$STERNA" demo -o "$fresh" >/dev/null

status=0
for name in har.h har.c har.json test_har.c har_sample.h; do
    committed=$firmware/$name
    if [ $name = har_sample.h ]; then committed=$firmware/examples/baremetal/$name; fi
    if ! $check; then
        cp "$fresh/$name" "$committed"
    elif ! diff -u "$committed" "$fresh/$name" | head -40; then
        status=1
    fi
done
if [ $status -ne 0 ]; then echo "firmware/ is not what the tool emits: run firmware/regenerate.sh" >&2; fi
exit $status
