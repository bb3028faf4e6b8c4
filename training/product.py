"""The product's own integer accuracies: the interpreter `sterna run`, and the emitted C.

Both give int32 logits (N, classes). Everything this folder needs from the compiler is here.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NAME = "har"  # prefix of the emitted symbols; driver.c expects it


class ProductError(Exception):
    """The compiler, the C compiler or the emitted program failed; the message holds its output."""


def find_sterna(option: str | None = None) -> Path | None:
    """The `sterna` executable: --sterna, the variable STERNA, else the newest local build."""
    for given in (option, os.environ.get("STERNA")):
        if given:
            if not (path := Path(given).resolve()).is_file():
                raise FileNotFoundError(f"no sterna executable at {path}")
            return path
    builds = [HERE.parent / ".build" / kind / "sterna" for kind in ("release", "debug")]
    found = [path for path in builds if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime) if found else None


def _call(command: list[str], data: bytes | None = None) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True)
    if done.returncode:
        error = done.stderr.decode(errors="replace")
        raise ProductError(f"{' '.join(command)}\nexit status {done.returncode}\n{error}")
    return done.stdout


def interpreter_logits(sterna: Path, model: Path, x: np.ndarray) -> np.ndarray:
    """x (N, 1, 64, 64) uint8 through the reference interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "x.npy"), Path(folder, "y.npy")
        np.save(source, x)
        _call([str(sterna), "run", str(model), "--input", str(source), "--output", str(target)])
        return np.load(target).reshape(len(x), -1)


def c_logits(sterna: Path, model: Path, x: np.ndarray) -> np.ndarray:
    """x (N, 1, 64, 64) uint8 through the emitted C, compiled for this machine."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise ProductError("no C compiler: set CC")
    with tempfile.TemporaryDirectory() as folder:
        _call([str(sterna), "compile", str(model), "-o", folder, "--name", NAME])
        program = str(Path(folder, "driver"))
        sources = [str(HERE / "driver.c"), str(Path(folder, f"{NAME}.c"))]
        flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-I", folder]
        _call([compiler, *flags, *sources, "-o", program])
        out = _call([program], np.ascontiguousarray(x).tobytes())
    return np.frombuffer(out, dtype=np.int32).reshape(len(x), -1)
