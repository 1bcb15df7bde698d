"""Mistakes of attention: scores, their softmax, heads, projections; and the ways back."""

import math

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.elementary import tanh
from compare.oracle.layers.attention import (
    AdditiveAttention,
    Attention,
    ScoredAttention,
    turned,
)
from compare.oracle.layers.grouped_query_attention import GroupedQueryAttention
from compare.oracle.layers.multi_head_attention import MultiHeadAttention
from compare.oracle.layers.softmax import softmax
from compare.oracle.running_error import Bounded, bilinear

SCALE, MASK, OUT = "attention-scale", "attention-mask", "attention_output"
HIDDEN = -1e9  # a score of which the softmax makes 0


def of_attention(c) -> list[Variant]:
    """Of each kind of attention."""
    if isinstance(c.layer, MultiHeadAttention):
        return (_of_dropout(c) + _of_heads(c) + _of_causal_mask(c) + _of_softmax(c)
                + _of_ways_back(c))
    if isinstance(c.layer, ScoredAttention):
        return (_of_dropout(c) + _of_scores(c) + _of_causal_mask(c) + _of_softmax(c)
                + _of_ways_back(c))
    return []


def _of_dropout(c) -> list[Variant]:
    """A dropout of the weights that is left out, not scaled, turned round or another sample's."""
    if "noise" not in c.weights or not c.training:
        return []
    kept = 1 - c.config["dropout"]
    return [inside("mask-missing", "no weight is dropped", lambda c: c.changed(training=False)),
            inside("scale", "the weights that are kept are not made larger", lambda c: c.weighing(
                noise=np.asarray(c.weights["noise"], np.float64) * kept)),
            inside("mask-wrong-tensor", "another sample's", lambda c: c.weighing(
                noise=np.roll(c.weights["noise"], 1, axis=0))),
            inside("mask-wrong-tensor", "of the scores, before their softmax",
                   lambda c: c.hooked(forward=_scores_dropped))]


def _scores_dropped(layer, right, x, held) -> Bounded:
    right(x, held)
    attended, noise = layer.attended, held["noise"]
    return layer.put_together(bilinear(np.matmul, softmax(attended.scores * noise, -1),
                                       attended.value))


def _of_scores(c) -> list[Variant]:
    """Scores that are scaled, or put together, in another way."""
    features, held = np.shape(c.x[0])[-1], c.weights.get("scale")
    found = []
    if held is not None:
        found.append(inside(SCALE, "the learned scale is not used", lambda c: c.weighing(
            scale=np.ones_like(c.weights["scale"]))))
    if isinstance(c.layer, AdditiveAttention):
        found += [inside("activation-missing", "the tanh of query + key",
                         lambda c: c.hooked(scores=lambda layer, right: _summed(layer, False))),
                  inside(SCALE, "the scale stands inside the tanh",
                         lambda c: c.hooked(scores=lambda layer, right: _summed(layer, True)))]
    elif isinstance(c.layer, Attention) and not c.layer.concat:
        found += [inside(SCALE, f"the scores are {said}", lambda c, f=factor: c.weighing(
            scale=np.asarray(c.weights.get("scale", 1.0) * f)))
                  for said, factor in (
                      ("divided by the root of the number of features", 1 / math.sqrt(features)),
                      ("divided by the number of features", 1 / features))]
    return found


def _summed(layer, inside_tanh: bool) -> Bounded:
    layer.scores.args[1]()  # what the way back needs
    pairs, scale = layer.pairs, layer.held.get("scale")
    scaled = pairs if scale is None else pairs * scale
    return (tanh(scaled) if inside_tanh else scaled).sum(axis=-1)


def _of_causal_mask(c) -> list[Variant]:
    """A causal mask that is left out, or hides other keys."""
    if not c.config.get("use_causal_mask"):
        return []
    return [inside(MASK, said, lambda c, other=other: c.hooked(
        causal=lambda layer, right, queries, keys: other(queries, keys))) for said, other in (
            ("the causal mask is left out", lambda queries, keys: None),
            ("a query does not see its own place either",
             lambda queries, keys: np.tri(queries, keys, -1, dtype=bool)),
            ("a query sees one key behind its own place",
             lambda queries, keys: np.tri(queries, keys, 1, dtype=bool)),
            ("queries and keys change places",
             lambda queries, keys: np.tri(keys, queries, dtype=bool).T))]


def _of_softmax(c) -> list[Variant]:
    """Weights of values that are made of the scores in another way."""
    if c.tensor != "output":
        return [inside("softmax-jacobian-missing", "of the scores' softmax",
                       lambda c: c.hooked(forward=_without_sum))]
    found = [inside(identifier, said, lambda c, w=weights: c.hooked(
        forward=lambda layer, right, x, held: _weighted(layer, right, x, held, w)))
        for identifier, said, weights in (
            ("softmax-axis", "it goes along the queries", lambda s: softmax(s, -2)),
            ("activation-missing", "the softmax of the scores", lambda s: s),
            (MASK, "no query sees a key behind its own place", lambda s: _masked(s, 0)),
            (MASK, "no query sees its own place, or a key behind it", lambda s: _masked(s, -1)))]
    return found


def _weighted(layer, right, x, held, weights) -> Bounded:
    """The forward pass with other weights of the values."""
    right(x, held)
    attended = bilinear(np.matmul, weights(layer.attended.scores), layer.attended.value)
    return layer.put_together(attended)


def _masked(scores: Bounded, furthest: int) -> Bounded:
    seen = np.tri(scores.shape[-2], scores.shape[-1], furthest, dtype=bool)
    if not seen.any(axis=-1).all():
        raise ValueError("Expected a key for every query. Received: a query without any")
    return softmax(Bounded(np.where(seen, scores.value, HIDDEN), scores.rounding,
                           np.where(seen, scores.bound, 0.0)), -1)


