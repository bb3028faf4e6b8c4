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
name-of-c-header   64 shadows_the_C_library's_<stdint.h> compile model.onnx -o new --name stdint
name-in-capitals   64 <string.h>                       compile model.onnx -o new --name String
name-of-posix      64 shadows_the_system's_<unistd.h>  compile model.onnx -o new --name unistd
name-keyword       64 keyword_of_C:                    compile model.onnx -o new --name int
name-c++-keyword   64 keyword_of_C++                   compile model.onnx -o new --name class
name-main          64 where_a_program_begins           compile model.onnx -o new --name main
name-device        64 Windows                          inspect model.onnx --name con
name-own-file      64 file_that_sterna's_own           verify model.onnx --name semihosting
help-of-nothing    64 no_verb_'nope'                   help nope
optimization-o1    64 'O0',_'O2',_'O3'_or_'Os'         verify model.onnx --optimization O1
sanitized-core     64 --sanitize_is_for_the_host       verify model.onnx --target cortex-m0 --sanitize
ram-of-no-unit     64 such_as_4096,_4K                 inspect model.onnx --ram 4X
ram-beyond-all     64 such_as_4096,_4K                 inspect model.onnx --flash 99999999999999M
ram-in-k           1  --ram_1024                       compile big.onnx -o new --ram 1K
pytorch-file       1  a_PyTorch_checkpoint             inspect checkpoint.pt
tflite-file        1  a_TensorFlow_Lite_model          compile model.tflite -o new
keras-file         1  HDF5                             inspect model.h5
zip-file           1  a_zip_archive                    inspect model.zip
lfs-pointer        1  git_lfs_pull                     inspect pointer.onnx
ternarize-pytorch  1  a_PyTorch_checkpoint             ternarize checkpoint.pt --calibration x.npy -o new.onnx
input-pytorch      66 a_PyTorch_checkpoint             run model.onnx --input checkpoint.pt --output new.npy
input-not-finite   66 inf_in_sample_5,_element_7       run verdict.onnx --input badin.npy --output new.npy
labels-not-finite  66 index_0                          evaluate verdict.onnx --input good.npy --labels nan_labels.npy
no-samples-at-all  66 no_samples                       run model.onnx --input none.npy --output new.npy
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
    echo default_names
    echo collision
    echo full_disk
    echo mixed_files
    echo labels
    echo told
    echo standard_input
    echo standard_streams
    echo missing_compiler
    echo mismatch
}

# array FILE TYPE SHAPE BYTES: a .npy file; the bytes as printf has them.
array() {
    local header="{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
    printf "\\223NUMPY\\1\\0\\166\\0%-117s\n$4" "$header" >"$1"
}

