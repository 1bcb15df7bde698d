"""Activations by Keras's names: each a function and the gradient it passes back.

They preserve shape and dtype. Keras can also hold, inside a layer, an activation that is itself a
layer; `get` reads such a dictionary and `serialize` writes it back.
"""

import copy

from scratch import custom_objects
from scratch.activations.activation import Activation
from scratch.activations.gelu import approximate_gelu, gelu
from scratch.activations.layers import LAYERS, from_layer, may_stand_inside
from scratch.activations.piecewise import (
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    leaky_relu_with,
    linear,
    relu,
    relu6,
    relu_with,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
)
from scratch.activations.smooth import (
    celu,
    elu,
    elu_with,
    exponential,
    log_sigmoid,
    mish,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    squareplus,
    tanh,
    tanh_shrink,
)
from scratch.activations.softmax import (
    log_softmax,
    softmax,
    softmax_activation,
    softmax_along,
    softmax_gradient,
)
from scratch.errors import UnsupportedError
from scratch.suggestions import did_you_mean

ACTIVATIONS = {a.name: a for a in (
    linear, relu, relu6, leaky_relu, elu, selu, celu, gelu, silu, mish, sigmoid, hard_sigmoid,
    hard_silu, log_sigmoid, tanh, hard_tanh, tanh_shrink, softplus, softsign, squareplus,
    exponential, softmax_activation, log_softmax, hard_shrink, soft_shrink, sparse_plus,
    sparse_sigmoid)}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}

__all__ = [
    "ACTIVATIONS", "ALIASES", "Activation", "approximate_gelu", "elu_with", "get",
    "leaky_relu_with", "may_stand_inside", "relu_with", "require_precision", "serialize", "softmax",
    "softmax_along", "softmax_gradient",
    *(name for name in ACTIVATIONS if name != "softmax")]

KERAS_ALONE = ("glu", "sparsemax", "threshold")  # functions of Keras's that are not here


def get(identifier) -> Activation:
    """An activation from its name, an `Activation`, None for 'linear', or Keras's dictionary.

    Raises:
        UnsupportedError: for anything else.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict) or (isinstance(identifier, str)
                                        and ALIASES.get(identifier, identifier) not in ACTIVATIONS):
        own = _given(identifier)
        if own is not None:
            return own
    name = identifier
    if isinstance(identifier, dict) and _is_kerass_own(identifier):
        if identifier.get("class_name") in LAYERS and isinstance(identifier.get("config"), dict):
            return from_layer(identifier)
        if identifier.get("class_name") == "function":
            name = identifier.get("config")
    if isinstance(name, str) and ALIASES.get(name, name) in ACTIVATIONS:
        return ACTIVATIONS[ALIASES.get(name, name)]
    if isinstance(identifier, dict) and identifier.get("class_name") == "function" \
            and isinstance(identifier.get("config"), str) and not (
                _is_kerass_own(identifier) and identifier["config"] in KERAS_ALONE):
        raise UnsupportedError(
            f"Activation {identifier['config']!r:.100} is a function of somebody's own. Give what "
            f"it is here: custom_objects={{{identifier['config']!r:.100}: (function, gradient)}}.")
    raise UnsupportedError(
        f"Activation {identifier!r:.200} is not supported.{did_you_mean(identifier, ACTIVATIONS)} "
        f"Expected one of: {', '.join(ACTIVATIONS)}, "
        f"or the config of one of the layers {', '.join(LAYERS)}.")


def _given(entry: dict | str) -> Activation | None:
    """What was given for a function of somebody's own, with the config that names it."""
    if isinstance(entry, str):
        entry = {"module": "builtins", "class_name": "function", "config": entry,
                 "registered_name": "function"}
    found = custom_objects.given(entry)
    if found is None or isinstance(found, type):
        return None
    if not isinstance(found, Activation):
        found = Activation(custom_objects.names_of(entry)[0], *found)
    return found._replace(config=entry)


def _is_kerass_own(config: dict) -> bool:
    """Whether this names something of Keras's, not somebody's own of the same name."""
    module, registered = config.get("module"), config.get("registered_name")
    return ((module in (None, "builtins") or module.split(".")[0] == "keras")
            and registered in (None, config.get("class_name"), config.get("config")))


# those whose arithmetic in float16 and bfloat16 is proved to be Keras's; of softsign and squareplus
# Keras squares an argument, which may overflow in float16 and does not here
LOW_PRECISION = tuple(name for name in ACTIVATIONS
                      if name not in ("softsign", "squareplus", "sparse_plus"))


def require_precision(activation: Activation, policy, owner) -> None:
    """Refuse an activation made from a layer of another precision than its owner's, if it has one,
    and one whose arithmetic in a low precision is not proved.

    Args:
        policy: the owner's, or None where that is not known yet.

    Raises:
        UnsupportedError: naming both precisions, or the activation.
    """
    if policy is not None and policy.low and (activation.config
                                              or activation.name not in LOW_PRECISION):
        raise UnsupportedError(f"{owner} does not support activation={activation.name!r} with "
                               f"dtype={policy.name!r}: what Keras computes in {policy.compute} is "
                               f"not proved for it. Expected one of: {', '.join(LOW_PRECISION)}.")
    inner = activation.config and not custom_objects.is_custom(activation) \
        and activation.config["config"].get("dtype")
    if inner and policy is not None and inner["config"]["name"] != policy.name:
        raise UnsupportedError(f"{owner} does not support an activation of another precision. "
                               f"Expected: {policy.name}. Received: {inner['config']['name']}")


def serialize(activation: Activation, dtype) -> str | dict:
    """The name, or the layer's dictionary, by which Keras knows this activation.

    Args:
        dtype: the precision that a layer's dictionary is to name.

    Raises:
        UnsupportedError: for one that no Keras config can name.
    """
    if custom_objects.is_custom(activation):
        return dict(activation.config or {})
    if activation.config is not None:
        config = copy.deepcopy(activation.config)
        config["config"]["dtype"] = {"module": "keras", "class_name": "DTypePolicy",
                                     "config": {"name": dtype.name}, "registered_name": None}
        return config
    if activation.name not in ACTIVATIONS:
        raise UnsupportedError(f"Activation {activation.name!r} has no name in a Keras config. "
                               f"Expected one of: {', '.join(ACTIVATIONS)}.")
    return activation.name
