#!/bin/sh
# Runs the kernel tests with every compiler at hand, plain and sanitized.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$(mktemp -d)}
for compiler in gcc clang; do
  if ! command -v $compiler >/dev/null; then
    echo "$compiler not found: apt-get install $compiler" >&2
    exit 1
  fi
  for sanitize in OFF ON; do
    folder=$build/$compiler-$sanitize
    cmake -S "$here" -B "$folder" -DCMAKE_C_COMPILER=$compiler -DSANITIZE=$sanitize >/dev/null
    # gold, which Swift's clang links with, warns about the sanitizer's own symbols by the hundred.
    if ! cmake --build "$folder" >"$folder/log" 2>&1; then
      cat "$folder/log" >&2
      exit 1
    fi
    echo "kernels, $compiler, sanitizers $sanitize:"
    ctest --test-dir "$folder" --output-on-failure | tail -3
  done
done
