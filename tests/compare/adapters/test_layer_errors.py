"""Whatever goes wrong inside somebody's layer becomes a row that says so; others are checked."""

import re

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from tests.compare.adapters.examples_wrapped import modules, one_image
from tests.compare.adapters.examples_wrapped.batched_layers import (
    GRADIENTS,
    Convolution,
    Flattening,
    FullyConnected,
    Pooling,
    Rectifier,
    Softmax,
)
from tests.compare.support import examples

SHAPE = (6, 5, 2)
GATES = ("whole numbers", "few terms", "forward", "backward")


def twin(activation=None, end=True, loss="sparse_categorical_crossentropy"):
    model = scratch.Sequential([
        scratch.Input(SHAPE), scratch.Conv2D(3, (3, 2), activation=activation, name="conv"),
        scratch.ReLU(name="relu"), scratch.Flatten(name="flatten"),
        scratch.Dense(4, name="dense"), *[scratch.Softmax(name="softmax")] * end])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.compile("sgd", loss)
    return model


def batch():
    rng = np.random.default_rng(1)
    return rng.standard_normal((5, *SHAPE)).astype("float32"), np.array([0, 1, 2, 3, 1])


def layers(convolution=Convolution, relu=Rectifier, dense=FullyConnected, **conventions):
    how = {"kernel": "W", "bias": "b", "gradients": GRADIENTS}
    return [compare.wrap(convolution(3, 2, 2, 3), **{**how, **conventions}),
            compare.wrap(relu()), compare.wrap(Flattening()),
            compare.wrap(dense(48, 4), **how), compare.wrap(Softmax())]


def checked(*args, **kwargs):
    return compare.check(layers(*args, **kwargs), twin(), *batch())


def failed(report, gates=GATES):
    return {(row.layer, row.tensor) for row in report.rows
            if not row.passed and row.gate in gates}


def notes(report, layer="conv"):
    return {row.note for row in report.rows if row.layer == layer and not row.passed}


ALL = {("conv", tensor) for tensor in ("output", "input_gradient", "kernel_gradient",
                                       "bias_gradient")}
BACK = ALL - {("conv", "output")}


class RaisesForward(Convolution):
    def forward(self, x):
        raise RuntimeError("no such luck")


class ExitsForward(Convolution):
    def forward(self, x):
        raise SystemExit(0)


class ExitsBackward(Convolution):
    def backward(self, dy):
        raise SystemExit


class RaisesBackward(Convolution):
    def backward(self, dy):
        return self.forgotten


def test_an_error_forward_is_a_row_with_its_line_and_the_others_are_checked():
    report = checked(RaisesForward)
    assert failed(report) == ALL
    note, = notes(report)
    assert "Layer 'conv' (RaisesForward): its forward pass raised RuntimeError: no such" in note
    assert 'test_layer_errors.py, line' in note
    assert 'raise RuntimeError("no such luck")' in note
    assert {row.layer for row in report.rows if row.gate == "forward" and row.passed} == {
        "relu", "flatten", "dense", "softmax"}
    whole = [row for row in report.rows if row.gate == "whole network"]
    assert [row.passed for row in whole] == [False]
    assert whole[0].note.startswith("not run: layer 'conv' raised RuntimeError: no such luck")
    assert whole[0].downstream and report.first_failure.layer == "conv"
    assert all(row.observed is None for row in report.rows)
    assert "no such luck" in " ".join(str(report).split()) and report.as_dict()["passed"] is False


@pytest.mark.parametrize("kind, wrong", [(ExitsForward, ALL), (ExitsBackward, BACK)])
def test_a_layer_that_exits_is_a_row_and_ends_nothing(kind, wrong):
    report = checked(kind)
    assert not report and failed(report) == wrong
    assert all("raised SystemExit" in note for note in notes(report))


def test_an_error_backward_leaves_the_output_standing():
    report = checked(RaisesBackward)
    assert failed(report) == BACK
    note, = notes(report)
    assert "its backward pass raised AttributeError" in note and "return self.forgotten" in note


@pytest.mark.parametrize("kind, said", [(RaisesForward, "RuntimeError: no such luck"),
                                        (ExitsForward, "SystemExit"),
                                        (ExitsBackward, "SystemExit")])
def test_lockstep_says_why_it_was_not_run(keras, kind, said):
    model, reference = twins.twins(twin())
    report = compare.check(layers(kind), reference, *batch(), steps=2)
    row = report.rows[-1]
    assert row.gate == "lockstep" and not row.passed and row.downstream
    assert row.note.startswith(f"not run: layer 'conv' raised {said}")


def test_layers_of_scratch_that_raise_are_rows_too():
    class Raises(scratch.Conv2D):
        def affine(self, x):
            raise KeyError("bad")

    report = compare.check(examples.network("inside", second=Raises), examples.network("inside"),
                           *examples.batch())
    assert {layer for layer, _ in failed(report)} == {"second"}
    assert any("KeyError: 'bad'" in note for note in notes(report, "second"))