def _without_sum(layer, right, x, held) -> Bounded:
    """The softmax's gradient without its second term."""
    y = right(x, held)
    attended = layer.attended

    def backward(dy: Bounded) -> tuple[Bounded, Bounded]:
        dp = bilinear(lambda d, v: d @ turned(v), dy, attended.value)
        return attended.weights * dp, bilinear(lambda p, d: turned(p) @ d, attended.weights, dy)

    attended.backward = backward
    return y


def _of_ways_back(c) -> list[Variant]:
    """What is value and key at once gets the gradient of one of both."""
    if len(_read_and_masks(c)[0]) != 2 or not c.tensor.startswith("input_gradient"):
        return []
    own = int(c.tensor.rpartition("_")[2])
    found = []
    for said, number in (("only what it sends back as the value", 2),
                         ("only what it sends back as the key", 3)):
        if own == 2:
            found.append(inside("gradient-part-missing", said, lambda c, n=number: c.changed(
                x=_value_as_key(c), tensor=f"input_gradient_{n}")))
    return found


def _read_and_masks(c) -> tuple[tuple, tuple]:
    """What an attention attends to, and its masks."""
    return (c.x[:-2], c.x[-2:]) if len(c.x) > 3 else (c.x, ())


def _value_as_key(c) -> tuple:
    """Its inputs with the value once more, as a key of its own."""
    read, masks = _read_and_masks(c)
    return (*read, read[1], *masks)


def _of_heads(c) -> list[Variant]:
    """Projections that are scaled, exchanged or put together in another way."""
    size, heads = c.layer.config["key_dim"], c.layer.config["num_heads"]
    found = [inside(SCALE, said, lambda c, n=number: c.configured(key_dim=n))
             for said, number in (("the scores are not divided by the root of key_dim", 1),
                                  ("the scores are divided by key_dim, not by its root", size**2),
                                  ("the scores are divided by the root of num_heads * key_dim",
                                   heads * size)) if number != size]
    names = ("query", "key", "value")
    for name in names:
        for other in names:
            shapes = [np.shape(c.weights[f"{each}/kernel"]) for each in (name, other)]
            if name != other and shapes[0] == shapes[1]:
                found.append(inside("projection-swapped", f"the {name} by the weights of the "
                                    f"{other}", lambda c, n=name, o=other: _borrowed(c, n, o)))
        found.append(inside("heads-order", f"of the {name}, in memory", lambda c, n=name: c.hooked(
            projected=lambda layer, right, which, *given: right(which, *given).rearranged(
                _mixed) if which == n else right(which, *given))))
    if isinstance(c.layer, GroupedQueryAttention):
        found += _of_groups(c)
    for name in (*names, OUT):
        if f"{name}/bias" in c.weights and c.tensor == "output":
            found.append(inside("bias-missing", f"of the {name.replace('_', ' ')}", lambda c,
                                n=f"{name}/bias": c.weighing(**{n: 0 * c.weights[n]})))
    for head in range(heads) if heads > 1 else ():
        found.append(inside("heads-dropped", f"the result of head {head + 1} is lost",
                            lambda c, head=head: c.weighing(**{f"{OUT}/kernel": _without(
                                c.weights[f"{OUT}/kernel"], head)})))
    return found


def _of_groups(c) -> list[Variant]:
    """Which query heads share a head of keys and values, and what comes back to it."""
    group = c.layer.group
    if group == 1 or group == c.layer.config["num_heads"]:
        return []
    return [inside("heads-order", "query head u sees the key and value head u modulo their number, "
                   "not those of its group", lambda c: c.hooked(
                       shared=lambda layer, right, heads: heads.rearranged(
                           lambda a: np.tile(a, (1, group, 1, 1))))),
            *[inside("gradient-part-missing", "of a group's gradients that of the query head "
                     f"{head + 1} alone goes back",
                     lambda c, h=head: c.hooked(projected_back=_of_heads_alone([h])))
              for head in range(group)],
            *[inside("scale", f"what goes back to a head of {' and '.join(names)}s is the mean of "
                     "its group, not the sum",
                     lambda c, names=names: c.hooked(projected_back=_mean_of_group(names)))
              for names in (("key",), ("value",), ("key", "value"))]]


def _of_heads_alone(heads: list[int]):
    """What comes back from these heads of each group alone."""
    def back(layer, right, name, gradient, found):
        if name != "query":
            kept = np.isin(np.arange(gradient.shape[1]) % layer.group, heads)
            gradient = gradient.where(np.broadcast_to(kept[:, None, None], gradient.shape))
        return right(name, gradient, found)

    return back


def _mean_of_group(names: tuple[str, ...]):
    def back(layer, right, name, gradient, found):
        return right(name, gradient * (1 / layer.group) if name in names else gradient, found)

    return back


def _without(kernel, head: int) -> np.ndarray:
    left = np.array(kernel)
    left[head] = 0
    return left


def _borrowed(c, name: str, other: str):
    return c.weighing(**{f"{name}/{kind}": c.weights[f"{other}/{kind}"]
                         for kind in ("kernel", "bias") if f"{name}/{kind}" in c.weights})


def _mixed(heads: np.ndarray) -> np.ndarray:
    """(N, heads, T, K), its numbers read as if they lay (N, T, K, heads) in memory."""
    n, number, steps, size = heads.shape
    flat = heads.transpose(0, 2, 1, 3).reshape(n, steps, size, number)
    return np.ascontiguousarray(flat.transpose(0, 3, 1, 2))
