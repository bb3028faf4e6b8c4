"""The network: 3029 float parameters for a 64 x 64 spectrogram and five classes.

    Conv 7x7 same 1 -> 16, BN, ReLU, MaxPool 2                              784 + 32
    twice: depthwise 3x3 same, BN, ReLU, pointwise 16 -> 16, BN, ReLU, MaxPool 2
                                                            2 * (144 + 32 + 256 + 32)
    AvgPool 2, Linear 256 -> 5                                              1285

The same module is the float baseline and the quantized network: `quantized` switches it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize import Activation, integer_bias, ternarize, ternary_weight

# Name -> (channels of the first convolution, its kernel, channels after each further block).
ARCHITECTURES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "paper": (16, 7, (16, 16)),  # 3029 parameters for five classes: the default everywhere
    "small": (8, 5, (8, 16)),  # for a part with little RAM
    "wide": (24, 7, (24, 32)),
}


class Block(nn.Module):
    """Convolution, BatchNorm, ReLU, 8-bit activation; with `pool` a 2x2 max pool.

    The pool is computed first, on the convolution's output: with gamma > 0 everything after it is
    non-decreasing, so the result is the same and BatchNorm works on a quarter of the pixels. The
    exported graph has the usual order.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, groups: int = 1, pool: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs)
        self.act = Activation()
        self.pool = pool
        self.quantized = False

    def forward(self, x: Tensor) -> Tensor:
        w = ternary_weight(self.conv.weight) if self.quantized else self.conv.weight
        # Ternarized weights lose the memory format; without it the convolution is slow.
        w = w.contiguous(memory_format=torch.channels_last)
        x = F.conv2d(x, w, padding=self.conv.padding, groups=self.conv.groups)
        if self.pool:
            x = F.max_pool2d(x, 2)
        return self.act(self.norm(x))


class Network(nn.Module):
    """Input (N, 1, 64, 64) float in 0..1, a multiple of 1/255; output (N, classes) logits."""

    def __init__(self, classes: int = 5, arch: str = "paper") -> None:
        super().__init__()
        self.arch = arch
        channels, kernel, widths = ARCHITECTURES[arch]
        blocks = [Block(1, channels, kernel, pool=True)]
        for width in widths:
            blocks.append(Block(channels, channels, 3, groups=channels))
            blocks.append(Block(channels, width, 1, pool=True))
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.average = Activation()  # the average pool's output gets 8 bits of its own
        side = 64 >> (len(widths) + 2)
        self.dense = nn.Linear(channels * side * side, classes)
        self.quantized = False

    def quantize(self) -> "Network":
        """Switch to ternary weights, 8-bit activations and an integer bias."""
        self.quantized = True
        for module in self.modules():
            if isinstance(module, Block):
                module.quantized = True
            if isinstance(module, Activation):
                module.enabled = True
        return self

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.average(F.avg_pool2d(self.blocks(x), 2)).flatten(1)
        if not self.quantized:
            return self.dense(x)
        w = ternary_weight(self.dense.weight)
        scale = self.average.scale * ternarize(self.dense.weight.detach())[1]
        return F.linear(x, w, integer_bias(self.dense.bias, scale))

    def ternary_layers(self) -> dict[str, nn.Conv2d | nn.Linear]:
        """Name -> layer with ternary weights, in order of execution."""
        layers: dict[str, nn.Conv2d | nn.Linear] = {}
        for k, block in enumerate(self.blocks):
            kind = "conv" if k == 0 else "depthwise" if block.conv.groups > 1 else "pointwise"
            layers[f"{kind}{(k + 1) // 2 or ''}"] = block.conv
        return layers | {"dense": self.dense}

    def keep_increasing(self) -> None:
        """Hold every gamma above zero: see Block."""
        for block in self.blocks:
            block.norm.weight.data.clamp_(min=1e-3)

    @torch.no_grad()
    def zeros(self) -> float:
        """Part of all ternary weights that is zero."""
        ternary = [ternarize(layer.weight)[0].flatten() for layer in self.ternary_layers().values()]
        return float((torch.cat(ternary) == 0).float().mean())


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