def shape_of(shape):
    class Cut(Convolution):
        def forward(self, x):
            return super().forward(x)[shape]

    return Cut


def returning(value):
    class Returns(Convolution):
        def forward(self, x):
            super().forward(x)
            return value

    return Returns


@pytest.mark.sampled(3)
@pytest.mark.parametrize("made, conventions, expected, said", [
    (shape_of(np.s_[:, 1:]), {}, ALL,
     r"expected an output of shape \(.*4, 4, 3\). Received: \(.*3, 4, 3\)"),
    (returning(None), {}, ALL, "expected the output to be an array of numbers. Received: NoneType"),
    (returning("text"), {}, ALL, "an array of numbers. Received: str"),
    (Convolution, {"forward": "run"}, ALL, "expected 'run' in Convolution. It has: W, b"),
    (Convolution, {"backward": "back"}, BACK, "expected 'back' in Convolution"),
    (Convolution, {"kernel": "weights"}, ALL, "expected 'weights' in Convolution. It has: W, b"),
    (Convolution, {"bias": None}, ALL, r"expected wrap to be told where the bias is, bias=\.\.\."),
    (Convolution, {"gradients": {"kernel": "dw", "bias": "db"}}, BACK, "expected 'dw' in"),
    (Convolution, {"kernel_layout": "OIHW"}, ALL,
     r"expected 'W' to be of shape \(3, 2, 3, 2\), for a kernel of shape \(3, 2, 2, 3\) in Keras. "
     r"Received: \(3, 2, 2, 3\)"),
    (Convolution, {"forward_gives": ("output", "cache")}, ALL,
     "to return 2 things: output, cache. Received: ndarray"),
    (Convolution, {"backward_gives": ("input_gradient", "kernel_gradient")}, BACK,
     "to return 2 things: input_gradient, kernel_gradient. Received: ndarray"),
    (Convolution, {"kernel": lambda layer: layer.W.copy()}, ALL,
     "to keep the kernel that is put there"),
    (Convolution, {"reset": "clear"}, BACK, "clear"),
])
def test_what_is_declared_wrong_is_said_in_the_row(made, conventions, expected, said):
    report = checked(made, **conventions)
    assert failed(report) == expected
    assert any(re.search(said, note) for note in notes(report)), notes(report)


def test_gradients_that_are_missing_or_of_another_shape_fail():
    class Flat(Convolution):
        def backward(self, dy):
            dx = super().backward(dy)
            self.dW = self.dW.reshape(-1)
            return dx

    report = checked(Flat)
    assert failed(report) == {("conv", "kernel_gradient")}
    assert "expected shape (3, 2, 2, 3), received (36,)" in notes(report)
    report = checked(gradients={"kernel": "dW"})  # of the bias nothing is said
    assert failed(report) == {("conv", "bias_gradient")}


def test_a_bias_for_each_place_is_filled_and_found_out_by_its_gradient():
    class Untied(Convolution):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.b = np.zeros((4, 4, 3))

        def backward(self, dy):
            dx = super().backward(dy)
            self.db = dy.sum(axis=0)
            return dx

    report = checked(Untied)
    assert failed(report) == {("conv", "bias_gradient")}
    assert "expected shape (3,), received (4, 4, 3)" in notes(report)


def test_an_input_changed_in_place_is_told():
    class InPlace(Rectifier):
        def forward(self, x):
            self.positive = x > 0
            x[~self.positive] = 0
            return x

    report = checked(relu=InPlace)
    assert not report
    assert any("in place" in note for note in notes(report, "relu"))
    first = {"data_format": "channels_first"}
    items = layers()
    items[1] = compare.wrap(InPlace(), **first)
    report = compare.check(items, twin(), *batch())
    assert any("in place" in note for note in notes(report, "relu"))


# Lists


def test_none_and_layers_of_scratch_fill_a_list():
    items = [layers()[0], None, scratch.Flatten(), None, scratch.Softmax()]
    assert compare.check(items, twin(), *batch())
    made = compare.assemble(items, twin())
    assert [layer.name for layer in made.layers] == ["conv", "relu", "flatten", "dense", "softmax"]


def test_an_activation_inside_may_be_apart_or_inside():
    reference = twin("relu")
    reference.layers[0].name = "conv"
    how = {"kernel": "W", "bias": "b", "gradients": GRADIENTS}
    conv, rest = Convolution(3, 2, 2, 3), layers()[1:]
    pair = (compare.wrap(conv, **how), compare.wrap(Rectifier()))
    for items in ([pair, *rest], [*pair, *rest], [(pair[0], None), *rest],
                  [compare.wrap(conv, activation="apart", **how), *rest]):
        report = compare.check(items, reference, *batch())
        assert report, str(report)
        assert "conv/relu" in {row.layer for row in report.rows}

    class Both(Convolution):
        def forward(self, x):
            self.y = np.maximum(super().forward(x), 0)
            return self.y

        def backward(self, dy):
            return super().backward(dy * (self.y > 0))

    report = compare.check([compare.wrap(Both(3, 2, 2, 3), **how), *rest], reference, *batch())
    assert report, str(report)
    assert "conv/relu" not in {row.layer for row in report.rows}

    class Leaky(Rectifier):
        def backward(self, dy):
            return dy

    report = compare.check([(pair[0], compare.wrap(Leaky())), *rest], reference, *batch())
    assert failed(report) == {("conv/relu", "input_gradient")}


