"""The oracle of a normalized kernel: singular values, roundings it allows for, whole numbers."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")
CONV = {"class_name": "Conv2D", "config": {
    "name": "inside", "filters": 3, "kernel_size": [2, 3], "strides": [1, 1], "padding": "valid",
    "dilation_rate": [1, 1], "groups": 1, "use_bias": True, "activation": "linear",
    "data_format": "channels_last"}}


def oracle(iterations=2):
    return oracle_for("SpectralNormalization", {"layer": CONV, "power_iterations": iterations})


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    return {"kernel": rng.standard_normal((2, 3, 2, 3)).astype(np.float32),
            "vector_u": rng.standard_normal((1, 3)).astype(np.float32),
            "bias": rng.standard_normal(3).astype(np.float32)}


def bounded(weights):
    return {name: Bounded(weight, FLOAT32) for name, weight in weights.items()}


@pytest.mark.parametrize("seed", range(20))
def test_float32_in_other_orders_stays_within_the_bound(seed):
    weights, rng = drawn(seed), np.random.default_rng(seed)
    judged = oracle()
    judged.forward(Bounded(rng.standard_normal((2, 5, 4, 2)), FLOAT32), bounded(weights))
    matrix, u = weights["kernel"].reshape(-1, 3), weights["vector_u"]
    order = rng.permutation(len(matrix))
    for _ in range(2):
        v = (u * matrix).sum(axis=1, dtype=np.float32)
        v = v / np.sqrt(np.square(v)[order].cumsum(dtype=np.float32)[-1])
        u = (v[order, None] * matrix[order]).cumsum(axis=0, dtype=np.float32)[-1:]
        u = u / np.sqrt(np.square(u).sum(dtype=np.float32))
    sigma = ((v @ matrix) * u[0]).cumsum(dtype=np.float32)[-1]
    for name, made in (("kernel", weights["kernel"] / sigma), ("vector_u", u)):
        right = judged.updated[name]
        assert made.dtype == np.float32
        assert (np.abs(made - right.value) <= right.bound).all()
        assert right.bound.max() < 1e-3, "so wide that nothing is proved"


def test_the_estimate_is_the_singular_value_in_the_end():
    weights = drawn()
    judged = oracle(200)
    judged.forward(Bounded(np.ones((2, 5, 4, 2)), FLOAT32), bounded(weights))
    kernel = judged.updated["kernel"].value.reshape(-1, 3)
    assert np.linalg.svd(kernel, compute_uv=False)[0] == pytest.approx(1, abs=1e-9)


def test_whole_numbers_come_out_whole_and_any_of_them_can():
    seen = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        whole = {name: rng.integers(-4, 5, weight.shape).astype(np.float32)
                 for name, weight in drawn().items()}
        judged = oracle(3)
        y = judged.forward(Bounded(rng.integers(-4, 5, (2, 5, 4, 2)), FLOAT32),
                           bounded(judged.admitted_weights(whole)))
        kernel = judged.updated["kernel"].value
        assert (kernel == np.rint(kernel)).all() and (y.value == np.rint(y.value)).all()
        assert np.abs(kernel).max() <= 4
        seen |= {tuple(place) for place in np.argwhere(kernel)}
    assert len(seen) == 2 * 3 * 2 * 3 - 2 - 11, "all but the rest of a row and of a column"


def test_no_pass_at_inference_divides():
    weights = drawn()
    judged = oracle()
    judged.training = False
    plain = oracle_for("Conv2D", CONV["config"], "whole")
    x = Bounded(np.random.default_rng(1).standard_normal((2, 5, 4, 2)), FLOAT32)
    y, expected = judged.forward(x, bounded(weights)), plain.forward(x, bounded(
        {name: weights[name] for name in ("kernel", "bias")}))
    np.testing.assert_array_equal(y.value, expected.value)
    assert not judged.updated


@pytest.mark.parametrize("labelled", [True, False])
def test_a_check_from_recordings_alone(labelled):
    L = scratch.layers
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), L.SpectralNormalization(scratch.Conv2D(3, (2, 3)), 2),
        L.Flatten(), L.SpectralNormalization(scratch.Dense(4, activation="tanh")),
        scratch.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 6, 5, 2)).astype("float32")
    given = ({"y": rng.integers(0, 3, 5)} if labelled else
             {"upstream": rng.standard_normal((5, 3)).astype("float32")})
    twin = compare.twin(model)
    golden, own = compare.record(twin, x, **given), compare.record(model, x, **given)
    assert compare.check(model, golden) and compare.diff(own, golden)
    own.parts[0].updated["kernel"] = own.parts[0].updated["kernel"] * np.float32(1.001)
    report = compare.diff(own, golden)
    assert [(row.layer, row.tensor) for row in report.rows if not row.passed] == [
        ("spectral_normalization", "kernel")]
