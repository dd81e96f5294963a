"""The one training loop: seeded, deterministic, and resumed exactly where it stopped.

>>> import torch
>>> from optkit.data import digits
>>> from optkit.models import logistic_regression
>>> from optkit.training import train
>>> model = logistic_regression(input_shape=(1, 8, 8), seed=0)
>>> history = train(model, digits(), torch.optim.SGD(model.parameters(), lr=0.1), epochs=3, seed=0)
>>> history.final("test_accuracy") > 0.9
True
"""

from optkit.training.checkpoint import CheckpointError
from optkit.training.evaluation import Evaluation, evaluate
from optkit.training.history import History
from optkit.training.launch import train_in_processes
from optkit.training.loop import train

__all__ = ["CheckpointError", "Evaluation", "History", "evaluate", "train", "train_in_processes"]