prepare() {
    cp "$small.onnx" model.onnx
    cp "$small.in.npy" x.npy
    cp "$models/har/y.npy" .
    : >empty.onnx
    echo 'this is no model' >text.onnx
    mkdir folder
    cp "$models/har/pot_qonnx_ts.onnx" big.onnx
    cp "$models/verdicts/conv_same_lower.onnx" verdict.onnx
    cp "$models/verdicts/conv_same_lower.in.npy" good.npy
    cp "$models/verdicts/conv_same_lower.badin.npy" badin.npy
    printf 'PK\3\4 archive/data.pkl' >checkpoint.pt
    printf '    TFL3' >model.tflite
    printf '\211HDF\r\n\032\n' >model.h5
    printf 'PK\3\4 something' >model.zip
    printf 'version https://git-lfs.github.com/spec/v1\n' >pointer.onnx
    array none.npy '<f4' '(0, 1, 8, 8)' ''
    array nan_labels.npy '<f4' '(6,)' '\0\0\300\177\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
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

# A name that comes from a file never meets one that is refused, and tells versions apart.
default_names() {
    prepare
    local file name
    while read -r file name; do
        cp model.onnx "$file"
        expect 0 "$STERNA" name "$file"
        [ "$(cat out)" = "$name" ]
        expect 0 "$STERNA" compile "$file" -o new
        [ -f "new/$name.h" ]
    done <<'END'
a.v1.onnx a_v1
a.v2.onnx a_v2
string.onnx string_model
Int.onnx int_model
main.onnx main_model
2x.onnx model_2x
abcdefghijklmnopqrstuvwxyz-0123456789.onnx abcdefghijklmnopqrstuvw_e9301a
END
}

# Two files of one name: the second does not overwrite what the first has become, unless the name is asked for.
collision() {
    prepare
    cp model.onnx a-b.onnx
    cp model.onnx a_b.onnx
    expect 0 "$STERNA" compile a-b.onnx -o new
    cp -r new old
    expect 64 "$STERNA" compile a_b.onnx -o new
    grep -q 'new/a_b.json is that of a-b.onnx.*--name' err
    diff -r old new
    expect 0 "$STERNA" compile a-b.onnx -o new
    expect 0 "$STERNA" compile a_b.onnx -o new --name a_b
}

# Results that do not arrive are no success, whatever the verb.
full_disk() {
    prepare
    local call words status
    for call in 'inspect model.onnx' 'inspect model.onnx --json' operators demo 'compile model.onnx -o new' --help \
        --version 'help compile' 'report model.onnx -o -' 'name model.onnx' \
        'verify model.onnx --samples 1 --optimization O2' 'evaluate verdict.onnx --input good.npy --labels labels.npy'; do
        array labels.npy '|u1' '(6,)' '\0\0\0\0\0\0'
        read -ra words <<<"$call"
        status=0
        "$STERNA" "${words[@]}" 2>err >/dev/full || status=$?
        [ $status -eq 73 ] && grep -q 'standard output: can not be written: No space left' err || {
            echo "exit $status: $call"
            return 1
        }
    done
}

# What a call that was killed while it wrote may leave: files of two compilations. No compiler takes them together.
mixed_files() {
    prepare
    expect 0 "$STERNA" compile model.onnx -o one --name net --tests
    expect 0 "$STERNA" compile model.onnx -o two --name net --tests --schedule frame --no-fuse
    expect 0 "$STERNA" compile verdict.onnx -o three --name net --tests
    local other
    for other in two three; do
        expect 0 cc -fsyntax-only -I one one/net.c
        expect 1 cc -fsyntax-only -I $other -include $other/net.h one/net.c
        grep -q 'net.h is of another compilation' err
        cp one/net.h one/net.c .
        cp $other/test_net.c .
        expect 1 cc -fsyntax-only -I . test_net.c
        grep -q 'net.h is of another compilation' err
    done
    local id
    id=$(sed -n 's/.*_BUILD_ID 0x\([0-9A-F]*\)U$/\1/p' one/net.h)
    grep -q "\"buildID\" : $((16#$id))" one/net.json
}

# Labels as (N, 1) and as whole floats; a wrong one by its index.
labels() {
    prepare
    array column.npy '<i4' '(6, 1)' '\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\0\0\0\0'
    expect 0 "$STERNA" evaluate verdict.onnx --input good.npy --labels column.npy --json
    mv out integers
    local one='\0\0\200\77'
    array floats.npy '<f4' '(6,)' "\\0\\0\\0\\0$one\\0\\0\\0\\100\\0\\0\\100\\100\\0\\0\\200\\100\\0\\0\\0\\0"
    expect 0 "$STERNA" evaluate verdict.onnx --input good.npy --labels floats.npy --json
    diff integers out
    array half.npy '<f4' '(6,)' "$one\\0\\0\\300\\77$one$one$one$one"
    expect 66 "$STERNA" evaluate verdict.onnx --input good.npy --labels half.npy
    grep -q 'half.npy: label 1.5 at index 1: expected 0 to 4' err
    array five.npy '|u1' '(6, 1)' '\0\0\0\5\0\0'
    expect 66 "$STERNA" evaluate verdict.onnx --input good.npy --labels five.npy
    grep -q 'five.npy: label 5 at index 3' err
    array row.npy '|u1' '(1, 6)' '\0\0\0\0\0\0'
    expect 66 "$STERNA" evaluate verdict.onnx --input good.npy --labels row.npy
    grep -q 'shape (1, 6)' err
}

# Options without effect, inputs that are none of the model's, and a bound in words.
told() {
    prepare
    expect 0 "$STERNA" compile "$models/verdicts/topk_last.onnx" -o new --optimize speed
    grep -q 'note: --optimize speed changes nothing' err
    expect 0 "$STERNA" compile model.onnx -o new --optimize speed
    ! grep -q 'note:' err
    expect 0 "$STERNA" run model.onnx --input x.npy --output new.npy --ram 10 --optimize speed
    grep -q 'note: --optimize, --ram: for firmware' err
    expect 0 "$STERNA" inspect big.onnx
    grep -q 'logits: one unit is 0.00390625; times that, the outputs are the real logits of the file' out
    expect 0 "$STERNA" inspect "$models/har/max2_pc_qonnx_ts.onnx"
    grep -Eq 'logits: one unit is .*differ from the real logits of the file by less than [0-9.e-]{1,12}$' out
    # 2^30, everywhere.
    array far.npy '<f4' '(1, 2, 9, 9)' "$(printf '\\0\\0\\200\\116%.0s' {1..162})"
    expect 0 "$STERNA" run verdict.onnx --input far.npy --output new.npy
    grep -q 'far.npy: warning: 100.00 % of the values lie outside' err
    expect 0 "$STERNA" run verdict.onnx --input good.npy --output new.npy
    ! grep -q warning err
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
