#!/usr/bin/env bash
# Runs all tests, stage by stage; ends at the first stage that fails.
#
#   Tests/run.sh               every stage
#   Tests/run.sh STAGE...      some of them, in the order given
#
# Stages:
#   packages      installs what is missing, by apt-get; the only stage that needs to be root
#   format        formatters find nothing to change
#   build         the tool and the Swift tests, into .build-tests: Tests/swift.sh
#   swift         the Swift tests, among them random networks: interpreter against C
#   kernels       the C kernels by themselves: gcc and clang, sanitized, and on emulated cores
#   mutation      the emitted tests notice wrong tokens: a sample; Tests/mutation/run has all
#   firmware      committed output = what the tool emits; its presets build, run on the host and in QEMU
#   consumer      a CMake project that compiles models at build time
#   acceptance    trained models on all targets, bad files, bad calls
#   readme        the quick start of README.md, as typed
#   limits        instructions, flash and RAM are what Tests/bench/results.txt says, and below their limits
#   training      the PyTorch recipe; creates .venv-training
#
# Logs: build/logs/STAGE.log. STERNA_SKIP_TRAINING=1 leaves out the last stage, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
logs=$root/build/logs
all_stages=(packages format build swift kernels mutation firmware consumer acceptance readme limits training)
STERNA=$(Tests/swift.sh tool)
export STERNA

# What stages tell beyond their log goes to descriptor 3.
exec 3>&1
tell() { echo "    $*" >&3; }

# skip WHY: the stage ends as skipped, which the last line repeats.
skip() {
    echo "SKIPPED: $*"
    tell "SKIPPED: $*"
    exit 0
}

# --- packages

# need PACKAGE COMMAND...: notes the package where a command fails.
missing=()
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

list_missing() {
    missing=()
    need gcc command -v gcc
    need libc6-dev test -e /usr/include/stdio.h
    need clang command -v clang
    need clang-format command -v clang-format
    need cmake command -v cmake
    need ninja-build command -v ninja
    need libcmocka-dev test -e /usr/include/cmocka.h
    need gcc-arm-none-eabi command -v arm-none-eabi-gcc
    need libnewlib-arm-none-eabi sh -c 'echo "#include <stdint.h>" | arm-none-eabi-gcc -ffreestanding -fsyntax-only -xc - &&
        test -e "$(arm-none-eabi-gcc -print-file-name=libc.a)"'
    need qemu-system-arm command -v qemu-system-arm
    need gcc-riscv64-unknown-elf command -v riscv64-unknown-elf-gcc
    need picolibc-riscv64-unknown-elf sh -c 'echo | riscv64-unknown-elf-gcc --specs=picolibc.specs -fsyntax-only -xc -'
    need qemu-system-misc command -v qemu-system-riscv32
    need gcc-s390x-linux-gnu command -v s390x-linux-gnu-gcc
    need libc6-dev-s390x-cross test -e /usr/s390x-linux-gnu/lib/libc.a
    need qemu-user command -v qemu-s390x
    need gcc-avr command -v avr-gcc
    need avr-libc sh -c 'echo "#include <avr/io.h>" | avr-gcc -mmcu=atmega1284p -fsyntax-only -xc -'
    need simavr command -v simavr
    need python3 command -v python3
    need python3-venv python3 -c 'import ensurepip, venv'
}

