"""What every loss is: checked labels, a weight for each loss, forward, backward.

A loss is run like a layer: `forward(y_true, y_pred)` returns the batch's loss and remembers what
`backward()` needs, which returns the gradient with respect to y_pred. Formulas, clipping and
reductions are those of Keras 3 (`keras.losses`).
"""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.targets import Batch, Targets, counting, factors, fitted
from scratch.suggestions import arguments_of, did_you_mean

EPSILON = 1e-7  # keras.config.epsilon(): probabilities are kept this far from 0 and 1
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight")


class Loss:
    """Base of the losses: one number for each row of outputs, and of these a weighted sum.

    A subclass says what `rows` is. Outputs are (batch, ..., width), losses (batch, ...).

    Args:
        reduction: 'sum_over_batch_size' (or 'mean'), the sum of all losses over their number, even
            if they are weighted; 'sum'; or 'mean_with_sample_weight', their sum over the weights'.

    Raises:
        UnsupportedError: for another reduction or any other setting that changes the loss.
    """

    # Keras arguments this loss accepts only at the value that leaves the mathematics alone.
    neutral: dict = {}
    # After which activations Keras computes the loss from the activation's input instead. It takes
    # whatever logits a tensor remembers, so that a sigmoid's end up in a categorical cross-entropy.
    uses_logits_of: tuple[str, ...] = ()

    # Whether one loss depends on several samples, so that a batch is not to be split.
    over_batch = False

    default_name = ""  # Keras's, for a loss that was given none
    from_logits = False

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None, **settings):
        if reduction not in REDUCTIONS:
            settings["reduction"] = reduction
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(
                    f"Loss {type(self).__name__} does not support {key}={value!r}."
                    + did_you_mean(key, arguments_of(type(self))))
        self.reduction = reduction
        self.name = name or self.default_name

    def __call__(self, y_true, y_pred, sample_weight=None, mask=None):
        """The batch's loss alone, for arrays as `forward` takes them."""
        return self.forward(y_true, np.asarray(y_pred), sample_weight=sample_weight, mask=mask)

    def forward(self, y_true, y_pred: np.ndarray, from_logits: bool | None = None,
                sample_weight=None, mask: np.ndarray | None = None):
        """The batch's loss, a scalar of y_pred's dtype.

        Args:
            y_true: labels, checked against y_pred's shape unless they are `Targets`; or a `Batch`,
                or some samples of one, for which the loss is their part of the batch's.
            y_pred: (batch, ..., width); whole numbers are taken as float32, as in Keras.
            from_logits: overrides the loss's own setting.
            sample_weight: (batch,), (batch, 1), or what stretches to the losses' shape.
            mask: boolean, of the losses' shape: which of them count, and are counted where the sum
                is divided by their number; None for all.

        Raises:
            ValueError: for an empty batch, for labels of a shape or value that does not fit
                y_pred, and for weights that do not fit the losses.
            UnsupportedError: for a mask of another shape.
        """
        y_pred = floating(y_pred)
        batch = y_true
        if not isinstance(batch, Batch):
            more = () if mask is None else (mask,)
            batch = self.weigh(self.checked(y_true, y_pred.shape, y_pred.dtype), sample_weight,
                               y_pred.dtype, *more)
        by_logits = self.from_logits if from_logits is None else from_logits
        losses, gradient = self.rows(batch.rows(), batch.output_rows(y_pred), by_logits)
        if batch.factors.ndim:
            each = batch.factors.reshape(-1, 1)  # (losses, 1)
            value = (losses * each[:, 0]).sum()
            gradient *= each
        else:
            value = np.add.reduce(losses) * batch.factors
            gradient *= batch.factors
        self._gradient = gradient.reshape(y_pred.shape)
        return value

    def backward(self) -> np.ndarray:
        """The gradient of the loss with respect to the y_pred last seen."""
        return self._gradient

    def each(self, y_true, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(all losses (batch, ...), which of them count: of that shape, or None for all).

        Raises:
            ValueError: as `forward` does.
        """
        y_pred = floating(y_pred)
        # checked anew: if they are `Targets`, it may have been another loss that checked them
        targets = self.checked(np.asarray(y_true), y_pred.shape, y_pred.dtype)
        batch = self.weigh(targets, None, y_pred.dtype)
        losses, _ = self.rows(batch.rows(), batch.output_rows(y_pred), self.from_logits)
        shape = batch.targets.shape[:None if batch.width is None else -1]
        losses = losses.reshape(shape)
        return losses if batch.valid is None else losses * batch.valid, batch.valid

    def rows(self, targets: np.ndarray, y_pred: np.ndarray, from_logits: bool):
        """(losses (n,), their gradients (n, width)), new arrays, for outputs (n, width)."""
        raise NotImplementedError

    def checked(self, y_true, shape: tuple, dtype) -> Targets:
        """y_true for outputs of that shape, checked now and so never again.

        Raises:
            ValueError: as `forward` does.
        """
        if isinstance(y_true, Targets):
            return y_true
        if len(shape) < 2 or 0 in shape:
            raise ValueError(f"{type(self).__name__}: expected outputs of shape (batch, ..., "
                             f"classes), and at least one. Received: {tuple(shape)}")
        return self.targets(y_true, tuple(shape), dtype).view(Targets)

    def targets(self, y_true, shape: tuple, dtype) -> np.ndarray:
        """y_true, checked to fit outputs of that shape."""
        return fitted(y_true, shape, dtype, type(self).__name__)

    def weigh(self, y_true: Targets, sample_weight, dtype, mask=None) -> Batch:
        """One batch, with what each of its losses counts for.

        Args:
            y_true: all of the batch's targets, checked.
            sample_weight: as `forward` takes it, or None.
            dtype: the outputs'.
            mask: as `forward` takes it, or None.

        Raises:
            ValueError: for weights that do not fit the losses.
            UnsupportedError: for a mask that does not.
        """
        targets = self.prepared(y_true.view(np.ndarray))
        shape = targets.shape[:-1]
        share = factors(shape, self.reduction, dtype, sample_weight,
                        counting(None, mask, shape, type(self).__name__))
        return Batch(targets, share, None, targets.shape[-1])

    def prepared(self, targets: np.ndarray) -> np.ndarray:
        """A batch's targets as the loss's formula wants them."""
        return targets

    def fuses(self, kind: str | None, y_true, output_shape: tuple) -> bool:
        """Whether Keras computes this loss from the input of the last activation.

        Args:
            kind: that activation, 'softmax' or 'sigmoid', or None.
            y_true: the targets, of which the number of axes counts: to fit fewer than the outputs'
                Keras takes the last one, of length 1, off the outputs, which so lose their logits.
            output_shape: the outputs' shape, (batch, ..., width).
        """
        squeezed = output_shape[-1] == 1 and np.ndim(y_true) == len(output_shape) - 1 > 1
        return kind in self.uses_logits_of and not squeezed

    def get_config(self) -> dict:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict) -> "Loss":
        return cls(**config)


def inside(p: np.ndarray, low: float, high: float) -> np.ndarray:
    """True where clipping leaves p as it is, so that a gradient passes."""
    return (p >= p.dtype.type(low)) & (p <= p.dtype.type(high))


def floating(y_pred: np.ndarray) -> np.ndarray:
    """Outputs as they are, whole numbers as float32."""
    return y_pred if y_pred.dtype.kind == "f" else y_pred.astype(np.float32)
