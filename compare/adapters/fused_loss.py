"""Softmax and cross-entropy in one object: how most networks by hand end.

Such an object is handed the labels. It stands for two things: for the softmax at the end, whose
probabilities it gives, and for the loss, whose value and gradient with respect to the logits it
gives. Keras computes a cross-entropy after a softmax from the logits, too, so the two compare. The
way back through the softmax alone it does not have; it is never asked for in training, and its rows
are those of scratch's own softmax.
"""

from typing import Any

import numpy as np

from compare.adapters import calls
from compare.adapters.calls import numbers
from compare.adapters.per_sample import sample, shaped
from compare.tracing.layer_error import RAISED, LayerError, sentence
from scratch import losses


class FusedLoss:
    """What a wrapped loss has in common with others; stands before the loss's own class.

    Attributes:
        how: the object's `Conventions`.
        obj: a copy of the object.
        changed: which of its arguments the last call changed.
    """

    how: Any = None
    obj: Any
    changed: tuple[str, ...] = ()

    def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
        batch = y_true
        if not isinstance(batch, losses.Batch):
            batch = self.weigh(self.checked(y_true, y_pred.shape, y_pred.dtype), sample_weight,
                               y_pred.dtype)
        if not (self.from_logits if from_logits is None else from_logits):
            raise ValueError("expected a network whose loss is computed from the logits, as the "
                             f"object {self.how.name} does. Received one that is not")
        if np.ndim(batch.factors) or batch.valid is not None:
            raise ValueError(f"expected no weights of samples or classes with {self.how.name}, "
                             "which has softmax and loss in one. Received some")
        logits = np.array(y_pred, order="C")
        labels = labels_for(self.how, batch, logits.shape[-1])
        handed = logits.copy(), labels.copy()
        try:
            value, gradient = self._run(*handed)
        except RAISED as error:  # somebody's own object may raise anything
            raise LayerError(f"{self.how.name} raised {sentence(error)}") from error
        self.changed = calls.changed(("logits", "labels"), handed, (logits, labels))
        if value is None:  # the object has none, so there is nothing of it to be compared
            value = super().forward(batch, y_pred, from_logits)
        self._gradient = gradient.astype(y_pred.dtype)
        return y_pred.dtype.type(value)

    def backward(self):
        return self._gradient

    def _run(self, logits: np.ndarray, labels: np.ndarray) -> tuple:
        """(the batch's loss or None, its gradient with respect to the logits), in float64."""
        how = self.how
        if how.batched is True:
            value, gradient = run(how, self.obj, logits, labels)
            mean = {what: how.divides(what) is not False for what in ("loss", "gradient")}
        else:
            made = [run(how, self.obj, sample(how, logits, i), sample(how, labels, i))
                    for i in range(len(logits))]
            value = None if made[0][0] is None else sum(value for value, _ in made)
            gradient = np.stack([g.reshape(-1) for _, g in made])
            mean = {"loss": False, "gradient": False}
        gradient = shaped(how, "gradient of the logits", gradient, logits.shape)
        if value is not None and not mean["loss"]:
            value = value / len(logits)
        return value, gradient if mean["gradient"] else gradient / len(logits)


def run(how, obj, logits: np.ndarray, labels: np.ndarray) -> tuple:
    """(loss as float64 or None, gradient of the logits) of one call, forward and backward."""
    held = {"x": logits, "labels": labels, "training": True}
    said = calls.call(how, obj, "forward", calls.forward_of(how, {})[0], gives_of(how), held)
    value = said.get("loss")
    if value is not None:
        value = np.sum(numbers(value, "the loss"), dtype=np.float64)
    if "input_gradient" not in said:
        held.update({name: said[name] for name in ("cache", "output") if name in said})
        takes, gives = calls.backward_of(how, {}, "cache" in said)
        said = calls.call(how, obj, "backward", takes, gives, {**held, "dy": np.float32(1)})
    gradient = numbers(said["input_gradient"], "the gradient of the logits")
    return value, gradient.astype(np.float64)


def gives_of(how) -> tuple:
    """What the forward pass returns: the loss if it is given labels, else probabilities."""
    if how.forward_gives is not None:
        return how.forward_gives
    return ("loss",) if "labels" in (how.forward_takes or ()) else ("output",)


def labels_for(how, batch, classes: int) -> np.ndarray:
    """A batch's labels as the object wants them, class numbers or rows with a single one."""
    labels = np.array(batch.targets)
    sparse = batch.width is None
    if how.labels == "one_hot" and sparse:
        return np.eye(classes)[labels.astype(int)]
    if how.labels == "classes" and not sparse:
        return labels.argmax(axis=-1)
    return labels


def as_loss(how, loss):
    """A loss like `loss`, computed by the object of `how`.

    Raises:
        ValueError: for a loss that is no cross-entropy of classes.
    """
    if not isinstance(loss, (losses.SparseCategoricalCrossentropy,
                             losses.CategoricalCrossentropy)):
        raise ValueError(f"Expected a network with a categorical cross-entropy, for {how.name} has "
                         f"softmax and loss in one. Received: {type(loss).__name__}")
    cls = type(f"{how.name}Loss", (FusedLoss, type(loss)),
               {"how": how, "__doc__": FusedLoss.__doc__})
    made = cls.from_config(loss.get_config())
    made.obj = how.own_object()
    return made


def gives_probabilities(how) -> bool:
    """Whether the object's forward pass returns the softmax's output, and needs no labels."""
    return "output" in gives_of(how) and "labels" not in (how.forward_takes or ())
