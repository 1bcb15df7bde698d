"""Coverage gaps: said where a batch or weights hide a class of mistakes, and nowhere else.

Each kind is shown twice: the sentence comes, and a network with a mistake of that class really
computes the same numbers.
"""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.coverage_gaps import coverage_gaps
from tests.compare.support import examples


def trace_of(model, x=None, y=None, **options):
    good_x, good_y = examples.batch()
    if "upstream" not in options and y is None:
        y = good_y
    return compare.record(model, good_x if x is None else x, y, **options)


def spots(*args, **options) -> list[str]:
    return coverage_gaps(trace_of(*args, **options))


def test_a_good_batch_and_good_weights_hide_nothing():
    assert spots(examples.network("inside")) == []
    assert spots(examples.network("inside", dtype="float64")) == []
    assert "hides no class of mistakes that is known" in compare.check(
        examples.network("inside"), examples.network("inside"), *examples.batch()).blindness()


def test_a_batch_of_one():
    x, y = examples.batch()
    said, = spots(examples.network("inside"), x[:1], y[:1])
    assert said.startswith("batch of 1: a sum in place of a mean")

    class Sums(scratch.SparseCategoricalCrossentropy):
        def forward(self, y_true, y_pred, from_logits=None):
            value = super().forward(y_true, y_pred, from_logits)
            self._gradient = self._gradient * len(y_pred)
            return value * len(y_pred)

    wrong = examples.network("inside", Sums(name="sums"))
    report = compare.check(wrong, examples.network("inside"), x[:1], y[:1], probes=False)
    assert report and report.blind == [said]
    probed = compare.check(wrong, examples.network("inside"), x[:1], y[:1])
    assert {(row.gate, row.layer) for row in probed.rows if not row.passed} == {
        ("extremes", "loss")}  # whose own batch is larger
    assert not compare.check(wrong, examples.network("inside"), x, y)


def test_equal_samples_and_equal_labels():
    x, y = examples.batch()
    same = np.repeat(x[:1], 4, axis=0)
    assert "all samples are equal: mixing them up changes nothing" \
        in spots(examples.network("inside"), same, y[:4])
    said, = spots(examples.network("inside"), x, np.full(5, 2))
    assert said.startswith("all labels are equal")
    one_hot = examples.network("inside", "categorical_crossentropy")
    assert spots(one_hot, x, np.eye(4)[np.full(5, 2)]) == [said]
    assert spots(one_hot, x, np.eye(4)[y]) == []


def convolution(kernel, x=None, mistake=scratch.Conv2D, **arguments):
    """(output of a convolution with this kernel, its trace's coverage gaps)."""
    kh, kw, channels, filters = kernel.shape
    if x is None:
        x = np.random.default_rng(0).standard_normal((2, 6, 5, channels))
    model = scratch.Sequential([scratch.Input(x.shape[1:]), mistake(
        filters, (kh, kw), name="conv", **arguments)])
    model.set_weights([kernel, np.arange(1.0, filters + 1)])
    dy = np.random.default_rng(1).standard_normal((len(x), *model.output_shape[1:]))
    return model.predict(x, verbose=0), spots(model, x, upstream=dy)


class Turns(scratch.Conv2D):
    """Convolves, where Keras correlates."""

    def affine(self, x):
        kept = self.kernel.copy()
        self.kernel[...] = kept[::-1, ::-1]
        try:
            return super().affine(x)
        finally:
            self.kernel[...] = kept


class Transposes(scratch.Conv2D):
    axes = (1, 0, 2, 3)

    def affine(self, x):
        kept = self.kernel.copy()
        self.kernel[...] = kept.transpose(self.axes)
        try:
            return super().affine(x)
        finally:
            self.kernel[...] = kept


class SwapsChannels(Transposes):
    axes = (0, 1, 3, 2)


def kernel(*shape):
    return np.random.default_rng(2).standard_normal(shape)


