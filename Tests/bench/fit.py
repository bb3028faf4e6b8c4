#!/usr/bin/env python3
"""Fits the prices of a plan's features to compiled networks: instructions and bytes of code.

    Tests/bench/fit.py            writes the networks, measures, fits, prints the errors
    Tests/bench/fit.py --write    and writes WorkTable.swift and CodeTable.swift
    Tests/bench/fit.py --again    fits anew to what the last call has measured

Random networks, radar networks and those of the benchmark, packed and as code, are compiled for all
cores; count_instructions counts in QEMU what they take and weighs them. Prices are least squares of
the relative error. Those of instructions are not negative. For every core they are drawn towards
what fits all cores of its family together, so that a feature that is rare is not fitted to noise.

Errors are printed for the networks of the benchmark and, as percentiles, for all others. It takes a
few minutes. FOLDER (/tmp/sterna-fit) keeps networks and measurements. Needs numpy and scipy.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLANNING = ROOT / "Sources/FirmwarePlanning"
FOLDER = Path(os.environ.get("FOLDER", "/tmp/sterna-fit"))
CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "riscv32")
# Cores whose prices have much in common.
FAMILY = {core: "arm" for core in CORES} | {"cortex-m0": "m0", "riscv32": "riscv"}

# What users have counts more than what is random and tiny.
WEIGHTS = {"radar": 10.0, "ds_cnn": 6.0, "mobilenet": 6.0, "har": 3.0}
# How strongly prices are drawn together, in shares of a feature's usual part of the whole.
RIDGE = {"work": 0.03, "code": 0.05}
# Below, a network is little but overhead and its forecast of no use.
SMALLEST = {"work": 20_000, "code": 1500}


@dataclass
class Sample:
    place: str
    name: str
    core: str
    tables: int
    features: dict[str, dict[str, float]]
    instructions: int = 0
    flash: int = 0

    @property
    def kind(self) -> str:
        return next((kind for kind in WEIGHTS if self.name.startswith(kind)), "random")


def write_networks() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    models = FOLDER / "models"
    models.mkdir(parents=True)
    for name in ("ds_cnn", "mobilenet"):
        packed = (HERE / f"{name}.onnx.gz").read_bytes()
        (models / f"{name}.onnx").write_bytes(gzip.decompress(packed))
    shutil.copy(ROOT / "training/delivered/har.onnx", models / "radar.onnx")
    paths = ":".join(str(path) for path in sorted(models.iterdir()))
    environment = os.environ | {"STERNA_FIT": str(FOLDER), "STERNA_FIT_MODELS": paths}
    command = ["swift", "test", "--disable-xctest", "--filter", "FlashFit"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def samples() -> list[Sample]:
    found = []
    for line in (FOLDER / "features.txt").read_text().splitlines():
        place, name, core, tables, *pairs = line.split()
        features: dict[str, dict[str, float]] = {"work": {}, "code": {}}
        for pair in pairs:
            feature, amount = pair.split("=")
            kind, feature = feature.split(".", 1)
            features[kind][feature] = float(amount)
        found.append(Sample(place, name, core, int(tables), features))
    return found


def measure(sample: Sample) -> None:
    command = [HERE / "count_instructions", FOLDER / sample.place, sample.name, sample.core]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sample.instructions, sample.flash = map(int, done.stdout.splitlines()[1].split()[1:3])


def measured(again: bool) -> list[Sample]:
    kept = FOLDER / "measured.json"
    if not again:
        write_networks()
    found = samples()
    if not again:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(measure, found))
        kept.write_text(json.dumps([[s.instructions, s.flash] for s in found]))
    for sample, figures in zip(found, json.loads(kept.read_text()), strict=True):
        sample.instructions, sample.flash = figures
    return found


# --- Fitting


class Fit:
    """Prices of one kind of features: `work` in instructions, `code` in bytes."""

    def __init__(self, kind: str, found: list[Sample]) -> None:
        self.kind = kind
        self.samples = found
        self.names = sorted({feature for s in found for feature in s.features[kind]})
        self.counts = np.array([[s.features[kind].get(f, 0) for f in self.names] for s in found])
        self.totals = np.array([s.instructions if kind == "work" else s.flash for s in found], float)
        self.targets = self.totals - (0 if kind == "work" else np.array([s.tables for s in found]))
        self.weights = np.array([WEIGHTS.get(s.kind, 1.0) for s in found])
        self.cores = np.array([s.core for s in found])
        self.prices: dict[str, np.ndarray] = {}
        self.run()

    def solve(self, chosen: np.ndarray, prior: np.ndarray | None, ridge: float) -> np.ndarray:
        scale = (self.weights / self.totals)[chosen]
        matrix = self.counts[chosen] * scale[:, None]
        target = self.targets[chosen] * scale
        # A feature's usual part of a network that has it: what a unit of its price weighs.
        usual = np.sqrt((matrix**2).mean(axis=0))
        usual[usual == 0] = 1e-6
        pull = np.diag(usual) * ridge * np.sqrt(chosen.sum())
        towards = pull @ (np.zeros(len(self.names)) if prior is None else prior)
        low = 0 if self.kind == "work" else -np.inf
        # Columns of equal size: features differ by orders of magnitude.
        left = np.vstack([matrix, pull]) / usual
        answer = lsq_linear(left, np.concatenate([target, towards]), bounds=(low, np.inf))
        return answer.x / usual

    def run(self) -> None:
        large = self.totals > SMALLEST[self.kind]
        family = np.array([FAMILY[core] for core in self.cores])
        ridge = RIDGE[self.kind]
        for core in CORES:
            common = self.solve(large & (family == FAMILY[core]), None, ridge / 10)
            exact = self.solve(large & (self.cores == core), common, ridge)
            self.prices[core] = np.round(exact) if self.kind == "code" else np.round(exact, 2)

    def errors(self) -> dict[tuple[str, str], float]:
        """In per cent of the whole, by network and core."""
        found = {}
        for i, s in enumerate(self.samples):
            error = self.counts[i] @ self.prices[s.core] - self.targets[i]
            found[s.name, s.core] = 100 * error / self.totals[i]
        return found

    def show(self) -> None:
        unit = "instructions" if self.kind == "work" else "bytes of flash"
        errors = self.errors()
        print(f"\n{unit}: error of the forecast in per cent")
        print(f"{'network':<20}" + "".join(f" {core:>10}" for core in CORES))
        names = dict.fromkeys(s.name for s in self.samples if s.kind != "random")
        for name in names:
            cells = [errors.get((name, core)) for core in CORES]
            print(f"{name:<20}" + "".join(f" {'-' if c is None else f'{c:.1f}':>10}" for c in cells))
        large = self.totals > SMALLEST[self.kind]
        for core in CORES:
            rest = [
                abs(errors[s.name, s.core])
                for s, is_large in zip(self.samples, large, strict=True)
                if s.core == core and s.kind == "random" and is_large
            ]
            middle, most = np.percentile(rest, 50), np.percentile(rest, 90)
            print(f"random on {core}: median {middle:.1f}, 90th percentile {most:.1f}")

    def table(self) -> str:
        """The Swift file."""
        is_work = self.kind == "work"
        enum, member, element = (
            ("WorkFeature", "instructions", "Double") if is_work else ("CodeFeature", "bytes", "Int")
        )
        what = "Instructions of one unit" if is_work else "Bytes of one; single prices may be negative"
        lines = [
            "// Written by Tests/bench/fit.py --write.",
            "",
            f"extension {enum} {{",
            f"  /// {what}, for the cores of `Core.measured` in their order: {', '.join(CORES)}.",
            f"  var {member}: [{element}] {{",
            "    switch self {",
        ]
        declared = cases(enum)
        for feature in declared:
            if feature in self.names:
                column = self.names.index(feature)
                prices = [self.prices[core][column] for core in CORES]
            else:
                prices = [0.0] * len(CORES)
            texts = [f"{p + 0:g}" if is_work else f"{int(p)}" for p in prices]
            lines.append(f"    case .{feature}: [{', '.join(texts)}]")
        return "\n".join([*lines, "    }", "  }", "}", ""])


def cases(enum: str) -> list[str]:
    """The cases as declared, so that the switch is complete."""
    text = (PLANNING / f"{enum}.swift").read_text()
    body = text.split(f"package enum {enum}", 1)[1].split("\n  package", 1)[0].split("\n}", 1)[0]
    found = []
    for line in body.replace(",\n", ",").splitlines():
        if line.startswith("  case "):
            found += [case.strip() for case in line[7:].split(",")]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    found = measured(arguments.again)
    for kind, file in (("work", "WorkTable.swift"), ("code", "CodeTable.swift")):
        fit = Fit(kind, found)
        fit.show()
        if arguments.write:
            (PLANNING / file).write_text(fit.table())


if __name__ == "__main__":
    main()
