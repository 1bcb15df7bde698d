"""Mistakes in losses: what they are divided by, clipping, labels, logits for probabilities."""

import numpy as np

from compare.diagnosis.hypotheses import circle_losses, formulas_of_overlaps
from compare.diagnosis.hypotheses.loss_formulas import (
    ENTROPIES,
    FORMULAS,
    of_formulas,
    of_smoothing,
)
from compare.diagnosis.hypotheses.rearrangement import layouts, missing, negated, of_batch
from compare.diagnosis.hypotheses.scale import known_factors, scaled
from compare.diagnosis.hypothesis import Variant, inside, result
from compare.oracle.layers.softmax import softmax
from compare.oracle.losses import LOSSES
from compare.oracle.losses.binary import sigmoid
from compare.oracle.running_error import Bounded

CLIPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-2)


def of_losses(c) -> list[Variant]:
    """Everything about a loss's value or gradient."""
    found = (of_mask(c) + of_reduction(c) + of_labels(c) + of_logits(c) + of_clipping(c)
             + of_settings(c) + of_smoothing(c) + circle_losses.of_circle(c)
             + negated())
    if c.tensor == "gradient":
        found += missing() + of_batch(np.shape(c.output))
        found += [result("axes-permuted", said, function)
                  for said, function in layouts(np.shape(c.output), 1)]
    formulas = FORMULAS + formulas_of_overlaps.FORMULAS
    return found + of_formulas(c, formulas) + of_other_losses(c) + scaled()


def of_mask(c) -> list[Variant]:
    """A mask of the output that is not looked at, or is looked at otherwise."""
    if c.steps is None:
        return []
    return [inside("steps-mask", "every step counts in the loss", lambda c: c.changed(steps=None)),
            inside("steps-mask", "only masked steps count in the loss",
                   lambda c: c.changed(steps=~c.steps)),
            inside("steps-mask", "the sum is divided by the number of all steps",
                   lambda c: c.then(lambda value: value * float(c.steps.mean())))]


def of_reduction(c) -> list[Variant]:
    """A sum for a mean, or the mean over more or fewer numbers."""
    own = c.config.get("reduction", "sum_over_batch_size")
    sizes = known_factors(c)
    found = []
    if own in ("sum_over_batch_size", "mean"):
        found.append(inside("loss-sum-for-mean", "not divided by the number of losses",
                            lambda c: c.configured(reduction="sum")))
    for name in ("N", "the number of classes", "N times the number of classes"):
        if name in sizes:
            def change(c, made, name=name, divided=False):
                factor = known_factors(c)[name]
                return c.then(lambda r: r * (1 / factor if divided else factor))

            found.append(Variant("loss-sum-for-mean", f"not divided by {name}", change, cheap=True))
    if c.tensor == "value":
        found.append(inside("loss-sum-for-mean", "of the samples' losses, the first one's alone",
                            _first_alone))
    if own == "sum":
        found.append(inside("loss-mean-for-sum", "", lambda c: c.configured(
            reduction="sum_over_batch_size")))
    return found


def _first_alone(c):
    return c.changed(y=np.asarray(c.y)[:1], output=c.output[:1],
                     steps=None if c.steps is None else c.steps[:1],
                     sample_weight=None if c.sample_weight is None else c.sample_weight[:1])


def of_labels(c) -> list[Variant]:
    """Labels off by one, or another sample's."""
    found, y = [], np.asarray(c.y)
    classes = np.shape(c.output)[-1]
    sparse = c.class_name == "SparseCategoricalCrossentropy"
    for step in (1, -1):
        said = "one higher" if step > 0 else "one lower"
        if sparse:
            found.append(inside("labels-shifted", said, lambda c, s=step: c.changed(
                y=(np.asarray(c.y) + s) % classes)))
            found.append(inside("labels-shifted", f"{said}, up to the last one", lambda c, s=step:
                                c.changed(y=np.clip(np.asarray(c.y) + s, 0, classes - 1))))
        elif y.ndim > 1:
            found.append(inside("labels-shifted", said, lambda c, s=step: c.changed(
                y=np.roll(c.y, s, axis=-1))))
        found.append(inside("batch-mixed", "another sample's labels", lambda c, s=step: c.changed(
            y=np.roll(c.y, s, axis=0))))
    found.append(inside("batch-mixed", "labels in reverse order",
                        lambda c: c.changed(y=np.asarray(c.y)[::-1])))
    if sparse:
        found.append(inside("labels-shifted", "counted from the last class", lambda c: c.changed(
            y=classes - 1 - np.asarray(c.y))))
    return found


