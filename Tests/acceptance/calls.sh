# Calls as people mistype them: exit code, and a message that says what to do; nothing is written.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
small=$models/edge/00_control_ok

# name, exit code, what stderr names (blanks as _), and the call.
table() {
    cat <<'END'
unknown-verb       64 'bogus'                          bogus
no-model           64 <model>                          compile
no-output          64 --output                         compile model.onnx
empty-output       64 --output                         compile model.onnx -o @
empty-model        64 empty                            compile @ -o new
two-models         64 Unexpected_argument              compile model.onnx model.onnx -o new
unknown-option     64 --frob                           compile model.onnx -o new --frob
bad-name           64 2x                               compile model.onnx -o new --name 2x
bad-schedule       64 frame                            compile model.onnx -o new --schedule fast
unknown-target     64 cortex-m33                       verify model.onnx --target z80
no-samples         64 --samples                        verify model.onnx --samples 0
expect-alone       64 --input                          verify model.onnx --expect x.npy
missing-file       66 no_such_file                     compile nope.onnx -o new
missing-file-2     66 nope.onnx                        inspect nope.onnx
directory          66 is_a_directory                   compile folder -o new
empty-file         1  empty.onnx:_error:_[empty-file]  compile empty.onnx -o new
text-file          1  text.onnx:_error:_[              compile text.onnx -o new
empty-stdin        1  <stdin>:_error:_[empty-file]     compile - -o new
impossible-ram     1  --ram_10                         compile model.onnx -o new --ram 10
output-is-file     73 not_a_directory                  compile model.onnx -o text.onnx
output-below-file  73 not_a_directory                  compile model.onnx -o text.onnx/new
output-in-proc     73 /proc/new                        compile model.onnx -o /proc/new
demo-unwritable    73 text.onnx                        demo -o text.onnx
report-empty       64 --output                         report model.onnx -o @
report-directory   73 is_a_directory                   report model.onnx -o folder
ternarize-empty    64 --output                         ternarize model.onnx --calibration x.npy -o @
ternarize-text     1  text.onnx:_error:_[              ternarize text.onnx --calibration x.npy -o new.onnx
ternarize-no-array 66 text.onnx                        ternarize model.onnx --calibration text.onnx -o new.onnx
missing-input      66 nope.npy                         run model.onnx --input nope.npy --output new.npy
input-no-array     66 text.onnx                        run model.onnx --input text.onnx --output new.npy
input-wrong-shape  66 y.npy                            run model.onnx --input y.npy --output new.npy
labels-too-many    66 x.npy                            evaluate model.onnx --input x.npy --labels x.npy
expect-wrong-count 66 y.npy                            verify model.onnx --input x.npy --expect y.npy
END
}

cases() {
    table | awk '{ print "call " $1 }'
    echo standard_input
    echo standard_streams
    echo missing_compiler
    echo mismatch
}

prepare() {
    cp "$small.onnx" model.onnx
    cp "$small.in.npy" x.npy
    cp "$models/har/y.npy" .
    : >empty.onnx
    echo 'this is no model' >text.onnx
    mkdir folder
}

call() {
    local status named words
    read -r status named words <<<"$(table | awk -v name="$1" '$1 == name { $1 = ""; print }')"
    read -ra words <<<"$words"
    words=("${words[@]/#@/}")
    prepare
    : >before
    ls -R >before
    expect "$status" "$STERNA" "${words[@]}"
    grep -qiF -- "${named//_/ }" err || {
        echo "the message does not name '${named//_/ }':"
        cat err
        return 1
    }
    rm out err
    ls -R | diff before -
}

# The same model by name and by stdin gives the same code, but for the name of the file.
standard_input() {
    prepare
    expect 0 "$STERNA" compile model.onnx -o a --name net
    "$STERNA" compile - -o b --name net <model.onnx
    sed -i 's/from model.onnx/from standard input/' a/net.h a/net.c
    diff a/net.h b/net.h
    diff a/net.c b/net.c
}

# Results to stdout, talk to stderr; no escape codes where nobody looks on, nor where NO_COLOR is set.
standard_streams() {
    prepare
    expect 0 "$STERNA" compile model.onnx -o new
    printf 'new/model.h\nnew/model.c\nnew/model.json\n' | diff - out
    [ -s err ]
    expect 0 "$STERNA" inspect model.onnx --json
    [ "$(head -c 1 out)" = '{' ]
    expect 1 "$STERNA" inspect text.onnx
    ! grep -q $'\e' err out
    expect 1 env NO_COLOR=1 script -qec "$STERNA inspect text.onnx" /dev/null
    ! grep -q $'\e' out
}

missing_compiler() {
    prepare
    expect 69 env PATH=/nonexistent "$STERNA" verify model.onnx --samples 1
    names 'gcc not found: apt-get install gcc'
    expect 69 env PATH=/nonexistent "$STERNA" verify model.onnx --samples 1 --target riscv32
    names 'apt-get install gcc-riscv64-unknown-elf'
}

# Outputs of another network are a mismatch.
mismatch() {
    prepare
    expect 2 "$STERNA" verify model.onnx --input x.npy --expect "$models/edge/10b_bn_gamma_negative.out.npy" --optimization O2
}

main "$@"
