#!/usr/bin/env python3
"""Measures in QEMU what the emitted C costs: some models, ways to compile them, and cores.

    Tests/bench/benchmark.py [MODEL...]           prints the table
    Tests/bench/benchmark.py --check [MODEL...]   fails where it differs, or a limit is broken
    Tests/bench/benchmark.py --update [MODEL...]  writes results.txt and the table in README.md

Models: radar, ds_cnn, mobilenet; all unless some are named. Instructions are counted, flash is what
the linker keeps, state is the model's own macro, the stack is painted (see count_instructions):
there is no clock in it, and the same compiler gives the same figures anywhere. What --check leaves
room for is another version of gcc.

STERNA is the tool; the debug build of this checkout unless set. A release build is much faster.
"""

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = HERE / "results.txt"
PEERS = HERE / "peers.txt"
README = ROOT / "README.md"
STERNA = Path(os.environ.get("STERNA", ROOT / ".build/debug/sterna")).resolve()

CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "riscv32")
MODELS = {
    "radar": ROOT / "training/delivered/har.onnx",
    "ds_cnn": HERE / "ds_cnn.onnx.gz",
    "mobilenet": HERE / "mobilenet.onnx.gz",
}


@dataclass(frozen=True)
class Configuration:
    """A way to compile a model, and the cores to measure it on."""

    model: str
    name: str
    options: tuple[str, ...]
    cores: tuple[str, ...]


SIZE, SPEED = ("--optimize", "size"), ("--optimize", "speed")
CONFIGURATIONS = (
    Configuration("radar", "size", SIZE, CORES),
    Configuration("radar", "speed", SPEED, CORES),
    Configuration("radar", "speed-lean", (*SPEED, "--schedule", "stream", "--ram", "6144"), CORES),
    Configuration("radar", "speed-least", (*SPEED, "--schedule", "stream", "--ram", "3482"), CORES),
    Configuration("ds_cnn", "size", SIZE, ("cortex-m0", "cortex-m4")),
    Configuration("ds_cnn", "speed", SPEED, ("cortex-m0", "cortex-m4")),
    Configuration("ds_cnn", "speed-small", (*SPEED, "--flash", "40960"), ("cortex-m4",)),
    Configuration("ds_cnn", "speed-least", (*SPEED, "--ram", "5120"), ("cortex-m0", "cortex-m4")),
    Configuration("mobilenet", "size", SIZE, ("cortex-m4",)),
    Configuration("mobilenet", "size-lean", (*SIZE, "--ram", "20480"), ("cortex-m4",)),
)

Key = tuple[str, str, str]  # model, configuration, core
Row = dict[str, int | None]  # by column
COLUMNS = (
    "instructions",
    "predicted instructions",
    "flash",
    "predicted flash",
    "state",
    "predicted state",
    "stack",
    "predicted stack",
)
MEASURED = ("instructions", "flash", "state", "stack")

# README.md shows these rows: the defaults of `sterna compile`, on the built-in model.
SHOWN = ("radar", "size")
# What the built-in model has to stay below, whatever results.txt says.
LIMITED: Key = (*SHOWN, "cortex-m4")
LIMITS = {"instructions": 20_000_000, "flash": 6144, "state": 24576}

# In per cent. The stack, being small, moves most from one gcc to the next.
DRIFT = {"instructions": 2, "flash": 2, "state": 2, "stack": 10}
# Most that forecasts may be off, in per cent (fit.py fits them), on the radar network and on others.
FORECAST = {"instructions": (10, 15), "flash": (15, 10)}
# Those that are bounds: never below what is measured.
BOUNDS = ("flash", "stack")


# --- Measuring


def call(*command: str | Path, stdin: bytes = b"") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.decode()}")
    return done.stdout.decode()


def measure(key: Key, options: Iterable[str]) -> Row:
    model, _, core = key
    path = MODELS[model]
    onnx = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        call(STERNA, "compile", "-", "--name", model, "-o", folder, *options, stdin=onnx)
        report = json.loads((Path(folder) / f"{model}.json").read_text())
        counted = call(HERE / "count_instructions", folder, model, core).splitlines()[1]
    row: Row = dict(zip(MEASURED, map(int, counted.split()[1:]), strict=True))
    row["predicted instructions"] = report.get("predictedInstructions")
    row["predicted flash"] = sum(report["flash"].values())
    row["predicted state"] = report["memory"]["stateBytes"]
    row["predicted stack"] = report["memory"]["stackBytes"]
    return row


def measurements(models: Collection[str]) -> dict[Key, Row]:
    jobs = {
        (configuration.model, configuration.name, core): (*configuration.options, "--core", core)
        for configuration in CONFIGURATIONS
        if configuration.model in models
        for core in configuration.cores
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(jobs, pool.map(measure, jobs.keys(), jobs.values()), strict=True))


# --- The table

HEAD = """\
Written by Tests/bench/benchmark.py --update. Instructions of one inference; bytes; gcc at -O2.
`predicted` is what sterna said before anything was compiled, - where it says nothing; of flash and
stack it is a bound. Compiled as README says: no -ffreestanding.\
"""


def line(key: Key, cells: Iterable[object]) -> str:
    model, name, core = key
    return f"{model:<10} {name:<11} {core:<10}" + "".join(f" {cell:>12}" for cell in cells)


