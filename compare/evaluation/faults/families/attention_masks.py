"""Faults of masks in attentions: padding that is looked at, or that looks itself."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import patched
from compare.evaluation.faults.networks import SGD, SOFT, ended
from compare.evaluation.fuzzing.specification import Node
from scratch.naming import snake_case

OUT = "output"
STEPS = "steps-mask"


def padded(class_name: str, **arguments):
    """The attention of an embedding that takes class 0 for padding to a layer behind it."""
    nodes = [Node("Embedding", {"name": "embedding", "input_dim": 4, "output_dim": 4,
                                "mask_zero": True}, [-1]),
             Node("Dense", {"name": "seen", "units": 4}, [0]),
             Node(class_name, {"name": snake_case(class_name), **arguments}, [0, 1]),
             Node("GlobalAveragePooling1D", {"name": "mean"}, [2])]
    return ended(nodes, (6,), SOFT, SGD, 5, "float32", 1, False, None)


def same(mask: np.ndarray) -> np.ndarray:
    return mask


def late(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, 1, axis=1)


def with_masks(of_queries, of_keys):
    """The layer's forward pass on other masks, of_queries(mask) and of_keys(mask)."""
    def forward(layer, right, x, training=False):
        queries, keys = (np.asarray(mask != 0) for mask in x[-2:])
        return right([*x[:-2], of_queries(queries), of_keys(keys)], training)

    return lambda layer: patched(layer, forward=forward)


def zeros_for_padding(layer, right, scores):
    """A query that sees nothing weighs nothing, although there is no dropout."""
    weights = right(scores)
    return np.where(layer._seen, weights, weights.dtype.type(0))


NETWORKS = {
    "Attention": padded("Attention"), "AdditiveAttention": padded("AdditiveAttention"),
    "MultiHeadAttention": padded("MultiHeadAttention", num_heads=2, key_dim=3),
    "GroupedQueryAttention": padded("GroupedQueryAttention", head_dim=3, num_query_heads=4,
                                    num_key_value_heads=2)}
TABLE = [
    *[(name, "ignored", "padding is seen, and sees, as any other step",
       with_masks(np.ones_like, np.ones_like)) for name in NETWORKS],
    *[(name, "inverted", "padding alone is seen", with_masks(same, np.logical_not))
      for name in NETWORKS],
    *[(name, "late", "the keys' mask is one step late", with_masks(same, late))
      for name in ("Attention", "MultiHeadAttention")],
    ("Attention", "queries", "padding puts out what other steps do",
     with_masks(np.ones_like, same)),
    ("MultiHeadAttention", "zeros", "padding sees nothing at all",
     lambda layer: patched(layer, _softmax=zeros_for_padding)),
]


def faults():
    """All of them."""
    for class_name, name, sentence, inject in TABLE:
        layer = snake_case(class_name)
        yield single("Masks", f"mask-{layer.replace('_', '-')}-{name}", sentence,
                     NETWORKS[class_name], layer, OUT, STEPS, inject)
