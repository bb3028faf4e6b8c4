# Trained networks, as Brevitas exported them: C = interpreter on every host compiler and emulated core, 64 inputs, every
# value of every layer; outputs as PyTorch's. As they ship, and without fused pools, where each of the ten layers can be seen.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The files, and whose outputs for x.npy they are held against: PyTorch's of that variant. `executor`: threshold weights
# exported to QONNX are another network than PyTorch's (README, "A trap in QONNX export"), so qonnx's executor of the file.
# Third, another file of the same network: the same C must come of both, but for the names of layers, and is tried but once.
table() {
    cat <<'END'
act4_qonnx_ts               executor
const_pt_qcdq_ts            const_pt
const_pt_qonnx_ts           const_pt   const_pt_qcdq_ts
floatpool_outq_qonnx_ts     executor
max2_pc_qcdq_ts             max2_pc
max2_pc_qonnx_dynamo        max2_pc    max2_pc_qcdq_ts
max2_pc_qonnx_ts            max2_pc    max2_pc_qcdq_ts
pot_qonnx_ts                pot
twn_pc_qcdq_ts              twn_pc
twn_pc_qonnx_ts             executor
twn_pt_biasint8_qonnx_ts    executor
END
}

cases() {
    # Every file there is: one that the table does not have is an error.
    for path in "$models"/har/*.onnx; do
        name=$(basename "$path" .onnx)
        read -r expectation other < <(table | awk -v name="$name" '$1 == name { print $2, $3 }') || true
        if [ -n "${other-}" ]; then
            echo "same $name $expectation $other"
        else
            echo "host $name ${expectation:-missing}"
            echo "cores $name ${expectation:-missing}"
        fi
    done
}

# check NAME JOBS ARGUMENT...: verifies, and expects that many runs, all equal.
check() {
    local name=$1 jobs=$2
    shift 2
    expect 0 "$STERNA" verify "$models/har/$name.onnx" --input "$models/har/x.npy" "$@"
    cat out
    [ "$(grep -c ': equal samples=64 layers=[1-9][0-9]* values=[1-9][0-9]* differing=0$' out)" -eq "$jobs" ]
}

host() {
    local arguments=(--optimization O0 --optimization O2 --optimization O3 --optimization Os --sanitize)
    check "$1" 10 --no-fuse "${arguments[@]}"
    [ "$(grep -c ' layers=10 ' out)" -eq 10 ]
    local expected=$models/har/$2_torch_out.npy
    if [ "$2" = executor ]; then expected=$models/../vectors/$1.npy; fi
    check "$1" 10 "${arguments[@]}" --expect "$expected"
    grep -q '^against the expected outputs: argmax equal on 64 of 64 samples' out
}

# tokens NAME OPTION: of the C of a file, with layers numbered and without the identifier of the compilation.
tokens() {
    local folder=$1$2
    "$STERNA" compile "$models/har/$1.onnx" -o "$folder" --name har ${2:+"$2"} >/dev/null
    sed -i '/BUILD_ID/s/0x[0-9A-F]\{8\}U/0U/' "$folder/har.c" "$folder/har.h"
    # Each layer has a buffer for its input, named after it. The last first: an earlier name may be the beginning of a later one.
    sed -n 's/^ *"name" : "\(.*\) input",*$/\1/p' "$folder/har.json" |
        awk '{ print "s/har_" $0 "_/har_" NR "_/g" }' | tac >names
    [ "$(wc -l <names)" -ge 7 ]
    gcc -E -P "$folder/har.c" | sed -f names | tr -d '[:space:]'
}

same() {
    for fuse in "" --no-fuse; do
        tokens "$1" "$fuse" >one
        tokens "$3" "$fuse" >other
        [ "$(wc -c <one)" -gt 10000 ]
        cmp one other
    done
    check "$1" 2 --optimization O2 --expect "$models/har/$2_torch_out.npy"
    grep -q '^against the expected outputs: argmax equal on 64 of 64 samples' out
}

cores() {
    local targets=(--target cortex-m0 --target cortex-m3 --target cortex-m4 --target cortex-m7 --target cortex-m33
        --target riscv32)
    check "$1" 6 "${targets[@]}"
    check "$1" 6 --no-fuse "${targets[@]}"
    [ "$(grep -c ' layers=10 ' out)" -eq 6 ]
    # The most significant byte first; and an int of 16 bits, in 16 KB of RAM and with a flash for one sample.
    check "$1" 1 --target s390x --optimize speed
    check "$1" 1 --target s390x --no-fuse
    expect 0 "$STERNA" verify "$models/har/$1.onnx" --input "$models/har/x.npy" --target avr --ram 6000
    cat out
    grep -q '^avr -O2: equal samples=[1-9][0-9]* layers=[1-9][0-9]* values=[1-9][0-9]* differing=0$' out
}

main "$@"
