"""Command-line options that crossval.py and deliver.py share."""

import argparse
import dataclasses
import json

import numpy as np

import data as datasets
from data import Data
from network import ARCHITECTURES
from radar.dataset import PER_CLASS
from train import Recipe


def parser(description: str) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--data", help=".npz with x, y, perhaps group (default: the simulation)")
    found.add_argument("--transpose", action="store_true", help="time runs along the columns")
    found.add_argument("--no-flip", action="store_true", help="columns are not signed Doppler")
    found.add_argument("--per-class", type=int, default=PER_CLASS, help="size of the simulated set")
    found.add_argument("--arch", choices=ARCHITECTURES, default="paper")
    found.add_argument("--set", action="append", default=[], metavar="PHASE.NAME=VALUE")
    found.add_argument("--sterna", help="the compiler (default: $STERNA, then .build)")
    found.add_argument("--threads", type=int, default=1, help="of PyTorch")
    return found


def load_data(args: argparse.Namespace) -> Data:
    if not args.data:
        return datasets.simulated(args.per_class)
    data = datasets.load(args.data)
    if args.transpose:
        data = dataclasses.replace(data, x=np.ascontiguousarray(data.x.swapaxes(2, 3)))
    return data


def recipe(args: argparse.Namespace) -> Recipe:
    """The recipe with settings such as "ternary.epochs=260" or "augmentation.flip=false"."""
    found = Recipe()
    for setting in args.set + ["augmentation.flip=false"] * args.no_flip:
        name, _, text = setting.partition("=")
        part, _, field = name.partition(".")
        try:
            old = getattr(found, part)
            value = type(getattr(old, field))(json.loads(text))
        except (AttributeError, ValueError) as error:
            raise SystemExit(
                f"--set {setting}: want PHASE.NAME=VALUE, see Recipe in train.py"
            ) from error
        found = dataclasses.replace(found, **{part: dataclasses.replace(old, **{field: value})})
    return found
