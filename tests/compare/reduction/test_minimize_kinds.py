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
from tests.compare.support import graphs
from tests.compare.support.faults import put, scaled, spoiled


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layer, fault, tensor, size", [
    ("norm", "batch-normalization-epsilon-1e-5", "output", 12),
    ("norm", "batch-normalization-batch-at-inference", "output", 12),
    ("add", "add-second-lost", "input_gradient_2", 3),
    ("cat", "concatenate-other-order", "output", 6),
    ("drop", "dropout-dx-mask-missing", "input_gradient", 3),
])
def test_layers_of_a_graph(layer, fault, tensor, size):
    bad, good = spoiled(graphs.residual(), **{layer: fault}), graphs.residual()
    x, y = graphs.images()
    report = compare.check(bad, good, x, y)
    trace = compare.record(good, x, y)
    rows = [row for row in report.rows if not row.passed and row.gate != "update"]
    found = next(filter(None, (minimize(bad, trace, row) for row in rows)))
    assert (found.layer, found.tensor) == (layer, tensor)
    assert found.case.size <= size, found.case
    op = next(op for op in ops_of(bad) if op.name == layer)
    again = run_small(op, found.case, tensor).tensors[tensor]
    np.testing.assert_array_equal(again, found.actual)
    assert (np.abs(again - found.expected) > found.allowed).any()
    text = explain(found)
    assert f"({', '.join(map(str, found.expected.shape))}" in text
    assert "input 2 (" in text if isinstance(found.case.x, tuple) else "input (" in text
    compile(as_test(found, "mine:make"), "test_found.py", "exec")


# the layer, a sample's shape, and the result that is off by one hundredth
LAYERS = [
    (lambda: scratch.Conv1D(4, 3, padding="same"), (8, 3), "kernel_gradient"),
    (lambda: scratch.DepthwiseConv2D((2, 3), depth_multiplier=2, padding="same"), (6, 5, 3),
     "output"),
    (lambda: scratch.SeparableConv2D(4, (2, 3)), (6, 5, 3), "input_gradient"),
    (lambda: scratch.Conv2DTranspose(4, 2, strides=(2, 1)), (4, 5, 3), "output"),
    (lambda: scratch.Conv2D(4, 3, groups=2, dilation_rate=2), (6, 7, 4), "bias_gradient"),
    (lambda: scratch.Conv2D(4, 3, data_format="channels_first"), (3, 6, 7), "output"),
    (lambda: scratch.Dense(5), (3, 6), "kernel_gradient"),
    (lambda: scratch.AveragePooling2D((2, 3), padding="same"), (6, 5, 3), "input_gradient"),
    (lambda: scratch.GlobalMaxPooling2D(keepdims=True), (6, 5, 3), "output"),
    (scratch.LayerNormalization, (6, 5), "gamma_gradient"),
    (lambda: scratch.ZeroPadding2D(((1, 2), (0, 1))), (6, 5, 3), "output"),
    (lambda: scratch.Cropping2D(1), (6, 5, 3), "input_gradient"),
    (lambda: scratch.UpSampling2D((2, 3)), (3, 4, 2), "output"),
    (lambda: scratch.Permute((2, 1)), (6, 5), "output"),
    (lambda: scratch.Reshape((-1, 2)), (6, 4), "output"),
    (scratch.PReLU, (6, 3), "alpha_gradient"),
    (lambda: scratch.LeakyReLU(0.2), (6, 3), "output"),
    (lambda: scratch.GaussianNoise(0.2), (6, 3), "output"),
    (lambda: scratch.Softmax(axis=1), (6, 3), "input_gradient"),
]


@pytest.mark.parametrize("make, shape, tensor", LAYERS)
def test_single_layers(make, shape, tensor):
    models = []
    for faults in ([scaled(tensor, 1.01)], []):
        scratch.set_random_seed(1)
        model = scratch.Sequential([scratch.Input(shape), make()])
        model.layers[0].name = "layer"
        put(model.layers[0], *faults)
        models.append(graphs.finished(model, None, None, 1))
    bad, good = models
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, *shape))
    upstream = rng.standard_normal((4, *good.output_shape[1:]))
    report = compare.check(bad, good, x, upstream=upstream)
    trace = compare.record(good, x, upstream=upstream)
    found = minimize(bad, trace, report.first_failure)
    assert found.tensor == report.first_failure.tensor == tensor
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
