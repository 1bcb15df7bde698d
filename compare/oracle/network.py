"""The oracles of a whole network, one after another along its graph: forward, loss, and back.

Each result passes through a function that `settles` it before the next op reads it: by default it
stays as it is, bound and all, so that the bounds are carried along the graph.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.oracle import regularization
from compare.oracle.expected import oracle_of, summed, term_loss, with_penalties
from compare.oracle.held import Held
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.loss_scale import loss_scale, scaled
from compare.tracing.loss_terms import Term, terms_of
from compare.tracing.masks import mask_count, masks_of
from compare.tracing.tensor_names import by_name
from compare.tracing.trace import WHOLE, Part, Trace
from scratch.several import each

CARRIED = "carried states"  # the tensor's name
Settled = Callable[[tuple[Any, ...], Bounded], Bounded]
Named = tuple[tuple[str, str], Bounded]  # a result, by layer and tensor


def carried(key: tuple[Any, ...], result: Bounded) -> Bounded:
    """A result as it is: the next op goes on from all that it may have been."""
    return result


def along_the_graph(trace: Trace, settled: Settled = carried, rounding: Rounding | None = None
                    ) -> dict[tuple[str, str], Bounded]:
    """Every tensor of a pass in training from the trace's batch and weights alone.

    Args:
        trace: whose batch, weights, noise and settings are taken; what it holds of outputs and
            gradients is not, but for the output's gradient where there are no labels.
        settled: a function (key, Bounded) -> Bounded that each result passes through; the key
            names the result and is the same in every pass.
        rounding: the audited precision; the trace's own by default.

    Returns:
        `Bounded` by (layer, tensor): ('network', 'output'), ('network', 'input_gradient'),
        ('network', 'inference'), of several 'output_1' and so on, ('loss', 'value'),
        ('conv2d', 'kernel_gradient') and the like, and weights that the pass itself changes, such
        as ('batch_normalization', 'moving_mean').
    """
    return dict(passing(trace, settled, rounding))


def passing(trace: Trace, settled: Settled = carried, rounding: Rounding | None = None
            ) -> Iterator[Named]:
    """The same one after another, as soon as each is known: for who lets go of a weight's gradient
    before the next one comes, all of which take many times the memory of the network."""
    rounding = rounding or Rounding.of(trace.dtype)
    run = _Pass(trace, rounding, settled)
    yield from run.named("output").items()
    if trace.inference is not None:
        yield from _Pass(trace, rounding, settled, False).named("inference").items()
    for part, oracle in zip(trace.parts, run.oracles):
        for name, value in oracle.updated.items():
            yield (part.tied_to or part.layer, name), value
    if trace.training:
        yield from _backward(run)


def outside_of_training(trace: Trace) -> dict[tuple[str, str], Bounded]:
    """A pass at inference: ('network', 'predict'), and ('network', 'evaluate loss') if labelled."""
    run = _Pass(trace, Rounding.of(trace.dtype), carried, training=False)
    right = run.named("predict")
    if trace.y is not None:
        terms = terms_of(trace)
        values = [term_loss(trace, term, run.read(_end(trace, term)), run.values)[0]
                  for term in terms]
        value = with_penalties(trace, summed(trace, terms, values), run.weights, run.outputs)
        right["network", "evaluate loss"] = mean_over_batches(value, len(trace.x))
    return right


def at_the_second_run(trace: Trace) -> dict[tuple[str, str], Bounded]:
    """A second pass at inference on the same batch, its states those that the first one has left:
    ('network', 'carried states'), numbered where there are several outputs."""
    rounding = Rounding.of(trace.dtype)
    left: dict[str, Any] = {}
    _Pass(trace, rounding, carried, training=False, left=left)
    return _Pass(trace, rounding, carried, training=False, left=left).named(CARRIED)


def mean_over_batches(loss: Bounded, size: int) -> Bounded:
    """What a call returns for the loss of one batch: times the batch's size, and divided by it."""
    return loss * float(size) / float(size)


def _end(trace: Trace, term: Term) -> int:
    """The position of the part that a loss reads, -1 - k for the network's input k."""
    return trace.sources[term.part][0] if term.fused else term.part


