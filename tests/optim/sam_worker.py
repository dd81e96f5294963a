"""One of two processes that train with SAM under DistributedDataParallel; see test_sam_distributed.py.

python sam_worker.py RANK MEETING_FILE together|each OUTPUT
"""

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from optkit.models import mlp
from optkit.optim import SAM, SGD


def data():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(8, 1, 3, 3, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 3, (8,), generator=generator)


def net():
    return mlp(input_shape=(1, 3, 3), hidden=(5,), classes=3, seed=0).double()


def main(rank, meeting, devices, output):
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    x, y = (part[4 * rank : 4 * rank + 4] for part in data())
    model = DistributedDataParallel(net())
    sam = SAM(SGD(model.parameters(), lr=0.1, momentum=0.9), model, rho=0.5, devices=devices)

    def closure():
        sam.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    for _ in range(3):
        sam.step(closure)
    torch.save([p.detach() for p in model.parameters()], output)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
