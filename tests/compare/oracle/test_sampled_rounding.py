"""Sampled rounding: exact steps as a naive loop makes them, and a scatter of the size it should be.
"""

import dataclasses
import tracemalloc

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.expected import FirstStep, learned, optimizer_of, total_gradient
from compare.oracle.network import along_the_graph, passing
from compare.oracle.running_error import Bounded, Rounding, bilinear
from compare.oracle.sampled_rounding import LocalBounds, MovedWithin, SampledSteps, norm
from tests.compare.support import examples
from tests.scratch.plans.networks import NETWORKS, batches, compiled

ROUNDING = Rounding.of("float32")


def linear(optimizer, dtype="float32"):
    """(a trace of one dense layer with a squared error, its kernel and bias in float64)."""
    scratch.set_random_seed(3)
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3)], dtype=dtype)
    model.set_weights([w + 0.125 for w in model.get_weights()])
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(1)
    x = rng.standard_normal((5, 4)).astype(dtype)
    y = rng.standard_normal((5, 3)).astype(dtype)
    return compare.record(model, x, y), [w.astype(np.float64) for w in model.get_weights()]


def with_weights(trace, kernel, bias):
    part = dataclasses.replace(trace.parts[0], weights={"kernel": kernel, "bias": bias})
    return dataclasses.replace(trace, parts=[part])


