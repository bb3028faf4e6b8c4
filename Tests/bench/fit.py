#!/usr/bin/env python3
"""Fits the prices of a plan's features to compiled networks: instructions, bytes of code and stack.

    Tests/bench/fit.py            writes the networks, measures, fits, prints the errors
    Tests/bench/fit.py --write    and writes WorkTable, CodeTable, CodeMargin and StackTable.swift
    Tests/bench/fit.py --prefix P writes only networks anew whose names begin with P

Random networks, radar networks and those of the benchmark, packed and as code, are compiled for all
cores; count_instructions counts in QEMU what they take and weighs them. That takes some minutes the
first time; FOLDER (/tmp/sterna-fit) keeps what was measured, and C that is the same is not measured
again. Needs numpy and scipy.

Prices minimise the squares of relative errors. Many features always come together, so the fit is
held to what one expects of their prices: of instructions a count of those that the kernels' loops
take (EXPECTED), of a core what fits its family. Errors are printed for the networks that are named,
and as percentiles for the random ones.

Instructions are forecast as they are likely to be, flash and stack as bounds: to the fitted bytes of
code comes the margin that no network of the fit is beyond, and prices of stack are the least whose
sums no call graph is beyond (weigh.py).
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import weigh
from scipy.optimize import linprog, lsq_linear

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLANNING = ROOT / "Sources/Scheduling/Cost"
FOLDER = Path(os.environ.get("FOLDER", "/tmp/sterna-fit"))
CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "riscv32")
# Cores whose prices have much in common.
FAMILY = {core: "arm" for core in CORES} | {"cortex-m0": "m0", "riscv32": "riscv"}

# What users have counts more than what is random and tiny.
WEIGHTS = {"radar": 10.0, "ds_cnn": 6.0, "mobilenet": 6.0, "har": 3.0}
# Instructions of a unit of work, as the loops look on a Cortex-M4: within a factor of two or so.
EXPECTED = {
    "network": 500, "inputRow": 40, "pairedWord": 8, "convertedValue": 4, "filledValue": 3,
    "check": 15, "row": 60, "locatedRow": 15, "channel": 45, "storedChannel": 20, "constantChannel": 15,
    "constantWord": 4, "closedChannel": 25, "closedWord": 5, "slidWord": 1.5,
    "blockCall": 25, "blockRow": 8, "blockPosition": 6, "blockLoad": 1.1, "blockAddition": 1.05,
    "blockSum": 2, "unpackedWord": 5, "windowWord": 5, "depthwiseRow": 25, "depthwisePosition": 6, "depthwiseTap": 2, "byteTap": 4,
    "tapRow": 30, "tapTaken": 4, "tapWord": 2, "quadWord": 4, "keptWord": 4,
    "addedWindow": 15, "addedValue": 3,
    "decodedWeight": 12, "decodedTap": 8, "laneTap": 4, "laneAddition": 2, "laneRest": 2,
    "laneStep": 5, "quadPass": 55, "quadTap": 14, "quadLevels": 24, "spreadQuad": 11, "splitQuad": 20,
    "pixelCall": 7, "pixelLoad": 1.1, "pixelAddition": 1.05, "pixelLevels": 9, "pixelRow": 40, "pixelChannel": 40,
    "pixelTap": 2, "pixelSum": 8, "pixelStep": 4, "closedPixel": 4, "pooledPixel": 4, "pixelShift": 5,
    "columnTap": 4, "columnAddition": 2, "columnRest": 2, "columnStep": 5,
    "pooledWord": 9, "pooledColumn": 4, "widenedWord": 12, "epilogueWord": 6, "epilogueColumn": 3,
    "affine": 7, "saturated": 4, "affine64": 12, "halfEven": 12, "halfEven64": 25,
    "thresholdStep": 6, "scaled": 3, "limited": 5, "maxWindow": 20, "maxValue": 6,
    "sumWindow": 20, "sumValue": 6, "denseOutput": 20, "denseWeight": 8, "denseTap": 4,
}  # fmt: skip
# Spreads, as shares: of forecasts, of prices around what is expected, of a core around its family.
NOISE, DOUBT, KINSHIP = 0.04, 0.6, 0.1
# The least price, as a share of what is expected.
LEAST = 0.6
# Bytes of code can not be counted beforehand and be negative: what one feature usually makes of the
# whole is drawn towards 0, and towards its family, by this share.
RIDGE = 0.05
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
    stack: int = 0

    @property
    def kind(self) -> str:
        return next((kind for kind in WEIGHTS if self.name.startswith(kind)), "random")


def write_networks(prefix: str) -> None:
    models = FOLDER / "models"
    models.mkdir(parents=True, exist_ok=True)
    for name in ("ds_cnn", "mobilenet"):
        packed = (HERE / f"{name}.onnx.gz").read_bytes()
        (models / f"{name}.onnx").write_bytes(gzip.decompress(packed))
    shutil.copy(ROOT / "training/delivered/har.onnx", models / "radar.onnx")
    paths = ":".join(str(path) for path in sorted(models.iterdir()))
    environment = os.environ | {
        "STERNA_FIT": str(FOLDER), "STERNA_FIT_MODELS": paths, "STERNA_FIT_PREFIX": prefix
    }  # fmt: skip
    features = FOLDER / "features.txt"
    others = []
    if prefix:
        lines = features.read_text().splitlines(keepends=True)
        others = [line for line in lines if not line.split()[1].startswith(prefix)]
    tests = ROOT / "Tests/swift.sh"
    subprocess.run([tests, "build"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tests, "test", "--filter", "FlashFit"], env=environment, check=True, stdout=subprocess.DEVNULL)
    features.write_text("".join(others) + features.read_text())


def samples() -> list[Sample]:
    found = []
    for line in (FOLDER / "features.txt").read_text().splitlines():
        place, name, core, tables, *pairs = line.split()
        features: dict[str, dict[str, float]] = {"work": {}, "code": {}, "stack": {}}
        for pair in pairs:
            feature, amount = pair.split("=")
            kind, feature = feature.split(".", 1)
            features[kind][feature] = float(amount)
        found.append(Sample(place, name, core, int(tables), features))
    return found


def digest(sample: Sample) -> str:
    """Of what is compiled; the header names the options, which change nothing."""
    code = (FOLDER / sample.place / f"{sample.name}.c").read_bytes()
    return hashlib.sha256(sample.core.encode() + b"\0" + code).hexdigest()


def measure(sample: Sample) -> list[int]:
    command = [HERE / "count_instructions", FOLDER / sample.place, sample.name, sample.core]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{sample.place} on {sample.core}: {done.stdout}{done.stderr}")
    instructions, flash = (int(word) for word in done.stdout.splitlines()[1].split()[1:3])
    return [instructions, flash, weigh.weigh(FOLDER / sample.place, sample.name, sample.core)[1]]


def measured(prefix: str) -> list[Sample]:
    memory = FOLDER / "measured.json"
    known = json.loads(memory.read_text()) if memory.exists() else {}
    write_networks(prefix)
    found = samples()
    keys = [digest(sample) for sample in found]
    missing = {key: sample for key, sample in zip(keys, found, strict=True) if key not in known}
    print(f"{len(found)} samples, {len(missing)} of them to be measured", flush=True)
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for key, figures in zip(missing, pool.map(measure, missing.values()), strict=True):
                known[key] = figures
    finally:
        memory.write_text(json.dumps(known))
    for key, sample in zip(keys, found, strict=True):
        sample.instructions, sample.flash, sample.stack = known[key]
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
        # No work is for nothing: what is fitted to noise would otherwise end at 0.
        least = [LEAST * EXPECTED[f] if kind == "work" else -np.inf for f in self.names]
        self.least = np.array(least)
        self.prices: dict[str, np.ndarray] = {}
        self.run()

    def solve(self, chosen: np.ndarray, towards: np.ndarray, pull: np.ndarray) -> np.ndarray:
        """Least squares of relative errors and of what prices deviate from `towards`."""
        scale = (self.weights / self.totals)[chosen]
        matrix = np.vstack([self.counts[chosen] * scale[:, None], np.diag(pull)])
        target = np.concatenate([self.targets[chosen] * scale, pull * towards])
        # Columns of equal size: features differ by orders of magnitude.
        size = np.sqrt((matrix**2).sum(axis=0))
        return lsq_linear(matrix / size, target, bounds=(self.least * size, np.inf)).x / size

    def run(self) -> None:
        large = self.totals > SMALLEST[self.kind]
        family = np.array([FAMILY[core] for core in self.cores])
        for core in CORES:
            kin, alone = large & (family == FAMILY[core]), large & (self.cores == core)
            if self.kind == "work":
                expected = np.array([EXPECTED[name] for name in self.names], float)
                common = self.solve(kin, expected, NOISE / DOUBT / expected)
                pull = NOISE / KINSHIP / np.maximum(common, expected / 10)
                self.prices[core] = np.round(self.solve(alone, common, pull), 2)
            else:
                common = self.solve(kin, np.zeros(len(self.names)), self.usual(kin) * RIDGE / 10)
                self.prices[core] = self.whole(alone, common, self.usual(alone) * RIDGE)

    def whole(self, chosen: np.ndarray, towards: np.ndarray, pull: np.ndarray) -> np.ndarray:
        """Prices in whole bytes. What occurs thousands of times is rounded first, and the others make
        up for it."""
        targets = self.targets
        fixed = np.full(len(self.names), np.nan)
        try:
            for most in np.argsort(-self.counts[chosen].max(axis=0))[:12]:
                known = np.where(np.isnan(fixed), 0, fixed)
                self.targets = targets - self.counts @ known
                # A strong pull towards nothing more than what is known already.
                held = np.where(np.isnan(fixed), pull, 1e6)
                prices = self.solve(chosen, np.where(np.isnan(fixed), towards, 0), held)
                fixed[most] = np.round(prices[most])
            known = np.where(np.isnan(fixed), 0, fixed)
            self.targets = targets - self.counts @ known
            held = np.where(np.isnan(fixed), pull, 1e6)
            rest = np.round(self.solve(chosen, np.where(np.isnan(fixed), towards, 0), held))
        finally:
            self.targets = targets
        return np.where(np.isnan(fixed), rest, fixed)

    def usual(self, chosen: np.ndarray) -> np.ndarray:
        """What a unit of each price makes of the networks, all together."""
        matrix = self.counts[chosen] * (self.weights / self.totals)[chosen][:, None]
        return np.maximum(np.sqrt((matrix**2).sum(axis=0)), 1e-6)

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


# --- Bounds

# Above the largest shortfall that was found, as a share of it; and the least margin, in per cent.
RESERVE, LEAST_MARGIN = 0.15, 3
# What stack features cannot cost less than: a byte of the self-test's outputs is one.
FIXED = {"outputs": 1}


def margins(code: Fit) -> str:
    """CodeMargin.swift."""
    found: dict[bool, list[int]] = {False: [], True: []}
    for core in CORES:
        worst = {False: 0.0, True: 0.0}
        for i, s in enumerate(code.samples):
            if s.core != core:
                continue
            forecast = code.counts[i] @ code.prices[core]
            has_rows = any(s.features["code"].get(f, 0) for f in ("packedColumns", "packedWide"))
            worst[has_rows] = max(worst[has_rows], (code.targets[i] - forecast) / forecast)
        for kind, share in worst.items():
            found[kind].append(max(LEAST_MARGIN, int(np.ceil(100 * share * (1 + RESERVE)))))
    print(f"\nmargins of code in per cent: {found[False]}, with rows of bytes {found[True]}")
    return f"""\
