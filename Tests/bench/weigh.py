#!/usr/bin/env python3
"""Weighs emitted C without running it: flash as the linker keeps it, and the deepest stack.

    Tests/bench/weigh.py FOLDER NAME CORE...

FOLDER holds NAME.c and NAME.h. Flash is what NAME_run reaches, as in count_instructions. The stack
is the deepest path from any public function through the compiler's call graph
(-fcallgraph-info=su): frames of the model's own, and ASIDE for the compiler's helpers (divisions,
products of 64 bits), whose frames it does not know. gcc at OPTIMIZE, -O2 by default.
"""

import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

# The largest frame of libgcc's integer helpers on any core, with those that it calls.
ASIDE = 40
LEVEL = os.environ.get("OPTIMIZE", "-O2")
RISCV = ("riscv64-unknown-elf", ("--specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32"), "elf32lriscv")


def toolchain(core: str) -> tuple[str, tuple[str, ...], str]:
    """Of a core: the prefix of its tools, flags, and the linker's emulation."""
    if core == "riscv32":
        return RISCV
    return "arm-none-eabi", ("-mthumb", f"-mcpu={core}", "-mfloat-abi=soft"), "armelf"


def call(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def deepest(graph: str, symbols: str, name: str) -> int:
    """Bytes of stack below a caller of the public functions.

    Of functions with the same code the compiler keeps one and the graph has no node for the others:
    they lie in its section, of which `symbols` (objdump -t) tells.
    """
    twins = {symbol: kept for kept, symbol in re.findall(r" F \.text\.(\S+)\s+\S+ (\S+)", symbols)}
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for node, label in re.findall(r'node: { title: "([^"]+)" label: "([^"]*)"', graph):
        size = re.search(r"(\d+) bytes \((\w+)", label)
        frames[node] = int(size[1]) if size else ASIDE
        if size and size[2] != "static":
            sys.exit(f"{node}: a frame of {size[2]} size")
    for caller, callee in re.findall(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', graph):
        calls.setdefault(caller, set()).add(callee)

    @cache
    def depth(node: str) -> int:
        if node not in frames:
            file, symbol = node.rsplit(":", 1)
            node = f"{file}:{twins[symbol]}"
        return frames[node] + max((depth(callee) for callee in calls.get(node, ())), default=0)

    return max(depth(node) for node in frames if node.startswith(f"{name}_") and ":" not in node)


def weigh(folder: Path, name: str, core: str) -> tuple[int, int]:
    """Flash and stack."""
    prefix, flags, emulation = toolchain(core)
    with tempfile.TemporaryDirectory() as work:
        model, kept = f"{work}/model.o", f"{work}/kept.o"
        sections = ("-ffunction-sections", "-fdata-sections", "-fcallgraph-info=su")
        call(
            f"{prefix}-gcc", "-std=c99", LEVEL, *sections, *flags, "-c", folder / f"{name}.c", "-o", model
        )  # fmt: skip
        call(f"{prefix}-ld", f"-m{emulation}", "-r", "--gc-sections", "-u", f"{name}_run", model, "-o", kept)
        flash = int(call(f"{prefix}-size", kept).splitlines()[1].split()[0])
        symbols = call(f"{prefix}-objdump", "-t", model)
        return flash, deepest(Path(f"{work}/model.ci").read_text(), symbols, name)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for core in sys.argv[3:]:
        flash, stack = weigh(Path(sys.argv[1]), sys.argv[2], core)
        print(f"{core:<12} {flash:>8} {stack:>8}")
