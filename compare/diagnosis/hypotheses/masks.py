"""Mistakes with masks: steps that do not count and are taken in, or are put out otherwise."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle import states
from compare.oracle.layers.attention import ScoredAttention
from compare.oracle.layers.bidirectional import Bidirectional
from compare.oracle.layers.global_pooling import GlobalAveragePooling1D
from compare.oracle.layers.masking import Masking
from compare.oracle.layers.multi_head_attention import MultiHeadAttention
from compare.oracle.layers.normalization import BatchNormalization
from compare.oracle.layers.recurrent import Recurrent
from compare.oracle.running_error import Bounded

STEPS = "steps-mask"
OTHERS = {"every step counts": np.ones_like,
          "the mask is inverted": lambda mask: np.asarray(mask == 0, mask.dtype),
          "the mask is read from the other end": lambda mask: mask[:, ::-1],
          "the mask is one step late": lambda mask: np.roll(mask, 1, axis=1),
          "the mask is another sample's": lambda mask: np.roll(mask, 1, axis=0)}


def of_masks(c) -> list[Variant]:
    """Of layers that use masks, and of the one that makes them."""
    if isinstance(c.layer, Masking):
        return _of_masking(c)
    if isinstance(c.layer, (ScoredAttention, MultiHeadAttention)):
        return _of_attention(c) if isinstance(c.x, tuple) and len(c.x) > 3 else []
    uses = isinstance(c.layer, (Recurrent, Bidirectional, GlobalAveragePooling1D,
                                BatchNormalization))
    if not uses or not isinstance(c.x, tuple) or len(c.x) == 1 + states.count(c.config):
        return []
    found = [inside(STEPS, said, lambda c, f=change: c.changed(x=(*c.x[:-1], f(c.x[-1]))))
             for said, change in OTHERS.items()]
    if isinstance(c.layer, Recurrent):
        zeros = not c.config.get("zero_output_for_mask")
        said = "zeros" if zeros else "what the step before did"
        found.append(inside(STEPS, f"masked steps put out {said}",
                            lambda c: c.configured(zero_output_for_mask=zeros)))
    if isinstance(c.layer, GlobalAveragePooling1D):
        found.append(inside(STEPS, "the sum is divided by the number of all steps",
                            lambda c: c.then(lambda y: _times(y, _share(c)))))
        if c.tensor == "output":
            found.append(inside(STEPS, "masked steps are added, too", lambda c: c.changed(
                x=(c.x[0], np.ones_like(c.x[1]))).then(lambda y: _times(y, 1 / _share(c)))))
    return found


def _of_attention(c) -> list[Variant]:
    """Each change of both masks, of that of the keys alone, and of that of the queries alone."""
    found = []
    for said, change in OTHERS.items():
        for whose, of_queries, of_keys in (("", True, True), (", of the keys", False, True),
                                           (", of the queries", True, False)):
            found.append(inside(STEPS, said + whose, lambda c, f=change, q=of_queries, k=of_keys:
                                c.changed(x=(*c.x[:-2], f(c.x[-2]) if q else c.x[-2],
                                             f(c.x[-1]) if k else c.x[-1]))))
    if isinstance(c.layer, MultiHeadAttention):
        found.append(inside(STEPS, "what sees no key weighs " + (
            "all alike" if c.config.get("dropout") else "nothing"), lambda c: c.hooked(
                seen=lambda layer, right: _the_other_way(right()))))
    return found


def _the_other_way(seen):
    """Rows of which nothing is left, treated otherwise."""
    seen.alike = not seen.alike
    return seen


def _share(c) -> np.ndarray:
    """The share of each sample's steps that count."""
    return c.x[1].sum(axis=1) / c.x[1].shape[1]


def _times(y: Bounded, share: np.ndarray) -> Bounded:
    """Each sample times its own number."""
    return y * Bounded(np.reshape(share, (-1, *[1] * (len(y.shape) - 1))), y.rounding)


def _of_masking(c) -> list[Variant]:
    value = float(c.config.get("mask_value", 0.0))
    others = {"any number is the mask's": lambda x: ~(x == value).any(axis=-1, keepdims=True),
              "every number is looked at by itself": lambda x: x != value,
              "steps of another number are masked":
                  lambda x: (x == value).all(axis=-1, keepdims=True)}
    found = [inside(STEPS, "nothing is masked", lambda c: c.changed(own=_given))]
    found += [inside(STEPS, said, lambda c, f=counts: c.changed(own=lambda c: _given(c).where(
        np.broadcast_to(f(np.asarray(c.x, np.float64)), np.shape(c.x)))))
        for said, counts in others.items()]
    if value:
        found.append(inside(STEPS, "steps of zeros are masked",
                            lambda c: c.configured(mask_value=0.0)))
    return found


def _given(c) -> Bounded:
    return c.exact(c.dy if c.tensor == "input_gradient" else c.x)
