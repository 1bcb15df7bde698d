"""Somebody's whole network in one class, held against a network layer by layer specified.

Nothing of it can be run but the whole. So its output, its loss, its gradients and the change that a
step makes are judged, each with the bound that is carried along the graph; see
`compare.checks.one_class`. Where one fails, the report says how to split the class.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from compare.adapters import Conventions
from compare.adapters.one_class import OneClass, Parameter, Run, inputs, matching, passes, splitting
from compare.adapters.one_class.network import to_be_told, tried
from compare.checks import (
    handed_back,
    one_class_steps,
    training_batches,
    whole_number_pass,
)
from compare.checks import one_class as judging
from compare.checks.gate import Gate
from compare.checks.one_class import NETWORK, Made, Right
from compare.checks.row import Row
from compare.checks.whole_number_pass import WholeNumbers
from compare.diagnosis.one_class import WholeDiagnosis
from compare.document import progress
from compare.inputs import batches
from compare.oracle.expected import learned
from compare.report.report import Report
from compare.tracing import grouping
from compare.tracing.configs import settings_of
from compare.tracing.layer_error import RAISED, in_somebodys_code, sentence
from compare.tracing.model_kinds import require_network
from compare.tracing.recorder import record
from compare.tracing.shared_weights import held_once
from compare.tracing.trace import Trace, at_inference
from compare.tracing.validation import check_trace_alone
from scratch.errors import UnsupportedError
from scratch.several import each, mapped

Key = tuple[str, str]


def check(how: Conventions, twin, x=None, y=None, *, upstream=None, sample_weight=None,
          gradients=None, seed=0, probes=True) -> Report:
    """Whether a network in one class computes what `twin` computes.

    Args:
        how: what `compare.wrap` gave for it.
        twin, x, y, upstream, sample_weight, gradients, seed, probes: as for `compare.check`.

    Raises:
        ValueError: for weights that cannot be found, with what is proposed; for a network that
            draws at random in training.
        LayerError: with what the network raised.
    """
    require_network(twin)
    passes.require(how)
    if isinstance(twin, Trace):
        check_trace_alone(x, y, upstream, sample_weight)
    notes: list[str] = []
    trace = _recorded(how, twin, x, y, upstream, sample_weight, gradients, seed, notes)
    if len(trace.ends) > 1:
        raise UnsupportedError("Expected a network of one output beside one class. Received "
                               f"{len(trace.ends)}: wrap its layers one by one, "
                               "compare.wrap(layer, like=keras_layer, ...), and join them in a "
                               "scratch.Model as Keras's are joined; layers without weights may be "
                               "scratch's own")
    rows, explained, said, left_out = judged(how, trace, probes=probes)
    candidate = replace(trace, producer=f"{how.name} (in one class)")
    return Report.of(rows, candidate, trace, explained, [*notes, *said], left_out)


def judged(how: Conventions, trace: Trace, inside=False, probes=True
           ) -> tuple[list[Row], WholeDiagnosis, list[str], list[str]]:
    """(rows, what explains them, notes, what is not shown) of a network in one class.

    Args:
        how: what `compare.wrap` gave for it.
        trace: of the reference.
        inside: whether it stands inside another network, which needs the gradient of its input.
        probes: whether it is run on whole numbers, too.

    Raises:
        ValueError: for weights that cannot be found, with what is proposed.
    """
    notes: list[str] = []
    with progress.during(f"Running {how.name}"):
        right = Right(trace)
        network, told = _loaded(how, trace, right)
        notes += [f"{how.name} is run as a whole, and so judged. {told}"]
        showing = Showing(network, trace, right, notes, inside)
        made, left_out = showing.all()
        whole, shown = (None, made) if made.raised or not probes else _on_whole_numbers(
            network, trace, showing.gives)
    rows = judging.rows(made, right)
    notes += splitting.advice(how, network.parameters, trace, rows, showing.later)
    rows += showing.later
    explained = WholeDiagnosis(trace, right, made)
    if whole is not None:
        rows += [replace(row, gate=Gate.WHOLE_NUMBERS, note=row.note or "integers, seed 0")
                 for row in judging.rows(shown, whole)]
        explained.of_whole_numbers = WholeDiagnosis(whole.trace, whole, shown)
    return rows, explained, notes, left_out


def _on_whole_numbers(network: OneClass, trace: Trace, gives: str
                      ) -> tuple[WholeNumbers | None, Made]:
    """(what is right on whole numbers, what the network makes of them); None where it cannot be
    run on such, or does not show what they lead to."""
    how, made = network.how, Made({}, {}, {}, [], [])
    takes = how.backward_takes or ("dy",)
    right = whole_number_pass.drawn(trace) if "labels" not in (how.forward_takes or ()) else None
    if right is None:
        return None, made
    weights = held_once(right.trace.parts)
    if not set(weights) >= {(each.layer, each.name) for each in network.parameters}:
        return None, made
    run = OneClass(how, network.parameters, weights, trace.dtype, network.trained)
    x = right.trace.x
    dy: Any = right.trace.parts[-1].output_gradient
    shows = (NETWORK, gives) in right.exact  # not what a softmax makes of whole numbers
    known = "labels" not in takes and (
        shows and "dy" in takes or "dy" not in takes and "logits_gradient" in takes)
    try:
        if shows:
            made.tensors[NETWORK, gives] = run.predicted(x)
        if known and how.backward is not None and not how.applies and trace.training and \
                not how.divides("gradient"):
            _fill(made.tensors, run.trains(x, None, dy, dy), gives)
            made.tensors = {key: array for key, array in made.tensors.items()
                            if key in right.exact}
    except RAISED as error:
        made.raised[NETWORK, "a pass"] = f"not run: {how.name} raised {sentence(error)}"
    made.expected.extend(made.tensors)
    return (right, made) if made.tensors or made.raised else (None, made)


def _recorded(how: Conventions, twin, x, y, upstream, sample_weight, gradients, seed,
              notes: list[str]) -> Trace:
    """The reference's trace of the pass that is to be checked."""
    trains = how.backward is not None or how.step is not None
    if gradients and not trains:
        raise ValueError("Expected a network with a backward pass, as gradients are asked for. "
                         f"Received backward=None for: {how.name}")
    if gradients is False or not trains:
        notes.append("Only the forward pass is checked, as it is outside of training; gradients, "
                     "loss and step are not judged.")
        return at_inference(twin) if isinstance(twin, Trace) else record(twin, x, gradients=False)
    if not isinstance(twin, Trace):
        if y is not None and not settings_of(twin):
            raise ValueError("Expected a compiled model, as there are labels. Received one without "
                             "a loss: call model.compile(optimizer=..., loss=...)")
        if y is None and upstream is None:
            upstream = batches.upstream(twin, grouping.inputs_of(twin, x), seed)
            notes.append("No labels were given: in the place of the loss's gradient stand normal "
                         f"numbers, drawn with seed {seed}; loss and step are not judged.")
        twin = record(twin, x, y, upstream=upstream, sample_weight=sample_weight)
    random = [part.layer for part in twin.parts if part.noise is not None]
    if random:
        raise UnsupportedError(
            "Expected a network that draws nothing at random in training, for what one class draws "
            f"cannot be seen. Received: {', '.join(random)}. compare.check(..., gradients=False) "
            "checks it outside of training; wrapped layer by layer, in a list, it can be trained")
    return twin


