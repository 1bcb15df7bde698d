"""What is asked for a function of JAX's; JAX itself is loaded only then."""

import importlib.util

from compare.adapters import wrap
from compare.checks.array_layout import FORMATS

JAX_MISSING = 'JAX is not installed; install it with: pip install "keras-parity[jax]"'


def is_jax(thing: object) -> bool:
    """Whether this is a `JaxFunction`, told without importing JAX."""
    return type(thing).__name__ == "JaxFunction" and \
        type(thing).__module__.startswith("compare.runtimes.jax_functions")


def from_jax(function, params, names=None, weights=None, data_format=None):
    """A function of (params, x), to be held against a Keras model: `compare.check(..., twin, x)`.

    Its steps are cut where Keras's layers end; each piece is judged forward, and backward by
    `jax.vjp`.

    Args:
        function: takes the params and a batch, gives one array, the same for the same numbers.
        params: any nesting of dictionaries, lists and arrays.
        names: where order, names and numbers do not tell: paths of arrays for Keras's weights,
            `{'dense/kernel': "['fc']['w']"}`, or steps for its layers,
            `{'conv2d': 'conv/add:12'}`.
        weights: 'copied': Keras's weights are put in place of the arrays; 'compared': the params'
            own must be Keras's; None, the default: compared if some are Keras's, otherwise copied,
            and the report says so.
        data_format: 'channels_first' or 'channels_last', as the function has images, where shapes
            fit both.

    Raises:
        ImportError: where JAX is not installed.
        TypeError, ValueError: for arguments that make no sense, named one by one.
    """
    _require_jax(function)
    if weights not in (None, "copied", "compared"):
        raise ValueError("Expected weights to be 'copied', 'compared' or None. "
                         f"Received: {weights!r}")
    if data_format not in (None, *FORMATS):
        raise ValueError(f"Expected data_format to be one of {(None, *FORMATS)}. "
                         f"Received: {data_format!r}")
    from compare.runtimes.jax_functions.network import JaxFunction

    return JaxFunction(function, params, names or {}, weights, data_format)


def wrap_jax(function, weights=None, like=None, **conventions):
    """A function of (weights, x) for one layer, in a list of such; its gradients are by `jax.vjp`.

    Args:
        function: takes a dictionary of arrays and a batch, gives one array.
        weights: that dictionary, by Keras's names: {'kernel': ..., 'bias': ...}.
        like, conventions: as for `compare.wrap`, such as kernel_layout and data_format.

    Returns:
        What `compare.wrap` returns.

    Raises:
        ImportError: where JAX is not installed.
        TypeError, ValueError: for arguments that make no sense, named one by one.
    """
    _require_jax(function)
    from compare.runtimes.jax_functions.layer import JaxLayer, gradient_place, named, place

    held = dict(weights or {})
    layer = named(JaxLayer(function, held, getattr(function, "__name__", "function").strip("<>")))
    return wrap(layer, like, forward_takes=("x",), weights={name: place(name) for name in held},
                gradients={name: gradient_place(name) for name in held
                           if not name.startswith("moving_")}, **conventions)


def _require_jax(function) -> None:
    if importlib.util.find_spec("jax") is None:
        raise ImportError(JAX_MISSING)
    if not callable(function):
        raise TypeError(f"Expected a function of (params, x). Received: {type(function).__name__}")
