# What a firmware project does with emitted code.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
flags=(-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-align -Wvla -Werror)

cases() {
    echo two_models
    echo from_cpp
    for name in act4_qonnx_ts max2_pc_qcdq_ts floatpool_outq_qonnx_ts; do echo "emitted_tests $name"; done
    for name in $(cd "$models/har" && ls ./*.onnx); do echo "symbols $(basename "$name" .onnx)"; done
    for name in $(cd "$models/har" && ls ./*.onnx); do
        for goal in size speed; do echo "forecast $(basename "$name" .onnx) $goal"; done
    done
    echo "mixed max2_pc_qonnx_ts"
    echo "measured max2_pc_qonnx_ts"
}

compile() { expect 0 "$STERNA" compile "$models/har/$1.onnx" -o . --name "$2" "${@:3}"; }

# Two different models in one program give the answers that each gives alone.
two_models() {
    compile act4_qonnx_ts first
    compile twn_pc_qcdq_ts second
    cat >main.c <<'END'
#include <stdio.h>
#ifdef FIRST
#include "first.h"
static first_state a;
#endif
#ifdef SECOND
#include "second.h"
static second_state b;
#endif

int main(void) {
    static int8_t input[64 * 64];
    int32_t output[5];
    for (int i = 0; i < 64 * 64; i++) {
        input[i] = (int8_t)(i * 7 % 128);
    }
#ifdef FIRST
    if (first_self_test(&a) != 0) { return 1; }
    first_run(&a, (const void *)input, output);
    for (int i = 0; i < 5; i++) { printf("%ld\n", (long)output[i]); }
#endif
#ifdef SECOND
    if (second_self_test(&b) != 0) { return 2; }
    second_run(&b, (const void *)input, output);
    for (int i = 0; i < 5; i++) { printf("%ld\n", (long)output[i]); }
#endif
    return 0;
}
END
    for compiler in gcc clang; do
        $compiler "${flags[@]}" -O2 -DFIRST main.c first.c -o one
        $compiler "${flags[@]}" -O2 -DSECOND main.c second.c -o two
        $compiler "${flags[@]}" -O2 -DFIRST -DSECOND main.c first.c second.c -o both
        ./one >alone
        ./two >>alone
        ./both >together
        [ "$(wc -l <alone)" -eq 10 ]
        diff alone together
    done
}

from_cpp() {
    compile pot_qonnx_ts pot
    gcc -c -O2 pot.c -o pot.o
    printf '#include "pot.h"\nstatic pot_state state;\nint main() { return pot_self_test(&state); }\n' >main.cpp
    # C++ only where there is a compiler for it.
    for compiler in g++ clang++; do
        if command -v $compiler >/dev/null; then
            $compiler -Wall -Wextra -Werror -fsyntax-only main.cpp
        fi
    done
}

# `compile --tests` passes, and notices a single changed weight.
emitted_tests() {
    compile "$1" net --tests
    gcc "${flags[@]}" -O2 test_net.c -lcmocka -o test_net
    ./test_net
    awk '!done && /^static const IN_FLASH uint8_t .*_weights\[/ { table = 1 }
        table && !done && /0x/ { if (sub(/0x[0-9a-f][0-9a-f]/, "0x00")) done = 1 } { print }' net.c >changed.c
    if cmp -s net.c changed.c; then awk '{ sub(/0x[0-9a-f][0-9a-f], 0x/, "0x15, 0x"); print }' net.c >changed.c; fi
    ! cmp -s net.c changed.c
    mv changed.c net.c
    gcc -std=c99 -O2 test_net.c -lcmocka -o test_net
    expect_failure=0
    ./test_net >out 2>&1 || expect_failure=$?
    [ $expect_failure -ne 0 ]
}

# Every external symbol begins with the model's name; no data of its own; clang-format has nothing to say.
symbols() {
    compile "$1" net
    arm-none-eabi-gcc "${flags[@]}" -O2 -mcpu=cortex-m4 -mthumb -c net.c -o net.o
    arm-none-eabi-nm --defined-only --extern-only net.o | awk '$3 !~ /^net_/ { print "symbol", $3; bad = 1 } END { exit bad }'
    arm-none-eabi-nm net.o | awk '$2 ~ /^[dDbBcC]$/ { print "data", $3; bad = 1 } END { exit bad }'
    arm-none-eabi-nm --undefined-only net.o | awk '$2 !~ /^__aeabi_/ || /mem/ { print "needs", $2; bad = 1 } END { exit bad }'
    clang-format "--style=file:$here/../../firmware/.clang-format" --dry-run -Werror net.c net.h
}

# kept NAME: bytes that the linker keeps of NAME.c on a Cortex-M4.
kept() {
    arm-none-eabi-gcc "${flags[@]}" -O2 -mcpu=cortex-m4 -mthumb -ffunction-sections -fdata-sections -c "$1.c" -o "$1.o"
    arm-none-eabi-ld -r --gc-sections -u "$1_run" "$1.o" -o kept.o
    arm-none-eabi-size kept.o | awk 'NR == 2 { print $1 }'
}

# What `inspect` says beforehand: a proof without exceptions, RAM to the byte, flash never below what the linker keeps and
# at most a quarter above.
forecast() {
    local declared estimated kept
    compile "$1" net --optimize "$2" --core cortex-m4
    expect 0 "$STERNA" inspect "$models/har/$1.onnx" --name net --optimize "$2" --core cortex-m4
    cat out
    grep -Eq '^requantizers: [1-9][0-9]* \(channel, accumulator\) pairs checked, 0 exceptions, largest shift [0-9]+$' out
    declared=$(sed -n 's/^#define NET_STATE_BYTES //p' net.h)
    [ "$(awk '/^choices/ { inside = 1 } !NF && lines++ { inside = 0 } inside && / \*$/ { print $1, $4; exit }' out)" = "$2 $declared" ]
    kept=$(kept net)
    estimated=$(sed -n 's/^flash.*: \([0-9]*\) bytes.*/\1/p' out)
    echo "the linker keeps $kept bytes"
    [ "$kept" -le "$estimated" ]
    [ $((100 * estimated)) -le $((125 * kept)) ]
}

# Between packed weights and weights as code, --flash mixes them; below, it refuses and says what would do.
mixed() {
    local model=$models/har/$1.onnx packed coded least
    packed=$("$STERNA" inspect "$model" --json | sed -n 's/^  "predictedInstructions" : \([0-9]*\),*/\1/p')
    coded=$("$STERNA" inspect "$model" --json --optimize speed | sed -n 's/^  "predictedInstructions" : \([0-9]*\),*/\1/p')
    expect 1 "$STERNA" inspect "$model" --optimize speed --flash 1000
    least=$(sed -n 's/.*estimated at \([0-9]*\) bytes, the least that is possible.*/\1/p' err)
    expect 0 "$STERNA" inspect "$model" --json --optimize speed --flash $((least + 1000))
    cp out mixed.json
    local found
    found=$(sed -n 's/^  "predictedInstructions" : \([0-9]*\),*/\1/p' mixed.json)
    echo "instructions: packed $packed, mixed $found, code $coded"
    [ "$coded" -lt "$found" ]
    [ "$found" -lt "$packed" ]
    expect 0 "$STERNA" verify "$model" --optimize speed --flash $((least + 1000))
    compile "$1" net --optimize speed --flash $((least + 1000))
    [ "$(kept net)" -le $((least + 1000)) ]
}

# `verify` measures on emulated cores, and fails where a budget that was kept at -O2 is not at another level.
measured() {
    local model=$models/har/$1.onnx flash
    flash=$("$STERNA" inspect "$model" --core cortex-m4 | sed -n 's/^flash.*: \([0-9]*\) bytes.*/\1/p')
    expect 0 "$STERNA" verify "$model" --samples 1 --core cortex-m4 --target cortex-m4 --flash "$flash"
    grep -Eq '^cortex-m4 -O2: measured instructions=[0-9]+ flash=[0-9]+ state=[0-9]+ stack=[0-9]+$' out
    expect 2 "$STERNA" verify "$model" --samples 1 --core cortex-m4 --target cortex-m4 --flash "$flash" --optimization O0
    grep -Eq "^cortex-m4 -O0: EXCEEDED: flash takes [0-9]+ bytes, more than --flash $flash$" out
}

main "$@"
