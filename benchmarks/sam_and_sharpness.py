"""What SAM costs beyond its two gradients, and what curvature costs, on the LeNet-like net.

python benchmarks/sam_and_sharpness.py

SAM's own overhead: a step of SAM against two gradients and a step of its base optimizer, in turns, batches
of 64. Given are the median over rounds of the ratio, and its quartiles. Curvature: the five largest
eigenvalues of the Hessian over 2,000 training images, after one epoch of training.
"""

import time

import numpy as np
import torch

from optkit.data import fashion_mnist
from optkit.models import lenet
from optkit.optim import SAM, SGD
from optkit.sharpness import LossSurface, top_eigenvalues
from optkit.training import train

ROUNDS, STEPS = 60, 10


def overhead(data):
    """Ratios (SAM / two gradients and a step) − 1, and milliseconds of the second."""
    images, labels = data.train_images[:64], data.train_labels[:64]
    nets = [lenet(seed=0), lenet(seed=0)]
    base = SGD(nets[0].parameters(), lr=0.01, momentum=0.9)
    sam = SAM(SGD(nets[1].parameters(), lr=0.01, momentum=0.9), nets[1])

    def closure_of(net):
        def closure():
            net.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(images), labels)
            loss.backward()
            return loss

        return closure

    plain, wrapped = map(closure_of, nets)

    def by_hand():
        plain()
        plain()
        base.step()

    def timed(step):
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        return (time.perf_counter() - start) / STEPS

    times = []
    for number in range(ROUNDS):
        both = [by_hand, lambda: sam.step(wrapped)]
        taken = [timed(step) for step in (both if number % 2 else reversed(both))]
        times.append(taken if number % 2 else taken[::-1])
    without, with_sam = np.array(times[5:]).T
    return with_sam / without - 1, 1e3 * np.median(without)


def main():
    """Print both."""
    data = fashion_mnist().tensors()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    ratios, milliseconds = overhead(data)
    low, middle, high = 100 * np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"two gradients and a step: {milliseconds:.2f} ms")
    print(f"SAM beyond that: {middle:.1f} % ({low:.1f} … {high:.1f})")
    model = lenet(seed=0)
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(model, data, optimizer, epochs=1, evaluate_every=None, progress=False)
    surface = LossSurface(model, (data.train_images[:2000], data.train_labels[:2000]))
    for _ in range(3):
        start = time.perf_counter()
        found = top_eigenvalues(surface.hessian(), k=5, progress=False)
        seconds = time.perf_counter() - start
        print(f"top 5 eigenvalues: {seconds:.1f} s, {found.products} products, {found.values.round(3)}")


if __name__ == "__main__":
    main()
