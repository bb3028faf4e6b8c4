#!/bin/sh
# Runs the kernel tests with every compiler, plain and sanitized, and on emulated cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$(mktemp -d)}

need() {
  if ! command -v "$1" >/dev/null; then
    echo "$1 not found: apt-get install $2" >&2
    exit 1
  fi
}

# run TITLE FOLDER OPTION...
run() {
  title=$1
  folder=$build/$2
  shift 2
  cmake --no-warn-unused-cli -S "$here" -B "$folder" "$@" >/dev/null
  # gold, which Swift's clang links with, warns about the sanitizer's own symbols by the hundred.
  if ! cmake --build "$folder" -j "$(nproc)" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    exit 1
  fi
  echo "kernels, $title:"
  # No pipe: it would hide a failure.
  if ! ctest --test-dir "$folder" -j "$(nproc)" --output-on-failure >"$folder/log" 2>&1 </dev/null; then
    cat "$folder/log" >&2
    exit 1
  fi
  tail -3 "$folder/log"
}

need cmake cmake
for compiler in gcc clang; do
  need $compiler $compiler
  for sanitize in OFF ON; do
    run "$compiler, sanitizers $sanitize" $compiler-$sanitize -DCMAKE_C_COMPILER=$compiler -DSANITIZE=$sanitize
  done
done

# An M4 has instructions for which some kernels have a form of their own; an M0 and RISC-V do without. Words of s390x begin
# with the most significant byte.
need arm-none-eabi-gcc "gcc-arm-none-eabi libnewlib-arm-none-eabi"
need qemu-system-arm qemu-system-arm
need riscv64-unknown-elf-gcc "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"
need qemu-system-riscv32 qemu-system-misc
need s390x-linux-gnu-gcc "gcc-s390x-linux-gnu libc6-dev-s390x-cross"
need qemu-s390x qemu-user
for core in cortex-m0 cortex-m4 riscv32 s390x; do
  run $core $core -DCMAKE_TOOLCHAIN_FILE="$here/../../cmake/toolchains/$core.cmake"
done
