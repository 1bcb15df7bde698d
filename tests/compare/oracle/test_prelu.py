"""The oracle's PReLU: loops, sums in random order, and Keras."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.activation_checks import SHAPE, assert_inside, sweep
from tests.compare.support.oracle_checks import added_up
from tests.scratch.support.activation_oracles import prelu
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, real, whole


@given(shared=st.sets(st.integers(1, 3)), integers=st.booleans(), seed=seeds)
@EXAMPLES
def test_prelu_is_the_loops_prelu(shared, integers, seed):
    shape, draw = (3, 2, 4, 3), whole if integers else real
    x, dy = draw(seed, shape), draw(seed + 1, shape)
    alpha = draw(seed + 2, tuple(1 if axis in shared else shape[axis] for axis in (1, 2, 3)))
    rounding = Rounding.of("float32")
    oracle = oracle_for("PReLU", {"shared_axes": sorted(shared)})
    y = oracle.forward(Bounded(x, rounding), {"alpha": Bounded(alpha, rounding)})
    dx, gradients = oracle.backward(Bounded(dy, rounding))
    counts = oracle.reductions(shape, shape)
    assert oracle.exact
    for name, result, sums in zip(("output", "input_gradient", "alpha_gradient"),
                                  (y, dx, gradients["alpha"]), prelu(x, alpha, dy)):
        np.testing.assert_allclose(result.value, sums.value, rtol=1e-12, atol=1e-12, err_msg=name)
        assert counts[name] >= max(len(terms) for terms in sums.terms.flat)
        for order in range(3):
            rng = np.random.default_rng(order)
            array = sums._each(functools.partial(added_up, rng=rng))
            assert_inside(result, array, array, f"{name}, order {order}")
        magnitude = sums._each(lambda terms: sum(map(abs, terms)))
        loosest = rounding.gamma(counts[name] + 1) * magnitude * 1.01 + 1e-30
        assert (result.bound <= loosest).all(), f"{name}: the bound is loose"


@pytest.mark.parametrize("dtype", DTYPES)
def test_prelu_is_keras_own(keras, dtype):
    import tensorflow as tf

    for shared in (None, [1], [1, 2]):
        layer = keras.layers.PReLU(shared_axes=shared, dtype=dtype)
        layer.build((3, *SHAPE))
        alpha = real(3, layer.alpha.shape).astype(dtype)
        layer.set_weights([alpha])
        x = sweep(dtype)
        dy, source = real(4, x.shape).astype(dtype), tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            made = layer(source)
        made_dx, dalpha = tape.gradient(made, [source, layer.alpha.value], output_gradients=dy)
        oracle, rounding = oracle_for("PReLU", layer.get_config()), Rounding.of(dtype)
        y = oracle.forward(Bounded(x, rounding), {"alpha": Bounded(alpha, rounding)})
        dx, gradients = oracle.backward(Bounded(dy, rounding))
        assert_inside(y, made.numpy(), x, "y")
        assert_inside(dx, made_dx.numpy(), x, "dx")
        assert_inside(gradients["alpha"], dalpha.numpy(), dalpha.numpy(), "dalpha")
