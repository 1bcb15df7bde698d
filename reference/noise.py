"""Layers that are random in training, made to use given numbers instead of drawing their own.

Two networks that share their noise can be compared although they are random. A dropout's noise is
what it multiplies its input by, 0 or 1 / (1 - rate), or a normal number around 1; a stochastic
depth's is likewise one number for each sample; a Gaussian noise's is what it adds; an alpha
dropout's is 1 where the input is kept, else 0. Of the augmentations of images some are handed what
they drew for each image; all others leave images as they are, so that two networks can be compared.
"""

import contextlib
import functools
from typing import Any

import numpy as np

from reference import image_draws, recurrent_noise
from reference.quiet import keras, tf
from reference.steps import STEPWISE, OnSteps, at_step, in_turn, inside

StochasticDepth = keras.src.applications.convnext.StochasticDepth
MULTIPLYING = (keras.layers.Dropout, keras.layers.GaussianDropout, StochasticDepth)
OF_HEADS = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)


def drops_weights(layer) -> bool:
    """Whether it is an attention with a dropout of what it weighs its values by."""
    return _dropout_of(layer) > 0


def _dropout_of(layer) -> float:
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return float(layer._dropout)
    dropping = (keras.layers.Attention, keras.layers.GroupQueryAttention)
    return float(layer.dropout) if isinstance(layer, dropping) else 0.0


def is_random(layer) -> bool:
    """Whether the layer draws numbers in training."""
    if isinstance(layer, STEPWISE):
        return is_random(layer.layer)
    if image_draws.is_drawn(layer) or drops_weights(layer) or recurrent_noise.drops(layer):
        return True
    if isinstance(layer, StochasticDepth):
        return layer.drop_path_rate > 0
    if isinstance(layer, (*MULTIPLYING, keras.layers.AlphaDropout)):
        return layer.rate > 0
    return isinstance(layer, keras.layers.GaussianNoise) and layer.stddev > 0


def apply(layer, x, noise, **mask):
    """What a random layer makes of x, a list for an attention, with this noise, in training.

    Args:
        mask: of a recurrent layer or an attention, as its arguments; none where no mask comes.
    """
    if drops_weights(layer):
        with given({layer: [noise]}):
            if isinstance(layer, OF_HEADS):
                return layer.call(*x, training=True, **mask)
            return layer.call(x, training=True, **mask)
    if image_draws.is_drawn(layer):
        return image_draws.apply(layer, x, noise)
    if recurrent_noise.drops(layer):
        with given({layer: [noise]}):
            return layer.call(x, training=True, **mask)
    if isinstance(layer, STEPWISE):
        return _apply_by_step(layer.layer, x, noise)
    noise = tf.cast(noise, x.dtype)
    if isinstance(layer, keras.layers.AlphaDropout):
        return alpha_dropout(layer, x, noise)
    return x * noise if isinstance(layer, MULTIPLYING) else x + noise


def _apply_by_step(inner, x, noise):
    """The layer inside on all steps, as samples, with noise (batch, steps, ...)."""
    samples, steps = tf.shape(x)[0], tf.shape(x)[1]
    shape = tf.concat([[samples, steps], tf.shape(noise)[2:]], 0)
    rows = tf.reshape(tf.broadcast_to(tf.cast(noise, x.dtype), shape), [-1, *noise.shape[2:]])
    y = apply(inner, tf.reshape(x, [-1, *x.shape[2:]]), rows)
    return tf.reshape(y, tf.concat([[samples, steps], tf.shape(y)[1:]], 0))


def alpha_dropout(layer, x, kept):
    """Keras's formula, which its layer does not let be called with a given draw."""
    saturated, rate = -1.6732632423543772 * 1.0507009873554805, layer.rate
    scale = ((1 - rate) * (1 + rate * saturated**2)) ** -0.5
    return scale * (x * kept + saturated * (1 - kept)) - scale * saturated * rate


