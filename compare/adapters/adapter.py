"""Somebody's object at work: what Keras's conventions bring is handed to it in its own, and back.

An object that takes one sample at a time is looped over. Its way back needs the sample's own way
forward, so each sample then goes forward once more; weights that it changes on the way are put back
in between, and gradients are added up.
"""

import functools

import numpy as np

from compare.adapters import accessors, calls, gradient_recovery, hints
from compare.adapters.axis_order import boundaries
from compare.adapters.calls import numbers
from compare.adapters.per_sample import own_shape, sample, shaped, together
from compare.adapters.weights import Weights
from compare.tracing.layer_error import RAISED, sentence

SEVERAL = (tuple, list, dict)  # in which there may be several arrays


class Adapter:
    """A copy of the object, run for one layer that stands for Keras's.

    Args:
        how: the object's `Conventions`.
        layer: the layer, built.
        strict: whether arrays of another shape than a weight's are refused as places for it.
        hinting: whether errors say what may have been left untold.

    Attributes:
        slack: after `backward`, for each gradient whose recovery rounds, by how much it may.
        misshapen: after a `backward` that gave an input's gradient of another shape, that array, in
            Keras's order of axes where it has as many; None otherwise.
    """

    def __init__(self, how, layer, strict: bool, hinting: bool = True):
        self.how, self.layer, self.strict, self.hinting = how, layer, strict, hinting
        self.obj = how.own_object()
        self.source, self.target = boundaries(how, layer)
        theirs = getattr(layer, "data_format", None) or "channels_last"
        self.weights = Weights(how, layer, (how.data_format or theirs) == "channels_first")
        self.slack: dict[str, np.ndarray] = {}
        self.misshapen: np.ndarray | None = None
        self._wrong: ValueError | None = None
        if how.lazy:
            self._first_call()

    def _first_call(self) -> None:
        """Let the object make its weights, at a sample of zeros.

        Raises:
            ValueError: if it raises anything.
        """
        how = self.how
        own = np.array(self.source.to_own(
            np.zeros((1, *self.layer.input_shape[1:]), self.layer.dtype)), order="C")
        takes, gives = calls.forward_of(how, self.layer.params)
        self._set_mode(True)
        held = self._held(x=own if how.batched is True else sample(how, own, 0))
        try:
            calls.call(how, self.obj, "forward", takes, gives, held)
        except RAISED as error:  # somebody's object may raise anything
            raise ValueError(f"Expected the first call of {how.name}, which makes its weights "
                             f"(lazy=True), to take an input of shape {held['x'].shape}. "
                             f"It raised {sentence(error)}") from error

    def _set_mode(self, training: bool) -> None:
        self._training = training
        if self.how.mode is not None:
            accessors.write(self.obj, self.how.mode, training)

    def forward(self, x, training: bool) -> np.ndarray:
        """The output for x, both as Keras has them; the object keeps what its way back needs.

        An object that changes its input changes x, as it would in a network of its own.
        """
        try:
            return self._forward(x, training)
        except RAISED as error:  # somebody's object may raise anything; x is changed after it alone
            if self.hinting:
                hints.noted(error, hints.of_forward(self.how, self.layer, functools.partial(
                    _runs, layer=self.layer, strict=self.strict, x=x)))
            raise

    def _forward(self, x, training: bool) -> np.ndarray:
        how = self.how
        self._push()
        self._set_mode(training)
        own = np.array(self.source.to_own(x), order="C")
        self._x, self._given, self._own = own.copy(), x, own
        self._shapes = own_shape(how, self.source, x.shape), \
            own_shape(how, self.target, (len(x), *self.layer.output_shape[1:]))
        if how.batched is not True:
            outputs = [self._run_forward(sample(how, own, i)) for i in range(len(x))]
            return self._in_keras(self.target, together(how, outputs))
        y = self._run_forward(own)
        if x.flags.writeable and not np.array_equal(own, self._x, equal_nan=True):
            x[...] = self.source.to_keras(own)
        return self._in_keras(self.target, y)

    def as_it_is(self, own: np.ndarray, obj=None) -> np.ndarray:
        """The object's output at inference for an input in its own conventions; neither is turned,
        nor held against a shape.

        Args:
            obj: another copy of the object, with weights of its own; None for the one here, with
                those of the layer.
        """
        how = self.how
        if obj is None:
            self._push()
            obj = self.obj
        self._training = False
        if how.mode is not None:
            accessors.write(obj, how.mode, False)
        takes, gives = calls.forward_of(how, self.layer.params)

        def one(x: np.ndarray) -> np.ndarray:
            if how.reset and how.reset_before == "forward":
                getattr(obj, how.reset)()
            said = calls.call(how, obj, "forward", takes, gives, self._held(x=x))
            return numbers(said.get("output"), "the output")

        if how.batched is True:
            return one(own)
        return together(how, [one(sample(how, own, i)) for i in range(own.shape[how.batch_axis])])

    def backward(self, dy) -> np.ndarray | None:
        """The input's gradient, as Keras has it; fills the layer's `grads` and `slack`.

        An object that changes the gradient that it is handed changes dy, as in `forward`; one that
        changes the input then, x.

        Raises:
            ValueError: for an input's gradient of another shape, once `grads` are filled.
        """
        given = np.array(dy) if self.hinting else dy
        try:
            return self._backward(dy)
        except RAISED as error:  # somebody's object may raise anything
            if self.hinting and error is not self._wrong:
                x = self.source.to_keras(self._x) if self.how.batched is True else self._given
                hints.noted(error, hints.of_backward(self.how, functools.partial(
                    _runs, layer=self.layer, strict=self.strict, x=x, dy=given)))
            raise

    def _backward(self, dy) -> np.ndarray | None:
        how = self.how
        self.misshapen = self._wrong = None
        own = np.array(self.target.to_own(dy), order="C")
        if how.batched is True:
            given = own.copy()
            dx, found = self._run_backward(own)
            if dy.flags.writeable and not np.array_equal(own, given, equal_nan=True):
                dy[...] = self.target.to_keras(own)
            for kept in (self._own, self._seen):
                if self._given.flags.writeable and not np.array_equal(kept, self._x,
                                                                      equal_nan=True):
                    self._given[...] = self.source.to_keras(kept)
        else:
            dx, found = self._sample_by_sample(own, len(dy))
        if how.applies:
            self._push()
        self.slack = {}
        for name, (gradient, slack) in found.items():
            gradient, slack = gradient_recovery.in_keras(how, self.weights, name, gradient, slack,
                                                         len(dy), self.layer.dtype)
            self.layer.grads[name] = gradient
            if slack is not None:
                self.slack[name] = slack
        if self._wrong is not None:
            raise self._wrong
        return None if dx is None else self._in_keras(self.source, dx)

    def pull(self, names) -> dict[str, np.ndarray]:
        """Some weights as the object has them now, in Keras's layout."""
        return {name: self.weights.keras(name, self.weights.pull(self.obj, name))
                for name in names}

    def _in_keras(self, boundary, own: np.ndarray) -> np.ndarray:
        return boundary.to_keras(own).astype(self.layer.dtype)

    def _push(self) -> None:
        self.weights.push(self.obj, self.layer.params, self.strict)

    def _held(self, **more) -> dict:
        """What can be handed to a pass, by name."""
        own = {name: self.weights.own(name, w) for name, w in self.layer.params.items()}
        return {**more, "training": self._training, **own}

    def _run_forward(self, x) -> np.ndarray:
        """One call of the forward pass, input and output in the object's own conventions."""
        self._seen = x.copy()
        if self.how.reset and self.how.reset_before == "forward":
            getattr(self.obj, self.how.reset)()
        takes, gives = calls.forward_of(self.how, self.layer.params)
        said = calls.call(self.how, self.obj, "forward", takes, gives, self._held(x=x))
        if self.how.forward_gives is None and isinstance(said.get("output"), SEVERAL):
            self._untold("forward", said["output"], {"output": self._shapes[1]})
        self._said = said
        return shaped(self.how, "output", numbers(said.get("output"), "the output"),
                      self._shapes[1])

    def _run_backward(self, dy) -> tuple:
        """One call of the backward pass: (dx or None, {weight: (gradient, slack)}), its own."""
        how, layer = self.how, self.layer
        if how.reset and how.reset_before == "backward":
            getattr(self.obj, how.reset)()
        names = [name for name in layer.params if name not in layer.non_trainable]
        before = {name: self.weights.pull(self.obj, name).copy() for name in names} \
            if how.applies else {}
        step = gradient_recovery.rate(how, self.obj)
        cache = {name: self._said[name] for name in ("cache", "output") if name in self._said}
        takes, gives = calls.backward_of(how, layer.params, "cache" in cache)
        said = calls.call(how, self.obj, "backward", takes, gives,
                          self._held(dy=dy, x=self._seen, learning_rate=step, **cache))
        found = gradient_recovery.collect(how, self.obj, self.weights, names, said, before,
                                          layer.dtype)
        dx = said.get("input_gradient")
        if how.backward_gives is None and isinstance(dx, SEVERAL):
            shapes = {f"{name}_gradient": self.weights.pull(self.obj, name).shape
                      for name in names if name in how.weights}
            self._untold("backward", dx, {"input_gradient": self._shapes[0], **shapes})
        if dx is not None:
            dx = self._fitting(numbers(dx, "the input gradient"))
        return dx, found

    def _untold(self, which: str, returned, shapes: dict) -> None:
        """Raises a TypeError that names the option if a pass gives more than one array."""
        if isinstance(returned, list) and hints.shape_of(returned) in shapes.values():
            return  # an array, as a list
        option = f"{which}_gives"
        hint = hints.gives(returned, shapes, option)
        raise TypeError(f"expected one array from the {which} pass. Received: "
                        f"{type(returned).__name__} of {len(returned)}. What is returned is told "
                        f"by {option}, 'ignored' where nothing is to be done with it"
                        + (f". {hint}" if hint else ""))

    def _fitting(self, dx: np.ndarray) -> np.ndarray | None:
        """The input's gradient; None if it has another shape, of which `backward` tells once the
        weights' gradients are known."""
        try:
            return shaped(self.how, "input gradient", dx, self._shapes[0])
        except ValueError as error:
            self._wrong = error
            if self.how.batched is True and self.source.flattened is None and \
                    dx.ndim == len(self._shapes[0]):
                dx = self.source.to_keras(dx)
            self.misshapen = dx
            return None

    def _sample_by_sample(self, dy, samples: int) -> tuple:
        """As `_run_backward`, for all samples together."""
        inputs: list = []
        total: dict[str, tuple] = {}
        for i in range(samples):
            self._push()
            self._run_forward(sample(self.how, self._x, i))
            dx, found = self._run_backward(sample(self.how, dy, i))
            inputs.append(dx)
            for name, (gradient, slack) in found.items():
                if name in total:
                    gradient, slack = total[name][0] + gradient, total[name][1] + slack
                total[name] = gradient, slack
        return (None if any(dx is None for dx in inputs) else together(self.how, inputs)), total


def _runs(how, layer, strict: bool, x: np.ndarray, dy: np.ndarray | None = None) -> bool:
    """Whether a fresh copy of an object runs under such conventions, and gives the right shapes."""
    try:
        adapter = Adapter(how, layer, strict, hinting=False)
        adapter.forward(x.copy(), True)
        if dy is not None:
            adapter.backward(dy.copy())
    except RAISED:  # somebody's object may raise anything
        return False
    return True
