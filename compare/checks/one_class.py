"""Rows on a network of which nothing can be run but the whole: what it makes of the batch, held
against the reference's, with the bounds carried along the graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.checks.end_to_end import observed
from compare.checks.gate import Gate
from compare.checks.in_place import changed
from compare.checks.row import Row, judge, mismatch, raised
from compare.oracle.expected import learned, optimizer_of
from compare.oracle.network import along_the_graph
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.trace import Trace

NETWORK = "network"
Key = tuple[str, str]
LOGITS = ("softmax", "sigmoid")


@dataclass
class Made:
    """What the candidate showed, by layer and tensor, as Keras has it.

    Attributes:
        tensors: ('network', 'output'), ('loss', 'value'), ('dense', 'kernel_gradient') ...
        slack: what recovering a gradient may have rounded.
        raised: what it raised, by what was asked of it.
        expected: of which tensors there has to be one.
        changed: which arguments it changed in place.
    """

    tensors: dict[Key, Any]
    slack: dict[Key, np.ndarray]
    raised: dict[Key, str]
    expected: list[Key]
    changed: list[str]


class Right:
    """What the reference computed on the batch, and what is right, by layer and tensor.

    Args:
        trace: of the reference.

    Attributes:
        given: the reference's.
        exact: the oracles', bounds and all.
        rate: the learning rate of a first step, 0 where there is none.
    """

    rate = 0.0

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.given: dict[Key, Any] = dict(observed(trace))
        outputs: dict[Any, Bounded] = {}

        def seen(key: tuple[Any, ...], result: Bounded) -> Bounded:
            outputs.setdefault(key, result)  # of the pass in training, which is the first
            return result

        self.exact = along_the_graph(trace, seen)
        if ends_in_logits(trace):
            self.given[NETWORK, "logits"] = trace.parts[-1].input
            self.exact[NETWORK, "logits"] = outputs[trace.sources[-1][0], "output"]
        self._moved()
        if trace.training and trace.y is not None and trace.compile_config.get("optimizer"):
            self._stepped()

    def _moved(self) -> None:
        """Moving statistics after the pass."""
        for part in self.trace.parts:
            if part.tied_to is None:
                for name, weight in part.updated.items():
                    if (part.layer, name) in self.exact:
                        self.given[part.layer, name] = weight

    def _stepped(self) -> None:
        """Weights after one step of a fresh optimizer, under names such as 'kernel after a step'.
        """
        rounding = Rounding.of(self.trace.dtype)
        trained = [(self.trace.parts[i], name) for i, name in learned(self.trace)]
        optimizer = optimizer_of(self.trace)
        self.rate = float(optimizer.rate().value)
        after = optimizer.step(
            [Bounded(part.weights[name], rounding) for part, name in trained],
            [self.exact[part.layer, f"{name}_gradient"] for part, name in trained])
        for (part, name), weight in zip(trained, after):
            self.exact[part.layer, stepped(name)] = weight
            self.given[part.layer, stepped(name)] = part.updated[name]

    def holds(self, tensor: str, output: np.ndarray) -> bool:
        """Whether an output, or logits, is what it should be."""
        right = self.exact.get((NETWORK, tensor))
        if right is None or output.shape != right.shape:
            return False
        return bool((np.abs(output - right.value) <= right.bound).all())


def stepped(name: str) -> str:
    """What a weight is called after a step."""
    return f"{name} after a step"


def ends_in_logits(trace: Trace) -> bool:
    """Whether its last op makes probabilities of logits."""
    last = trace.parts[-1]
    return len(trace.parts) > 1 and (last.part in LOGITS or last.class_name == "Softmax" or (
        last.class_name == "Activation"
        and layer_config(trace, last.layer).get("activation") in LOGITS))


def rows(made: Made, right: Right) -> list[Row]:
    """A row for each tensor that the candidate showed or has to show."""
    found = []
    for key in made.expected:
        layer, tensor = key
        given, actual = right.given.get(key), made.tensors.get(key)
        if actual is None or given is None:
            found.append(mismatch(Gate.WHOLE_NETWORK, layer, tensor, actual, given))
            continue
        row = judge(Gate.WHOLE_NETWORK, layer, tensor, actual, given, right.exact[key],
                    slack=made.slack.get(key))
        if row.passed and (row.unjudged or row.allowed == np.inf):
            row.note = "not judged: no bound holds this deep"
        found.append(row)
    found += [changed(Gate.WHOLE_NETWORK, NETWORK, _argument(name), "network")
              for name in made.changed]
    return found + [raised(Gate.WHOLE_NETWORK, layer, tensor, note)
                    for (layer, tensor), note in made.raised.items()]


def _argument(name: str) -> str:
    """The tensor that an argument is: 'x_2' is input_2."""
    return "output_gradient" if name == "dy" else \
        f"input{name[1:]}" if name.partition("_")[0] == "x" else name
