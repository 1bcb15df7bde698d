"""Somebody's network in one class, at work: one pass in training, or one step of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compare.adapters import accessors, calls, gradient_recovery
from compare.adapters.axis_order import AxisOrder
from compare.adapters.calls import numbers
from compare.adapters.one_class import gradients, inputs
from compare.adapters.one_class.parameters import Parameter
from compare.adapters.per_sample import sample, together
from compare.tracing.layer_error import RAISED, in_somebodys_code, sentence

Key = tuple[str, str]  # layer and name of a weight


@dataclass
class Run:
    """What a network made of a batch, as Keras has it; None for what it does not show.

    Attributes:
        output: of the network, its logits where these are what it gives.
        loss: of the whole batch.
        input_gradients: 'input_gradient', or of several inputs 'input_gradient_1' ..., as far as
            they are returned.
        gradients: of weights, by layer and name.
        slack: how much recovering a gradient may have rounded it.
        after: weights after the pass, or after the step.
        changed: which of its arguments it changed in place: 'x', 'x_2', 'dy', 'labels' ...
    """

    output: np.ndarray | None = None
    loss: float | None = None
    input_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    gradients: dict[Key, np.ndarray] = field(default_factory=dict)
    slack: dict[Key, np.ndarray] = field(default_factory=dict)
    after: dict[Key, np.ndarray] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


class OneClass:
    """A copy of somebody's network that holds Keras's weights, run afresh for each pass.

    Args:
        how: the object's `Conventions`.
        parameters: where the weights are.
        weights: Keras's, by layer and name.
        dtype: the precision of the comparison.
        trained: of which weights there are gradients.
    """

    def __init__(self, how, parameters: list[Parameter], weights: Mapping[Key, np.ndarray], dtype,
                 trained: list[Key]):
        self.how, self.parameters, self.weights = how, parameters, weights
        self.dtype, self.trained = np.dtype(dtype), trained
        moved = how.data_format == "channels_first"
        self.order = AxisOrder(moved, batch_axis=how.batch_axis)

    def loaded(self) -> Any:
        """A copy of the object with Keras's weights.

        Raises:
            ValueError: for a place that does not keep what is put there.
        """
        obj = self.how.own_object()
        for each in self.parameters:
            own = each.own(self.weights[each.layer, each.name])
            there = np.asarray(accessors.read(obj, each.place))
            accessors.write(obj, each.place, own.astype(there.dtype))
            kept = numbers(accessors.read(obj, each.place), each.path)
            if not np.array_equal(kept, own.astype(kept.dtype)):
                raise ValueError(f"Expected {each.place!r} to keep the weight {each.path} that is "
                                 "put there. Received another one when it was read again; give a "
                                 "pair of functions (get, set)")
        return obj

    def predicted(self, x: Any) -> np.ndarray:
        """The output outside of training, as Keras has it, of an array or `Several`."""
        obj = self.loaded()
        own = self._inputs(x)
        if self.how.batched is True:
            return self._forward(obj, own, False)[0]
        outputs = [self._forward(obj, {name: sample(self.how, array, i)
                                       for name, array in own.items()}, False, alone=True)[0]
                   for i in range(len(x))]
        return self._keras(together(self.how, outputs))

    def trains(self, x: Any, labels: np.ndarray | None, dy: np.ndarray,
               logits_gradient: np.ndarray | None) -> Run:
        """One pass in training, forward and back; no step.

        Args:
            x: an array, or `Several`.
            labels: as the object wants them; None where there is no loss.
            dy: the gradient of what it puts out, (batch, ...).
            logits_gradient: that of the logits, where there are any.
        """
        how = self.how
        given = {**self._inputs(x), "dy": self._own(dy)}
        if labels is not None:
            given["labels"] = self._own(labels)
        if logits_gradient is not None:
            given["logits_gradient"] = self._own(logits_gradient)
        if how.batched is True:
            return self._mean(self._pass(given), len(x))
        runs = []
        for i in range(len(x)):
            one = {name: sample(how, each, i) if each.ndim > 1 or how.batched == "one"
                   else each[i] for name, each in given.items()}
            runs.append(self._pass(one, alone=True))
        return self._added(runs, len(x))

    def steps(self, x: Any, labels: np.ndarray, rate: float) -> Run:
        """One step of training, by the object's own `step`."""
        (after,) = self.after_steps([(x, labels)], rate)
        return Run(after=after)

    def after_steps(self, batches: Iterable[tuple[Any, np.ndarray]], rate: float
                ) -> list[dict[Key, np.ndarray]]:
        """The weights after each of several steps, one after another, as Keras has them.

        Args:
            batches: inputs, and labels as the object wants them.
        """
        how = self.how
        obj, found = self.loaded(), []
        for x, labels in batches:
            self._set_mode(obj, True)
            own = self._inputs(x)
            held = inputs.held({**own, "labels": self._own(labels), "learning_rate": rate,
                                "training": True})
            takes = inputs.taken(how, obj, "step", ("x", "labels"), own)
            calls.call(how, obj, "step", takes, ("ignored",), held)
            found.append({key: np.array(weight) for key, weight in self._weights_of(obj).items()})
        return found

    def _own(self, array: np.ndarray) -> np.ndarray:
        return np.array(self.order.to_own(array), order="C")

    def _inputs(self, x: Any) -> dict[str, np.ndarray]:
        """The inputs by name, each as the object has it."""
        return {name: self._own(array) for name, array in inputs.named(x).items()}

    def _keras(self, array: np.ndarray) -> np.ndarray:
        return self.order.to_keras(array)

    def _set_mode(self, obj: Any, training: bool) -> None:
        if self.how.mode is not None:
            accessors.write(obj, self.how.mode, training)

    def _forward(self, obj: Any, own: dict[str, np.ndarray], training: bool, labels=None,
                 alone=False) -> tuple[np.ndarray, dict]:
        """(the output, as Keras has it unless it is of one sample; all that was returned)."""
        how = self.how
        self._set_mode(obj, training)
        if how.reset and how.reset_before == "forward":
            getattr(obj, how.reset)()
        takes = inputs.taken(how, obj, "forward", ("x",), own)
        gives = ("output",) if how.forward_gives is None else how.forward_gives
        held = {**inputs.held(own), "training": training,
                **({} if labels is None else {"labels": labels})}
        said = calls.call(how, obj, "forward", takes, gives, held)
        output = numbers(said.get("logits", said.get("output")), "the output")
        return (output if alone else self._keras(output)), said

    def _pass(self, given: dict, alone: bool = False) -> Run:
        how = self.how
        obj = self.loaded()
        before, given = given, {name: np.array(each) for name, each in given.items()}
        x = {name: given[name] for name in inputs.among(given)}
        output, said = self._forward(obj, x, True, given.get("labels"), alone)
        run = Run(output=output, loss=self._loss(obj, given, said))
        if how.reset and how.reset_before == "backward":
            getattr(obj, how.reset)()
        step = gradient_recovery.rate(how, obj)
        takes = ("dy",) if how.backward_takes is None else how.backward_takes
        gives = ("input_gradient",) if how.backward_gives is None else how.backward_gives
        held = {**inputs.held({**given, **{name: array.copy() for name, array in x.items()}}),
                "training": True, "learning_rate": step,
                **{name: said[name] for name in ("output", "cache") if name in said}}
        if "logits" in said:
            held.setdefault("output", said["logits"])
        back = calls.call(how, obj, "backward", takes, gives, held)
        if run.loss is None and back.get("loss") is not None:
            run.loss = float(np.sum(numbers(back["loss"], "the loss"), dtype=np.float64))
        sent, back = inputs.sent_back(how, back, given)
        for name, gradient in sent.items():
            dx = numbers(gradient, "the input gradient")
            run.input_gradients[name] = dx if alone else self._keras(dx)
        self._collect(run, obj, back, step)
        run.changed = calls.changed(tuple(given), tuple(given.values()),
                                    tuple(np.asarray(before[name]) for name in given))
        if not how.applies:
            run.after = self._weights_of(obj)
        return run

    def _loss(self, obj: Any, given: dict, said: dict) -> float | None:
        how = self.how
        value = said.get("loss")
        if how.loss is not None and "labels" in given:
            takes = ("output", "labels") if how.loss_takes is None else how.loss_takes
            output = said.get("output", said.get("logits"))
            value = calls.call(how, obj, "loss", takes, ("loss",),
                               {**given, "output": output, "training": True})["loss"]
        return None if value is None else float(np.sum(numbers(value, "the loss"),
                                                       dtype=np.float64))

    def _weights_of(self, obj: Any) -> dict[Key, np.ndarray]:
        return {(each.layer, each.name): each.keras(numbers(accessors.read(obj, each.place),
                                                            each.path))
                for each in self.parameters}

    def _collect(self, run: Run, obj: Any, back: dict, step: float) -> None:
        """The gradients of the weights, from wherever the backward pass leaves them."""
        shown = None if self.how.applies else gradients.shown(
            self.how, self.parameters, self.trained, obj, back)
        for each in self.parameters:
            key = each.layer, each.name
            if key not in self.trained:
                continue
            slack: Any = None
            if shown is None:
                own = each.own(self.weights[key])
                after = numbers(accessors.read(obj, each.place), each.path)
                gradient, slack = gradient_recovery.recovered(own.astype(after.dtype), after, step,
                                                              self.dtype)
                slack = each.keras(np.broadcast_to(slack, gradient.shape))
            else:
                gradient = numbers(shown[key], f"the gradient of {each.path}")
                if self.how.per_sample and gradient.ndim:
                    gradient = gradient.sum(axis=0)
            run.gradients[key] = each.keras(np.array(gradient, np.float64))
            if slack is not None:
                run.slack[key] = slack

    def _mean(self, run: Run, samples: int) -> Run:
        """The run, its loss and gradients as means over the batch, as Keras has them."""
        if run.loss is not None and self.how.divides("loss") is False:
            run.loss /= samples
        factor = 1.0
        if "labels" in (self.how.backward_takes or ()):
            factor = 1 / samples if self.how.divides("gradient") is False else 1.0
        elif self.how.divides("gradient"):  # although the gradient that it is handed is the mean's
            factor = samples
        return _times(run, factor)

    def _added(self, runs: list[Run], samples: int) -> Run:
        """The runs of single samples as one of the batch."""
        total = Run(output=self._keras(together(self.how, [run.output for run in runs])))
        if all(run.loss is not None for run in runs):
            total.loss = sum(run.loss for run in runs if run.loss is not None) / samples
        for name in runs[0].input_gradients:
            if all(name in run.input_gradients for run in runs):
                total.input_gradients[name] = self._keras(together(
                    self.how, [run.input_gradients[name] for run in runs]))
        total.changed = tuple(dict.fromkeys(name for run in runs for name in run.changed))
        for run in runs:
            for mine, theirs in ((total.gradients, run.gradients), (total.slack, run.slack)):
                for key, each in theirs.items():
                    mine[key] = mine[key] + each if key in mine else each
        return _times(total, 1 / samples if "labels" in (self.how.backward_takes or ()) else 1.0)


def _times(run: Run, factor: float) -> Run:
    """The run with its gradients times a number."""
    if factor != 1:
        for each in (run.input_gradients, run.gradients, run.slack):
            each.update({key: array * factor for key, array in each.items()})  # type: ignore
    return run


def tried(network: OneClass, x: Any) -> np.ndarray | str:
    """The output for x outside of training, or what was raised on the way, in a sentence.

    Raises:
        ValueError: for what is to be told to `compare.wrap` wherever the weights are.
    """
    try:
        return network.predicted(x)
    except RAISED as error:
        if isinstance(error, TypeError) and not in_somebodys_code(error):
            raise to_be_told(error) from error
        return sentence(error)


def to_be_told(error: BaseException) -> ValueError:
    """What `compare.wrap` was not told, as the error that ends a check."""
    said = str(error)
    return ValueError(said[:1].upper() + said[1:])
