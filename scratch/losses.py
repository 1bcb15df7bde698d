"""Cross-entropy, for class numbers and for one-hot rows, from logits or from probabilities.

A loss is run like a layer: `forward(y_true, y_pred)` returns the mean loss over the batch and
remembers what `backward()` needs, which returns the gradient with respect to y_pred. Formulas and
clipping are Keras's (`keras.ops.sparse_categorical_crossentropy`, `categorical_crossentropy`).
"""

import numpy as np

from scratch.errors import UnsupportedError

EPSILON = 1e-7  # keras.config.epsilon(): probabilities are kept this far from 0 and 1


class Targets(np.ndarray):
    """Labels or targets that a loss has checked; so are slices of them, which share this type."""


class Loss:
    """Base of the losses, with Keras's reduction 'sum_over_batch_size': the mean of all losses.

    Args:
        from_logits: y_pred holds logits. A softmax output needs no such flag: the model hands its
            logits over, as Keras does.

    Raises:
        UnsupportedError: for another reduction or any other setting that changes the loss.
    """

    neutral = {"reduction": ("sum_over_batch_size",), "axis": (-1,)}

    def __init__(self, from_logits=False, name=None, dtype=None, **settings):
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(
                    f"Loss {type(self).__name__} does not support {key}={value!r}.")
        self.from_logits = bool(from_logits)
        self.name = name or next(k for k, v in ALIASES.items() if v == type(self).__name__)

    def __call__(self, y_true, y_pred) -> float:
        """The mean loss alone, for arrays as `forward` takes them."""
        return self.forward(y_true, np.asarray(y_pred))

    def forward(self, y_true, y_pred: np.ndarray, from_logits: bool | None = None):
        """The mean loss, a scalar of y_pred's dtype.

        Args:
            y_true: labels, checked against y_pred's shape unless they are `Targets`.
            y_pred: (batch, ..., classes); whole numbers are taken as float32, as in Keras.
            from_logits: overrides the loss's own setting.

        Raises:
            ValueError: for an empty batch, and for labels of a shape or value that y_pred has no
                class for.
        """
        if y_pred.dtype.kind != "f":
            y_pred = y_pred.astype(np.float32)
        if y_pred.ndim < 2 or y_pred.size == 0:
            raise ValueError(f"{type(self).__name__}: expected outputs of shape (batch, ..., "
                             f"classes), and at least one. Received: {y_pred.shape}")
        rows = y_pred.reshape(-1, y_pred.shape[-1])  # (samples, classes)
        targets = y_true if isinstance(y_true, Targets) else self.targets(y_true, y_pred)
        # (samples,) class numbers or (samples, classes) rows
        targets = targets.view(np.ndarray).reshape(-1, *targets.shape[y_pred.ndim - 1:])
        by_logits = self.from_logits if from_logits is None else from_logits
        compute = self.from_logit_rows if by_logits else self.from_probability_rows
        losses, gradient = compute(targets, rows)
        # the mean over all samples: each loss, and so each row's gradient, counts 1 / samples
        share = y_pred.dtype.type(1 / len(rows))
        self._gradient = (gradient * share).reshape(y_pred.shape)
        return losses.sum() * share

    def backward(self) -> np.ndarray:
        """The gradient of the mean loss with respect to the y_pred last seen."""
        return self._gradient

    def targets(self, y_true, y_pred) -> np.ndarray:
        """y_true, checked to fit outputs like y_pred: class numbers (batch, ...) or y_pred's shape.

        Raises:
            ValueError: as `forward` does.
        """
        raise NotImplementedError

    def checked(self, y_true, shape: tuple, dtype) -> Targets:
        """y_true for outputs of that shape, checked now and so never again."""
        if isinstance(y_true, Targets):
            return y_true
        return self.targets(y_true, np.empty(shape, dtype)).view(Targets)

    def from_logit_rows(self, targets, z):
        """(losses, their gradients) of logits z (samples, classes)."""
        raise NotImplementedError

    def from_probability_rows(self, targets, p):
        """(losses, their gradients) of probabilities p (samples, classes)."""
        raise NotImplementedError

    def get_config(self) -> dict:
        return {"name": self.name, "reduction": "sum_over_batch_size",
                "from_logits": self.from_logits}


