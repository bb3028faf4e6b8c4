"""Train on a whole data set and export: python training/deliver.py [--data FILE.npz --out DIR]

Writes har.onnx (QONNX), har_qcdq.onnx (its twin), labelled samples (har_x.npy uint8
N x 1 x 64 x 64, har_y.npy int32), PyTorch's logits of them (har_logits.npy) and what was measured
(facts.json).

Without --data this is the built-in model, in training/delivered/. Its 25 samples are simulated from
another seed, five per class, and not picked by result; a third seed gives 300 more to measure it.
With --data everything is trained on, so the samples are training samples: good for trying the
compiler, not for measuring; crossval.py measures.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

import data as datasets
import options
import product
from crossval import HERE
from data import Data
from export import bias_bits, export
from radar.dataset import simulate
from train import logits, to_tensor, train_float, train_ternary

SAMPLES_PER_CLASS = 5
SAMPLE_SEED = 2400  # of the samples that go with the model
FRESH_SEED, FRESH_PER_CLASS = 2401, 60  # only to measure it


def some_of_each(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The first five samples of each class."""
    first = [np.flatnonzero(data.y == c)[:SAMPLES_PER_CLASS] for c in range(len(data.classes))]
    chosen = np.concatenate(first)
    return data.x[chosen], data.y[chosen]


def main() -> None:
    parser = options.parser(__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "delivered")
    args = parser.parse_args()
    if args.data and args.out == HERE / "delivered":
        parser.error("with --data, say where to with --out: delivered/ is the built-in model's")
    torch.set_num_threads(args.threads)

    def report(line: str) -> None:
        print(line, flush=True)

    recipe, data = options.recipe(args), options.load_data(args)
    x = to_tensor(data.x)
    y = torch.from_numpy(data.y).to(x.device)
    baseline, _ = train_float(x, y, recipe, seed=5, arch=args.arch, report=report)
    network, history = train_ternary(baseline, x, y, recipe, seed=5, report=report)
    baseline, network = baseline.cpu(), network.cpu()

    if args.data:
        samples, labels = some_of_each(data)
        test, kind = data, "training"
    else:
        images, labels, _ = simulate(SAMPLE_SEED, SAMPLES_PER_CLASS)
        samples = images[:, None]
        test = datasets.simulated(min(FRESH_PER_CLASS, args.per_class), FRESH_SEED)
        kind = "fresh"
    args.out.mkdir(parents=True, exist_ok=True)
    model = args.out / "har.onnx"
    checks = export(network, test.x, model, args.out / "har_qcdq.onnx")
    real = torch.from_numpy(test.x).float() / 255
    right = {
        name: int((logits(net, real).argmax(1).numpy() == test.y).sum())
        for name, net in (("float", baseline), ("ternary", network))
    }
    outputs = logits(network, torch.from_numpy(samples).float() / 255).numpy()
    np.save(args.out / "har_x.npy", samples)
    np.save(args.out / "har_y.npy", labels.astype(np.int32))
    np.save(args.out / "har_logits.npy", outputs)
    sterna = product.find_sterna(args.sterna)
    if sterna is None:
        report("sterna not found (--sterna, $STERNA, .build): integer accuracy is not measured")
    else:
        emitted = product.c_logits(sterna, model, test.x)
        same = np.array_equal(emitted, product.interpreter_logits(sterna, model, test.x))
        report(f"interpreter and C {'agree' if same else 'DISAGREE'} on {len(test)} samples")
        right["c"] = int((emitted.argmax(1) == test.y).sum())
    facts = {
        "classes": data.classes,
        "training_samples": len(data),
        f"{kind}_samples": len(test),
        f"{kind}_right": right,
        "har_x_right": f"{int((outputs.argmax(1) == labels).sum())} of {len(labels)}",
        "zeros": round(network.zeros(), 4),
        "bias_bits": bias_bits(network),
        "last_training_accuracy": round(history.train[-1], 4),
        "checks": [str(check) for check in checks],
        "recipe": dataclasses.asdict(recipe),
    }
    (args.out / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    report(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