def of_logits(c) -> list[Variant]:
    """Logits taken for probabilities, or the other way round."""
    if c.class_name not in ENTROPIES:
        return []
    logits = bool(c.fused or c.config.get("from_logits"))

    def turned(c):
        return c.changed(fused=False).configured(from_logits=not logits)

    found = [inside("from-logits", "logits are taken for probabilities" if logits
                    else "probabilities are taken for logits", turned)]
    if logits and c.tensor == "gradient":
        def of(detail, function):
            found.append(inside("softmax-jacobian-missing", detail, function))

        one = np.float64(1)

        def half(c):
            """softmax(z) alone, without the targets."""
            return c.changed(own=lambda c: _probabilities(c))

        of("the targets are not taken away", half)
        of("times y (1 - y) once more", lambda c: c.then(
            lambda r: r * _probabilities(c) * (c.exact(one) - _probabilities(c))))
        if c.class_name != "BinaryCrossentropy":
            of("the gradient of the probabilities, -y / p, is handed on as it is", lambda c: c.then(
                lambda r: (r - _probabilities(c)) / softmax(c.exact(c.output), -1)))
            of("of a sample's labels only the first that is not 0 counts, which is right for "
               "one-hot labels alone", lambda c: c.changed(own=_first_label))
            of("its diagonal p (1 - p) alone", lambda c: c.then(lambda r: r * _rows(c)))
        if c.class_name == "BinaryCrossentropy":
            found.append(inside("activation-twice", "times the sigmoid's slope once more",
                                _sloped_again))
    return found


def _sloped_again(c):
    p = sigmoid(np.asarray(c.output, np.float64))
    return c.then(lambda r: Bounded(r.value * p * (1 - p), r.rounding,
                                    r.bound * p * (1 - p)
                                    + r.rounding.gamma(24) * np.abs(r.value) * p))


def _probabilities(c) -> Bounded:
    """The softmax of the logits, divided as the loss is."""
    n = float(np.prod(np.shape(c.output)[:-1]))
    return softmax(c.exact(c.output), -1) / n


def _rows(c) -> np.ndarray:
    """The targets as rows, those of class numbers with a single one."""
    y, shape = np.asarray(c.y), np.shape(c.output)
    return y if y.shape == shape else np.eye(shape[-1])[y.reshape(shape[:-1]).astype(int)]


def _first_label(c) -> Bounded:
    """k y_c (p - e_c), where c is the first class with a label that is not 0."""
    y = _rows(c)
    kept = y * (np.cumsum(y != 0, -1) == 1) * (y != 0)
    n = float(np.prod(y.shape[:-1]))
    return _probabilities(c) * kept.sum(-1, keepdims=True) - c.exact(kept) / n


def of_clipping(c) -> list[Variant]:
    """Probabilities kept from 0 and 1 where they are not, by another distance, or not at all."""
    if c.class_name not in ENTROPIES:
        return []
    logits = bool(c.fused or c.config.get("from_logits"))
    found = [inside("loss-clipped", f"probabilities are clipped at {e:g}",
                    lambda c, e=e: c.changed(own=lambda c: clipped(c, e, logits)))
             for e in (*CLIPS, 0.0)]
    found += [inside("loss-clipped", f"{e:g} is added to probabilities",
                     lambda c, e=e: c.changed(own=lambda c: clipped(c, e, logits, added=True)))
              for e in CLIPS]
    return found