def table(rows: dict[Key, Row]) -> str:
    lines = [line(("model", "options", "core"), (column.split()[0] for column in COLUMNS))]
    for configuration in CONFIGURATIONS:
        keys = [(configuration.model, configuration.name, core) for core in configuration.cores]
        present = [key for key in keys if key in rows]
        if present:
            lines.append("")
        for key in present:
            lines.append(
                line(
                    key,
                    ("-" if (cell := rows[key][column]) is None else cell for column in COLUMNS),
                )
            )
    return "\n".join(lines)


def versions() -> str:
    tools = (
        "arm-none-eabi-gcc",
        "riscv64-unknown-elf-gcc",
        "qemu-system-arm",
        "qemu-system-riscv32",
    )
    return "\n".join(f"{tool}: {call(tool, '--version').splitlines()[0]}" for tool in tools)


def written(text: str) -> dict[Key, Row]:
    """The rows of results.txt."""
    rows = {}
    for words in map(str.split, text.splitlines()):
        if len(words) == 3 + len(COLUMNS) and words[0] in MODELS:
            if not all(word == "-" or word.isdigit() for word in words[3:]):
                continue
            cells = (None if word == "-" else int(word) for word in words[3:])
            rows[tuple(words[:3])] = dict(zip(COLUMNS, cells, strict=True))
    return rows


def shown(rows: dict[Key, Row]) -> str:
    """The table for README.md."""
    lines = ["core          instructions    flash    state    stack"]
    for core in CORES:
        if row := rows.get((*SHOWN, core)):
            instructions, *others = (row[figure] for figure in MEASURED)
            lines.append(f"{core:<12} {instructions:>13}" + "".join(f" {n:>8}" for n in others))
    return "\n".join(lines)


def with_shown(readme: str, rows: dict[Key, Row]) -> str:
    begin, end = "<!-- measured -->\n```\n", "\n```\n<!-- end -->"
    return re.sub(
        f"{begin}.*?{end}", lambda _: begin + shown(rows) + end, readme, count=1, flags=re.DOTALL
    )


# --- What can be wrong


def drifts(rows: dict[Key, Row], committed: dict[Key, Row]) -> Iterable[str]:
    """Rows that results.txt lacks, has too many, or has with other figures."""
    for key in rows.keys() | committed.keys():
        if key not in rows or key not in committed:
            problem = "no longer measured" if key in committed else "not in results.txt"
            yield f"{' '.join(key)}: {problem}"
            continue
        for figure, tolerance in DRIFT.items():
            now, before = rows[key][figure], committed[key][figure]
            if abs(now - before) > tolerance / 100 * before:
                found = f"{figure} {now}, results.txt says {before}"
                yield f"{' '.join(key)}: {found}: more than {tolerance} % apart"


def broken_promises(rows: dict[Key, Row]) -> Iterable[str]:
    """Limits that are exceeded, and forecasts that were wrong."""
    for key, row in rows.items():
        if row["predicted state"] != row["state"]:
            yield f"{' '.join(key)}: state {row['state']}, forecast {row['predicted state']}"
        for figure in BOUNDS:
            if row[figure] > row[f"predicted {figure}"]:
                yield f"{' '.join(key)}: {figure} {row[figure]} is beyond {row[f'predicted {figure}']}"
        for figure, errors in FORECAST.items():
            most = errors[0 if key[0] == SHOWN[0] else 1]
            now, forecast = row[figure], row[f"predicted {figure}"]
            if abs(forecast - now) > most / 100 * now:
                found = f"{figure} {now}, forecast {forecast}"
                yield f"{' '.join(key)}: {found}: more than {most} % apart: Tests/bench/fit.py"
    if row := rows.get(LIMITED):
        for figure, limit in LIMITS.items():
            if row[figure] > limit:
                yield f"{' '.join(LIMITED)}: {figure} {row[figure]}, more than {limit}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--update", action="store_true")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    arguments = parser.parse_args()
    models = arguments.models or list(MODELS)
    if unknown := set(models) - set(MODELS):
        parser.error(f"no model {', '.join(sorted(unknown))}; there are: {', '.join(MODELS)}")

    rows = measurements(models)
    tools = versions()
    print(tools, table(rows), sep="\n\n")
    committed = written(RESULTS.read_text()) if RESULTS.exists() else {}
    problems = sorted(broken_promises(rows))

    if arguments.update:
        kept = {key: row for key, row in committed.items() if key[0] not in models}
        committed = kept | rows
        RESULTS.write_text(f"{HEAD}\n\n{tools}\n\n{table(committed)}\n\n{PEERS.read_text()}")
        README.write_text(with_shown(README.read_text(), committed))
    if arguments.check:
        selected = {key: row for key, row in committed.items() if key[0] in models}
        drifted = sorted(drifts(rows, selected))
        if README.read_text() != with_shown(README.read_text(), committed):
            drifted.append("the table in README.md is not that of results.txt")
        if drifted:
            problems += [*drifted, "If this is meant: Tests/bench/benchmark.py --update"]
        if tools not in RESULTS.read_text():
            print("\nresults.txt was written with other versions of these tools.")
    if problems:
        sys.exit("\n" + "\n".join(problems))


if __name__ == "__main__":
    main()
