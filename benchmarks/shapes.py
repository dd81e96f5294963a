"""The models whose weights are stepped: lists of tensor shapes, without the models themselves."""

from __future__ import annotations

from itertools import pairwise

Shapes = list[tuple[int, ...]]


def mlp() -> Shapes:
    """784-512-512-10: 669,706 weights in 6 tensors."""
    sizes = [784, 512, 512, 10]
    return [shape for a, b in pairwise(sizes) for shape in ((b, a), (b,))]


def resnet50() -> Shapes:
    """ResNet-50 for 1,000 classes: 25,557,032 weights in 161 tensors."""
    shapes: Shapes = [(64, 3, 7, 7), (64,), (64,)]
    channels = 64
    for planes, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            layers = [(planes, channels, 1, 1), (planes, planes, 3, 3), (4 * planes, planes, 1, 1)]
            if block == 0:
                layers.append((4 * planes, channels, 1, 1))  # the short cut
            for layer in layers:
                shapes += [layer, (layer[0],), (layer[0],)]  # with scale and shift of its normalisation
            channels = 4 * planes
    return [*shapes, (1000, channels), (1000,)]


MODELS: dict[str, Shapes] = {
    "1e4": [(10_000,)],
    "1e6": [(1_000_000,)],
    "1e7": [(10_000_000,)],
    "2.5e7": [(25_000_000,)],
    "100 x 1,000": [(1_000,)] * 100,
    "MLP 670k": mlp(),
    "ResNet-50": resnet50(),
}
"""Name → shapes. The first four are single tensors."""