// Written by Tests/bench/fit.py --write.

extension CodeFeature {{
  /// Per cent of the code that is added to the sum of prices, so that no network of the fit is above its forecast; for the
  /// cores of `Core.measured` in their order: {', '.join(CORES)}.
  static let margin = {found[False]}
  /// The same where layers work on rows of bytes or sums of 16 bits, which compilers inline in many ways.
  static let byteRowsMargin = {found[True]}
}}
"""


def stacks(found: list[Sample]) -> str:
    """StackTable.swift: the prices of least overestimation that no call graph is beyond."""
    names = cases("StackFeature")
    prices = {}
    for core in CORES:
        own = [s for s in found if s.core == core]
        counts = np.array([[s.features["stack"].get(f, 0) for f in names] for s in own], float)
        stack = np.array([s.stack for s in own], float) * (1 + RESERVE / 2)
        # Forms that no network has are as dear as the dearest path.
        bounds = [
            (FIXED[f], FIXED[f]) if f in FIXED else (0, None) if counts[:, k].any() else (stack.max(),) * 2
            for k, f in enumerate(names)
        ]
        least = linprog((counts / stack[:, None]).sum(axis=0), -counts, -stack, bounds=bounds)
        prices[core] = np.ceil(least.x - 1e-6).astype(int)
        over = counts @ prices[core] / np.array([s.stack for s in own])
        print(f"stack on {core}: bound over path: median {np.median(over):.2f}, most {over.max():.2f}")
    lines = [
        "// Written by Tests/bench/fit.py --write.", "", "extension StackFeature {",
        "  /// Most bytes of stack that one adds, for the cores of `Core.measured` in their order: "
        f"{', '.join(CORES)}.",
        "  var bytes: [Int] {", "    switch self {",
    ]  # fmt: skip
    for k, name in enumerate(names):
        lines.append(f"    case .{name}: [{', '.join(str(prices[core][k]) for core in CORES)}]")
    return "\n".join([*lines, "    }", "  }", "}", ""])


def cases(enum: str) -> list[str]:
    """The cases as declared, so that the switch is complete."""
    text = (PLANNING / f"{enum.replace('StackFeature', 'StackEstimate')}.swift").read_text()
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
    parser.add_argument("--prefix", default="")
    arguments = parser.parse_args()
    found = measured(arguments.prefix)
    for kind, file in (("work", "WorkTable.swift"), ("code", "CodeTable.swift")):
        fit = Fit(kind, found)
        fit.show()
        if arguments.write:
            (PLANNING / file).write_text(fit.table())
        if kind == "code":
            bounds = margins(fit)
    stack = stacks(found)
    if arguments.write:
        (PLANNING / "CodeMargin.swift").write_text(bounds)
        (PLANNING / "StackTable.swift").write_text(stack)


if __name__ == "__main__":
    main()
