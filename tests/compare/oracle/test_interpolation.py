"""The oracle of interpolation: the loops' values, and bounds that hold for every way to compute it.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from compare.oracle.interpolation import FLOAT32, KINDS, weights
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded
from tests.compare.support.oracle_checks import FLOAT64, assert_inside, bounded, perturbed, run
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import EXAMPLES, real, whole
from tests.scratch.support.interpolation import interpolated, weights_at
from tests.scratch.support.pooling import FORMATS

sizes = st.tuples(st.integers(1, 4), st.integers(1, 5))
images = st.permutations([1, 2, 3, 4, 5, 7]).map(lambda n: (2, *n[:2], 3))


def config(size, kind, data_format="channels_last"):
    return {"size": size, "interpolation": kind, "data_format": data_format}


@given(images, sizes, st.sampled_from(sorted(KINDS)), seeds)
@EXAMPLES
def test_values_are_the_loops(shape, size, kind, seed):
    x = real(seed, shape)
    dy = real(seed + 1, (2, shape[1] * size[0], shape[2] * size[1], 3))
    y, dx = interpolated(x, size, kind, dy)
    for data_format in FORMATS:
        def moved(array, first=data_format == "channels_first"):
            return np.moveaxis(array, -1, 1) if first else array

        found = run(oracle_for("UpSampling2D", config(size, kind, data_format)), moved(x), {},
                    moved(dy))
        for tensor, right in (("output", y), ("input_gradient", dx)):
            np.testing.assert_allclose(found[tensor].value, moved(right), rtol=1e-11, atol=1e-12)


def sources(kind, o, size, factor, rng):
    """{pixel: weight} of output pixel o, each step of working them out rounded to float32."""
    half, one = np.float32(0.5), np.float32(1)
    scale = np.float32(size) / np.float32(size * factor) if rng.random() < 0.5 else \
        one / (one / np.float32(1 / factor))
    place = (np.float32(o) + half) * scale - half
    if kind == "bilinear":
        place = np.float32(min(max(place, 0), size - 1))
        before = int(np.floor(place))
        part = place - np.float32(before)
        return {before: one - part, min(before + 1, size - 1): part} if part else {before: one}
    if kind == "bicubic":
        before = int(np.floor(place))
        entry = np.float32(np.rint((place - np.float32(before)) * np.float32(1024)))
        found = {}
        for k in (-1, 0, 1, 2):
            d = abs(entry / np.float32(1024) - np.float32(k))
            a = np.float32(-0.5)
            found[before + k] = (((a + 2) * d - (a + 3)) * d * d + one if d <= 1 else
                                 ((a * d - 5 * a) * d + 8 * a) * d - 4 * a)
    else:
        radius, pi = np.float32(kind[-1]), np.float32(np.pi)
        found = {}
        for pixel in range(size):
            d = abs(np.float32(pixel) + half - (place + half))
            if d <= radius:
                found[pixel] = one if d <= 1e-3 else (radius * np.sin(pi * d) * np.sin(
                    pi * d / radius) / (pi * pi * d * d))
    found = {pixel: weight for pixel, weight in found.items() if 0 <= pixel < size}
    total = np.float32(0)
    for weight in found.values():
        total += weight
    reciprocal = rng.random() < 0.5
    return {pixel: weight * (one / total) if reciprocal else weight / total
            for pixel, weight in found.items()}


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(st.integers(1, 40), st.integers(1, 9), seeds)
@EXAMPLES
def test_weights_are_within_their_errors(kind, size, factor, seed):
    """Those in exact fractions, and those that float32 makes of them in several ways."""
    rng, found = np.random.default_rng(seed), weights(size, factor, kind)
    for o in range(size * factor):
        for made in (weights_at(o, size, factor, kind), sources(kind, o, size, factor, rng)):
            row = np.zeros(size)
            for pixel, weight in made.items():
                row[pixel] += weight
            assert (np.abs(row - found.value[o]) <= found.error[o] + 1e-12).all(), o
    assert (found.error <= found.magnitude).all()
    assert found.error.max() < 3e-4, "the bound is loose"


@given(images, sizes, seeds)
@EXAMPLES
def test_a_bilinear_kernel_that_subtracts_first_keeps_to_the_bound(shape, size, seed):
    """a + (b - a) w, columns first or rows first: that is TensorFlow's way, and another."""
    rng = np.random.default_rng(seed)
    x = real(seed, shape).astype("float32")
    bound = oracle_for("UpSampling2D", config(size, "bilinear")).forward(bounded(x), {})
    for order in ((2, 1), (1, 2)):
        y = x
        for axis in order:
            n, factor = shape[axis], size[axis - 1]
            lines = []
            for o in range(n * factor):
                (a, _), *rest = sources("bilinear", o, n, factor, rng).items()
                low = y.take(a, axis)
                for b, weight in rest:
                    low = low + (y.take(b, axis) - low) * weight
                lines.append(low)
            y = np.stack(lines, axis)
        assert y.dtype == np.float32
        assert_inside(bound, y, f"order {order}")