def test_steps_are_those_of_a_naive_loop_and_remember_their_past():
    """SGD with momentum on a squared error, term by term."""
    trace, (kernel, bias) = linear(scratch.SGD(0.125, momentum=0.5), "float64")
    x, y, steps = trace.x, trace.y, SampledSteps(trace, seed=0)
    moved = [np.zeros_like(kernel), np.zeros_like(bias)]
    for _ in range(3):
        made = steps.step(with_weights(trace, kernel, bias))
        gradients = [np.zeros_like(kernel), np.zeros_like(bias)]
        for n in range(len(x)):
            for j in range(3):
                off = sum(x[n, i] * kernel[i, j] for i in range(4)) + bias[j] - y[n, j]
                for i in range(4):
                    gradients[0][i, j] += 2 * off * x[n, i] / y.size
                gradients[1][j] += 2 * off / y.size
        moved = [0.5 * m - 0.125 * g for m, g in zip(moved, gradients)]
        kernel, bias = kernel + moved[0], bias + moved[1]
        for name, right in (("kernel", kernel), ("bias", bias)):
            np.testing.assert_allclose(made.exact["dense", name].value, right, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_scatter_by_a_few_roundings(dtype):
    trace, weights = linear(scratch.SGD(0.125), dtype)
    made = SampledSteps(trace, seed=0).step(trace)
    unit = np.finfo(dtype).eps / 2
    for (_, name), weight in zip(made.spread, weights):
        assert unit / 100 < made.spread["dense", name] / norm(weight) < 100 * unit, name


def test_a_gradient_that_is_rounding_alone_lets_adam_go_either_way():
    """The target is what comes out, so the exact gradient is 0 and any other makes a whole step."""
    trace, (kernel, bias) = linear(scratch.Adam(0.01, epsilon=1e-12))
    trace = dataclasses.replace(trace, y=trace.x.astype(np.float64) @ kernel + bias)
    spread = SampledSteps(trace, seed=0).step(trace).spread
    assert spread["dense", "kernel"] > 0.001
    plain, _ = linear(scratch.SGD(0.01))
    plain = dataclasses.replace(plain, y=trace.y)
    assert SampledSteps(plain, seed=0).step(plain).spread["dense", "kernel"] < 1e-7


def test_more_samples_only_widen_and_the_seed_decides():
    trace, _ = linear(scratch.SGD(0.125))
    steps = [SampledSteps(trace, seed) for seed in (0, 0, 1)]
    made, again, other = (each.step(trace) for each in steps)
    assert made.spread == again.spread != other.spread
    wider = steps[0].widened(made)
    assert wider is not None and steps[0].widened(wider) is None, "once"
    assert all(wider.spread[key] >= again.spread[key] for key in made.spread)
    assert wider.spread != again.spread == made.spread


def test_more_samples_differ_from_the_first_step_on():
    """After a step whose gradient was rounding alone, Adam goes on in its direction: more samples
    have to have taken that step too."""
    trace, (kernel, bias) = linear(scratch.Adam(0.01, epsilon=1e-12))
    still = dataclasses.replace(trace, y=trace.x.astype(np.float64) @ kernel + bias)
    nothing = with_weights(dataclasses.replace(still, x=0 * trace.x, y=0 * trace.y), kernel,
                           0 * bias)
    wide, narrow = SampledSteps(trace, 0), SampledSteps(trace, 0)
    for steps in (wide, narrow):
        steps.step(still)
        last = steps.step(nothing)  # its own gradient is exactly 0
    wider = wide.widened(last)
    assert wider is not None
    assert wider.spread["dense", "bias"] > last.spread["dense", "bias"] > 0
    assert len(wide.samples) == 17 and wide.step(nothing).spread["dense", "bias"] > 0


def test_what_recovering_a_gradient_rounds_is_sampled_too():
    trace, _ = linear(scratch.SGD(0.125))
    plain = SampledSteps(trace, 0).step(trace).spread
    slack = {("dense", "kernel"): np.full((4, 3), 1e-3), ("other", "kernel"): np.ones(2)}
    wide = SampledSteps(trace, 0).step(trace, slack).spread
    assert 1e-5 < wide["dense", "kernel"] < 1e-3 and plain["dense", "kernel"] < 1e-6
    assert wide["dense", "bias"] == plain["dense", "bias"]


def test_results_are_moved_within_their_bounds():
    bounds, rng = LocalBounds(), np.random.default_rng(0)
    value, error = np.arange(4.0), np.array([0, 1e-3, np.inf, 2e-3])
    settled = bounds("key", Bounded(value, ROUNDING, error))
    np.testing.assert_array_equal(settled.value, value)
    assert settled.error is None
    for alike in (True, False):
        moved = MovedWithin(bounds, rng, alike)("key", Bounded(value, ROUNDING)).value - value
        assert (np.abs(moved) <= [0, 1e-3, 0, 2e-3]).all() and moved[1] and moved[3]
        whole = np.isclose(np.abs(moved[[1, 3]]), error[[1, 3]])
        assert whole.all() == alike and (not alike or moved[1] * moved[3] > 0)


def test_the_walk_settles_every_result_before_it_is_read():
    """The bounds of an exact pass are those of each layer by itself: layers deep in the network
    have none wider than the gate of single layers grants."""
    trace = compare.record(examples.network(), *examples.batch())
    bounds = LocalBounds()
    right = along_the_graph(trace, bounds)
    carried = along_the_graph(trace)
    assert right.keys() == carried.keys()
    for key, value in right.items():
        np.testing.assert_array_equal(value.value, carried[key].value)
    numbers = {part.layer: i for i, part in enumerate(trace.parts)}
    own = bounds[numbers["dense"], "kernel_gradient"]
    assert (own <= carried["dense", "kernel_gradient"].bound).all()
    assert own.max() < carried["dense", "kernel_gradient"].bound.max() / 3


@pytest.mark.parametrize("name", NETWORKS)
def test_without_bounds_a_network_has_the_same_values(name):
    model = compiled(name)
    x, y = next(batches(model, 3, 1))
    trace = compare.record(model, x, y)
    right = along_the_graph(trace)
    found = along_the_graph(trace, rounding=dataclasses.replace(ROUNDING, bounds=False))
    assert found.keys() == right.keys()
    for key, value in right.items():
        np.testing.assert_array_equal(found[key].value, value.value, err_msg=str(key))


def test_without_bounds_products_have_the_same_values():
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((3, 4)), rng.standard_normal((4, 2)), rng.standard_normal(2)
    plain = bilinear(np.matmul, *(Bounded(m, ROUNDING) for m in (a, b, c)))
    light = dataclasses.replace(ROUNDING, bounds=False)
    quick = bilinear(np.matmul, *(Bounded(m, light) for m in (a, b, c)))
    np.testing.assert_array_equal(quick.value, plain.value)
    assert quick.error is None and plain.bound.min() > 0


@pytest.mark.parametrize("dtype, scale, overflows", [
    ("float32", 1, False), ("float32", 1e6, False), ("float32", 1e21, True),
    ("float64", 1e21, False), ("float64", 1e156, True)])
def test_numbers_whose_squares_overflow_are_told(dtype, scale, overflows):
    trace, weights = linear(scratch.SGD(0.125), dtype)
    trace = with_weights(trace, *((w * scale).astype(dtype) for w in weights))
    with np.errstate(over="ignore", invalid="ignore"):
        assert SampledSteps(trace, 0).step(trace).overflows == overflows


def test_a_norm_is_never_nan():
    assert norm(np.array([[3.0], [4.0]])) == 5
    assert norm(np.array([1.0, np.nan])) == norm(np.array([np.inf, 1.0])) == np.inf


@pytest.mark.parametrize("settings", [{}, {"global_clipnorm": 0.05}], ids=str)
def test_weights_that_are_taken_are_those_that_would_be_kept(settings):
    """Also of more samples, and where a step depends on all gradients."""
    trace = compare.record(examples.network(optimizer=scratch.Adam(0.01, **settings)),
                           *examples.batch())
    keeping, handing = SampledSteps(trace, 0), SampledSteps(trace, 0)
    taken = {}
    for _ in range(2):
        taken.clear()
        kept = keeping.step(trace)
        handed = handing.step(trace, taken=taken.__setitem__)
    assert handed.exact == {} and list(kept.exact) == list(handed.spread) == list(kept.spread)
    assert handed.spread == kept.spread and taken.keys() == kept.exact.keys()
    for key, right in kept.exact.items():
        np.testing.assert_array_equal(taken[key].value, right.value)
        np.testing.assert_array_equal(taken[key].bound, right.bound)
    wider = keeping.widened(kept)
    assert wider.spread == handing.widened(handed).spread and wider.exact == kept.exact


def test_a_pass_hands_out_each_gradient_before_the_next_layer_runs_back():
    trace = compare.record(examples.network(), *examples.batch())
    settled = []

    def watched(key, result):
        settled.append(key)
        return result

    seen = {key: len(settled) for key, _ in passing(trace, watched)}
    assert list(seen) == list(along_the_graph(trace))
    gradients = [seen[layer, "kernel_gradient"] for layer in ("dense", "second", "conv")]
    assert gradients == sorted(set(gradients)) and gradients[0] < len(settled) - 10


@pytest.mark.parametrize("settings", [{}, {"clipnorm": 0.05}, {"global_clipnorm": 0.05}], ids=str)
def test_the_first_step_is_one_of_all_weights_together(settings):
    trace = compare.record(examples.network(optimizer=scratch.Adam(0.01, **settings)),
                           *examples.batch())
    rounding, trained = ROUNDING, learned(trace)
    right = optimizer_of(trace).step(
        [Bounded(trace.parts[i].weights[name], rounding) for i, name in trained],
        [Bounded(total_gradient(trace.parts, i, name), rounding) for i, name in trained])
    more = {(99, "moving_mean"): Bounded(1.0, rounding), trained[0]: Bounded(0.0, rounding)}
    found = FirstStep(trace, more)
    assert len(found) == len(trained) + 1 and list(found) == [*trained, (99, "moving_mean")]
    assert found[99, "moving_mean"].value == 1
    for key, expected in zip(trained, right, strict=True):
        np.testing.assert_array_equal(found[key].value, expected.value)
        np.testing.assert_array_equal(found[key].bound, expected.bound)
    with pytest.raises(KeyError):
        found[0, "no such weight"]


def test_a_step_takes_the_memory_of_a_layer_not_of_all_weights():
    """Of NumPy's arrays, by the bytes that they are made of: 16 layers of 64 KB each."""
    scratch.set_random_seed(0)
    model = scratch.Sequential([scratch.Input((128,)), *(scratch.Dense(128) for _ in range(16))])
    model.compile(scratch.SGD(0.1), "mse")
    rng = np.random.default_rng(0)
    trace = compare.record(model, *rng.standard_normal((2, 2, 128)))
    tracemalloc.start()
    try:
        SampledSteps(trace, 0).step(trace, taken=lambda key, exact: None)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    weights = sum(w.nbytes for w in trace.weights().values())
    assert most < 3 * weights, most / weights
