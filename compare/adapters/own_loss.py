"""A loss of somebody's own as one of scratch's kind: its value and its gradient are the object's.

Keras computes a cross-entropy behind a softmax or a sigmoid from the logits. A loss of
probabilities is then handed those that they make, and its gradient is taken on through the softmax
or the sigmoid, in float64. So one that is right for labels that are one-hot or sum to 1 alone, such
as p - y handed on, shows.
"""

import copy
import inspect
from typing import Any

import numpy as np

from compare.adapters import calls
from compare.adapters.calls import numbers
from compare.adapters.fused_loss import labels_for
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.model_kinds import kind
from scratch import losses
from scratch.losses.base import Loss


class OwnLoss:
    """What losses of somebody's own have in common; stands before the loss's own class.

    Attributes:
        how: the object's `Conventions`.
        obj: a copy of the object.
        changed: which of its arguments the last call changed.
    """

    how: Any = None
    obj: Any = None
    changed: tuple[str, ...] = ()

    def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
        batch = y_true
        if not isinstance(batch, losses.Batch):
            batch = self.weigh(self.checked(y_true, y_pred.shape, y_pred.dtype), sample_weight,
                               y_pred.dtype)
        if np.ndim(batch.factors) or batch.valid is not None:
            raise ValueError(f"expected no weights of samples or classes with {self.how.name}, a "
                             "loss of somebody's own. Received some")
        through = from_logits if from_logits is not None else self.from_logits
        output = np.array(y_pred, order="C")
        exact = probabilities(self, output) if through and self.of_probabilities else None
        given = output if exact is None else exact.astype(y_pred.dtype)
        labels = labels_for(self.how, batch, given.shape[-1])
        labels = labels.astype(y_pred.dtype) if labels.dtype.kind == "f" else labels
        handed = given.copy(), labels.copy()
        try:
            with np.errstate(all="ignore"):  # rows tell of every NaN and infinity
                value, gradient = self._run(*handed)
        except RAISED as error:  # somebody's own object may raise anything
            raise LayerError(f"{self.how.name} raised {sentence(error)}") from error
        self.changed = calls.changed(("output", "labels"), handed, (given, labels))
        if gradient.shape != given.shape:
            raise LayerError(f"{self.how.name}: expected a gradient of shape {given.shape}. "
                             f"Received: {gradient.shape}")
        count = batch.losses
        if self.how.divides("loss") is False:
            value = value / count
        if self.how.divides("gradient") is False:
            gradient = gradient / count
        if exact is not None:
            gradient = through_probabilities(self, exact, gradient)
        self._gradient = gradient.astype(y_pred.dtype)
        return y_pred.dtype.type(value)

    def backward(self):
        return self._gradient

    @property
    def of_probabilities(self) -> bool:
        """Whether the object is handed what a softmax or a sigmoid makes of the logits."""
        return "x" not in (self.how.forward_takes or ())

    @property
    def behind_logits(self) -> bool:
        """Whether Keras computes such a loss from logits, and the object from probabilities."""
        return self.of_probabilities and bool(self.uses_logits_of)  # type: ignore[attr-defined]

    def _run(self, output: np.ndarray, labels: np.ndarray) -> tuple[Any, np.ndarray]:
        """(the loss, its gradient with respect to what it was handed), in float64."""
        how = self.how
        held = {"output": output, "x": output, "labels": labels, "training": True,
                "dy": output.dtype.type(1)}
        gives = ("loss",) if how.forward_gives is None else how.forward_gives
        said = calls.call(how, self.obj, "forward", how.forward_takes, gives, held)
        value = np.sum(numbers(said["loss"], "the loss"), dtype=np.float64)
        if "input_gradient" not in said:
            given = ("input_gradient",) if how.backward_gives is None else how.backward_gives
            held.update({"cache": said["cache"]} if "cache" in said else {})
            said = calls.call(how, self.obj, "backward", how.backward_takes, given, held)
        gradient = numbers(said["input_gradient"], "the loss's gradient")
        return value, gradient.astype(np.float64)


def probabilities(loss, logits: np.ndarray) -> np.ndarray:
    """What a softmax, or for yes or no a sigmoid, makes of logits, in float64."""
    z = logits.astype(np.float64)
    if isinstance(loss, losses.BinaryCrossentropy):
        return np.exp(-np.logaddexp(0, -z))
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def through_probabilities(loss, p: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The gradient of the logits from that of their probabilities, p."""
    with np.errstate(invalid="ignore"):
        if isinstance(loss, losses.BinaryCrossentropy):
            return gradient * p * (1 - p)
        weighted = np.where(p == 0, 0.0, p * gradient)
    return weighted - p * weighted.sum(axis=-1, keepdims=True)


def as_loss(how, like: Any) -> Loss:
    """A loss of scratch's kind that is computed by somebody's object.

    Args:
        how: the object's `Conventions`.
        like: the loss that it claims to be: of Keras's, of scratch's, a name or a config.

    Raises:
        ValueError: if it is not known which of its methods does what.
    """
    theirs, how = described(like), copy.copy(how)
    there = [name for name in dir(how.obj) if not name.startswith("_")
             and callable(getattr(how.obj, name, None))]
    if how.forward == "forward" and "forward" not in there and callable(how.obj):
        how.forward = "__call__"
    both = "input_gradient" in (how.forward_gives or ())
    for what in ("forward",) if both else ("forward", "backward"):
        named = getattr(how, what)
        method = getattr(how.obj, named, None) if isinstance(named, str) else named
        if not callable(method):
            raise ValueError(f"Expected a method {named!r} in {how.name}, a loss. "
                             f"compare.wrap(..., {what}='NAME') says what it is called. "
                             f"It has: {', '.join(there) or 'none'}")
        if getattr(how, f"{what}_takes") is None:
            setattr(how, f"{what}_takes", _default_takes(method, isinstance(named, str)))
    cls = type(how.name, (OwnLoss, type(theirs)), {"how": how, "__doc__": OwnLoss.__doc__})
    made: Any = cls.from_config(theirs.get_config())  # type: ignore[attr-defined]
    made.obj = how.own_object()
    return made


def _default_takes(method: Any, bound: bool) -> tuple[str, ...]:
    """Nothing for a backward pass that needs nothing, else the output and the labels."""
    try:
        inspect.signature(method).bind(*() if bound else (None,))
    except (TypeError, ValueError):
        return ("output", "labels")
    return ()


def described(like: Any) -> Loss:
    """The loss of scratch's that is meant."""
    if isinstance(like, Loss):
        return like
    if isinstance(like, (str, dict)):
        return losses.get(like)
    return losses.get({"class_name": kind(like, list(losses.CLASSES)),
                       "config": like.get_config()})


def is_loss(like: Any) -> bool:
    """Whether this is a loss, of Keras's or of scratch's, its name or its config."""
    if isinstance(like, (str, dict)):
        try:
            return bool(losses.get(like))
        except ValueError:
            return False
    return isinstance(like, Loss) or any(
        cls.__module__.startswith("keras.src.losses") for cls in type(like).__mro__)
