"""The losses of a network's outputs: one, or one for each of several that are weighted and added.

Rows, oracles and the diagnosis go through `terms_of`, so that a network of one output is the case
of one term.
"""

from typing import Any, NamedTuple

import numpy as np

from compare.tracing.trace import Trace
from compare.tracing.types import Config, Network
from scratch.losses import JointLoss, serialize
from scratch.several import Several, Structure, each


class Term(NamedTuple):
    """The loss of one output.

    Attributes:
        layer: what a row on it is about: 'loss', or of several outputs 'class_loss', Keras's name.
        output: which output, from 0.
        part: the position of the part that makes it.
        loss: Keras's name or dictionary of the loss.
        weight: what it counts for in the sum; None for 1.
        fused: whether it is computed from the logits of that part, its input.
    """

    layer: str
    output: int
    part: int
    loss: str | Config
    weight: float | None
    fused: bool

    def labels(self, trace: Trace) -> np.ndarray:
        """The output's labels."""
        found: np.ndarray = each(trace.y)[self.output]
        return found

    def sample_weight(self, trace: Trace) -> np.ndarray | None:
        """Those of the output's losses, or of all of them."""
        given = trace.sample_weight
        found: np.ndarray | None = (given.arrays[self.output] if isinstance(given, Several)
                                    else given)
        return found

    def seen(self, trace: Trace) -> np.ndarray:
        """What the loss was computed from."""
        part = trace.parts[self.part]
        return part.inputs[0] if self.fused else part.output

    def gradient(self, trace: Trace) -> np.ndarray:
        """Of the sum, with respect to that."""
        found: np.ndarray = each(trace.loss_gradient)[self.output]
        return found

    def function(self, model: Network) -> Any:
        """The candidate's own loss for the output."""
        if not isinstance(model.loss, JointLoss):
            return model.loss
        return next(term.loss for term in model.loss.terms if term.output == self.output)


def is_joint(trace: Trace) -> bool:
    """Whether the network's outputs are several, or in a dictionary, each with a loss."""
    return form_of(trace.config) is not None


def terms_of(trace: Trace) -> list[Term]:
    """One for each loss, in the order in which they are added up.

    Raises:
        ValueError: for losses that are not known.
    """
    form = form_of(trace.config)
    loss = trace.compile_config["loss"]
    if form is None:
        return [Term("loss", 0, trace.ends[0], loss, None, bool(trace.fused))]
    joint = joint_loss(trace.config, trace.compile_config)
    fused = trace.fused if isinstance(trace.fused, (tuple, list)) else [False] * form[0].count
    twice = {term.name for i, term in enumerate(joint.terms)
             if term.name in {other.name for other in joint.terms[:i]}}
    return [Term(title(term.name, term.output if term.name in twice else None), term.output,
                 trace.ends[term.output], serialize(term.loss), term.weight,
                 bool(fused[term.output])) for term in joint.terms]


def joint_loss(config: Config, compile_config: Config) -> JointLoss:
    """The losses of a network of several outputs, as its compile config names them."""
    form = form_of(config)
    assert form is not None
    return JointLoss(compile_config["loss"], compile_config.get("loss_weights"), *form,
                     f"Model {config.get('name')!r}")


def title(name: str, output: int | None = None) -> str:
    """What a row on an output's loss is about.

    Args:
        output: its number from 0, where others have the name, too: those of one model.
    """
    return f"{name}_loss" + ("" if output is None else f" (output {output + 1})")


def form_of(config: Config) -> tuple[Structure, list[str]] | None:
    """The form of a network's outputs and their names; None for a single one."""
    ends = config.get("output_layers")
    if isinstance(ends, dict):
        form = Structure(dict.fromkeys(ends), "output", f"Model {config.get('name')!r}")
        return form, list(form.order)
    if not ends or isinstance(ends[0], str) or len(ends) == 1:
        return None
    return (Structure([None] * len(ends), "output", f"Model {config.get('name')!r}"),
            [name for name, *_ in ends])


