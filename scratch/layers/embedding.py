"""Classes, such as words, as vectors that are learned."""

import numpy as np

from scratch import initializers, regularizers
from scratch.layers.arguments import positive
from scratch.layers.base import Layer


class Embedding(Layer):
    """The row of the weight `embeddings` that each number of the input names.

    Weights: embeddings (input_dim, output_dim).

    Args:
        input_dim: how many classes there are.
        output_dim: how many numbers stand for each.
        embeddings_initializer: how the first weights are drawn, a name or an object of
            `scratch.initializers`.
        embeddings_regularizer: a penalty on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        embeddings_constraint: a name or an object of `scratch.constraints`; None for none.
        mask_zero: whether class 0 is padding: the layers behind that use masks leave its places
            out, see `scratch.masks`.
        weights, lora_rank, lora_alpha, quantization_config: None; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), class numbers from 0 to input_dim - 1. What is behind a point is cut off, and
        -1 is the last class, as in Keras.

    Output shape:
        (batch, ..., output_dim).

    The input has no gradient: a class number cannot change by a little. So `backward` returns None,
    and no layer that learns may stand before this one.

    Raises:
        ValueError: if a size is no positive integer; in `forward` for a class that there is not.
        UnsupportedError: for adapters (LoRA) and quantization.

    Example:
        >>> layer = scratch.Embedding(3, 2)
        >>> layer.build((None, 4))
        >>> layer.params["embeddings"][...] = [[0, 1], [2, 3], [4, 5]]
        >>> layer([[2, 0, 0, 1]]).tolist()
        [[[4.0, 5.0], [0.0, 1.0], [0.0, 1.0], [2.0, 3.0]]]
    """

    sample_by_sample = True
    takes_low_precision = True
    casts_weights = False  # the rows that are looked up are cast
    without_input_gradient = True
    neutral = {"embeddings_constraint": (None,), "weights": (None,),
               "lora_rank": (None,), "lora_alpha": (None,), "quantization_config": (None,)}

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform",
                 embeddings_regularizer=None, mask_zero=False, **kwargs):
        super().__init__(**kwargs)
        self.makes_masks = self.mask_zero = bool(mask_zero)
        self.input_dim = positive(input_dim, "input_dim", self)
        self.output_dim = positive(output_dim, "output_dim", self)
        self.initializers = {"embeddings": initializers.get(embeddings_initializer)}
        penalty = regularizers.get(embeddings_regularizer)
        self.regularizers = {} if penalty is None else {"embeddings": penalty}

    def autocast(self, value):
        return value  # class numbers, which Keras does not cast

    def compute_mask(self, x):
        """Whether a place's class is another one than 0."""
        return x != 0

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight("embeddings", (self.input_dim, self.output_dim),
                        self.initializers["embeddings"])

    def forward(self, x, training=False):
        low, high = -self.input_dim, self.input_dim - 1
        strange = x[~((x > low - 1) & (x < high + 1))]  # a NaN is neither
        if strange.size:
            raise ValueError(f"{self}: expected class numbers from 0 to {high} (input_dim="
                             f"{self.input_dim}). Received: {strange.reshape(-1)[0]}")
        self._classes = x.astype(np.int64) % self.input_dim
        # (N, T) -> (N, T, D)
        return self.params["embeddings"][self._classes]

    def backward(self, dy, wants_input_gradient=True):
        total = np.zeros_like(self.params["embeddings"])
        # (N, T, D) -> (classes, D): the gradients of a class's places are added up
        np.add.at(total, self._classes, dy)
        self.grads = {"embeddings": total}

    def get_config(self):
        config = {**super().get_config(), "input_dim": self.input_dim,
                  "output_dim": self.output_dim, "mask_zero": self.mask_zero,
                  "embeddings_initializer": initializers.serialize(
                      self.initializers["embeddings"]),
                  "embeddings_regularizer": regularizers.serialize(
                      self.regularizers.get("embeddings"))}
        for argument in ("weights", "lora_rank", "lora_alpha"):
            del config[argument]  # which Keras leaves out
        return {"activity_regularizer": None, **config}
