"""Graphs, statistics, noise and penalties in a trace: what is recorded is what the model computes,
and a graph compared with itself passes, live or from a file."""

import copy

import numpy as np
import pytest

import compare
import scratch
from compare.tracing.noise import drawn, noise_of
from compare.tracing.trace import Trace
from tests.compare.support import examples, graphs


def state(model):
    return examples.everything(model), [layer.trainable for layer in model.layers]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_recorded_graph_is_what_the_model_computes_by_itself(dtype):
    model = graphs.residual(optimizer=scratch.Adam(0.01), dtype=dtype)
    x, y = graphs.images()
    trace = compare.record(model, x, y, sample_weight=np.arange(5) / 2)
    alone = copy.deepcopy(model)
    for i, noise in noise_of(trace).items():
        alone.layers[i].give_noise(noise)
    loss, output, dx = alone.loss_and_gradients(x, y, True, sample_weight=np.arange(5) / 2)
    eps = float(np.finfo(dtype).eps)
    assert trace.loss == pytest.approx(loss, rel=8 * eps) and trace.loss.dtype == dtype
    np.testing.assert_array_equal(trace.parts[-1].output, output)
    np.testing.assert_allclose(trace.parts[0].input_gradient, dx, rtol=1e3 * eps, atol=10 * eps)
    for layer in alone.layers:
        part = next(part for part in trace.parts if part.layer == layer.name)
        assert part.weight_gradients.keys() == layer.trainable_params.keys()
        for name, gradient in part.weight_gradients.items():
            np.testing.assert_allclose(gradient, layer.grads[name], rtol=1e3 * eps, atol=10 * eps)
    alone.update()
    for layer in alone.layers:
        part = next(part for part in trace.parts if part.layer == layer.name)
        assert part.updated.keys() == layer.params.keys()
        for name, weight in layer.params.items():
            np.testing.assert_allclose(part.updated[name], weight, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(trace.inference, model.forward(x))


def test_sources_inputs_and_gradients_hang_together():
    trace = compare.record(graphs.residual(), *graphs.images())
    names = [part.name for part in trace.parts]
    reads = {name: [names[s] if s >= 0 else "input" for s in sources]
             for name, sources in zip(names, trace.sources)}
    assert reads["first"] == ["input"] and reads["add"] == ["relu", "other_norm"]
    assert reads["cat"] == ["drop", "third/elu"] and reads["third/elu"] == ["third"]
    for i, (part, sources) in enumerate(zip(trace.parts, trace.sources)):
        assert all(s < i for s in sources)
        for array, s in zip(part.inputs, sources):
            np.testing.assert_array_equal(array, trace.parts[s].output if s >= 0 else trace.x)
    by_name = dict(zip(names, trace.parts))
    np.testing.assert_array_equal(  # a fork's gradients add up
        by_name["relu"].output_gradient,
        by_name["second"].input_gradient + by_name["add"].input_gradient[0])
    third = by_name["third/elu"]  # and the activity's penalty adds its own
    np.testing.assert_allclose(third.output_gradient, by_name["cat"].input_gradient[1]
                               + np.float32(0.05) * 2 * third.output / 5, rtol=1e-6)
    assert "add/input_gradient_2" in trace.tensors() and "drop/noise" in trace.tensors()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("build, batch", [(graphs.residual, graphs.images),
                                          (graphs.gated, graphs.features)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_graph_passes_against_itself_and_its_own_file(build, batch, dtype, tmp_path):
    model, same = build(dtype=dtype), build(dtype=dtype)
    x, y, *weight = batch()
    weights = dict(zip(["sample_weight"], weight))
    report = compare.check(model, same, x, y, **weights)
    assert report, report
    compare.record(same, x, y, **weights).save(tmp_path / "t.npz")
    golden = Trace.load(tmp_path / "t.npz")
    report = compare.check(model, golden)
    assert report, report
    assert {"inference", "update", "whole network"} <= {row.gate for row in report.rows}
    again = compare.record(model, x, y, noise=noise_of(golden), **weights)
    report = compare.diff(again, golden)
    assert report, report


def test_recording_and_checking_change_nothing():
    model, same = graphs.residual(), graphs.residual()
    x, y = graphs.images()
    scratch.set_random_seed(3)
    expected, before = scratch.seed.generator().random(), state(model)
    scratch.set_random_seed(3)
    compare.record(model, x, y)
    compare.check(model, same, x, y)
    assert state(model) == before
    assert scratch.seed.generator().random() == expected, "scratch's generator was left alone"
    assert all(layer._given_noise is None for layer in model.layers)


def test_random_layers_share_the_candidates_noise():
    model = graphs.residual()
    x, y = graphs.images()
    noise = drawn(model, x)
    assert list(noise) == [6] and model.layers[6].name == "drop"
    a, b = (compare.record(side, x, y, noise=noise) for side in (model, graphs.residual()))
    np.testing.assert_array_equal(a.parts[6].noise, noise[6])
    assert a.loss == b.loss
    assert compare.record(model, x, y).loss != a.loss, "another draw"
    assert drawn(graphs.residual(drop=lambda *a, **k: scratch.Dropout(0.0, **{**k})), x) == {}


def test_moving_statistics_are_weights_that_no_optimizer_changes():
    trace = compare.record(graphs.residual(), *graphs.images())
    norm = next(part for part in trace.parts if part.layer == "norm")
    assert list(norm.weights) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert set(norm.weight_gradients) == {"gamma", "beta"}
    x = norm.input.astype("float64")
    np.testing.assert_allclose(norm.updated["moving_mean"], 0.9 * norm.weights["moving_mean"]
                               + 0.1 * x.mean(axis=(0, 1, 2)), rtol=1e-5, atol=1e-7)
    assert not np.array_equal(norm.inference, norm.output)
    upstream = np.ones((5, graphs.CLASSES))
    bare = compare.record(graphs.residual(loss=None), graphs.images()[0], upstream=upstream)
    moved = [name for part in bare.parts for name in part.updated]
    assert moved == ["moving_mean", "moving_variance"] * 2, "there is no optimizer"


def test_a_frozen_network_moves_nothing_and_has_no_penalties():
    model = graphs.residual()
    for layer in model.layers:
        layer.trainable = False
    model.get_layer("last").trainable = True
    x, y = graphs.images()
    trace = compare.record(model, x, y)
    assert {part.layer for part in trace.parts if part.updated} == {"last"}
    assert compare.check(model, copy.deepcopy(model), x, y)


def test_without_a_loss_no_penalty_takes_part():
    model, x = graphs.residual(loss=None), graphs.images()[0]
    upstream = np.random.default_rng(3).standard_normal((5, graphs.CLASSES))
    trace = compare.record(model, x, upstream=upstream)
    third = next(part for part in trace.parts if part.name == "third/elu")
    cat = next(part for part in trace.parts if part.name == "cat")
    np.testing.assert_array_equal(third.output_gradient, cat.input_gradient[1])
    report = compare.check(model, graphs.residual(loss=None), x, upstream=upstream)
    assert report, report


@pytest.mark.parametrize("weight, said", [
    ([1, 2], r"batch of 5. Received an array of shape \(2,\)"),
    (3.0, r"batch of 5. Received an array of shape \(\)"),
    ([1, 2, np.nan, 1, 1], "finite numbers. Received: 1 that are not"),
    (np.ones((5, 3)), "weight"),
])
def test_weights_of_samples_that_do_not_fit_are_refused(weight, said):
    with pytest.raises(ValueError, match=said):
        compare.record(graphs.gated(), *graphs.features()[:2], sample_weight=weight)


def test_weights_of_samples_need_a_loss():
    with pytest.raises(ValueError, match="no loss to be weighted"):
        compare.record(graphs.gated(loss=None), graphs.features()[0], upstream=np.ones((5, 1)),
                       sample_weight=np.ones(5))


def crossed(order):
    """a * relu(a), or relu(a) * a: the same layers and shapes, connected otherwise."""
    source = scratch.Input((4,))
    a = scratch.Dense(3, name="a")(source)
    b = scratch.ReLU(name="b")(a)
    c = scratch.Subtract(name="c")([a, b] if order else [b, a])
    return graphs.finished(scratch.Model(source, c), None, None, 1)


def test_other_connections_are_another_network():
    x = np.random.default_rng(0).standard_normal((3, 4))
    report = compare.check(crossed(True), crossed(False), x, upstream=np.ones((3, 3)))
    first = report.first_failure
    assert (first.gate, first.tensor) == ("network", "layers")
    assert "Subtract of 2, 1" in first.note and "Subtract of 1, 2" in first.note
    assert {row.gate for row in report.rows} == {"network"}


def test_how_weights_and_noise_are_drawn_is_incidental_and_penalties_are_not():
    x, y = graphs.images()
    model = graphs.residual(drop=lambda rate, **k: scratch.Dropout(rate, seed=7, **k))
    assert compare.check(model, graphs.residual(), x, y)
    bare = graphs.residual(dense=lambda units, kernel_regularizer, **k: scratch.Dense(units, **k))
    report = compare.check(bare, graphs.residual(), x, y)
    assert (report.first_failure.gate, report.first_failure.tensor) == ("network", "settings")
    assert "L1L2" in report.first_failure.note
