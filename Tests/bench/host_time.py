#!/usr/bin/env python3
"""Times the emitted C on this machine: forms of the weights, compilers and their flags.

    Tests/bench/host_time.py [MODEL...]

Models: radar, ds_cnn, mobilenet, or files; radar unless some are named. Prints microseconds of one
inference, the best of many runs, and how many times faster --core host is than each other form. The
clock is the machine's: the figures are its own, they vary with its load, and nothing depends on
them. All programs of a row must give the same answer.

STERNA is the tool; the debug build of this checkout unless set.
"""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmark import MODELS, STERNA

FORMS = {
    "size": ("--optimize", "size"),
    "speed": ("--optimize", "speed"),
    "host": ("--core", "host"),
}
BUILDS = (
    ("gcc", "-O2"),
    ("gcc", "-O3"),
    ("gcc", "-O3", "-march=native"),
    ("clang", "-O2"),
    ("clang", "-O3", "-march=native"),
)
# Programs of a row take turns, so that a busy machine spoils all of them alike.
ROUNDS = 15

PROGRAM = r"""
#include <stdio.h>
#include <time.h>

#include "net.h"

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

int main(void) {
    static net_state state;
    static uint8_t input[NET_INPUT_BYTES];
    int32_t output[NET_OUTPUT_COUNT];
    uint32_t sum = 0;
    double best = 1e18;

    for (uint32_t i = 0; i < NET_INPUT_BYTES; i++) {
        input[i] = (uint8_t)(i * 2654435761U >> 24);
    }
    for (double end = now() + 1e5; now() < end;) {
        const double start = now();

        for (int i = 0; i < 10; i++) {
            net_run(&state, (void *)input, output);
        }
        best = now() - start < best ? now() - start : best;
    }
    for (uint32_t i = 0; i < NET_OUTPUT_COUNT; i++) {
        sum = sum * 31 + (uint32_t)output[i];
    }
    printf("%.2f %u\n", best / 10, sum);
    return 0;
}
"""


def compiled(model: Path, folder: Path) -> None:
    """The model's C in each form, a folder each."""
    for form, options in FORMS.items():
        command = [STERNA, "compile", model, "--name", "net", *options, "-o", folder / form]
        subprocess.run(command, check=True, capture_output=True)
        (folder / form / "main.c").write_text(PROGRAM)


def times(build: tuple[str, ...], folder: Path) -> dict[str, float]:
    """Microseconds of one inference in each form."""
    compiler, *flags = build
    for form in FORMS:
        sources = [folder / form / name for name in ("main.c", "net.c")]
        subprocess.run(
            [compiler, *flags, "-std=gnu99", "-w", *sources, "-o", folder / form / "main"], check=True
        )
    best = dict.fromkeys(FORMS, float("inf"))
    answers = set()
    for _ in range(ROUNDS):
        for form in FORMS:
            run = subprocess.run([folder / form / "main"], check=True, capture_output=True, text=True)
            time, answer = run.stdout.split()
            best[form] = min(best[form], float(time))
            answers.add(answer)
    if len(answers) != 1:
        sys.exit(f"{' '.join(build)}: the forms differ in their answers: {answers}")
    return best


def main() -> None:
    for name in sys.argv[1:] or ["radar"]:
        model = MODELS.get(name, Path(name))
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            if model.suffix == ".gz":
                plain = folder / model.stem
                plain.write_bytes(gzip.decompress(model.read_bytes()))
                model = plain
            compiled(model, folder)
            others = [form for form in FORMS if form != "host"]
            heads = "".join(f"{form:>9}" for form in FORMS) + "".join(f"{'/ ' + o:>9}" for o in others)
            print(f"{name + ', us':24}{heads}")
            for build in BUILDS:
                found = times(build, folder)
                line = "".join(f"{found[form]:9.1f}" for form in FORMS)
                ratios = "".join(f"{found[o] / found['host']:9.1f}" for o in others)
                print(f"{' '.join(build):24}{line}{ratios}", flush=True)


if __name__ == "__main__":
    main()