def clipped(c, epsilon: float, logits: bool, added: bool = False) -> Bounded:
    """Cross-entropy of probabilities that are kept `epsilon` from 0 and 1, or raised by it."""
    if c.class_name == "BinaryCrossentropy" or c.config.get("ignore_class") is not None \
            or c.config.get("label_smoothing"):
        raise ValueError("Expected a plain categorical cross-entropy. Received: another")
    output = c.exact(c.output)
    width = output.shape[-1]
    p = softmax(output, -1) if logits else output
    rows = p.reshape(-1, width)
    y = np.asarray(c.y)
    targets = (np.eye(width)[y.reshape(-1).astype(int)] if c.class_name.startswith("Sparse")
               else y.reshape(-1, width).astype(np.float64))
    kept = rows + epsilon if added else rows.clip(epsilon, 1 - epsilon)
    n = 1.0 if c.config.get("reduction") == "sum" else float(len(targets))
    weights = np.ones(len(targets)) if c.sample_weight is None else np.reshape(
        np.asarray(c.sample_weight, np.float64), -1)
    if c.tensor == "value":
        losses = -(kept.log() * targets).sum(axis=1)
        return (losses * weights).sum() / n
    slope = -c.exact(targets) / kept
    kept_as_is = (rows.value >= epsilon) & (rows.value <= 1 - epsilon)
    slope = slope * ((kept_as_is | added) * weights[:, None])
    if logits:  # back through the softmax
        slope = rows * (slope - (slope * rows).sum(axis=1, keepdims=True))
    return (slope / n).reshape(*output.shape)


def of_settings(c) -> list[Variant]:
    """Settings that are ignored, or set where they are not."""
    found, config = [], c.config
    amount = config.get("label_smoothing") or 0.0
    for other in (0.0, 0.1, 0.01, 0.05, 0.2, 1e-6, 1e-5):
        if "label_smoothing" in config and other != amount:
            found.append(inside("label-smoothing", f"{other:g} in place of {amount:g}",
                                lambda c, o=other: c.configured(label_smoothing=o)))
    if c.sample_weight is not None:
        found.append(inside("sample-weight", "ignored",
                            lambda c: c.changed(sample_weight=None)))
        found.append(inside("sample-weight", "squared", lambda c: c.changed(
            sample_weight=np.asarray(c.sample_weight) ** 2)))
        found.append(inside("sample-weight", "divided by the sum of the weights",
                            lambda c: c.configured(reduction="mean_with_sample_weight")))
    if config.get("ignore_class") is not None:
        found.append(inside("sample-weight", "the ignored class counts",
                            lambda c: c.configured(ignore_class=None)))
    if config.get("delta") is not None:
        for other in (0.5, 1.0, 2.0):
            found.append(inside("loss-other", f"delta {other}",
                                lambda c, o=other: c.configured(delta=o)))
    if c.tensor == "value" and c.extra is not None:
        found.append(inside("penalty-missing", "", lambda c: c.changed(extra=None)))
        found.append(inside("penalty-missing", "halved", lambda c: c.changed(extra=c.extra * 0.5)))
        found.append(inside("penalty-missing", "doubled", lambda c: c.changed(extra=c.extra * 2.0)))
    return found


def of_other_losses(c) -> list[Variant]:
    """Another loss."""
    found = []
    for name in LOSSES:
        if name != c.class_name and name not in ("SparseCategoricalCrossentropy",):
            def change(c, name=name):
                y = c.y
                if c.class_name.startswith("Sparse"):
                    y = np.eye(np.shape(c.output)[-1])[np.asarray(c.y).astype(int).reshape(
                        np.shape(c.output)[:-1])]
                config = {"reduction": c.config.get("reduction", "sum_over_batch_size")}
                return c.changed(loss={"class_name": name, "config": config}, y=y)

            found.append(inside("loss-other", name, change))
    return found
