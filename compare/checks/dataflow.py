"""Whether a model hands its layers' results on as its graph says, forward and back.

The bounds on a whole network grow with its depth, and without limit where normalizations follow
one another: what is wrong between right layers could hide below them. So the layers of the freely
running model are watched: what each reads must be, bit for bit, what those it reads from put out,
and the gradient that reaches it the sum of what its readers send back, and of the penalty's on its
output; the last one's is the loss's. Every layer being right by itself, which the other gates see,
the network then is.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from compare.checks.gate import Gate
from compare.checks.row import Row, bitwise, judge, mismatch
from compare.oracle import regularization
from compare.oracle.low_precision import cast
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.types import Layer, Network
from scratch import low_precision, regularizers
from scratch.several import each


class Watched:
    """What passed through one layer.

    Attributes:
        inputs, output: of its last forward pass; None before.
        arrived: the gradients of its output that came in, one for each call of `backward`.
        logits: the gradient with respect to its logits that came in, None if none did.
        sent: the gradients of its inputs that it returned, summed over its calls.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.inputs: list[np.ndarray] | None = None
        self.output: np.ndarray | None = None
        self.logits: np.ndarray | None = None
        self.sent: list[Any] | None = None  # arrays, and None where there is none
        self.arrived: list[np.ndarray] = []
        forward, backward, from_logits = (layer.forward, layer.backward,
                                          layer.backward_from_logits)

        def watch_forward(x: Any, *args: Any, **settings: Any) -> Any:
            # a copy: nobody may say that it was another before it was changed
            self.inputs = [np.array(each) for each in (x if layer.merges else [x])]
            y = forward(x, *args, **settings)
            self.output = np.array(low_precision.lowered(layer, y))
            return y

        def watch_backward(dy: np.ndarray, *args: Any, **settings: Any) -> Any:
            self.arrived.append(np.array(dy))
            return self._send(backward(dy, *args, **settings))

        def watch_logits(dz: np.ndarray, *args: Any, **settings: Any) -> Any:
            self.logits = np.array(dz)
            return self._send(from_logits(dz, *args, **settings))

        layer.forward, layer.backward = watch_forward, watch_backward
        layer.backward_from_logits = watch_logits

    def release(self) -> None:
        """Watch no longer."""
        for name in ("forward", "backward", "backward_from_logits"):
            self.layer.__dict__.pop(name, None)

    def sends_back(self, k: int) -> bool:
        """Whether its input k has a gradient: classes, truth and masks have none."""
        if getattr(type(self.layer), "without_input_gradient", False) is True:
            return False
        return not getattr(self.layer, "cuts_the_way_back", False) and k not in getattr(
            self.layer, "inputs_without_gradient", ())

    def _send(self, dx: Any) -> Any:
        gradients: list[Any] = [None if each is None else
                                np.array(low_precision.lowered(self.layer, each))
                                for each in (dx if isinstance(dx, list) else [dx])]
        if self.sent is not None and all(g is not None for g in (*self.sent, *gradients)):
            gradients = [a + b for a, b in zip(self.sent, gradients)]
        self.sent = gradients
        return dx


@contextlib.contextmanager
def watching(model: Network) -> Iterator[list[Watched]]:
    """Each layer watched as long as this lasts. Longer they must not be: a layer, what passed
    through it and its network would hold one another, and stay in memory until Python looks for
    such circles."""
    watched = [Watched(layer) for layer in model.layers]
    try:
        yield watched
    finally:
        for one in watched:
            one.release()


def rows(model: Network, watched: list[Watched], x: Any, end: Any, fused: Any) -> list[Row]:
    """A row for the way forward and one for the way back: the first layer that something else
    reached than its graph says, or else that everything did.

    Args:
        model: the scratch model that ran.
        watched: what passed through its layers.
        x: the batch.
        end: the gradient that its way back began with, with respect to the output, or to the last
            layer's logits if `fused`; of several outputs likewise for each. None where there was
            none, and there is one row.
    """
    ways = [_forward(model, watched, x)]
    if end is not None:
        ways.append(_backward(model, watched, end, fused))
    found = []
    for tensor, checked in zip(("wiring", "gradient wiring"), ways):
        each = list(checked)
        row = next((row for row in each if not row.passed), None)
        if row is None:
            row = max(each, key=lambda row: row.used)
            row.layer = "network"
        row.tensor = tensor
        row.candidate_error = row.reference_error = None  # both sides are the candidate's
        row.off = "" if row.passed else "candidate"
        found.append(row)
    return found