stage_packages() {
    if ! command -v swift; then
        tell "swift not found: install Swift 6.1 or later, see https://www.swift.org/install"
        return 1
    fi
    list_missing
    if [ ${#missing[@]} -eq 0 ]; then return; fi
    if [ "$(id -u)" -ne 0 ]; then
        tell "missing; as root: apt-get install ${missing[*]}"
        return 1
    fi
    tell "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install -y --no-install-recommends "${missing[@]}"
    list_missing
    if [ ${#missing[@]} -ne 0 ]; then
        tell "still missing after apt-get install: ${missing[*]}"
        return 1
    fi
}

# --- format

stage_format() {
    swift format lint --strict --recursive --parallel Sources Tests Package.swift Templates
    git ls-files 'Templates/*.[ch]' 'Tests/*.[ch]' 'firmware/*.[ch]' |
        xargs clang-format --style=file:firmware/.clang-format --dry-run -Werror
}

# --- Swift

stage_build() {
    Tests/swift.sh build
}

stage_swift() {
    Tests/swift.sh test
    grep -a 'Test run with' "$logs/swift.log" | tail -1 | sed 's/^[^ ]* */    /' >&3
}

# --- C

stage_kernels() {
    Tests/kernels/run.sh "$root/build/kernels"
}

stage_mutation() {
    # A few of all: chance takes some percent off the share that the whole run must reach.
    Tests/mutation/run --sample 30 --least 80
    grep -a '^mutation: ' "$logs/mutation.log" | sed 's/^mutation: /    /' >&3
}

stage_firmware() {
    firmware/regenerate.sh --check

    local first second
    first=$(mktemp -d)
    second=$(mktemp -d)
    "$STERNA" demo -o "$first"
    "$STERNA" demo -o "$second"
    diff -r "$first" "$second"
    rm -rf "$first" "$second"

    cd firmware
    for preset in host cortex-m0 cortex-m4 cortex-m33; do
        cmake --preset $preset
        cmake --build --preset $preset
        ctest --preset $preset --verbose
    done
    grep -a 'The network says' "$logs/firmware.log" | sed 's/^[0-9]*: //' | sort -u | sed 's/^/    /' >&3
}

stage_consumer() {
    local model=$root/build/demo/har.onnx
    "$STERNA" demo -o "$root/build/demo"
    Tests/consumer/check "$STERNA" "$model"
    Tests/consumer/check "$STERNA" "$model" cortex-m0
}

stage_acceptance() {
    Tests/acceptance/run.sh
    grep -a '^acceptance: ' "$logs/acceptance.log" | sed 's/^acceptance: /    /' >&3
}

# --- what users see

stage_readme() {
    Tests/readme.sh
}

stage_limits() {
    # The person network takes a debug build too long: Tests/bench/benchmark.py --check without names has all.
    Tests/bench/benchmark.py --check radar ds_cnn
    sed 's/^/    /' "$logs/limits.log" >&3
}

# --- training

stage_training() {
    if [ "${STERNA_SKIP_TRAINING-}" = 1 ]; then
        skip "STERNA_SKIP_TRAINING is set"
    fi
    if [ ! -f training/requirements.txt ]; then
        skip "this checkout has no training/"
    fi
    local venv=$root/.venv-training
    local torch
    torch=$(sed -n 's/^torch==//p' training/requirements.txt)
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    # The CPU build first: PyPI's own torch brings gigabytes for GPUs. Some package mirrors have it, else PyTorch's index.
    if ! "$venv/bin/pip" install -q --disable-pip-version-check "torch==$torch+cpu" &&
        ! "$venv/bin/pip" install -q --disable-pip-version-check --retries 1 "torch==$torch+cpu" \
            --extra-index-url https://download.pytorch.org/whl/cpu; then
        skip "the CPU build of torch $torch can not be installed: $(grep -a '^ERROR' "$logs/training.log" | tail -1)"
    fi
    "$venv/bin/pip" install -q --disable-pip-version-check -r training/requirements.txt
    "$venv/bin/python" -m pytest -q training
    tail -1 "$logs/training.log" | sed 's/^/    /' >&3
}

# --- main

if [ "${1-}" = --help ] || [ "${1-}" = -h ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
    exit 0
fi
stages=("$@")
if [ $# -eq 0 ]; then stages=("${all_stages[@]}"); fi
for stage in "${stages[@]}"; do
    if ! declare -F "stage_$stage" >/dev/null; then
        echo "Tests/run.sh: no stage '$stage'; there are: ${all_stages[*]}" >&2
        exit 64
    fi
done

mkdir -p "$logs"
skipped=()
for stage in "${stages[@]}"; do
    echo "$stage ..."
    begin=$SECONDS
    # Not as a condition: that would switch off `set -e` within the stage.
    set +e
    (
        set -e
        "stage_$stage"
    ) >"$logs/$stage.log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status -ne 0 ]; then
        echo "--- the end of build/logs/$stage.log:"
        tail -60 "$logs/$stage.log"
        echo "--- stage $stage FAILED after $((SECONDS - begin)) s, exit $status; all of it: build/logs/$stage.log"
        exit 1
    fi
    if tail -1 "$logs/$stage.log" | grep -qa '^SKIPPED: '; then
        skipped+=("$stage")
    else
        echo "$stage passed in $((SECONDS - begin)) s"
    fi
done
echo "all stages passed${skipped[*]:+, but for ${skipped[*]}: skipped} ($((SECONDS / 60)) min $((SECONDS % 60)) s)"
