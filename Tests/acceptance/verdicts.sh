# verify --expect: right outputs pass, wrong ones fail, what can not be compared is refused; and how verify ends when it is
# interrupted.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
verdicts=$models/verdicts

# The model, its inputs and expectation, exit code, and what is said (blanks as _).
table() {
    cat <<'END'
two_scales_regression in    out     0   argmax_equal_on_12_of_12
two_scales_regression in    wrong   2   output_1
logsoftmax_last       in    out     0   behind_the_model's_own_LogSoftmax
logsoftmax_last       in    wrong   2   sample_2
topk_last             in    out     0   behind_the_model's_own_TopK
topk_last             in    wrong   2   sample_3
qdq_ort_bias_int32    in    out     0   too_close_to_tell
conv_same_lower       in    out     0   argmax_equal_on_6_of_6
conv_same_lower       in    inf     66  inf_in_sample_1,_element_2
conv_same_lower       in    nan     66  nan_in_sample_4,_element_3
conv_same_lower       badin out     66  inf_in_sample_5,_element_7
conv_same_lower       in    turned  66  (6,_5)
END
}

cases() {
    table | awk '{ print "verdict " $1 " " $2 " " $3 }'
    for signal in INT TERM; do
        for target in host cortex-m0; do echo "interrupted $signal $target"; done
    done
    echo temporary_folder
}

verdict() {
    local status words
    read -r status words <<<"$(table | awk -v row="$*" '$1 " " $2 " " $3 == row { print $4, $5 }')"
    local call=("$STERNA" verify "$verdicts/$1.onnx" --input "$verdicts/$1.$2.npy" --expect "$verdicts/$1.$3.npy")
    if [ "$status" -eq 66 ]; then
        # Seen before anything is compiled: there is no compiler.
        expect 66 env PATH=/nonexistent "${call[@]}"
    else
        expect "$status" "${call[@]}" --optimization O2
    fi
    grep -qF -- "${words//_/ }" out err
}

# The signal arrives while a compiler or an emulator runs: nothing is left of them, nor of their files.
interrupted() {
    mkdir tmp
    local code=130
    if [ "$1" = TERM ]; then code=143; fi
    # A shell gives what it starts in the background an ignored SIGINT; env gives it the usual one.
    TMPDIR=$PWD/tmp env --default-signal=INT,TERM "$STERNA" verify "$models/har/pot_qonnx_ts.onnx" --samples 8 \
        --target "$2" --optimization O3 --sanitize --target host >out 2>err &
    local tool=$! tries=0 status=0
    until [ -n "$(ls tmp)" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 3000 ] || ! kill -0 $tool; then
            echo "verify has not begun to compile"
            return 1
        fi
        sleep 0.02
    done
    kill -"$1" $tool
    wait $tool || status=$?
    [ $status -eq $code ] || {
        echo "exit $status, expected $code"
        return 1
    }
    [ -z "$(ls -A tmp)" ]
    ! pgrep -f "$PWD/tmp"
}

temporary_folder() {
    cp "$models/edge/00_control_ok.onnx" model.onnx
    for folder in /nonexistent /proc "$PWD/model.onnx"; do
        expect 73 env TMPDIR="$folder" "$STERNA" verify model.onnx --samples 1
        names "$folder" TMPDIR
    done
    mkdir 'a b'
    TMPDIR='a b' expect 0 "$STERNA" verify model.onnx --samples 1 --optimization O2
    [ -z "$(ls -A 'a b')" ]
}

main "$@"