def symmetric(*shape):
    k = kernel(*shape)
    return k + k[::-1, ::-1]


@pytest.mark.parametrize("blind, seeing, mistake, said", [
    (symmetric(3, 2, 2, 3), kernel(3, 2, 2, 3), Turns, "conv: the kernel is symmetric"),
    (kernel(2, 2, 1, 3) + kernel(2, 2, 1, 3).swapaxes(0, 1), kernel(2, 2, 1, 3), Transposes,
     "conv: the kernel equals its transpose"),
    (kernel(3, 2, 2, 2) + kernel(3, 2, 2, 2).swapaxes(2, 3), kernel(3, 2, 2, 2), SwapsChannels,
     "conv: swapping the kernel's input and output channels"),
], ids=["flip", "transpose", "channels"])
def test_symmetric_kernels(blind, seeing, mistake, said):
    right, found = convolution(blind)
    np.testing.assert_array_equal(convolution(blind, mistake=mistake)[0], right)
    assert any(sentence.startswith(said) for sentence in found), found
    right, found = convolution(seeing)
    assert not np.array_equal(convolution(seeing, mistake=mistake)[0], right)
    assert not any(sentence.startswith(said) for sentence in found), found


def test_a_kernel_of_one_pixel_has_nothing_to_flip():
    assert convolution(kernel(1, 1, 2, 3))[1] == []


def test_equal_sizes_are_named():
    square = np.random.default_rng(0).standard_normal((2, 6, 6, 2))
    _, found = convolution(kernel(3, 3, 2, 4), square)
    assert [s for s in found if s.startswith("conv: square images and a square kernel")]
    for shape, image in ((3, 2, 2, 4), square), ((3, 3, 2, 4), square[:, :5]):
        assert convolution(kernel(*shape), image)[1] == []


def test_a_bias_of_zero_hides_that_it_is_forgotten():
    model = examples.network("inside")
    model.get_layer("second").params["bias"][...] = 0
    said, = spots(model)
    assert said == "second: the bias is all zero, so forgetting it changes no output"

    class Forgets(scratch.Conv2D):
        def affine(self, x):
            return super().affine(x) - self.bias

    wrong = examples.network("inside", second=Forgets)
    for side in (wrong, model):
        side.set_weights(model.get_weights())
    x = examples.batch()[0]
    np.testing.assert_array_equal(wrong.predict(x, verbose=0), model.predict(x, verbose=0))
    report = compare.check(wrong, model, *examples.batch())
    assert report.first_failure.gate == "whole numbers", "the probe draws a bias of its own"


def test_images_without_features():
    x = np.random.default_rng(0).standard_normal((2, 1, 1, 2))
    constant = np.broadcast_to(x, (2, 6, 5, 2))
    out, found = convolution(kernel(3, 2, 2, 3), constant)
    assert [s for s in found if s.startswith("conv: each channel of the input is constant")]
    assert np.ptp(out, axis=(1, 2)).max() < 1e-5, "wherever the window is, it sees the same"
    square = np.random.default_rng(0).standard_normal((2, 5, 5, 2))
    _, found = convolution(kernel(3, 2, 2, 3), square + square.swapaxes(1, 2))
    assert [s for s in found if s.startswith("conv: the input equals its transpose")]
    assert convolution(kernel(3, 2, 2, 3), square)[1] == []


def dense(matrix, x, dy):
    model = scratch.Sequential([scratch.Input(x.shape[1:]), scratch.Dense(matrix.shape[1],
                                                                          name="dense")])
    model.set_weights([matrix, np.ones(matrix.shape[1])])
    return spots(model, x, upstream=dy)


def test_a_symmetric_matrix_and_a_square_one():
    x, dy = kernel(4, 3), kernel(4, 3)
    found = dense(kernel(3, 3) + kernel(3, 3).T, x, dy)
    assert [s.split(",")[0] for s in found] == ["dense: a square kernel",
                                                "dense: the kernel is symmetric"]
    assert [s.split(",")[0] for s in dense(kernel(3, 3), x, dy)] == ["dense: a square kernel"]
    assert dense(kernel(3, 5), x, kernel(4, 5)) == []


