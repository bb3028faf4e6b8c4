"""Quantizers for training: ternary weights and 8-bit activations with straight-through gradients.

The rules are those of F. Li, B. Liu, "Ternary Weight Networks" (2016): threshold
delta = 0.7 mean|w|, and for a given support the least-squares scale alpha is the mean of |w| over
it. Both are per tensor; per channel was tried and is worse here (README.md).
"""

import torch
from torch import Tensor, nn

THRESHOLD = 0.7


def threshold(w: Tensor) -> Tensor:
    return THRESHOLD * w.abs().mean()


def alpha(w: Tensor, ternary: Tensor) -> Tensor:
    """The scale that minimises |w - alpha * ternary|^2: their inner product over |ternary|^2."""
    return (w * ternary).sum() / ternary.abs().sum().clamp(min=1)


def ternarize(w: Tensor) -> tuple[Tensor, Tensor]:
    """Float weights -> (ternary in {-1, 0, 1} of the same shape, alpha, a scalar)."""
    ternary = torch.sign(w) * (w.abs() > threshold(w))
    return ternary, alpha(w, ternary)


def ternary_weight(w: Tensor) -> Tensor:
    """alpha * ternary on the way forward; on the way back as if it were w."""
    ternary, scale = ternarize(w.detach())
    return w + (scale * ternary - w).detach()


class _Round8(torch.autograd.Function):
    """Clip to [0, top] and round half to even onto 255 steps; gradient 1 inside, 0 outside."""

    @staticmethod
    def forward(ctx, x: Tensor, top: Tensor, scale: Tensor) -> Tensor:  # noqa: ANN001
        ctx.save_for_backward((x > 0) & (x < top))
        return (x / scale).clamp_(0, 255).round_().mul_(scale)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN001
        return gradient * ctx.saved_tensors[0], None, None


class Activation(nn.Module):
    """ReLU while disabled; enabled, an unsigned 8-bit activation in [0, top].

    While training, `top` follows the batch maximum as a slow average. What exceeds it is clipped
    and gets no gradient.
    """

    def __init__(self, momentum: float = 0.05) -> None:
        super().__init__()
        self.momentum = momentum
        self.enabled = False
        self.frozen = False
        self.register_buffer("top", torch.zeros(()))

    @property
    def scale(self) -> Tensor:
        return self.top / 255

    def forward(self, x: Tensor) -> Tensor:
        if not self.enabled:
            return torch.relu(x)
        if self.training and not self.frozen:
            highest = x.detach().amax().clamp(min=1e-3)
            first = self.top == 0
            self.top.copy_(torch.where(first, highest, self.top.lerp(highest, self.momentum)))
        return _Round8.apply(x, self.top, self.scale)


def integer_bias(bias: Tensor, scale: Tensor) -> Tensor:
    """Bias on the grid of the accumulator, `scale` = input scale * alpha; straight through."""
    rounded = (bias.detach() / scale).round() * scale
    return bias + (rounded - bias).detach()
