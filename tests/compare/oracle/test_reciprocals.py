"""Softmax as a product with the sum's reciprocal, as TensorFlow without oneDNN computes it."""

import numpy as np
import pytest

from compare.oracle.layers.softmax import softmax
from compare.oracle.running_error import Bounded, Rounding


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("below", [0, 1])
@pytest.mark.parametrize("logits", [[[0.0, -200.0, -300.0]], [[0.0, 0.0, -400.0]],
                                    [[1.0, 2.0, 0.5]], [[3.0, 3.0, 3.0]]])
def test_a_product_with_the_reciprocal_or_the_number_below_it_is_allowed_for(dtype, below, logits):
    x = np.array(logits, dtype)
    right = softmax(Bounded(x, Rounding.of(dtype)), -1)
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    reciprocal = 1 / exponentials.sum(axis=-1, keepdims=True)
    if below:
        reciprocal = np.nextafter(reciprocal, np.array(0, dtype))
    off = np.abs((exponentials * reciprocal).astype(float) - right.value)
    assert (off <= right.bound).all()
    assert (right.bound <= 40 * np.finfo(dtype).eps * right.value.max()).all(), "not for anything"
