#!/usr/bin/env bash
# Random networks from the corners of what is legal: every value of every layer of the C against the interpreter.
#
#   Tests/random.sh [COUNT [FIRST]]     COUNT networks (2000) from seed FIRST (0) on; prints how often which window met
#                                       which way of computing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
Tests/swift.sh build
STERNA_RANDOM_NETWORKS=${1:-2000} STERNA_RANDOM_FIRST=${2:-0} Tests/swift.sh test --filter CornerNetworkTests