def _reached(model: Network, watched: list[Watched], *begun: list[list[Any]]) -> set[int]:
    """The layers on which a loss or a penalty depends."""
    found = {i for i, seen in enumerate(watched) if seen.layer.activity_regularizer is not None
             or any(gradients[i] for gradients in begun)}
    for i in reversed(range(len(watched))):
        if i in found:
            found.update(source for k, source in enumerate(model.sources[i])
                         if source >= 0 and watched[i].sends_back(k))
    return found


def _forward(model: Network, watched: list[Watched], x: Any) -> Iterator[Row]:
    given = each(x)
    for seen, sources in zip(watched, model.sources):
        for i, source in enumerate(sources):
            expected = given[-1 - source] if source < 0 else watched[source].output
            makers = getattr(seen.layer, "masked_by", ())
            behind = i - (len(sources) - len(makers))
            if behind >= 0 and expected is not None:
                expected = makers[behind].compute_mask(expected)
            if seen.inputs is None or expected is None:
                yield mismatch(Gate.WHOLE_NETWORK, seen.layer.name, "", None, expected)
                return
            if seen.sends_back(i):  # classes are not cast
                expected = low_precision.lowered(seen.layer, expected)
            yield bitwise(Gate.WHOLE_NETWORK, seen.layer.name, "", seen.inputs[i], expected)


def _backward(model: Network, watched: list[Watched], end: Any, fused: Any) -> Iterator[Row]:
    assert watched[-1].output is not None  # the way back follows on the way forward
    dtype = watched[-1].output.dtype
    rounding = Rounding.of(dtype)
    begun: list[list[Any]] = [[] for _ in watched]  # what each layer's output is handed at the end
    below: list[list[Any]] = [[] for _ in watched]  # likewise its logits
    by_logits = fused if isinstance(fused, tuple) else [fused] * len(model.ends)
    for position, gradient, logits in zip(model.ends, each(end), by_logits):
        if gradient is not None:
            (below if logits else begun)[position].append(gradient)
    for seen, handed in zip(watched, below):
        if handed and seen.logits is None:
            yield mismatch(Gate.WHOLE_NETWORK, seen.layer.name, "", None, handed[0])
            return
        if len(handed) == 1:
            yield bitwise(Gate.WHOLE_NETWORK, seen.layer.name, "", seen.logits, handed[0])
    reached = _reached(model, watched, begun, below)
    for i in reversed(range(len(watched))):
        seen = watched[i]
        arrived: list[Any] = list(begun[i])
        for j, (reader, sources) in enumerate(zip(watched, model.sources)):
            if j in reached:
                arrived += [(reader.sent or [None] * len(sources))[k]
                            for k, source in enumerate(sources) if source == i
                            and reader.sends_back(k)
                            and k < len(sources) - len(getattr(reader.layer, "masked_by", ()))]
        terms = [Bounded(gradient, rounding) for gradient in arrived if gradient is not None]
        regularizer = seen.layer.activity_regularizer
        if regularizer is not None and seen.output is not None:
            terms.append(regularization.gradient(regularizers.serialize(regularizer),
                                                 Bounded(seen.output, rounding))
                         / float(len(seen.output)))
        if len(terms) < len(arrived) or (terms and not seen.arrived):
            yield mismatch(Gate.WHOLE_NETWORK, seen.layer.name, "", None, seen.output)
            return
        if terms:
            right = regularization.total(terms)
            if seen.layer.policy.low:
                right = cast(right, seen.layer.policy.compute, rounding)
            yield judge(Gate.WHOLE_NETWORK, seen.layer.name, "", sum(seen.arrived),
                        right.value.astype(dtype), right)