@pytest.mark.parametrize("change, error, said", [
    (lambda items: items[:-1], ValueError, "Expected 5 layers, one for each of Conv2D, ReLU, "
                                           "Flatten, Dense, Softmax. Received: 4"),
    (lambda items: [*items[:1], Rectifier(), *items[2:]], TypeError,
     "Received at position 2: Rectifier"),
    (lambda items: [*items[:1], scratch.Flatten(), *items[2:]], ValueError,
     "Expected at position 2 a layer that stands for ReLU. Received: Flatten"),
    (lambda items: [*items[:1], (items[1], items[1]), *items[2:]], ValueError,
     "Expected at position 2 one layer for ReLU. Received: 2"),
    (lambda items: [*items[:1], compare.wrap(Rectifier(), backward_takes=("labels",)), *items[2:]],
     ValueError, "at the end of the list. Received at position 2: Rectifier, for ReLU"),
])
def test_lists_that_do_not_fit(change, error, said):
    with pytest.raises(error, match=said):
        compare.check(change(layers()), twin(), *batch())


def test_a_softmax_inside_the_last_layer_is_refused_by_name():
    class Both(FullyConnected):
        def forward(self, x):
            e = np.exp(super().forward(x))
            return e / e.sum(axis=1, keepdims=True)

    reference = scratch.Sequential([scratch.Input((6,)), scratch.Dense(4, activation="softmax",
                                                                       name="dense")])
    reference.compile("sgd", "sparse_categorical_crossentropy")
    item = compare.wrap(Both(6, 4), kernel="W", bias="b", gradients=GRADIENTS)
    x, y = np.ones((3, 6), "float32"), np.array([0, 1, 2])
    report = compare.check([item], reference, x, y)
    assert any("apart from the layer" in row.note for row in report.rows if not row.passed)


def test_joined_losses_refuse_what_they_cannot_do():
    reference = scratch.Sequential([scratch.Input((6,)), scratch.Dense(4), scratch.Softmax()])
    loss = compare.wrap(modules.CrossEntropy(), backward_takes=("labels",), labels="one_hot")
    x, y = np.ones((3, 6), "float32"), np.array([0, 1, 2])
    reference.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="no weights of samples"):
        compare.record(compare.assemble([None, loss], reference), x, y,
                       sample_weight=np.array([1., 2, 3]))
    reference.compile("sgd", "mse")
    with pytest.raises(ValueError, match="categorical cross-entropy.*Received: MeanSquaredError"):
        compare.check([None, loss], reference, x, np.zeros((3, 4), "float32"))


def test_a_list_is_checked_against_a_trace(tmp_path):
    trace = compare.record(twin(), *batch())
    trace.save(tmp_path / "golden.npz")
    report = compare.check(layers(), compare.Trace.load(tmp_path / "golden.npz"))
    assert report, str(report)


def test_one_at_a_time_with_a_batch_axis_and_a_rate_of_its_own():
    class Learning(Convolution):
        rate = 0.01

        def backward(self, dy):
            assert len(dy) == 1
            dx = super().backward(dy)
            self.W -= self.rate * self.dW
            self.b -= self.rate * self.db
            return dx

    for rate in (0.01, "rate"):
        report = checked(Learning, batched="one", gradients="applied", learning_rate=rate)
        assert report, str(report)
    report = checked(Learning, batched="one", gradients="applied", learning_rate=0.02)
    assert failed(report) == {("conv", "kernel_gradient"), ("conv", "bias_gradient")}


def test_pools_and_images_in_the_other_order():
    pool = scratch.Sequential([scratch.Input((6, 4, 3)), scratch.MaxPooling2D(2, name="pool"),
                               scratch.Flatten(name="flatten")])
    x = np.random.default_rng(0).standard_normal((3, 6, 4, 3)).astype("float32")
    dy = np.random.default_rng(1).standard_normal((3, 18)).astype("float32")
    single = [compare.wrap(one_image.Pool(), **one_image.STYLE),
              compare.wrap(one_image.Unroll(), **one_image.STYLE)]
    assert compare.check(single, pool, x, upstream=dy)
    wrong = [single[0], compare.wrap(one_image.Unroll(), **one_image.STYLE, flatten_order="HWC")]
    report = compare.check(wrong, pool, x, upstream=dy)
    assert failed(report) == {("flatten", "output"), ("flatten", "input_gradient")}
    assert compare.check([compare.wrap(Pooling(2)), compare.wrap(Flattening())], pool, x,
                         upstream=dy)
