"""Puts an object in the place of a layer: of Keras's, of scratch's, or one that a config describes.
"""

import copy

from compare.adapters import keras_only, random_layer
from compare.adapters.layer import layer_class
from compare.tracing.model_kinds import is_keras, kind
from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config
from scratch.layers import LAYERS, Layer


def placed(how, like, keras_layer=None, form=None):
    """The layer that the object of `how` is, where it stands for `like`.

    It is built if the input's shape is known, from `like` or from `how.input_shape`, and then has
    the weights of `like` or, if that has none, the object's own.

    Args:
        how: `Conventions`.
        like: a layer, or a config dictionary with 'class_name' and 'config'.
        keras_layer: where a config is given, the live layer that it is of, if there is one. Of a
            class that scratch does not have Keras's own layer is the oracle.
        form: the class of `compare.adapters.layer` that it is of, None for what the conventions
            say.

    Raises:
        TypeError: for anything else.
        ValueError: for a layer that is not supported, or that draws at random and is to be run in
            training.
    """
    entry, weights, shape = described(like)
    if keras_only.is_unknown(entry):
        base = keras_only.stand_in(entry, keras_layer if isinstance(like, dict) else like)
        return _built(how, layer_class(how, base)(**keras_only.settings_of(entry)), weights, shape)
    model = layer_from_config(entry)
    if hasattr(model, "active") and how.backward is not None and (
            how.mask is None or not isinstance(model, random_layer.KINDS)):
        told = ": compare.wrap(..., mask='mask'), with a mask that can be read after each " \
            "forward pass, or" if isinstance(model, random_layer.KINDS) else ", for which"
        raise UnsupportedError("Expected a layer that draws nothing at random, or is told where it "
                               f"keeps what it drew. Received: {model}{told} scratch's own can "
                               "take part")
    if model.merges:
        raise UnsupportedError(f"Expected a layer of one input. Received: {model}")
    draws = hasattr(model, "active") and how.backward is not None
    cls = layer_class(how, LAYERS[entry["class_name"]], random_layer.Drawing if draws else form)
    return _built(how, cls.from_config(entry["config"]), weights, shape)


def _built(how, layer, weights: list, shape: tuple | None):
    """The layer, built and with these weights if the shape of its input is known."""
    layer.strict = True
    shape = how.input_shape if how.input_shape is not None else shape
    if shape is not None:
        layer.dtype = layer.requested_dtype or layer.dtype
        layer.build((None, *shape))
        for name, weight in zip(layer.params, weights):
            layer.params[name][...] = weight
    return layer


def described(like) -> tuple[dict, list, tuple | None]:
    """(config dictionary, weights, input shape of one sample or None) of a layer."""
    if isinstance(like, dict):
        built = (like.get("build_config") or {}).get("input_shape")
        return like, [], None if built is None else tuple(built[1:])
    if isinstance(like, Layer):
        shape = tuple(like.input_shape[1:]) if like.built else None
        config = copy.deepcopy(like.get_config())
        return {"class_name": kind(like), "config": config}, list(like.params.values()), shape
    if is_keras(like) and hasattr(like, "get_build_config"):
        built = (like.get_build_config() or {}).get("input_shape") if like.built else None
        shape = None if built is None else tuple(built[1:])
        return ({"class_name": type(like).__name__, "config": like.get_config()},
                like.get_weights(), shape)
    raise TypeError("Expected like to be a Keras layer, a scratch layer, or a config dictionary "
                    f"with 'class_name' and 'config'. Received: {like!r:.100}")
