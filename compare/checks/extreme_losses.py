"""Labels and outputs for a loss, at the ends: of logits, of probabilities, at its kinks."""

from typing import NamedTuple

import numpy as np

from compare.checks.extreme_numbers import sample
from compare.oracle.losses import LABELLED, named
from compare.tracing.loss_terms import Term
from compare.tracing.trace import Trace
from compare.tracing.types import Config

LOGITS = ("large", "peak", "low", "tiny", "equal", "zero", "mixed", "offset")
PROBABILITIES = ("certain", "nearly", "at the clip", "equal", "ordinary")
NUMBERS = ("met", "kinks", "tiny", "equal", "zero", "mixed")
OF_ROWS = ("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalHinge",
           "KLDivergence")  # whose targets are rows that sum to 1
OF_EACH = ("BinaryCrossentropy", "BinaryFocalCrossentropy", "Dice", "Tversky")  # 0 or 1 each
OF_PROBABILITIES = ("SparseCategoricalCrossentropy", "CategoricalCrossentropy",
                    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy",
                    "KLDivergence", *OF_EACH)
EMBEDDINGS = ("ordinary", "axis", "equal", "opposite", "zero", "long", "tiny")
OF_POSITIVE = ("MeanSquaredLogarithmicError", "Poisson")
EPSILON = 1e-7
MIXED = 3.0  # exponent of 10 of the largest numbers of mixed scale


class LossDraw(NamedTuple):
    """Labels (batch, ...) and outputs (batch, ..., width) for one run of a loss; `fused` where the
    outputs are the logits of the last activation."""

    y: np.ndarray
    output: np.ndarray
    fused: bool
    note: str


def draw(trace: Trace, term: Term, seed: int) -> LossDraw:
    """One sample of each kind.

    Args:
        trace: of a network with labels, for all shapes.
        term: which of its losses.
    """
    name, config = named(term.loss)
    labels = term.labels(trace)
    rng = np.random.default_rng(seed)
    shape = trace.parts[term.part].output.shape[1:]
    from_logits = bool(term.fused or config.get("from_logits"))
    kinds: tuple[str, ...] = (LOGITS if from_logits else PROBABILITIES if name in OF_PROBABILITIES
                              else EMBEDDINGS if name == "Circle" else NUMBERS)
    kinds = kinds[seed % len(kinds):] + kinds[:seed % len(kinds)]
    y = _labels(name, labels, (len(kinds), *labels.shape[1:]), shape[-1], rng)
    rows = [_logits_or(kind, name, y[i], shape, rng, trace.dtype, config, from_logits)
            for i, kind in enumerate(kinds)]
    return LossDraw(y, np.stack(rows).astype(trace.dtype), term.fused, f"extremes, seed {seed}")


def _labels(name: str, y: np.ndarray, shape: tuple[int, ...], classes: int,
            rng: np.random.Generator) -> np.ndarray:
    """Labels or targets such as the loss takes, of the precision that the batch's have."""
    made: np.ndarray = rng.integers(-4, 5, size=shape) / 2
    if name == "Circle":
        made = rng.integers(2, size=shape)
    elif name in LABELLED:
        made = rng.integers(classes, size=shape)
    elif name in OF_ROWS:
        made = np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
    elif name in OF_EACH or ("Hinge" in name and np.isin(y, (0, 1)).all()):
        made = rng.integers(2, size=shape)
    elif "Hinge" in name:
        made = 2 * rng.integers(2, size=shape) - 1
    return (np.abs(made) if name in OF_POSITIVE else made).astype(y.dtype)


def _logits_or(kind: str, name: str, y: np.ndarray, shape: tuple[int, ...],
               rng: np.random.Generator, dtype: str, config: Config, from_logits: bool
               ) -> np.ndarray:
    """One sample's output: logits, probabilities or any numbers, as the loss takes them."""
    if from_logits:
        return sample(kind, shape, rng, dtype, largest=MIXED)
    if name in OF_PROBABILITIES:
        return _probabilities(kind, shape, rng, whole=name not in OF_EACH)
    if name == "Circle":
        return _embedding(kind, shape, rng)
    targets = np.broadcast_to(y if y.ndim == len(shape) else y[..., None], shape)
    if kind == "met":
        made = targets.astype(np.float64)
    elif kind == "kinks" and name == "Huber":
        delta = float(config.get("delta", 1.0))
        made = targets + rng.choice([-delta, delta], shape)
    else:
        kinks = (-1.0, 0.0, 1.0) if "Hinge" in name else (0.0, EPSILON)
        made = sample(kind, shape, rng, dtype, kinks, MIXED)
    return np.abs(made) if name in OF_POSITIVE else made


def _embedding(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A row (width,), most of them of length 1.

    Args:
        kind: 'ordinary', 'axis' (the first one), 'equal' (all its numbers), 'opposite' (to that),
            'zero', 'long' (of length 2, as no distance is below 0), 'tiny'.
    """
    diagonal = np.full(shape, 1 / np.sqrt(shape[-1]))
    if kind in ("ordinary", "long"):
        drawn = rng.standard_normal(shape)
        return np.asarray(drawn / np.linalg.norm(drawn) * (2 if kind == "long" else 1))
    made: dict[str, np.ndarray] = {
        "axis": np.eye(shape[-1])[0], "equal": diagonal, "opposite": -diagonal,
        "zero": 0 * diagonal, "tiny": 1e-20 * diagonal}
    return made[kind]


def _probabilities(kind: str, shape: tuple[int, ...], rng: np.random.Generator, whole: bool
                   ) -> np.ndarray:
    """Rows that sum to 1 if `whole`, or any numbers from 0 to 1.

    Args:
        kind: 'certain' (exactly 0 and 1), 'nearly' (down to 1e-12), 'at the clip' (within a factor
            of 2 of 1e-7), 'equal', 'ordinary'.
    """
    if kind == "equal":
        return np.full(shape, 1 / shape[-1] if whole else 0.5)
    if kind == "ordinary":
        made = np.exp(rng.standard_normal(shape))
        return np.asarray(made / (made.sum(axis=-1, keepdims=True) if whole else 1 + made))
    small = {"certain": np.zeros(shape), "nearly": 10.0 ** rng.uniform(-12, -8, shape),
             "at the clip": EPSILON * 2.0 ** rng.integers(-1, 2, shape)}[kind]
    if not whole:
        return np.where(rng.random(shape) < 0.5, small, 1 - small)
    rows = small.reshape(-1, shape[-1])
    peak = rng.integers(shape[-1], size=len(rows))
    rows[np.arange(len(rows)), peak] = 0.0
    rows[np.arange(len(rows)), peak] = 1 - rows.sum(axis=1)
    return rows.reshape(shape)
