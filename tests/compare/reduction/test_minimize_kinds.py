"""Whatever kind a failing layer is of, it is shrunk to a few numbers, and fails on them."""

import numpy as np
import pytest

import compare
import scratch
from compare.reduction.case import Case, smaller
from compare.reduction.minimize import minimize, run_small
from compare.reduction.reproducer import as_test, explain
from compare.tracing.configs import channel_axis
from compare.tracing.ops import ops_of
from tests.compare.checks.test_graph_mistakes import (
    BatchAtInference,
    EpsilonTooSmall,
    GradientUndropped,
    OtherOrder,
    SecondGradientLost,
)
from tests.compare.support import graphs


def broken(base, tensor="output"):
    """A layer class that is off by one hundredth in one result, wherever that is not zero."""
    def times(array):
        return array * array.dtype.type(1.01)

    class Broken(base):
        def forward(self, x, training=False):
            y = super().forward(x, training)
            return times(y) if tensor == "output" else y

        def backward(self, dy, wants_input_gradient=True):
            dx = super().backward(dy, wants_input_gradient)
            for name in self.grads:
                if tensor == f"{name}_gradient":
                    self.grads[name] = times(self.grads[name])
            return times(dx) if tensor == "input_gradient" else dx

    return Broken


@pytest.mark.parametrize("changed, layer, tensor, size", [
    (dict(norm=EpsilonTooSmall), "norm", "output", 12),
    (dict(norm=BatchAtInference), "norm", "output", 12),
    (dict(add=SecondGradientLost), "add", "input_gradient_2", 3),
    (dict(cat=OtherOrder), "cat", "output", 6),
    (dict(drop=GradientUndropped), "drop", "input_gradient", 3),
], ids=lambda value: next(iter(value.values())).__name__ if isinstance(value, dict) else "")
def test_layers_of_a_graph(changed, layer, tensor, size):
    bad, good = graphs.residual(**changed), graphs.residual()
    x, y = graphs.images()
    report = compare.check(bad, good, x, y)
    trace = compare.record(good, x, y)
    rows = [row for row in report.rows if not row.passed and row.gate != "update"]
    found = next(filter(None, (minimize(bad, trace, row) for row in rows)))
    assert (found.layer, found.tensor) == (layer, tensor)
    assert found.case.size <= size, found.case
    step = next(step for step in ops_of(bad) if step.name == layer)
    again = run_small(step, found.case, tensor).tensors[tensor]
    np.testing.assert_array_equal(again, found.actual)
    assert (np.abs(again - found.expected) > found.allowed).any()
    text = explain(found)
    assert f"({', '.join(map(str, found.expected.shape))}" in text
    assert "input 2 (" in text if isinstance(found.case.x, tuple) else "input (" in text
    compile(as_test(found, "mine:make"), "test_found.py", "exec")


LAYERS = [
    (lambda b: b(scratch.Conv1D, "kernel_gradient")(4, 3, padding="same"), (8, 3)),
    (lambda b: b(scratch.DepthwiseConv2D)((2, 3), depth_multiplier=2, padding="same"), (6, 5, 3)),
    (lambda b: b(scratch.SeparableConv2D, "input_gradient")(4, (2, 3)), (6, 5, 3)),
    (lambda b: b(scratch.Conv2DTranspose)(4, 2, strides=(2, 1)), (4, 5, 3)),
    (lambda b: b(scratch.Conv2D, "bias_gradient")(4, 3, groups=2, dilation_rate=2), (6, 7, 4)),
    (lambda b: b(scratch.Conv2D)(4, 3, data_format="channels_first"), (3, 6, 7)),
    (lambda b: b(scratch.Dense, "kernel_gradient")(5), (3, 6)),
    (lambda b: b(scratch.AveragePooling2D, "input_gradient")((2, 3), padding="same"), (6, 5, 3)),
    (lambda b: b(scratch.GlobalMaxPooling2D)(keepdims=True), (6, 5, 3)),
    (lambda b: b(scratch.LayerNormalization, "gamma_gradient")(), (6, 5)),
    (lambda b: b(scratch.ZeroPadding2D)(((1, 2), (0, 1))), (6, 5, 3)),
    (lambda b: b(scratch.Cropping2D, "input_gradient")(1), (6, 5, 3)),
    (lambda b: b(scratch.UpSampling2D)((2, 3)), (3, 4, 2)),
    (lambda b: b(scratch.Permute)((2, 1)), (6, 5)),
    (lambda b: b(scratch.Reshape)((-1, 2)), (6, 4)),
    (lambda b: b(scratch.PReLU, "alpha_gradient")(), (6, 3)),
    (lambda b: b(scratch.LeakyReLU)(0.2), (6, 3)),
    (lambda b: b(scratch.GaussianNoise)(0.2), (6, 3)),
    (lambda b: b(scratch.Softmax, "input_gradient")(axis=1), (6, 3)),
]


@pytest.mark.parametrize("make, shape", LAYERS)
def test_single_layers(make, shape):
    models = []
    for kind in (broken, lambda base, *_: base):
        scratch.set_random_seed(1)
        model = scratch.Sequential([scratch.Input(shape), make(kind)])
        model.layers[0].name = "layer"
        models.append(graphs.finished(model, None, None, 1))
    bad, good = models
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, *shape))
    upstream = rng.standard_normal((4, *good.output_shape[1:]))
    report = compare.check(bad, good, x, upstream=upstream)
    trace = compare.record(good, x, upstream=upstream)
    found = minimize(bad, trace, report.first_failure)
    assert found.tensor == report.first_failure.tensor
    assert found.case.size < (x.size + upstream.size) / 4, found.case


def test_a_case_that_cannot_be_cut_stays():
    config = scratch.Reshape((3, 2)).get_config()
    case = Case("Reshape", "", config, np.ones((2, 6)), np.ones((2, 3, 2)), {})
    assert {(cut.x.shape, cut.dy.shape) for cut in smaller(case)} == {((1, 6), (1, 3, 2))}


@pytest.mark.parametrize("config, rank, axis", [
    ({}, 4, 3), ({"data_format": "channels_first"}, 4, 1), ({"axis": 1}, 3, 1),
    ({"axis": -1}, 3, 2), ({"axis": [1, 2]}, 3, 2), ({"data_format": "channels_last"}, 3, 2)])
def test_the_axis_of_channels(config, rank, axis):
    assert channel_axis(config, rank) == axis
