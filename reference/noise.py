"""Layers that are random in training, made to use given numbers instead of drawing their own.

Two networks that share their noise can be compared although they are random. A dropout's noise is
what it multiplies its input by, 0 or 1 / (1 - rate), or a normal number around 1; a stochastic
depth's is likewise one number for each sample; a Gaussian noise's is what it adds; an alpha
dropout's is 1 where the input is kept, else 0.
"""

import contextlib
import itertools

import numpy as np

from reference.quiet import keras, tf

StochasticDepth = keras.src.applications.convnext.StochasticDepth
MULTIPLYING = (keras.layers.Dropout, keras.layers.GaussianDropout, StochasticDepth)


def is_random(layer) -> bool:
    """Whether the layer draws numbers in training."""
    if isinstance(layer, StochasticDepth):
        return layer.drop_path_rate > 0
    if isinstance(layer, (*MULTIPLYING, keras.layers.AlphaDropout)):
        return layer.rate > 0
    return isinstance(layer, keras.layers.GaussianNoise) and layer.stddev > 0


def apply(layer, x, noise):
    """What a random layer makes of x with this noise, in training."""
    noise = tf.cast(noise, x.dtype)
    if isinstance(layer, keras.layers.AlphaDropout):
        return alpha_dropout(layer, x, noise)
    return x * noise if isinstance(layer, MULTIPLYING) else x + noise


def alpha_dropout(layer, x, kept):
    """Keras's formula, which its layer does not let be called with a given draw."""
    saturated, rate = -1.6732632423543772 * 1.0507009873554805, layer.rate
    scale = ((1 - rate) * (1 + rate * saturated**2)) ** -0.5
    return scale * (x * kept + saturated * (1 - kept)) - scale * saturated * rate


def drawn(layer, x) -> np.ndarray:
    """The noise that the layer itself draws for a batch like x; its generator is left as it was."""
    own = getattr(layer, "seed_generator", None)
    state = (own or keras.src.random.seed_generator.global_seed_generator()).state
    kept = np.array(state.numpy())
    blank = tf.ones_like(x) if isinstance(layer, MULTIPLYING) else tf.zeros_like(x)
    try:
        made = np.array(layer(blank, training=True).numpy())
    finally:
        state.assign(kept)
    if isinstance(layer, keras.layers.AlphaDropout):  # of zeros it makes two numbers
        return (made > 0).astype(made.dtype)
    return made


def by_layer(layers: list, noise: dict) -> dict:
    """What each layer uses at its calls, in their order: {layer: [noise, ...]}.

    Args:
        layers: of all calls.
        noise: by the calls' positions.
    """
    found: dict = {}
    for position in sorted(noise):
        found.setdefault(layers[position], []).append(noise[position])
    return found


@contextlib.contextmanager
def given(noise: dict):
    """Random layers use `noise`, {layer: [tensor for each of its calls]}, as long as the block
    lasts, if in training."""

    def using(layer, tensors, own):
        calls = itertools.cycle(tensors)

        def call(x, training=False):
            return apply(layer, x, next(calls)) if training else own(x, training=False)

        return call

    try:
        for layer, tensors in noise.items():
            layer.call = using(layer, tensors, layer.call)
        yield
    finally:
        for layer in noise:
            vars(layer).pop("call", None)  # and the class's own is back
