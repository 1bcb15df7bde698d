"""The oracles of a whole network, one after another along its graph: forward, loss, and back.

Each result passes through a function that `settles` it before the next op reads it: by default it
stays as it is, bound and all, so that the bounds are carried along the graph.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compare.oracle import regularization
from compare.oracle.expected import data_loss, oracle_of, with_penalties
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.loss_scale import loss_scale, scaled
from compare.tracing.trace import Trace

Settled = Callable[[tuple[Any, ...], Bounded], Bounded]


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
        ('network', 'inference'), ('loss', 'value'), ('conv2d', 'kernel_gradient') and the like, and
        weights that the pass itself changes, such as ('batch_normalization', 'moving_mean').
    """
    rounding = rounding or Rounding.of(trace.dtype)
    run = _Pass(trace, rounding, settled)
    right = {("network", "output"): run.outputs[-1]}
    if trace.inference is not None:
        right["network", "inference"] = _Pass(trace, rounding, settled, False).outputs[-1]
    for part, oracle in zip(trace.parts, run.oracles):
        right.update({(part.tied_to or part.layer, name): value
                      for name, value in oracle.updated.items()})
    return right | (_backward(run) if trace.training else {})


def outside_of_training(trace: Trace) -> dict[tuple[str, str], Bounded]:
    """A pass at inference: ('network', 'predict'), and ('network', 'evaluate loss') if labelled."""
    run = _Pass(trace, Rounding.of(trace.dtype), carried, training=False)
    right = {("network", "predict"): run.outputs[-1]}
    if trace.y is not None:
        value, _ = data_loss(trace, run.read(_end(trace)))
        value = with_penalties(trace, value, run.weights, run.outputs)
        right["network", "evaluate loss"] = mean_over_batches(value, len(trace.x))
    return right


def mean_over_batches(loss: Bounded, size: int) -> Bounded:
    """What a call returns for the loss of one batch: times the batch's size, and divided by it."""
    return loss * float(size) / float(size)


def _end(trace: Trace) -> int:
    """The position of the part that the loss reads, -1 for the network's input."""
    return trace.sources[-1][0] if trace.fused else len(trace.parts) - 1


@dataclass
class _Pass:
    """The way forward: for each part its oracle, its weights, its output."""

    trace: Trace
    rounding: Rounding
    settled: Settled
    training: bool = True

    def __post_init__(self) -> None:
        trace = self.trace
        self.source = Bounded(trace.x, self.rounding)
        self.oracles = [oracle_of(trace, part) for part in trace.parts]
        self.weights = [{name: Bounded(w, self.rounding) for name, w in part.given.items()}
                        for part in trace.parts]
        self.outputs: list[Bounded] = []
        for i, (part, oracle) in enumerate(zip(trace.parts, self.oracles)):
            oracle.training = self.training and trace.training
            x = [self.read(source) for source in trace.sources[i]]
            self._take_moved(i)
            y = oracle.forward(x if isinstance(part.input, tuple) else x[0], self.weights[i])
            self.outputs.append(self.settled((i, "output"), y))

    def _take_moved(self, i: int) -> None:
        """Moving statistics as the earlier calls of the same layer have left them."""
        owner = self.trace.parts[i].tied_to
        if owner is not None:
            for part, oracle in zip(self.trace.parts[:i], self.oracles):
                if owner in (part.layer, part.tied_to):
                    self.weights[i].update(oracle.updated)

    def read(self, source: int) -> Bounded:
        """What a part reads from the part of that position, or from the network's input, -1."""
        return self.outputs[source] if source >= 0 else self.source


def _backward(run: _Pass) -> dict[tuple[str, str], Bounded]:
    """The loss and all gradients."""
    trace, parts, settled = run.trace, run.trace.parts, run.settled
    right = {}
    given: dict[tuple[str, str], list[Bounded]] = {}  # what each weight's gradient is the sum of
    arrived: list[list[Bounded]] = [[] for _ in parts]  # what each output's gradient is the sum of
    end = _end(trace)
    if trace.y is not None:
        scale = loss_scale(trace.compile_config)
        value, gradient = data_loss(trace, run.read(end))
        gradient = scaled(gradient, scale)
        right["loss", "value"] = with_penalties(trace, value, run.weights, run.outputs)
        for i, output in enumerate(run.outputs):
            arrived[i] += regularization.output_gradient(trace, i, output)
    else:
        assert parts[-1].output_gradient is not None  # without labels it is where all begins
        gradient = Bounded(parts[-1].output_gradient, run.rounding)
    at_the_input: list[Bounded] = []
    (at_the_input if end < 0 else arrived[end]).append(settled(("loss", "gradient"), gradient))
    for i in reversed(range(len(parts))):
        if not arrived[i]:
            continue
        dy = settled((i, "output_gradient"), regularization.total(
            [run.oracles[i].arriving(gradient) for gradient in arrived[i]]))
        dx, gradients = run.oracles[i].backward(dy)
        more = (regularization.of_part(trace, parts[i], run.weights[i]) if trace.y is not None
                else {})
        for name, gradient in gradients.items():
            gradient = regularization.total([gradient, *([scaled(more[name], scale)]
                                                         if name in more else [])])
            given.setdefault((parts[i].tied_to or parts[i].layer, f"{name}_gradient"), []).append(
                settled((i, f"{name}_gradient"), gradient))
        for k, (source, sent) in enumerate(zip(trace.sources[i],
                                               dx if isinstance(dx, list) else [dx])):
            sent = settled((i, f"input_gradient_{k}"), sent)
            (arrived[source] if source >= 0 else at_the_input).append(sent)
    for key, terms in given.items():
        total = regularization.total(terms)
        right[key] = total if len(terms) == 1 else settled(key, total)
    if at_the_input:
        right["network", "input_gradient"] = regularization.total(at_the_input)
    return right
