"""What is worked out once for layers that are alike, and what is not."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks import layers_alike
from compare.checks.gate import Gate
from compare.inputs.live_keras import keras_ops
from scratch import blas

PROBES = Gate.WHOLE_NUMBERS, Gate.FEW_TERMS, Gate.EXTREMES


def network(third=scratch.Conv2D, **third_arguments):
    scratch.set_random_seed(5)
    model = scratch.Sequential([
        scratch.Input((5, 4, 3)),
        scratch.Conv2D(3, (2, 3), padding="same", name="one"),
        scratch.Conv2D(3, (2, 3), padding="same", name="two"),
        third(3, (2, 3), padding="same", name="three", **third_arguments),
        scratch.Conv2D(3, (2, 3), padding="same", name="four", use_bias=False)])
    model.compile("sgd", "mse")
    return model


def traced(model):
    x = np.random.default_rng(2).standard_normal((3, 5, 4, 3)).astype("float32")
    return compare.record(model, x, np.zeros((3, 5, 4, 3), "float32"))


def test_what_differs_in_settings_or_shapes_is_not_alike():
    assert layers_alike.groups(traced(network())) == [[0, 1, 2], [3]]
    assert layers_alike.groups(traced(network(dilation_rate=2))) == [[0, 1], [2], [3]]


def test_kerass_layers_are_alike_by_their_settings_classes_and_functions(keras):
    model = network()
    twin, trace = compare.twin(model), traced(model)
    assert layers_alike.groups(trace, keras_ops(twin)) == [[0, 1, 2], [3]]

    class Own(keras.layers.Conv2D):
        pass

    source = keras.Input((5, 4, 3))
    own = Own(3, (2, 3), padding="same", name="two")(
        keras.layers.Conv2D(3, (2, 3), padding="same", name="one")(source))
    tampered = keras.layers.Conv2D(3, (2, 3), padding="same", name="three")
    rest = keras.layers.Conv2D(3, (2, 3), padding="same", name="four", use_bias=False)
    other = keras.Model(source, rest(tampered(own)))
    call = tampered.call
    tampered.call = lambda *args, **named: call(*args, **named)
    assert layers_alike.groups(trace, keras_ops(other)) == [[0], [1], [2], [3]]


class Doubled(scratch.Conv2D):
    """Wrong, and of the same settings."""

    def correlate_backward(self, *args, **named):
        dx, kernel = super().correlate_backward(*args, **named)
        return dx, 2 * kernel


class Kept(scratch.Conv2D):
    """Returns the same array each time."""

    def forward(self, x, training=False):
        made = super().forward(x, training)
        held = vars(self).setdefault("held", np.empty_like(made))
        if held.shape != made.shape:
            held = self.held = np.empty_like(made)
        held[...] = made
        return held


@pytest.mark.parametrize("wrong, tensor", [(Doubled, "kernel_gradient"), (Kept, "output")])
def test_each_of_the_candidates_layers_is_run(wrong, tensor):
    x = np.random.default_rng(2).standard_normal((3, 5, 4, 3)).astype("float32")
    report = compare.check(network(wrong), compare.twin(network()), x,
                           np.zeros((3, 5, 4, 3), "float32"), steps=0)
    failed = {(row.gate, row.name) for row in report.rows if not row.passed and row.gate in PROBES}
    assert (Gate.EXTREMES, f"three {tensor}") in failed
    assert {name.split()[0] for _, name in failed} == {"three"}


@pytest.mark.skipif(not blas.CONTROLLABLE, reason="another BLAS")
def test_products_run_in_the_calling_thread_and_blas_gets_its_threads_back(monkeypatch):
    get, set_ = blas.FUNCTIONS
    before, seen = get(), []

    class Asking(scratch.Conv2D):
        def forward(self, x, training=False):
            seen.append(get())
            return super().forward(x, training)

    set_(2)
    try:
        x = np.zeros((3, 5, 4, 3), "float32")
        compare.check(network(Asking), traced(network()), probes=False)
        assert set(seen) == {1} and get() == 2 and x.size
    finally:
        set_(before)
