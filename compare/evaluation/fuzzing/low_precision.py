"""A small share of the networks computes in float16 or bfloat16, as far as its layers can."""

from dataclasses import replace

import numpy as np

from compare.evaluation.fuzzing.specification import Specification
from scratch.layers import LAYERS
from scratch.precision import LOW

SHARE = 0.08
POLICIES = tuple(f"{mixed}{name}" for mixed in ("", "mixed_") for name in LOW)


def lowered(specification: Specification, rng: np.random.Generator) -> Specification:
    """The network as it is, or, for a share of those of float32, with a policy for those of its
    layers whose arithmetic in a low precision is proved; the others stay in float32."""
    draws, policy = rng.random() < SHARE, str(rng.choice(POLICIES))
    known = all(node.class_name in LAYERS for node in specification.nodes)  # and no operations
    if not draws or not known or specification.dtype != "float32":
        return specification
    if specification.optimizer is not None and not _plain(specification.optimizer):
        policy = f"mixed_{policy.removeprefix('mixed_')}"
    return replace(specification, policy=policy)


def _plain(optimizer: list) -> bool:
    """Whether its steps are proved for weights that are kept in a low precision."""
    name, arguments = optimizer
    return name == "SGD" and not arguments.keys() - {"learning_rate", "momentum", "nesterov",
                                                     "name"} and not isinstance(
        arguments.get("learning_rate"), dict)
