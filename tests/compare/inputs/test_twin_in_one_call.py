"""compare.twin: a Keras network of a scratch model in one call."""


import numpy as np
import pytest

import compare
import scratch


def test_a_twin_is_the_same_network_in_keras_compiled_alike(keras):
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, (3, 2)),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    twin = compare.twin(model)
    assert isinstance(twin, keras.Sequential) and not twin.compiled
    model.compile(scratch.SGD(0.03, momentum=0.5), "sparse_categorical_crossentropy")
    before = [weight.copy() for weight in model.get_weights()]
    twin = compare.twin(model)
    assert twin.compiled and float(twin.optimizer.momentum) == 0.5
    for own, kept, theirs in zip(model.get_weights(), before, twin.get_weights()):
        assert (own == kept).all() and (own == theirs).all()
    rng = np.random.default_rng(0)
    assert compare.check(model, twin, rng.standard_normal((6, 5, 4, 2)), rng.integers(0, 4, 6))


@pytest.mark.parametrize("thing", [None, {"layers": []}, [1]])
def test_a_twin_of_something_else_is_refused(thing):
    with pytest.raises(TypeError, match="Expected a scratch.Sequential or a scratch.Model"):
        compare.twin(thing)