CASES = [((2, 3), (2, 5, 6, 3)), ((4, 1), (2, 4, 7, 1)), ((5, 7), (1, 6, 3, 2)),
         ((2, 2), (1, 40, 31, 1)), ((3, 6), (2, 1, 2, 2))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_keras_and_scratch_keep_to_the_bounds(keras, kind, dtype):
    """TensorFlow computes in float32 in any case; of some kinds it has no gradient in float64."""
    import tensorflow as tf

    for size, shape in CASES:
        x = real(1, shape).astype(dtype)
        layer = keras.layers.UpSampling2D(size, interpolation=kind, dtype=dtype)
        source = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = layer(source)
        dy = real(2, tuple(y.shape)).astype(dtype)
        found = run(oracle_for("UpSampling2D", layer.get_config()), x, {}, dy,
                    FLOAT32 if dtype == "float32" else FLOAT64)
        ours = scratch.UpSampling2D(size, interpolation=kind, dtype=dtype)
        assert_inside(found["output"], y.numpy(), f"Keras, output, {size}")
        assert_inside(found["output"], ours(x), f"scratch, output, {size}")
        assert_inside(found["input_gradient"], ours.backward(dy), f"scratch, gradient, {size}")
        if dtype == "float32" or not kind.startswith("lanczos"):
            dx = tape.gradient(y, source, output_gradients=tf.constant(dy))
            assert_inside(found["input_gradient"], dx.numpy(), f"Keras, gradient, {size}")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.3])
def test_errors_of_the_inputs_are_carried_along(kind, size):
    settings = config((2, 3), kind)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, dy = real(seed, (2, 4, 3, 2)), real(seed + 1, (2, 8, 9, 2))
        errors = [size * rng.random(array.shape) + 1e-12 for array in (x, dy)]
        oracle, moved = (oracle_for("UpSampling2D", settings) for _ in range(2))
        y = oracle.forward(Bounded(x, FLOAT32, errors[0]), {})
        dx, _ = oracle.backward(Bounded(dy, FLOAT32, errors[1]))
        for _ in range(4):
            assert_inside(y, moved.forward(bounded(perturbed(x, errors[0], rng)), {}).value, "y")
            other, _ = moved.backward(bounded(perturbed(dy, errors[1], rng)))
            assert_inside(dx, other.value, "dx")


@pytest.mark.parametrize("kind, size, exact", [
    ("bilinear", (2, 4), True), ("bilinear", (1, 2), True), ("bilinear", (2, 3), False),
    ("bicubic", (2, 2), False), ("lanczos3", (2, 2), False), ("nearest", (3, 5), True)])
def test_which_interpolations_round_whole_numbers(keras, kind, size, exact):
    oracle = oracle_for("UpSampling2D", config(size, kind))
    assert oracle.exact is exact
    if exact:
        x = whole(1, (2, 5, 6, 3))
        y = keras.layers.UpSampling2D(size, interpolation=kind)(x.astype("float32")).numpy()
        np.testing.assert_array_equal(oracle.forward(bounded(x), {}).value, y)