def alone(layer, x, dy):
    return spots(scratch.Sequential([scratch.Input(x.shape[1:]), layer]), x, upstream=dy)


@pytest.mark.parametrize("layer", [
    lambda: scratch.ReLU(name="r"), lambda: scratch.Activation("relu", name="r")],
    ids=["ReLU", "Act"])
def test_a_rectifier_with_inputs_of_one_sign(layer):
    x, dy = kernel(4, 5), kernel(4, 5)
    assert alone(layer(), x, dy) == []
    said, = alone(layer(), np.abs(x) + 0.1, dy)
    assert said.startswith("r: every input is positive")
    said, = alone(layer(), -np.abs(x), dy)
    assert said.startswith("r: no input is positive")


def test_a_pool_without_ties():
    x, dy = kernel(2, 4, 6, 2), kernel(2, 2, 3, 2)
    said, = alone(scratch.MaxPooling2D(name="pool"), x, dy)
    assert said.startswith("pool: no two inputs are equal")
    assert alone(scratch.MaxPooling2D(name="pool"), np.round(x), dy) == []


@pytest.mark.parametrize("make, gate", [
    (lambda: scratch.MaxPooling1D(name="pool"), "whole numbers"),
    (scratch.GlobalMaxPooling1D, "few terms")])
def test_every_maximum_wants_ties_and_the_gate_that_has_them_is_named(make, gate):
    layer = make()
    x = kernel(2, 6, 3)
    layer.build((None, 6, 3))
    dy = kernel(2, *layer.output_shape[1:])
    said, = alone(make(), x, dy)
    assert "no two inputs are equal" in said and said.seen_by == gate
    assert alone(make(), np.round(x), dy) == []


def test_gradients_that_show_nothing():
    x = kernel(4, 5)
    assert [s for s in dense(kernel(5, 3), x, np.zeros((4, 3)))
            if s.startswith("dense: the gradient that comes in is all zero")]
    assert [s for s in dense(kernel(5, 3), x, np.full((4, 3), 0.5))
            if s.startswith("dense: the gradient that comes in is the same everywhere")]
    dy = kernel(4, 3)
    said, = dense(kernel(5, 3), x, dy - dy.mean(axis=0))
    assert said.startswith("dense: the gradients that come in sum to zero")
    assert dense(kernel(5, 3), x, dy) == []


def test_the_report_says_what_the_probes_look_at_all_the_same():
    model = examples.network("inside")
    model.get_layer("conv").params["bias"][...] = 0
    x, y = examples.batch()
    covered = compare.check(model, model, x[:1], y[:1])
    bare = compare.check(model, model, x[:1], y[:1], probes=False)
    nothing = "What nothing here could have shown:"
    probes = "numbers drawn for it were run besides:"
    for report in (covered, bare):
        batch, bias = report.blind
        assert [spot.seen_by for spot in report.blind] == ["", "whole numbers"]
        lines = report.blindness().splitlines()
        assert lines[0] == nothing and lines[1] == f"  - {batch}"
        assert lines[-1] == f"  - {bias}"
        assert " ".join(report.blindness().split()) in " ".join(str(report).split())
        assert report.as_dict()["blind"] == [batch, bias]
    assert probes in covered.blindness() and probes not in bare.blindness()


def test_one_step_does_not_show_what_the_optimizer_remembers():
    model = examples.network("inside", optimizer=scratch.SGD(0.1, momentum=0.5))
    trace = compare.record(model, *examples.batch())
    spot, = compare.diff(trace, trace).blind
    assert "momentum" in spot and spot.seen_by == "lockstep"
    assert not compare.check(model, model, *examples.batch()).blind, "later steps are made there"
