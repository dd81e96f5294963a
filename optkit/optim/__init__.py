"""torch optimizers made from rules.

Each is a drop-in for the class of the same name in ``torch.optim``: its arguments, defaults and conventions
are torch's, and it loads torch's checkpoints. The course's conventions are there by argument,
``eps_inside=True`` for one. INNA, which torch lacks, and `from_rule`, which makes such a class from any
rule, keep the same contract. `SAM` goes around any of them, or any of torch's.
"""

from optkit.optim.adam import Adam, AdamW, RAdam
from optkit.optim.adaptive import Adagrad, RMSprop
from optkit.optim.from_rule import from_rule
from optkit.optim.inna import INNA
from optkit.optim.rule_optimizer import RuleOptimizer
from optkit.optim.sam import SAM
from optkit.optim.sgd import SGD

__all__ = ["INNA", "SAM", "SGD", "Adagrad", "Adam", "AdamW", "RAdam", "RMSprop", "RuleOptimizer", "from_rule"]
