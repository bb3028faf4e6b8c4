"""Fits the constants of CodeFeature.bytes (Sources/FirmwarePlanning/FlashEstimate.swift) to compiled networks.

    STERNA_FIT=/tmp/fit swift test --disable-xctest --filter FlashFit
    python Tests/bench/fit_flash.py /tmp/fit

Compiles every network for a Cortex-M4 at -O2, takes what `har_run` needs after section garbage collection, and solves for
the constants by least squares of the relative error. Trained radar networks count six times: they are what users have;
random networks are many, small and odd. Prints the switch's cases and the errors. Needs numpy.
"""

import concurrent.futures
import pathlib
import subprocess
import sys

import numpy as np

COMPILE = ["arm-none-eabi-gcc", "-O2", "-std=c99", "-mcpu=cortex-m4", "-mthumb", "-ffunction-sections", "-fdata-sections"]
SMALLEST = 1200  # below, a network is little but overhead
TRAINED_WEIGHT = 6.0


def flash(folder: pathlib.Path, name: str) -> int:
    model, kept = folder / name / "model.o", folder / name / "kept.o"
    subprocess.run([*COMPILE, "-c", folder / name / f"{name}.c", "-o", model], check=True)
    subprocess.run(["arm-none-eabi-ld", "-r", "--gc-sections", "-u", f"{name}_run", model, "-o", kept], check=True)
    table = subprocess.run(["arm-none-eabi-size", kept], check=True, capture_output=True, text=True).stdout
    return int(table.splitlines()[1].split()[0])


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    rows = [line.split() for line in (folder / "features.txt").read_text().splitlines()]
    counts = [{k: int(v) for k, v in (pair.split("=") for pair in row[2:])} for row in rows]
    features = sorted({feature for row in counts for feature in row})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        total = np.array(list(pool.map(lambda row: flash(folder, row[0]), rows)), float)
    code = total - np.array([int(row[1]) for row in rows])
    matrix = np.array([[row.get(feature, 0) for feature in features] for row in counts], float)
    trained = np.array([row[0].startswith("har") for row in rows])
    chosen = total > SMALLEST
    weight = np.where(trained, TRAINED_WEIGHT, 1.0)[chosen] / total[chosen]
    # A little of ridge keeps features that always occur together from growing apart.
    ridge = 1e-4 * np.eye(len(features))
    solution = np.linalg.lstsq(
        np.vstack([matrix[chosen] * weight[:, None], ridge]),
        np.concatenate([code[chosen] * weight, np.zeros(len(features))]),
        rcond=None,
    )[0]
    constants = np.round(solution).astype(int)
    for feature, constant in zip(features, constants, strict=True):
        print(f"    case .{feature}: {constant}")
    error = 100 * (matrix @ constants - code) / total
    print(f"trained: at most {np.abs(error[trained]).max():.1f} %")
    print(f"all: median {np.median(np.abs(error[chosen])):.1f} %, 95th percentile {np.percentile(np.abs(error[chosen]), 95):.1f} %")


if __name__ == "__main__":
    main()