def _loaded(how: Conventions, trace: Trace, right: Right) -> tuple[OneClass, str]:
    """(the network with Keras's weights, a sentence on where they are)."""
    weights = held_once(trace.parts)
    wanted = [Parameter(part.layer, name, part.class_name, weight.shape)
              for part in trace.parts if part.tied_to is None
              for name, weight in part.weights.items()]
    trained = [(trace.parts[i].layer, name) for i, name in learned(trace)]

    def network(parameters: list[Parameter]) -> OneClass:
        return OneClass(how, parameters, weights, trace.dtype, trained)

    def fits(parameters: list[Parameter]) -> bool:
        output = tried(network(parameters), trace.x)
        return not isinstance(output, str) and any(
            right.holds(tensor, output) for tensor in ("inference", "output", "logits"))

    found, found_out = matching.matched(how, how.obj, wanted, weights,
                                        matching.images_of(trace), fits)
    said = "; ".join(each.said() for each in found)
    return network(found), f"Its weights, {found_out}: {said}." if found else "It has no weights."


class Showing:
    """Runs the network in every way that it has, and gathers what it shows.

    Args:
        network: with Keras's weights.
        trace, right: of the reference.
        notes: gets sentences on what is not shown.
        inside: whether the gradient of its input has to come.
    """

    def __init__(self, network: OneClass, trace: Trace, right: Right, notes: list[str],
                 inside: bool = False) -> None:
        self.network, self.how = network, network.how
        self.trace, self.right, self.notes, self.inside = trace, right, notes, inside
        self.gives = "logits" if "logits" in (self.how.forward_gives or ()) else "output"
        self.made = Made({}, {}, {}, [], [])
        self.left_out: list[str] = []
        self.later: list[Row] = []

    def all(self) -> tuple[Made, list[str]]:
        """(what the network showed of the pass, what it does not show)."""
        trace, tensors = self.trace, self.made.tensors
        outside = "inference" if trace.inference is not None else self.gives
        self._tried(outside, lambda: tensors.update(
            {(NETWORK, outside): self.network.predicted(trace.x)}))
        if trace.training:
            labels = None if trace.y is None else labels_for(self.how, trace.y,
                                                             trace.parts[-1].output.shape)
            if self.how.backward is not None:
                self._tried("gradients", lambda: self._trained(labels))
            else:
                self.left_out.append("gradients (no backward pass)")
            if self.how.step is not None and labels is not None:
                self._tried("a step", lambda: self._stepped(labels))
                self._tried("later steps", self._lockstep)
        self.made.expected.extend(tensors)
        return self.made, self.left_out

    def _tried(self, what: str, run: Callable[[], Any]) -> None:
        """Run; what the network itself raises is part of what it shows.

        Raises:
            ValueError: for what is to be told to `compare.wrap`.
        """
        try:
            run()
        except RAISED as error:
            if not in_somebodys_code(error):
                raise to_be_told(error) from error
            self.made.raised[NETWORK, what] = (
                f"not run: {self.how.name} raised {sentence(error)}")

    def _trained(self, labels: np.ndarray | None) -> None:
        dy, of_logits = handed_back.upstream(self.trace)
        if self.gives == "logits" and of_logits is not None:
            dy = of_logits
        run = self.network.trains(self.trace.x, labels, dy, of_logits)
        _fill(self.made.tensors, run, self.gives)
        self.made.changed.extend(run.changed)
        self.made.slack.update({(layer, f"{name}_gradient"): each
                                for (layer, name), each in run.slack.items()})
        if not run.input_gradients and self.inside:
            self.made.expected.append((NETWORK, "input_gradient"))
        elif len(run.input_gradients) < len(each(self.trace.x)):
            self.notes.append(inputs.not_sent_back(self.how.name, run.input_gradients,
                                                   len(each(self.trace.x))))
        if run.loss is None and labels is not None:
            self.left_out.append("the loss's value (compare.wrap(..., loss=...))")

    def _lockstep(self) -> None:
        """Several steps one after another, on batches of which each is another one."""
        trace, shape = self.trace, self.trace.parts[-1].output.shape
        batches = training_batches.drawn(trace.x, trace.y, trace.sample_weight,
                                         one_class_steps.STEPS, seed=0)
        made = self.network.after_steps([(mapped(np.asarray, batch.x, trace.dtype), labels_for(
            self.how, batch.y, (len(batch.x), *shape[1:]))) for batch in batches], self.right.rate)
        self.later = one_class_steps.rows(trace, [self.network.weights, *made], batches)

    def _stepped(self, labels: np.ndarray) -> None:
        after = self.network.steps(self.trace.x, labels, self.right.rate).after
        self.made.tensors.update({(layer, judging.stepped(name)): weight
                                  for (layer, name), weight in after.items()
                                  if (layer, judging.stepped(name)) in self.right.exact})


def _fill(tensors: dict[Key, Any], run: Run, gives: str) -> None:
    tensors[NETWORK, gives] = run.output
    if run.loss is not None:
        tensors["loss", "value"] = np.asarray(run.loss)
    for name, gradient in run.input_gradients.items():
        tensors[NETWORK, name] = gradient
    for (layer, name), gradient in run.gradients.items():
        tensors[layer, f"{name}_gradient"] = gradient


def labels_for(how: Conventions, y: np.ndarray, shape: tuple) -> np.ndarray:
    """Labels as the object wants them, class numbers or rows with a single one."""
    y = np.asarray(y)
    numbers = y.ndim < len(shape) or y.shape[-1] == 1 < shape[-1]
    if how.labels == "one_hot" and numbers:
        return handed_back.one_hot(y, shape)
    if how.labels == "classes":
        return y.reshape(shape[:-1]) if numbers else y.argmax(axis=-1)
    return y.reshape(shape[:-1]) if numbers and shape[-1] > 1 else y
