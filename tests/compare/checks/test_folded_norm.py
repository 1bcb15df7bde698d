"""A normalization folded into the layer before it, by a naive loop in float32, holds."""

import numpy as np
import pytest

import compare
import scratch

F = np.float32


def network(layer, seed, mean):
    scratch.set_random_seed(seed)
    model = scratch.Sequential([scratch.Input((5, 6, 3)), layer(),
                                scratch.BatchNormalization(name="norm"),
                                scratch.ReLU(name="relu")])
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 1, w.shape) if w.ndim > 1 else
                       rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    model.layers[1].params["moving_mean"][...] *= F(mean)
    return model, rng.normal(size=(2, 5, 6, 3)).astype(F)


def folded(model, x, scale_by=1.0):
    """s = gamma / sqrt(variance + epsilon) goes into kernel and bias; then one product after the
    other, each sum rounded."""
    first, norm = model.layers[0].params, model.layers[1].params
    s = norm["gamma"] / np.sqrt(norm["moving_variance"] + F(1e-3)) * F(scale_by)
    kernel = first["kernel"] * s
    bias = (first["bias"] - norm["moving_mean"]) * s + norm["beta"]
    kernel = kernel if kernel.ndim == 4 else kernel[None, None]
    kh, kw, cin, _ = kernel.shape
    h, w = x.shape[1] - kh + 1, x.shape[2] - kw + 1
    total = np.zeros((len(x), h, w, kernel.shape[3]), F)
    for i in range(kh):
        for j in range(kw):
            for c in range(cin):
                total += x[:, i:i + h, j:j + w, c:c + 1] * kernel[i, j, c]
    return total + bias


LAYERS = {"conv": lambda: scratch.Conv2D(4, (2, 3), name="first"),
          "dense": lambda: scratch.Dense(4, name="first")}


@pytest.mark.sampled(10, of="layer")
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("mean", [1, 1e4])  # the second loses digits, which two layers would not
def test_folding_holds_and_a_mistake_in_it_does_not(layer, seed, mean):
    model, x = network(LAYERS[layer], seed, mean)
    right = folded(model, x)
    for given in ({"norm": right}, {"relu": np.maximum(right, 0)}):
        report = compare.check_outputs(model, x, given)
        assert report, str(report)
    wrong = folded(model, x, scale_by=1.001)
    assert not compare.check_outputs(model, x, {"norm": wrong})


def test_it_is_allowed_only_where_the_layer_before_has_no_array():
    model, x = network(LAYERS["conv"], 0, 1e4)
    first = model.layers[0].forward(x, training=False)
    exact = compare.check_outputs(model, x, {"norm": folded(model, x)})
    apart = compare.check_outputs(model, x, {"first": first, "norm": folded(model, x)})
    allowed = [next(row.allowed for row in report.rows if row.layer == "norm")
               for report in (exact, apart)]
    assert allowed[1] < allowed[0]
