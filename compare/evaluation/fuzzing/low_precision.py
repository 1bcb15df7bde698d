"""A small share of the networks computes in float16 or bfloat16, as far as its layers can."""

from dataclasses import replace
from typing import Any

import numpy as np

from compare.evaluation.fuzzing.specification import (
    Specification,
    batch_of,
    sample_weights_of,
    targets_of,
)
from scratch.layers import LAYERS, BatchNormalization
from scratch.layers.attention import ScoredAttention
from scratch.precision import LOW
from scratch.several import each

SHARE = 0.08
POLICIES = tuple(f"{mixed}{name}" for mixed in ("", "mixed_") for name in LOW)


def lowered(specification: Specification, rng: np.random.Generator) -> Specification:
    """The network as it is, or, for a share of those of float32, with a policy for those of its
    layers whose arithmetic in a low precision is proved; the others stay in float32."""
    draws, policy = rng.random() < SHARE, str(rng.choice(POLICIES))
    # no operations, and no layers that would compute in the precision of what they read
    known = all(node.class_name in LAYERS and LAYERS[node.class_name].casts_inputs
                for node in specification.nodes)
    if not draws or not known or specification.dtype != "float32":
        return specification
    if specification.optimizer is not None and not _plain(specification.optimizer):
        policy = f"mixed_{policy.removeprefix('mixed_')}"
    made = with_some_in_float32(replace(specification, policy=policy))
    if policy.endswith("float16") and "b" not in policy and not _finite(made):
        made = replace(made, policy=policy.replace("float16", "bfloat16"))
    return made


def with_some_in_float32(specification: Specification) -> Specification:
    """The network with these layers in float32: where there are masks those that do not take any,
    or not every one, in a low precision; spatial dropouts, of which Keras's config forgets a mixed
    policy, where it is mixed."""
    masked = any(node.makes_mask for node in specification.nodes)
    mixed = specification.policy.startswith("mixed_")

    def stays(name: str) -> bool:
        kind = LAYERS.get(name, object)
        return (masked and issubclass(kind, (BatchNormalization, ScoredAttention))
                or mixed and name.startswith("SpatialDropout"))

    return replace(specification, nodes=[
        replace(node, arguments={**node.arguments, "dtype": "float32"})
        if stays(node.class_name) else node for node in specification.nodes])


@np.errstate(all="ignore")
def _finite(specification: Specification) -> bool:
    """Whether nothing in it overflows in float16, whose largest number is 65504; what does says
    nothing, as both sides are infinite there."""
    model, x = specification.build(), batch_of(specification)
    if model.loss is None:
        return all(np.isfinite(y).all() for y in each(model.forward(x, training=True)))
    output: Any = [(specification.batch, *model.layers[end].output_shape[1:])
                   for end in model.ends]
    output = output if specification.outputs else output[0]
    value, *_ = model.loss_and_gradients(x, targets_of(specification, output),
                                         sample_weight=sample_weights_of(specification, output))
    gradients = [gradient for layer in model.layers for gradient in layer.grads.values()]
    return bool(np.isfinite(value)) and all(np.isfinite(g).all() for g in gradients)


def _plain(optimizer: list) -> bool:
    """Whether its steps are proved for weights that are kept in a low precision."""
    name, arguments = optimizer
    return name == "SGD" and not arguments.keys() - {"learning_rate", "momentum", "nesterov",
                                                     "name"} and not isinstance(
        arguments.get("learning_rate"), dict)
