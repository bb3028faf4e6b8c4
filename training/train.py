"""The recipe: float baseline, then ternary quantization-aware training from a warm start.

Every number here was chosen on a validation part of the training data (crossval.py --validate),
never on a test fold; the last epoch is kept, not the best.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from network import Network
from quantize import Activation

Report = Callable[[str], None]


@dataclass(frozen=True)
class Phase:
    """One run of Adam over the training set."""

    epochs: int
    rate: float  # peak learning rate; cosine to zero after `warmup` epochs
    warmup: int = 2
    decay: float = 1e-4
    batch: int = 32
    smoothing: float = 0.02
    frozen: int = 0  # last epochs with fixed BatchNorm statistics and activation ranges
    distill: float = 0.0  # weight of the float network's softened answers in the loss
    averaged: int = 0  # last epochs whose weights are averaged in the end
    floor: float = 0.0  # the rate falls to this part of its peak


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the training images that keep their meaning."""

    roll: int = 10  # rows (time steps), round the edge
    flip: bool = True  # Doppler sign: somebody who comes instead of goes
    gain: float = 0.06
    offset: float = 0.04


@dataclass(frozen=True)
class Recipe:
    baseline: Phase = Phase(epochs=90, rate=4e-3, averaged=30, floor=0.2)
    ternary: Phase = Phase(epochs=180, rate=1.5e-2, frozen=5)
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass
class History:
    """Per epoch: training loss and accuracy; (epoch, accuracy) on held-out data, only looked at."""

    loss: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_tensor(x: np.ndarray) -> Tensor:
    """uint8 (N, 1, 64, 64) -> float in 0..1 whose input quantizer gives back the very bytes."""
    return torch.from_numpy(x).to(device()).float() / 255


def augmented(x: Tensor, how: Augmentation, rng: torch.Generator) -> Tensor:
    n = len(x)
    if how.roll:
        shift = torch.randint(-how.roll, how.roll + 1, (n, 1), generator=rng)
        rows = (torch.arange(x.shape[2])[None] - shift) % x.shape[2]
        x = x[torch.arange(n)[:, None], :, rows.to(x.device)].permute(0, 2, 1, 3)
    if how.flip:
        # Zero Doppler is column 32: columns 1..63 swap, column 0 (the lowest) stays.
        mirrored = x.flip(3).roll(1, 3)
        chosen = torch.rand(n, generator=rng) < 0.5
        x = torch.where(chosen.to(x.device)[:, None, None, None], mirrored, x)
    gain = 1 + how.gain * torch.randn(n, 1, 1, 1, generator=rng)
    offset = how.offset * torch.randn(n, 1, 1, 1, generator=rng)
    x = x * gain.to(x.device) + offset.to(x.device)
    return (x.clamp(0, 1) * 255).round() / 255


@torch.no_grad()
def logits(network: Network, x: Tensor) -> Tensor:
    network.eval()
    return torch.cat([network(part) for part in x.split(256)])


def accuracy(network: Network, x: Tensor, y: Tensor) -> float:
    return float((logits(network, x).argmax(1) == y).float().mean())


