"""The quantizers: least squares against brute force, grids, gradients."""

import numpy as np
import pytest
import torch

from network import Network, parameters
from quantize import Activation, integer_bias, ternarize, ternary_weight, threshold


def error(w: torch.Tensor, ternary: torch.Tensor, scale: float) -> float:
    return float(((w - scale * ternary) ** 2).sum())


def test_alpha_is_the_least_squares_scale_of_its_support() -> None:
    for seed in range(5):
        w = torch.randn(16, 1, 7, 7, generator=torch.Generator().manual_seed(seed))
        ternary, alpha = ternarize(w)
        grid = np.linspace(0.1, 3, 5801)
        best = min(grid, key=lambda scale: error(w, ternary, scale))
        assert float(alpha) == pytest.approx(best, abs=5e-4)


def test_threshold_rule_is_close_to_the_best_threshold_there_is() -> None:
    """For a fixed threshold the least error is sum w^2 - (sum of |w| above it)^2 / count: try
    every support. The rule of 0.7 mean|w| is the approximation of Li and Liu for a normal w."""
    w = torch.randn(784, generator=torch.Generator().manual_seed(1))
    order = w.abs().sort(descending=True).values
    gain = order.cumsum(0) ** 2 / torch.arange(1, len(w) + 1)
    least = float((w**2).sum() - gain.max())
    ternary, alpha = ternarize(w)
    assert least <= error(w, ternary, float(alpha)) <= 1.02 * least
    assert 0.4 < float((ternary == 0).float().mean()) < 0.5


def test_ternary_values_and_straight_through_gradient() -> None:
    w = torch.randn(64, requires_grad=True)
    quantized = ternary_weight(w)
    ternary, alpha = ternarize(w.detach())
    assert torch.allclose(quantized, alpha * ternary)
    assert torch.equal(ternary != 0, w.detach().abs() > threshold(w.detach()))
    (quantized * torch.arange(64.0)).sum().backward()
    assert torch.equal(w.grad, torch.arange(64.0))


def test_activation_rounds_half_to_even_and_clips() -> None:
    act = Activation().eval()
    act.enabled = True
    act.top.fill_(255.0)
    x = torch.tensor([-3.0, 0.5, 1.5, 2.5, 254.6, 300.0], requires_grad=True)
    out = act(x)
    assert out.tolist() == [0, 0, 2, 2, 255, 255]
    out.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_bias_lies_on_the_accumulators_grid() -> None:
    scale = torch.tensor(0.125)
    assert integer_bias(torch.tensor([0.30, -1.0]), scale).tolist() == [0.25, -1.0]


def test_the_network_has_3029_parameters_2864_of_them_ternary() -> None:
    network = Network()
    assert parameters(network) == 3029
    assert sum(layer.weight.numel() for layer in network.ternary_layers().values()) == 2864


@pytest.mark.parametrize("arch", ["small", "wide"])
def test_variants_run(arch: str) -> None:
    network = Network(3, arch).eval()
    assert network(torch.rand(2, 1, 64, 64)).shape == (2, 3)
