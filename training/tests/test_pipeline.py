"""Train briefly, export, compare; then the whole command on tiny data."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import data
import product
from radar import dataset
from train import Phase, Recipe, logits, to_tensor, train_float, train_ternary

HERE = Path(__file__).parent.parent
pytest.importorskip("brevitas", reason="brevitas is missing: pip install -r requirements.txt")
pytest.importorskip("onnxruntime", reason="onnxruntime is missing")
pytest.importorskip("qonnx", reason="qonnx is missing")


@pytest.fixture(scope="module")
def tiny() -> data.Data:
    x, y, _ = dataset.simulate(11, per_class=8)
    return data.Data("tiny", x[:, None], y, dataset.CLASSES)


def test_both_files_compute_what_pytorch_computes(tiny: data.Data, tmp_path: Path) -> None:
    import onnx

    from export import bias_bits, export

    torch.set_num_threads(1)
    recipe = Recipe()
    recipe = replace(
        recipe,
        baseline=replace(recipe.baseline, epochs=3),
        ternary=replace(recipe.ternary, epochs=3, frozen=1),
    )
    x, y = to_tensor(tiny.x), torch.from_numpy(tiny.y)
    network, _ = train_ternary(train_float(x, y, recipe, 0)[0], x, y, recipe, 0)
    checks = export(network, tiny.x, tmp_path / "m.onnx", tmp_path / "m_qcdq.onnx")  # raises
    assert [check.name for check in checks] == ["Brevitas", "QONNX", "QCDQ"]
    assert bias_bits(network) <= 23
    # The trap: raw weights in the QONNX file. Each stored tensor must hold three levels only.
    stored = {t.name: onnx.numpy_helper.to_array(t)
              for t in onnx.load(tmp_path / "m.onnx").graph.initializer}  # fmt: skip
    weights = [w for w in stored.values() if w.ndim in (2, 4) and w.size > 5]
    assert len(weights) == 6
    assert all(len(np.unique(w)) <= 3 for w in weights)


def test_averaged_weights(tiny: data.Data) -> None:
    """The average of the last two epochs is where one expects it, and makes finite answers.

    A run with fewer epochs than that averages what there is.
    """
    x, y = to_tensor(tiny.x), torch.from_numpy(tiny.y)
    first, last, averaged, short = (
        train_float(x, y, Recipe(baseline=Phase(epochs, 1e-3, averaged=n, floor=1.0)), 0)[0]
        for epochs, n in ((1, 0), (2, 0), (2, 2), (2, 30))
    )
    a, b, mean = (net.dense.weight for net in (first, last, averaged))
    assert torch.allclose((a + b) / 2, mean, atol=1e-6)
    assert torch.equal(short.dense.weight, mean)
    assert logits(averaged, x).isfinite().all()


def test_whole_command_on_tiny_data(tiny: data.Data, tmp_path: Path) -> None:
    """Train, export, and, where sterna is built, compile and compare; then resume."""
    np.savez(tmp_path / "tiny.npz", x=tiny.x, y=tiny.y)
    command = [sys.executable, str(HERE / "crossval.py"), "--data", str(tmp_path / "tiny.npz")]
    command += ["--out", str(tmp_path / "out"), "--folds", "0"]
    command += ["--set", "baseline.epochs=2", "--set", "ternary.epochs=2"]
    command += ["--set", "ternary.frozen=1"]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    record = json.loads((tmp_path / "out" / "fold-0.json").read_text())
    assert len(record["labels"]) == 8
    assert record["parameters"] == 3029
    table = (tmp_path / "out" / "results.md").read_text()
    if product.find_sterna() is None:
        assert "sterna not found" in first.stdout and "not measured" in table
    else:
        assert record["logits_differ"] == 0
        assert len(record["answers"]["c"]) == 8
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0 and "held out" not in again.stdout  # nothing trained again
    if product.find_sterna() is None:
        pytest.skip("trained and exported; not compiled: no sterna executable (--sterna, .build)")
