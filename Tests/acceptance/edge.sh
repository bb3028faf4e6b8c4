# Small files of Tests/Fixtures/models/edge and cases, whose READMEs say what must happen to each. Which of the cases are
# refused, and that the others compute what was recorded, is CaseFileTests' part: here the tool and its C are tried on them.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# accepted: computes what another executor recorded, where there is a record. refused: exit 1, the words in the message.
table() {
    cat <<'END'
00_control_ok                        accepted
01_unsupported_op_erf                refused Erf act1 [unsupported-operator]
02_missing_act_quant                 refused act1 fc [unquantized-activation]
03_weights_4bit                      refused w1 15_levels bit_width_of_4
03d_2bit_not_narrow_without_minus2   accepted
04_dynamic_hw                        refused 'x' [1,_1,_H,_W]
04b_dynamic_batch                    accepted
05_truncated                         refused byte
06_nan_weight_scale                  refused w1q_s nan
07_asym_padding                      accepted
10b_bn_gamma_negative                accepted
12_zero_act_scale                    refused r1q_s 0.0
14b_initializers_also_inputs         accepted
15c_lowercase_round                  accepted
16_avgpool_ties_half_even            accepted
19b_external_missing                 refused nope.data
20_huge_dims                         refused w1 2147483648
22b_cycle                            refused r1q
25_domain_onnx_brevitas              accepted
30_qcdq_int8_clip                    accepted
END
}

cases() {
    for path in "$models"/edge/*.onnx; do
        name=$(basename "$path" .onnx)
        echo "$(table | awk -v name="$name" '$1 == name { print $2 }') $name"
    done
    for path in "$models"/cases/*.onnx; do echo "compiled_or_refused $(basename "$path" .onnx)"; done
}

# Compiled, and C = interpreter on the file's own samples; or exit 1 with one message that says how to mend it.
compiled_or_refused() {
    local path=$models/cases/$1 arguments=(--target host --optimization O2 --sanitize)
    if "$STERNA" compile "$path.onnx" -o compiled --name net >out 2>err; then
        if [ -f "$path.in.npy" ]; then arguments+=(--input "$path.in.npy"); fi
        expect 0 "$STERNA" verify "$path.onnx" "${arguments[@]}"
        cat out
        [ "$(grep -c ': equal .* differing=0$' out)" -eq 4 ]
    else
        expect 1 "$STERNA" compile "$path.onnx" -o compiled --name net
        [ "$(grep -c ': error: \[.* fix: ' err)" -eq 1 ]
        [ "$(grep -c ': error: ' err)" -eq 1 ]
    fi
}

accepted() {
    local path=$models/edge/$1 arguments=(--target host --target cortex-m0 --optimization O2 --sanitize)
    if [ -f "$path.in.npy" ]; then arguments+=(--input "$path.in.npy" --expect "$path.out.npy"); fi
    expect 0 "$STERNA" verify "$path.onnx" "${arguments[@]}"
    cat out
    [ "$(grep -c ': equal .* differing=0$' out)" -eq 5 ]
}

refused() {
    local words word
    read -ra words <<<"$(table | awk -v name="$1" '$1 == name' | cut -d' ' -f2-)"
    words=("${words[@]:1}")

    # What was there before stays as it was, and nothing joins it.
    mkdir old
    for file in net.h net.c net.json test_net.c; do echo "old $file" >"old/$file"; done
    cp -r old output
    (
        # 2 GiB of address space, 20 s: a hostile file must not cost more.
        ulimit -v 2097152 -t 20
        expect 1 "$STERNA" compile "$models/edge/$1.onnx" -o output --name net --tests
    )
    diff -r old output
    names "$1.onnx: error: [" "fix: "
    for word in "${words[@]}"; do names "${word//_/ }" 2>/dev/null || names "$word"; done
    expect 1 "$STERNA" compile "$models/edge/$1.onnx" -o new
    [ ! -e new ]
    expect 1 "$STERNA" inspect "$models/edge/$1.onnx"
    [ ! -s out ]
}

main "$@"
