"""How the tests here run a layer, and how they compare what comes out."""

import numpy as np
from hypothesis import settings

from tests.draws import draws

DTYPES = ["float32", "float64"]
EXAMPLES = settings(max_examples=draws(40), deadline=None, derandomize=True, database=None)

# Memory layouts: views with the values of x in their places but another order in memory.
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: x[tuple([slice(None, None, -1)] * x.ndim)].copy()[
        tuple([slice(None, None, -1)] * x.ndim)],
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "batch last": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
}


def run(layer, x, dy, weights=None, layouts=("C", "C")):
    """(y, dx, grads) of a fresh layer at x, given dy; checks dtypes and that inputs stay.

    x and dy are float64 and are handed over in the layer's dtype and in these memory layouts.
    """
    layer.build((None, *x.shape[1:]))
    for name, value in (weights or {}).items():
        assert layer.params[name].shape == value.shape
        layer.params[name][...] = value
    x = LAYOUTS[layouts[0]](x.astype(layer.dtype))
    dy = LAYOUTS[layouts[1]](dy.astype(layer.dtype))
    before = x.copy(), dy.copy(), {name: value.copy() for name, value in layer.params.items()}
    y = layer.forward(x)
    dx = layer.backward(dy)
    assert y.shape[1:] == layer.output_shape[1:], "output_shape is not the output's"
    np.testing.assert_array_equal(x, before[0], "the input was written to")
    np.testing.assert_array_equal(dy, before[1], "the upstream gradient was written to")
    for name, value in layer.params.items():
        np.testing.assert_array_equal(value, before[2][name], f"{name} was written to")
    assert list(layer.grads) == list(layer.params)
    for name, array in [("output", y), ("input gradient", dx), *layer.params.items(),
                        *layer.grads.items()]:
        assert array.dtype == layer.dtype, f"{name} is {array.dtype}"
    return y, dx, layer.grads


def assert_exact(actual, expected, what="") -> None:
    """The same shape and the same numbers, to the last bit (0 and -0 count as the same)."""
    assert actual.shape == expected.shape, what
    np.testing.assert_array_equal(actual, expected, what)


def assert_within(actual, sums, what="") -> None:
    """Each entry no further from the oracle's than rounding can take it; see `Sums.bound`."""
    assert_close(actual, sums.value, sums.bound(actual.dtype), what)


def assert_close(actual, expected, bound, what="") -> None:
    """|actual - expected| <= bound, entry by entry, all of one shape."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: {actual.shape} for {expected.shape}"
    bound = np.broadcast_to(bound, expected.shape)
    error = np.abs(actual.astype(np.float64) - expected)
    if not (error <= bound).all():
        worst = np.unravel_index(np.argmax(np.nan_to_num(error - bound, nan=np.inf)), error.shape)
        raise AssertionError(
            f"{what}: {int((~(error <= bound)).sum())} of {error.size} entries too far off; worst "
            f"at {tuple(map(int, worst))}: {actual[worst]!r} for {expected[worst]!r}, error "
            f"{error[worst]:.3g}, allowed {bound[worst]:.3g}")


def assert_norm_close(actual, expected, units, what="") -> None:
    """No entry further off than `units` roundings of the largest entry (actual's dtype)."""
    scale = np.abs(expected).max()
    assert_close(actual, expected, units * np.finfo(actual.dtype).eps / 2 * scale, what)


def whole(seed, shape, largest=4) -> np.ndarray:
    """Whole numbers from -largest to largest: their sums of products are exact, and they tie."""
    return np.random.default_rng(seed).integers(-largest, largest + 1, shape).astype(np.float64)


def real(seed, shape) -> np.ndarray:
    """Normal numbers, rounded to float32, as float64."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(np.float64)
