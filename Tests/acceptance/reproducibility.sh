# Same model, same options: same bytes, wherever and under whatever settings.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cases() {
    # One of each dialect; what is printed does not depend on more than that.
    for name in max2_pc_qonnx_ts max2_pc_qonnx_dynamo twn_pc_qcdq_ts; do echo "same_bytes $name"; done
}

same_bytes() {
    cp "$models/har/$1.onnx" .
    mkdir -p deep/er
    expect 0 "$STERNA" compile "$1.onnx" -o plain --name net --tests
    expect 0 env -i LC_ALL=tr_TR.UTF-8 TZ=Asia/Tokyo HOME=/ "$STERNA" compile "./$1.onnx" -o settings --name net --tests
    expect 0 env LC_ALL=C TZ=America/St_Johns "$STERNA" compile "$PWD/$1.onnx" -o "$PWD/absolute" --name net --tests
    (cd deep/er && expect 0 "$STERNA" compile "../../$1.onnx" -o ../../folder --name net --tests)
    for other in settings absolute folder; do diff -r plain $other; done
    # No path and no user in it.
    ! grep -rl -e "$PWD" -e "${USER:-nobody}@" plain
}

main "$@"
