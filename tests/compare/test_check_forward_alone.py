"""The forward pass alone: ports for inference hold or are named, and nothing given is ignored."""

import json

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.report.junit import junit
from compare.report.page import report_page
from compare.tracing.ops import ops_of
from compare.tracing.trace import Trace, at_inference
from tests.compare.support.schema_fit import require_fit

GATES = [Gate.NETWORK, Gate.WEIGHTS, Gate.WHOLE_NUMBERS, Gate.FEW_TERMS, Gate.FORWARD,
         Gate.EXTREMES, Gate.WHOLE_NETWORK]
STATISTICS = {"gamma": "g", "beta": "b", "moving_mean": "m", "moving_variance": "v"}


class Conv:
    """A 'valid' convolution of images channels last that has a forward pass and no other."""

    def __init__(self, kernel=(3, 2, 2, 4)):
        self.k, self.c = np.zeros(kernel, "float32"), np.zeros(kernel[-1], "float32")

    def forward(self, x):
        kh, kw, _, filters = self.k.shape
        h, w = x.shape[1] - kh + 1, x.shape[2] - kw + 1
        y = np.zeros((len(x), h, w, filters), "float32")
        for i in range(kh):
            for j in range(kw):
                y += x[:, i:i + h, j:j + w] @ self.k[i, j]
        return y + self.c


class Flipped(Conv):
    def forward(self, x):
        kept, self.k = self.k, self.k[::-1, ::-1]
        try:
            return super().forward(x)
        finally:
            self.k = kept


class Norm:
    """A BatchNormalization for inference."""

    def __init__(self, epsilon=1e-3):
        self.g = self.b = self.m = self.v = None
        self.epsilon = np.float32(epsilon)
        self.g, self.b, self.m, self.v = (np.ones(4, "float32") for _ in range(4))

    def forward(self, x):
        return (x - self.m) / np.sqrt(self.v + self.epsilon) * self.g + self.b


class OfBatch(Norm):
    def forward(self, x):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (x - mean) / np.sqrt(variance + self.epsilon) * self.g + self.b


class Moving(Norm):
    def forward(self, x):
        y = super().forward(x)
        self.m *= np.float32(0.9)
        return y


@pytest.fixture(scope="module")
def twin(keras):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((7, 6, 2)), layers.Conv2D(4, (3, 2), name="conv"),
        layers.BatchNormalization(name="norm"), layers.ReLU(name="relu"),
        layers.Dropout(0.4, name="drop"), layers.Flatten(name="flat"),
        layers.Dense(3, activation="softmax", name="dense")])
    rng = np.random.default_rng(3)
    model.set_weights([np.abs(rng.normal(0.5, 0.4, w.shape)) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(5, 7, 6, 2)).astype("float32")


def port(conv=Conv, norm=Norm, **more):
    return [compare.wrap(conv(), kernel="k", bias="c", **more),
            compare.wrap(norm(), weights=STATISTICS, **more), None, None, None, None]


def wrong(report):
    return {(row.layer, row.tensor) for row in report.rows
            if not row.passed and not row.gate.whole}


@pytest.mark.parametrize("declared", [{}, {"backward": None}])
def test_a_port_for_inference_holds(twin, x, declared):
    gradients = None if declared else False
    report = compare.check(port(**declared), twin, x, gradients=gradients)
    assert report, report
    assert [gate for gate in Gate if any(row.gate is gate for row in report.rows)] == GATES
    assert {row.tensor for row in report.rows if not row.gate.whole
            and row.gate not in (Gate.NETWORK, Gate.WEIGHTS)} == {"output"}
    assert {row.tensor for row in report.rows if row.gate.whole} == {"wiring", "output", "predict"}
    assert "forward pass" in report.notes[0] and "outside of training" in report.notes[0]
    assert ("conv, norm" in report.notes[0]) == bool(declared)


@pytest.mark.parametrize("batch", [1, 2, 9])
def test_batches_of_any_size(twin, batch):
    x = np.random.default_rng(batch).normal(size=(batch, 7, 6, 2)).astype("float32")
    assert compare.check(port(), twin, x, gradients=False)


@pytest.mark.parametrize("parts, layer, cause", [
    ((Flipped, Norm), "conv", "kernel-flipped"),
    ((Conv, lambda: Norm(1e-2)), "norm", "epsilon"),
    ((Conv, OfBatch), "norm", ""), ((Conv, Moving), "norm", "training-flag")])
def test_a_wrong_port_is_named(twin, x, parts, layer, cause):
    report = compare.check(port(*parts, backward=None), twin, x)
    assert not report and report.exit_code == 1
    assert {name for name, _ in wrong(report)} == {layer}
    assert report.first_failure.layer == layer
    assert report.cause.layer == layer and cause in report.cause.identifier
    assert f"norm {'moving_mean' if parts[1] is Moving else 'output'}" in str(report) \
        or layer == "conv"


def test_one_layer_by_itself(x):
    like = {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4,
                                               "kernel_size": (3, 2)}}
    for made, holds in ((Conv(), True), (Flipped(), False)):
        layer = compare.wrap(made, like=like, input_shape=(7, 6, 2), kernel="k", bias="c",
                             backward=None)
        model = scratch.Sequential([scratch.Input((7, 6, 2)), layer])
        model.set_weights([np.random.default_rng(1).normal(size=w.shape)
                           for w in model.get_weights()])
        assert bool(compare.check(model, compare.twin(model), x)) is holds


