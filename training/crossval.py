"""Five-fold cross-validation: python training/crossval.py [--data FILE.npz]

Trains a float and a ternary network per fold, exports and checks them, measures the integer
accuracies with the product where `sterna` is found, and writes a Markdown table and pictures.
Every finished fold is a JSON file and an .onnx file in the results folder: a second call goes on
where the first one stopped, and fills in what was "not measured".
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import torch

import data as datasets
import options
import pictures
import product
import table
from data import Data
from export import bias_bits, export
from network import parameters
from train import Recipe, logits, to_tensor, train_float, train_ternary

HERE = Path(__file__).parent


def run_fold(
    data: Data, chosen: np.ndarray, fold: int, recipe: Recipe, arch: str, folder: Path, draw: bool
) -> dict:
    """Train on all but `chosen` (N,) bool, test on it; write fold-K.onnx, return a record."""

    def report(line: str) -> None:
        print(f"fold {fold}{line}", flush=True)

    start = time.time()
    x, y = to_tensor(data.x), torch.from_numpy(data.y).to(to_tensor(data.x[:1]).device)
    train, test = torch.from_numpy(~chosen), torch.from_numpy(chosen)
    held_out = (x[test], y[test])
    report(f": float, {int(train.sum())} training and {int(test.sum())} test samples")
    baseline, float_history = train_float(x[train], y[train], recipe, fold, arch, held_out, report)
    report(": ternary")
    network, history = train_ternary(baseline, x[train], y[train], recipe, fold, held_out, report)
    answers = {
        "float": logits(baseline, x[test]).argmax(1).tolist(),
        "ternary": logits(network, x[test]).argmax(1).tolist(),
    }
    if draw:
        pictures.weights(network, folder / "weights.png")
        pictures.histograms(network, folder / "histograms.png")
    checks = export(
        network, data.x[chosen], folder / f"fold-{fold}.onnx", folder / f"fold-{fold}-qcdq.onnx"
    )
    for check in checks:
        report(f": {check}")
    return {
        "arch": arch,
        "parameters": parameters(baseline),
        "recipe": dataclasses.asdict(recipe),
        "labels": data.y[chosen].tolist(),
        "answers": answers,
        "zeros": network.zeros(),
        "bias_bits": bias_bits(network),
        "checks": [dataclasses.asdict(check) for check in checks],
        "history": {
            "float": dataclasses.asdict(float_history),
            "ternary": dataclasses.asdict(history),
        },
        "seconds": round(time.time() - start),
        "logits_differ": None,
    }


def measure(record: dict, sterna: Path, model: Path, x: np.ndarray) -> None:
    """Fill in the answers of the interpreter and of the emitted C."""
    interpreter = product.interpreter_logits(sterna, model, x)
    emitted = product.c_logits(sterna, model, x)
    record["answers"]["interpreter"] = interpreter.argmax(1).tolist()
    record["answers"]["c"] = emitted.argmax(1).tolist()
    record["logits_differ"] = int((interpreter != emitted).sum())


def stored(path: Path, recipe: Recipe, arch: str, labels: np.ndarray) -> dict | None:
    """The record of a fold that was finished earlier; stops if it is not of this experiment."""
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    if record["recipe"] != dataclasses.asdict(recipe) or record["arch"] != arch:
        raise SystemExit(f"{path} is from another recipe: delete it or give another --out")
    if record["labels"] != labels.tolist():
        raise SystemExit(f"{path} is from other data: delete it or give another --out")
    return record


def validation_part(data: Data) -> Data:
    """The training part of fold 0: hyper-parameters are chosen by folds inside it."""
    inside = datasets.folds(data) != 0
    group = None if data.group is None else data.group[inside]
    return Data(f"{data.name}-validation", data.x[inside], data.y[inside], data.classes, group)


def arguments() -> argparse.Namespace:
    parser = options.parser(__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="results folder (default: training/results/NAME)")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(5)), metavar="K")
    parser.add_argument(
        "--validate", action="store_true", help="choose settings: folds inside fold 0's training"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    recipe = options.recipe(args)
    data = options.load_data(args)
    if args.validate:
        data = validation_part(data)
    folder = args.out or HERE / ("runs" if args.validate else "results") / data.name
    folder.mkdir(parents=True, exist_ok=True)
    sterna = product.find_sterna(args.sterna)
    if sterna is None:
        print("sterna not found (--sterna, $STERNA, .build): integer columns are not measured")
    fold = datasets.folds(data, seed=int(args.validate))
    for k in args.folds:
        path = folder / f"fold-{k}.json"
        record = None if args.validate else stored(path, recipe, args.arch, data.y[fold == k])
        if record is None:
            record = run_fold(data, fold == k, k, recipe, args.arch, folder, draw=k == 0)
            path.write_text(json.dumps(record))
        if sterna is not None:
            measure(record, sterna, folder / f"fold-{k}.onnx", data.x[fold == k])
            path.write_text(json.dumps(record))
    finished = sorted(folder.glob("fold-*.json"))
    records = [json.loads(p.read_text()) | {"fold": int(p.stem[5:])} for p in finished]
    text = table.markdown(data.name, records)
    (folder / "results.md").write_text(text)
    pictures.learning_curves(records, folder / "learning-curves.png")
    pictures.confusion(records, data.classes, folder / "confusion.png")
    if not args.data:
        pictures.contact_sheets(data, folder)
    print(f"\n{text}\nwrote {folder}/results.md and pictures")


if __name__ == "__main__":
    main()