def drawn(layer: Any, x: Any) -> np.ndarray:
    """The noise that the layer itself draws for a batch like x; its generator is left as it was."""
    if drops_weights(layer):
        return _drawn_weights(layer, x)
    if recurrent_noise.drops(layer):
        return recurrent_noise.drawn(layer, x)
    if isinstance(layer, STEPWISE):
        made = drawn(layer.layer, tf.reshape(x, [-1, *x.shape[2:]]))
        made = made.reshape((1,) * (x.ndim - 1 - made.ndim) + made.shape)
        first = x.shape[:2] if len(made) > 1 else (1, 1)
        return np.broadcast_to(made.reshape(*first, *made.shape[1:]),
                               (first[0], x.shape[1], *made.shape[1:]))
    own = getattr(layer, "seed_generator", None) or getattr(layer, "generator", None)
    state = (own or keras.src.random.seed_generator.global_seed_generator()).state
    kept = np.array(state.numpy())
    try:
        if image_draws.is_drawn(layer):
            return image_draws.drawn(layer, x)
        blank = tf.ones_like(x) if isinstance(layer, MULTIPLYING) else tf.zeros_like(x)
        made = np.array(layer(blank, training=True).numpy())
    finally:
        state.assign(kept)
    if isinstance(layer, keras.layers.AlphaDropout):  # of zeros it makes two numbers
        return (made > 0).astype(made.dtype)
    return made


def _drawn_weights(layer, x: list) -> np.ndarray:
    """An attention's noise, for a list of inputs."""
    heads = getattr(layer, "num_heads", getattr(layer, "num_query_heads", None))
    shape = [x[0].shape[0], *([] if heads is None else [heads]), x[0].shape[1], x[1].shape[1]]
    dropout = keras.layers.Dropout(_dropout_of(layer), seed=layer.seed, dtype=layer.dtype)
    return np.array(dropout(tf.ones(shape, layer.dtype), training=True))


def by_layer(layers: list, noise: dict) -> dict:
    """What each layer uses at its calls, in their order: {layer: [noise, ...]}; None for the
    augmentations that leave images as they are.

    Args:
        layers: of all calls.
        noise: by the calls' positions.
    """
    found: dict = {layer: None for layer in layers if image_draws.is_undrawn(layer)}
    for position in sorted(noise):
        layer, given = layers[position], [noise[position]]
        if isinstance(layer, OnSteps) and (inside(layer) in found
                                           or isinstance(layer.layer, OnSteps)):
            raise ValueError(f"Layer {layer.name!r}: expected a layer that draws on every step of "
                             "a sequence to be called once. Received one that is called again")
        if isinstance(layer, OnSteps):  # a call of the layer for each step
            layer, steps = layer.layer, noise[position].shape[1]
            given = [functools.partial(at_step, noise[position], t) for t in range(steps)]
        found.setdefault(layer, []).extend(given)
    return found


@contextlib.contextmanager
def given(noise: dict):
    """Random layers use `noise`, {layer: [tensor for each of its calls]}, as long as the block
    lasts, if in training."""

    def weighing(layer, tensors):
        """An attention's own way from scores to what it puts out, with this noise."""
        calls, own = in_turn(tensors), layer._apply_scores

        def attended(scores, value, scores_mask=None, training=False):
            made, weights = own(scores, value, scores_mask=scores_mask, training=False)
            if not training:
                return made, weights
            weights = weights * tf.cast(next(calls), scores.dtype)
            return keras.ops.matmul(weights, value), weights

        return attended

    def using(layer, tensors, own):
        calls = in_turn(tensors) if tensors else None

        def call(x, training=False, **more):
            if training and calls:
                return apply(layer, x, next(calls))
            return own(x, training=False, **more)

        return call

    changed = []
    try:
        for layer, tensors in noise.items():
            if isinstance(layer, OF_HEADS):
                inner = layer._dropout_layer
                inner.call = using(inner, tensors, inner.call)
            elif isinstance(layer, keras.layers.Attention):
                layer._apply_scores = weighing(layer, tensors)
            elif recurrent_noise.drops(layer):
                changed += recurrent_noise.handed(layer, tensors)
            else:
                layer.call = using(layer, tensors, layer.call)
        yield
    finally:
        for layer in [*noise, *changed]:
            for thing in (layer, getattr(layer, "_dropout_layer", layer)):
                for name in ("call", "_apply_scores"):
                    vars(thing).pop(name, None)  # and the class's own is back