def test_graphs_merge_at_inference(keras, x):
    layers = keras.layers
    source = keras.Input((7, 6, 2))
    left = layers.Conv2D(4, 3, padding="same", name="left")(source)
    right = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="right")(source)
    both = layers.Dropout(0.5, name="drop")(layers.Add(name="add")([left, right]))
    twin = keras.Model(source, layers.GlobalAveragePooling2D(name="mean")(both))
    model = scratch.model_from_config(twin.get_config())
    model.set_weights(twin.get_weights())
    report = compare.check(model, twin, x, gradients=False)
    assert report and {"add", "mean"} <= {row.layer for row in report.rows}
    model.layers[-1].forward = lambda x, training=False: x.max((1, 2))
    report = compare.check(model, twin, x, gradients=False)
    assert report.first_failure.layer == "mean"


@pytest.mark.parametrize("kind", ["MultiHeadAttention", "Bidirectional"])
def test_weights_of_layers_inside_a_layer(keras, kind):
    L = keras.layers
    inputs = keras.Input((5, 3))
    made = (L.MultiHeadAttention(2, 2, name="inner")(inputs, inputs)
            if kind == "MultiHeadAttention" else L.Bidirectional(L.LSTM(2), name="inner")(inputs))
    twin = keras.Model(inputs, made)
    model = scratch.model_from_config(twin.get_config())
    model.set_weights(twin.get_weights())
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    assert compare.check(model, twin, x, gradients=False)
    y = np.asarray(twin(x))
    assert compare.check_outputs(twin, x, {"inner": y})
    assert not compare.check_outputs(twin, x, {"inner": y * np.float32(1.001)})


def test_a_layer_whose_gradient_tensorflow_cannot_compute_has_a_forward_pass(keras):
    """oneDNN's kernels corrupt memory in the gradient of such a convolution; nobody asks for it."""
    twin = keras.Sequential([keras.Input((8, 6, 2)), keras.layers.Conv2D(3, 1, strides=2)])
    x = np.random.default_rng(0).normal(size=(2, 8, 6, 2)).astype("float32")
    assert compare.check([None], twin, x, gradients=False)
    assert compare.check_outputs(twin, x, [np.asarray(twin(x))])


def test_what_else_is_given_is_refused(twin, x):
    for more in ({"y": np.zeros(5, int)}, {"upstream": np.ones((5, 3), "float32")},
                 {"sample_weight": np.ones(5)}):
        with pytest.raises(ValueError, match=f"x alone.*{next(iter(more))}"):
            compare.check(port(), twin, x, gradients=False, **more)
    with pytest.raises(ValueError, match="backward=None for: conv, norm"):
        compare.check(port(backward=None), twin, x, gradients=True)


def test_a_missing_backward_pass_is_told_with_the_way_out(twin, x):
    report = compare.check(port(), twin, x)
    assert not report and "backward=None" in str(report) and "--inference" in str(report)


def test_golden_traces_without_gradients(twin, x, tmp_path):
    trace = compare.record(twin, x, gradients=False)
    trace.save(tmp_path / "golden.npz")
    loaded = Trace.load(tmp_path / "golden.npz")
    assert not loaded.training and loaded.y is None
    assert all(part.output_gradient is None and not part.updated for part in loaded.parts)
    np.testing.assert_array_equal(loaded.parts[-1].output, twin(x, training=False).numpy())
    assert compare.check(port(), loaded)
    assert not compare.check(port(Flipped), loaded)
    assert compare.diff(trace, loaded)
    with pytest.raises(ValueError, match="recorded at inference"):
        compare.check(port(), loaded, gradients=True)