class SparseCategoricalCrossentropy(Loss):
    """-log p[label], for labels that are class numbers of shape (batch, ...) or (batch, ..., 1)."""

    neutral = {**Loss.neutral, "ignore_class": (None,)}

    def targets(self, y_true, y_pred):
        labels = np.asarray(y_true)
        if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.shape != y_pred.shape[:-1]:
            raise ValueError(f"{type(self).__name__}: expected labels of shape {y_pred.shape[:-1]} "
                             f"for outputs of shape {y_pred.shape}. Received: {labels.shape}")
        return class_numbers(labels, y_pred.shape[-1])

    def from_logit_rows(self, labels, z):
        each = np.arange(len(z))
        shifted = z - z.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        losses = np.log(sums[:, 0]) - shifted[each, labels]
        gradient = exponentials / sums  # softmax(z) - one_hot(label)
        gradient[each, labels] -= 1
        return losses, gradient

    def from_probability_rows(self, labels, p):
        # Keras clips, takes logs and treats them as logits, that is, it renormalises.
        clipped = np.clip(p, EPSILON, 1 - EPSILON)
        losses, gradient = self.from_logit_rows(labels, np.log(clipped))
        return losses, gradient / clipped * unclipped(p)


class CategoricalCrossentropy(Loss):
    """-sum(y log p), for targets y that are one-hot rows (or distributions) of y_pred's shape."""

    neutral = {**Loss.neutral, "label_smoothing": (0.0,)}

    def targets(self, y_true, y_pred):
        targets = np.asarray(y_true)
        if targets.shape != y_pred.shape:
            raise ValueError(f"{type(self).__name__}: expected one-hot targets of the outputs' "
                             f"shape {y_pred.shape}. Received: {targets.shape}")
        return targets.astype(y_pred.dtype, copy=False)

    def from_logit_rows(self, y, z):
        shifted = z - z.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        losses = (y * (np.log(sums) - shifted)).sum(axis=1)
        # TensorFlow's gradient too takes for granted that each row of y sums to 1
        return losses, exponentials / sums - y

    def from_probability_rows(self, y, p):
        sums = p.sum(axis=1, keepdims=True)
        q = p / sums
        clipped = np.clip(q, EPSILON, 1 - EPSILON)
        losses = -(y * np.log(clipped)).sum(axis=1)
        dq = -y / clipped * unclipped(q)
        return losses, (dq - (dq * q).sum(axis=1, keepdims=True)) / sums


def unclipped(p: np.ndarray) -> np.ndarray:
    """True where clipping leaves p as it is, so that a gradient passes."""
    return (p >= p.dtype.type(EPSILON)) & (p <= p.dtype.type(1 - EPSILON))


def class_numbers(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels as integers, each checked to be one of `classes`.

    Raises:
        ValueError: naming the first label that is not.
    """
    numbers = labels
    if labels.dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):  # NaN becomes some integer, and then differs from it
            numbers = labels.astype(np.int64)
    in_range = numbers.min(initial=0) >= 0 and numbers.max(initial=0) < classes
    if not in_range or (numbers is not labels and (numbers != labels).any()):
        wrong = (numbers < 0) | (numbers >= classes) | (numbers != labels)
        index = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"Expected labels to be whole numbers from 0 to {classes - 1}. Received: "
                         f"{labels.reshape(-1)[index]} (label number {index} of {labels.size})")
    return numbers


CLASSES = {cls.__name__: cls for cls in (SparseCategoricalCrossentropy, CategoricalCrossentropy)}
ALIASES = {"sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
           "categorical_crossentropy": "CategoricalCrossentropy"}


def get(identifier) -> Loss:
    """A loss from an object, Keras's name for it, or a Keras config.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, Loss):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
        if name == "function":  # how Keras writes a loss given as a function
            name, config = identifier["config"], {}
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if name not in CLASSES:
        raise UnsupportedError(f"Loss {identifier!r} is not supported. "
                               f"Expected one of: {', '.join(ALIASES)}.")
    return CLASSES[name](**config)


def serialize(loss: Loss) -> dict:
    """The dictionary by which Keras knows this loss."""
    return {"module": "keras.losses", "class_name": type(loss).__name__,
            "config": loss.get_config(), "registered_name": None}
