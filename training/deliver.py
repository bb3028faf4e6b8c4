"""Train the built-in model on the whole simulated set: python training/deliver.py

Writes training/delivered/: har.onnx (QONNX), har_qcdq.onnx (its twin), 25 labelled samples that
were simulated from another seed, five per class and not picked by result (har_x.npy uint8
25 x 1 x 64 x 64, har_y.npy), PyTorch's logits of them (har_logits.npy), and what was measured.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

import data as datasets
import product
from crossval import HERE, changed
from export import bias_bits, export
from radar.dataset import CLASSES, simulate
from train import Recipe, logits, to_tensor, train_float, train_ternary

SAMPLE_SEED = 2400  # of the 25 samples that go with the model
CHECK_SEED = 2401  # of a further set, only to measure the delivered network
CHECK_PER_CLASS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "delivered")
    parser.add_argument("--per-class", type=int, default=276, help="size of the training set")
    parser.add_argument("--set", action="append", default=[], metavar="PHASE.NAME=VALUE")
    parser.add_argument("--sterna", help="the compiler (default: $STERNA, then .build)")
    args = parser.parse_args()
    torch.set_num_threads(1)

    def report(line: str) -> None:
        print(line, flush=True)

    recipe = changed(Recipe(), args.set)
    data = datasets.simulated(args.per_class)
    x, y = to_tensor(data.x), torch.from_numpy(data.y).to(to_tensor(data.x[:1]).device)
    baseline, _ = train_float(x, y, recipe, seed=5, report=report)
    network, history = train_ternary(baseline, x, y, recipe, seed=5, report=report)

    samples, labels, _ = simulate(SAMPLE_SEED, 5)
    samples = samples[:, None]
    fresh = datasets.simulated(min(CHECK_PER_CLASS, args.per_class), CHECK_SEED)
    args.out.mkdir(parents=True, exist_ok=True)
    model = args.out / "har.onnx"
    checks = export(network, fresh.x, model, args.out / "har_qcdq.onnx")
    right = {}
    for name, net in (("float", baseline), ("ternary", network)):
        answer = logits(net.cpu(), torch.from_numpy(fresh.x).float() / 255).argmax(1).numpy()
        right[name] = int((answer == fresh.y).sum())
    outputs = logits(network, torch.from_numpy(samples).float() / 255).numpy()
    np.save(args.out / "har_x.npy", samples)
    np.save(args.out / "har_y.npy", labels.astype(np.int32))
    np.save(args.out / "har_logits.npy", outputs)
    sterna = product.find_sterna(args.sterna)
    if sterna is None:
        report("sterna not found (--sterna, $STERNA, .build): integer accuracy is not measured")
    else:
        emitted = product.c_logits(sterna, model, fresh.x)
        same = np.array_equal(emitted, product.interpreter_logits(sterna, model, fresh.x))
        report(f"interpreter and C {'agree' if same else 'DISAGREE'} on {len(fresh)} samples")
        right["c"] = int((emitted.argmax(1) == fresh.y).sum())
    facts = {
        "classes": CLASSES,
        "training_samples": len(data),
        "fresh_samples": len(fresh),
        "fresh_right": right,
        "built_in_samples_right": int((outputs.argmax(1) == labels).sum()),
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