@torch.no_grad()
def recompute_statistics(network: Network, x: Tensor) -> None:
    """BatchNorm mean and variance of the whole training set under the present weights.

    The running averages lag behind weights that jump between three values: in mid-training the
    accuracy in eval mode means nothing without this.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    saved = [m.momentum for m in norms]
    ranges = [m for m in network.modules() if isinstance(m, Activation)]
    for norm in norms:
        norm.momentum = 1.0  # one batch, so its statistics are the answer
    for act in ranges:
        act.frozen = True
    network.train()
    network(x)
    for norm, momentum in zip(norms, saved, strict=True):
        norm.momentum = momentum
    for act in ranges:
        act.frozen = False


@torch.no_grad()
def use_average(network: Network, mean: list[Tensor], x: Tensor) -> None:
    """Averaged weights in place of the last ones; BatchNorm has never seen them, so show it."""
    for weight, value in zip(network.parameters(), mean, strict=True):
        weight.copy_(value)
    recompute_statistics(network, x)


def freeze_statistics(network: Network) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
        if isinstance(module, Activation):
            module.frozen = True


def fit(
    network: Network,
    x: Tensor,
    y: Tensor,
    phase: Phase,
    augmentation: Augmentation,
    seed: int,
    held_out: tuple[Tensor, Tensor] | None = None,
    teacher: Network | None = None,
    report: Report = lambda line: None,
) -> History:
    """Train in place. `held_out` is only reported, nothing depends on it."""
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=phase.rate, weight_decay=phase.decay)
    steps = math.ceil(len(x) / phase.batch)
    history = History()
    averaged = min(phase.averaged, phase.epochs)
    mean = [torch.zeros_like(p) for p in network.parameters()]
    start = time.time()
    for epoch in range(phase.epochs):
        network.train()
        if phase.frozen and epoch == phase.epochs - phase.frozen:
            recompute_statistics(network, x)
        if epoch >= phase.epochs - phase.frozen:
            freeze_statistics(network)
        order = torch.randperm(len(x), generator=rng).to(x.device)
        loss_sum = hits = 0.0
        for step, chosen in enumerate(order.split(phase.batch)):
            at = epoch + step / steps
            rise = min(1.0, (at + 1 / steps) / phase.warmup) if phase.warmup else 1.0
            fall = 0.5 + 0.5 * math.cos(math.pi * at / phase.epochs)
            fall = phase.floor + (1 - phase.floor) * fall
            optimizer.param_groups[0]["lr"] = phase.rate * rise * fall
            batch, target = augmented(x[chosen], augmentation, rng), y[chosen]
            out = network(batch)
            loss = F.cross_entropy(out, target, label_smoothing=phase.smoothing)
            if teacher is not None and phase.distill:
                with torch.no_grad():
                    soft = F.softmax(teacher(batch) / 2, 1)
                loss = (1 - phase.distill) * loss
                loss = loss + 4 * phase.distill * F.cross_entropy(out / 2, soft)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            network.keep_increasing()
            loss_sum += float(loss.detach()) * len(chosen)
            hits += float((out.argmax(1) == target).sum())
        if epoch >= phase.epochs - averaged:
            for total, weight in zip(mean, network.parameters(), strict=True):
                total += weight.detach() / averaged
        if averaged and epoch == phase.epochs - 1:
            use_average(network, mean, x)
        history.loss.append(loss_sum / len(x))
        history.train.append(hits / len(x))
        last = epoch == phase.epochs - 1
        if last or epoch % 10 == 9:
            note = ""
            if held_out is not None:
                score = accuracy(network, *held_out)
                history.held_out.append((epoch + 1, score))
                note = f", held out {100 * score:.2f} %"
            report(
                f"  epoch {epoch + 1}/{phase.epochs}, loss {history.loss[-1]:.3f}, "
                f"train {100 * history.train[-1]:.2f} %{note}, {time.time() - start:.0f} s"
            )
    network.eval()
    return history


def train_float(
    x: Tensor,
    y: Tensor,
    recipe: Recipe,
    seed: int,
    arch: str = "paper",
    held_out: tuple[Tensor, Tensor] | None = None,
    report: Report = lambda line: None,
) -> tuple[Network, History]:
    torch.manual_seed(seed)
    network = Network(int(y.max()) + 1, arch).to(device())
    network = network.to(memory_format=torch.channels_last)
    history = fit(network, x, y, recipe.baseline, recipe.augmentation, seed, held_out, None, report)
    return network, history


def train_ternary(
    baseline: Network,
    x: Tensor,
    y: Tensor,
    recipe: Recipe,
    seed: int,
    held_out: tuple[Tensor, Tensor] | None = None,
    report: Report = lambda line: None,
) -> tuple[Network, History]:
    """Warm start from the float network, which stays as it is (and teaches, if asked to)."""
    network = copy.deepcopy(baseline).quantize()
    history = fit(
        network, x, y, recipe.ternary, recipe.augmentation, seed + 1, held_out,
        baseline.eval() if recipe.ternary.distill else None, report,
    )  # fmt: skip
    return network, history