@dataclass
class _Pass:
    """The way forward: for each part its oracle, its weights, its output."""

    trace: Trace
    rounding: Rounding
    settled: Settled
    training: bool = True
    # by layer the oracle of its last call, from whose states the next one goes on; None: from zeros
    left: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        trace = self.trace
        self.given = [Bounded(array, self.rounding) for array in each(trace.x)]
        self.oracles = [oracle_of(trace, part) for part in trace.parts]
        self.weights = [weights_of(part, self.rounding) for part in trace.parts]
        self.outputs: list[Bounded] = []
        for i, (part, oracle) in enumerate(zip(trace.parts, self.oracles)):
            oracle.training = self.training and trace.training
            x = [self.read(source) for source in trace.sources[i]]
            own = len(x) - mask_count(trace, i)
            x[own:] = [Bounded(mask, self.rounding)
                       for mask in masks_of(trace, i, [each.value for each in x[own:]])]
            self._take_moved(i)
            owner = part.tied_to or part.layer
            if self.left is not None and owner in self.left:
                oracle.go_on_from(self.left[owner])
            y = oracle.forward(x if isinstance(part.input, tuple) else x[0], self.weights[i])
            if self.left is not None and part.part in ("", WHOLE):
                self.left[owner] = oracle
            self.outputs.append(self.settled((i, "output"), y))

    def _take_moved(self, i: int) -> None:
        """Moving statistics as the earlier calls of the same layer have left them."""
        owner = self.trace.parts[i].tied_to
        if owner is not None:
            for part, oracle in zip(self.trace.parts[:i], self.oracles):
                if owner in (part.layer, part.tied_to):
                    self.weights[i].update(oracle.updated)

    def read(self, source: int) -> Bounded:
        """What a part reads: the output of that part, or for -1 - k the network's input k."""
        return self.outputs[source] if source >= 0 else self.given[-1 - source]

    def values(self, source: int) -> np.ndarray:
        """The numbers of what `read` gives."""
        return self.read(source).value

    def named(self, tensor: str) -> dict[tuple[str, str], Bounded]:
        """The network's outputs by ('network', tensor), numbered where there are several."""
        made = [self.outputs[end] for end in self.trace.ends]
        return {("network", name): value
                for name, value in by_name(tensor, made if len(made) > 1 else made[0]).items()}


def weights_of(part: Part, rounding: Rounding) -> dict[str, Bounded]:
    """A part's weights, and the noise under its name if there was any."""
    held: dict[str, Bounded] = {name: Held(w, rounding) for name, w in part.weights.items()}
    return held if part.noise is None else held | {"noise": Bounded(part.noise, rounding)}


def _backward(run: _Pass) -> Iterator[Named]:
    """The loss and all gradients."""
    trace, parts, settled = run.trace, run.trace.parts, run.settled
    calls = Counter(part.tied_to or part.layer for part in parts if part.weights)
    # what the gradient of a weight of several calls is the sum of
    given: dict[tuple[str, str], list[Bounded]] = {}
    arrived: list[list[Bounded]] = [[] for _ in parts]  # what each output's gradient is the sum of
    at_inputs: list[list[Bounded]] = [[] for _ in run.given]

    def arrive(source: int, gradient: Bounded) -> None:
        (arrived[source] if source >= 0 else at_inputs[-1 - source]).append(gradient)

    if trace.y is not None:
        scale = loss_scale(trace.compile_config)
        terms, values = terms_of(trace), []
        for term in terms:
            value, gradient = term_loss(trace, term, run.read(_end(trace, term)), run.values)
            values.append(value)
            arrive(_end(trace, term), settled(("loss", f"gradient_{term.output}"), gradient))
        yield ("loss", "value"), with_penalties(trace, summed(trace, terms, values), run.weights,
                                                run.outputs)
        for i, output in enumerate(run.outputs):
            arrived[i] += regularization.output_gradient(trace, i, output)
    else:  # without labels a gradient of each output is where all begins
        for k, (end, given_gradient) in enumerate(zip(trace.ends, each(trace.upstream))):
            arrive(end, settled(("loss", f"gradient_{k}"), Bounded(given_gradient, run.rounding)))
    for i in reversed(range(len(parts))):
        # let go of what was kept for the way back, which is most of what a pass takes
        oracle, shares, _ = run.oracles.pop(), arrived.pop(), run.outputs.pop()
        if not shares:
            continue
        dy = settled((i, "output_gradient"), regularization.total(
            [oracle.arriving(gradient) for gradient in shares]))
        del shares
        dx, gradients = oracle.backward(dy)
        del oracle, dy
        more = (regularization.of_part(trace, parts[i], run.weights[i]) if trace.y is not None
                else {})
        for name, gradient in gradients.items():
            gradient = regularization.total([gradient, *([scaled(more[name], scale)]
                                                         if name in more else [])])
            gradient = settled((i, f"{name}_gradient"), gradient)
            owner = parts[i].tied_to or parts[i].layer
            if calls[owner] > 1:
                given.setdefault((owner, f"{name}_gradient"), []).append(gradient)
            else:
                yield (owner, f"{name}_gradient"), gradient
        gradients.clear()
        for k, (source, sent) in enumerate(zip(trace.sources[i],
                                               dx if isinstance(dx, list) else [dx])):
            if k >= len(trace.sources[i]) - mask_count(trace, i):
                continue  # a mask has no gradient
            sent = settled((i, f"input_gradient_{k}"), sent)
            arrive(source, sent)
    for key, shares in given.items():
        total = regularization.total(shares)
        yield key, total if len(shares) == 1 else settled(key, total)
    sent_back = [regularization.total(shares) if shares else None for shares in at_inputs]
    found = by_name("input_gradient", sent_back if len(sent_back) > 1 else sent_back[0])
    yield from ((("network", name), value) for name, value in found.items())
