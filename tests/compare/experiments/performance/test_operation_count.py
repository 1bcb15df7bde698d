"""Multiply-adds against counts by hand and by naive loops; BLAS's rate against its definition."""

import itertools

import numpy as np
import pytest

import scratch
from compare.experiments.performance import operation_count
from compare.experiments.performance.cases import Case
from compare.inputs import benchmark_networks


def test_the_benchmark_network_by_hand():
    model = benchmark_networks.build()
    first = 28 * 28 * 6 * (5 * 5 * 1)      # each output pixel of each filter: one window
    second = 28 * 28 * 6 * (5 * 5 * 6)
    dense = 10 * (14 * 14 * 6)
    assert operation_count.predict_multiply_adds(model) == first + second + dense == 834_960
    # backward: every kernel's gradient, and the input's gradient of all but the first
    backward = (first + second + dense) + (second + dense)
    assert operation_count.training_multiply_adds(model) == 834_960 + backward == 2_387_280


def test_the_wide_network_by_hand():
    model = benchmark_networks.build_wide()
    assert model.count_params() == 83_466
    assert [layer.output_shape[1:] for layer in model.layers[:4]] == [
        (28, 28, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64)]
    parts = (28 * 28 * 32 * 25, 14 * 14 * 64 * 25 * 32, 10 * 7 * 7 * 64)
    assert operation_count.predict_multiply_adds(model) == sum(parts)
    assert operation_count.training_multiply_adds(model) == 3 * sum(parts) - parts[0]


@pytest.mark.parametrize("padding, strides", [("valid", (1, 2)), ("same", (3, 1))])
def test_a_convolution_by_counting_in_a_loop(padding, strides):
    """Non-square everything; 'same' counts what falls on padding, as is usual."""
    model = scratch.Sequential([scratch.Input((9, 7, 2)),
                                scratch.Conv2D(3, (4, 2), strides, padding), scratch.Flatten(),
                                scratch.Dense(5)])
    rows, columns, filters = model.layers[0].output_shape[1:]
    count = sum(1 for _ in itertools.product(range(rows), range(columns), range(filters),
                                             range(4), range(2), range(2)))
    assert operation_count.forward_multiply_adds(model.layers[0]) == count
    assert operation_count.forward_multiply_adds(model.layers[1]) == 0
    assert operation_count.forward_multiply_adds(model.layers[2]) == rows * columns * filters * 5


def test_what_stands_before_the_first_kernel_needs_no_gradient_either():
    model = scratch.Sequential([scratch.Input((4, 3)), scratch.Flatten(), scratch.Dense(5),
                                scratch.Dense(2)])
    assert operation_count.training_multiply_adds(model) == 2 * (12 * 5) + 3 * (5 * 2)


def test_a_case_counts_what_it_does():
    assert operation_count.multiply_adds(Case("training", "benchmark", 8)) == 2_387_280
    assert operation_count.multiply_adds(Case("predict", "benchmark", 8, images=9)) == 834_960
    wider = operation_count.multiply_adds(
        Case("scaling", "benchmark", 8, (28, 28, 3), axis="channels"))
    # two more channels: forward and kernel gradient of the first convolution
    assert wider - 2_387_280 == 2 * (2 * 28 * 28 * 6 * 25)


def test_sgemm_multiplies_square_float32_matrices(monkeypatch):
    product = operation_count.Sgemm(7)
    assert product.multiply_adds == 7 ** 3
    calls = []
    monkeypatch.setattr(np, "matmul", lambda a, b, out: calls.append((a, b, out)))
    product(3)
    assert len(calls) == 3
    assert all(m.shape == (7, 7) and m.dtype == np.float32 for m in calls[0])


@pytest.mark.parametrize("case, times, needed", [
    # 20 samples of 2,387,280 multiply-adds, to the nearest million
    (Case("training", "benchmark", 10), 48, 2_387_280),
    # 20 as well, though a batch is 5
    (Case("predict", "benchmark", 5, images=10), 17, 834_960)])
def test_blas_alone_does_the_arithmetic_of_so_many_samples(monkeypatch, case, times, needed):
    from compare.experiments.performance.competitors import blas

    ticks = iter([10.0, 12.0])
    monkeypatch.setattr(blas.time, "perf_counter", lambda: next(ticks))
    one = blas.Blas()
    done = []
    one._sgemm = type("Sgemm", (), {"multiply_adds": 1_000_000, "__call__":
                                    lambda self, times: done.append(times)})()
    seconds, samples = one.training(case).run(2)
    assert seconds == 2.0
    assert done == [times]
    assert samples == pytest.approx(times * 1e6 / needed)