def test_a_trace_that_says_both_is_refused(twin, x, tmp_path):
    trace = compare.record(twin, x, upstream=np.ones((5, 3), "float32"))
    trace.training = False
    trace.save(tmp_path / "t.npz")
    with pytest.raises(ValueError, match="outside of training has inference, output_gradient"):
        Trace.load(tmp_path / "t.npz")


def test_a_pass_in_training_is_no_pass_outside_of_it(twin, x):
    inside = compare.record(twin, x, upstream=np.ones((5, 3), "float32"))
    outside = compare.record(twin, x, gradients=False)
    report = compare.diff(inside, outside)
    assert not report and report.first_failure.tensor == "pass"
    with pytest.raises(ValueError, match="recorded in training, where 'norm'"):
        compare.check(port(), inside, gradients=False)


def test_where_no_layer_differs_a_trace_of_training_will_do(keras, x):
    twin = keras.Sequential([keras.Input((7, 6, 2)), keras.layers.Conv2D(4, (3, 2), name="conv"),
                             keras.layers.Flatten(), keras.layers.Dense(3)])
    trace = compare.record(twin, x, upstream=np.ones((5, 3), "float32"))
    layers = [compare.wrap(Conv(), kernel="k", bias="c"), None, None]
    report = compare.check(layers, trace, gradients=False)
    assert report and {row.gate for row in report.rows} <= set(GATES)
    mine, theirs = (at_inference(trace), compare.record(twin, x, gradients=False))
    assert compare.diff(mine, theirs)


def test_everything_that_a_report_becomes(twin, x):
    report = compare.check(port(Flipped), twin, x, gradients=False)
    said = json.loads(json.dumps(report.as_dict()))
    require_fit("check", {"about": "port", **said})
    assert said["notes"] == report.notes
    assert 'name="backward"' not in junit(report) and "<failure" in junit(report)
    page = report_page(report, "Checking a port", {})
    assert "forward pass" in page and "kernel-flipped" in str(report.diagnosis[0].identifier)


class First(Conv):
    """Returns no gradient of its input, which nobody needs of a first layer."""

    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        kh, kw = self.k.shape[:2]
        h, w = dy.shape[1:3]
        self.dk = np.stack([np.stack([np.einsum("nhwc,nhwf->cf", self.x[:, i:i + h, j:j + w], dy)
                                      for j in range(kw)]) for i in range(kh)])
        self.dc = dy.sum((0, 1, 2))


def first(**more):
    return compare.wrap(First(), kernel="k", bias="c", gradients={"kernel": "dk", "bias": "dc"},
                        **more)


@pytest.fixture(scope="module")
def plain_twin(keras):
    model = keras.Sequential([keras.Input((7, 6, 2)), keras.layers.Conv2D(4, (3, 2), name="conv"),
                              keras.layers.Flatten(name="flat"), keras.layers.Dense(3, name="d")])
    model.compile("sgd", "mean_squared_error")
    return model


def test_a_first_layer_need_not_return_its_inputs_gradient(plain_twin, x):
    y = np.random.default_rng(2).normal(size=(5, 3)).astype("float32")
    report = compare.check([first(), None, None], plain_twin, x, y)
    assert report, report
    names = {(row.layer, row.tensor) for row in report.rows}
    assert ("conv", "kernel_gradient") in names and ("conv", "input_gradient") not in names
    assert ("network", "input_gradient") not in names
    assert any("conv: it returns no gradient of its input" in spot and not spot.seen_by
               for spot in report.blind)
    broken = first()
    broken.obj.backward = lambda dy: None  # and no gradients of its weights either
    assert not compare.check([broken, None, None], plain_twin, x, y)


def test_any_other_layer_must(keras, x):
    twin = keras.Sequential([keras.Input((7, 6, 2)), keras.layers.ReLU(name="relu"),
                             keras.layers.Conv2D(4, (3, 2), name="conv")])
    report = compare.check([None, first()], twin, x)
    assert ("conv", "input_gradient") in wrong(report)


def test_alone_a_layer_must_unless_it_was_declared(x):
    like = {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4,
                                               "kernel_size": (3, 2)}}
    own = {"like": like, "input_shape": (7, 6, 2)}
    for layer, holds in ((first(**own), False),
                         (compare.wrap(First(), kernel="k", bias="c", **own,
                                       forward=lambda own, x: own.forward(x),
                                       backward=lambda own, dy: own.backward(dy) or
                                       (own.dk, own.dc),
                                       backward_gives=("kernel_gradient", "bias_gradient")),
                          True)):
        model = scratch.Sequential([scratch.Input((7, 6, 2)), layer])
        assert ops_of(model)[0].spares("input_gradient") is holds
        report = compare.check(model, compare.twin(model), x)
        assert bool(report) is holds, report
