"""Layers, activations and Lambdas of somebody's own: judged by Keras's own in float64."""

import keras
import numpy as np
import pytest

import compare
import scratch
from compare import cli

RNG_SHAPE = (5, 6, 7, 3)


class Swishy(keras.layers.Layer):
    """x * sigmoid(x), and a learned factor for each channel."""

    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")

    def call(self, x):
        return x * keras.ops.sigmoid(x) * self.factor


class OurSwishy(scratch.layers.Layer):
    """The same in NumPy."""

    def build(self, input_shape):
        self.add_weight("factor", (input_shape[-1],), scratch.initializers.get("ones"))
        super().build(input_shape)

    def forward(self, x, training=False):
        self.x, self.s = x, 1 / (1 + np.exp(-x))
        return x * self.s * self.params["factor"]

    def backward(self, dy, wants_input_gradient=True):
        self.grads["factor"] = (dy * self.x * self.s).sum((0, 1, 2))
        return dy * self.params["factor"] * (self.s + self.x * self.s * (1 - self.s))


class Off(OurSwishy):
    """Off by twenty roundings: no more than a hundred thousandth."""

    def forward(self, x, training=False):
        return super().forward(x) * np.float32(1 + 1e-5)


class Half(OurSwishy):
    """Its way back forgets that the sigmoid has a slope."""

    def backward(self, dy, wants_input_gradient=True):
        super().backward(dy)
        return dy * self.params["factor"] * self.s


class Summed(OurSwishy):
    """Its weight's gradient is of the first sample alone."""

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy)
        self.grads["factor"] = (dy * self.x * self.s)[0].sum((0, 1))
        return dx


def squared(x):
    return keras.ops.relu(x) ** 2


SQUARED = (lambda z: np.maximum(z, 0) ** 2, lambda dy, z, y: dy * 2 * np.maximum(z, 0))
HALVED = (lambda z: z / 2, lambda dy, z, y: dy / 2)
TWICE = (lambda z: z / 2, lambda dy, z, y: dy * 2)


def network(*layers):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(RNG_SHAPE[1:]), *layers, keras.layers.Flatten(),
                              keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape, scale=0.3).astype("float32")
                       for w in model.get_weights()])
    return model


def of_class():
    return network(keras.layers.Conv2D(4, (2, 3)), Swishy(name="own"))


def of_function():
    return network(keras.layers.Conv2D(4, (2, 3), activation=squared, name="own"))


def of_lambda():
    return network(keras.layers.Lambda(lambda x: x / 2, name="own"))


def checked(twin, objects, **options):
    model = scratch.model_from_config(twin.get_config(), custom_objects=objects)
    model.set_weights(twin.get_weights())
    rng = np.random.default_rng(2)
    x = rng.normal(size=RNG_SHAPE).astype("float32")
    y = rng.normal(size=(len(x), 2)).astype("float32")
    return compare.check(model, twin, x, y, **options)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("build, objects", [
    (of_class, {"Swishy": OurSwishy}), (of_function, {"squared": SQUARED}),
    (of_lambda, {"own": HALVED})])
def test_a_right_counterpart_holds_and_the_rows_say_how(build, objects):
    report = checked(build(), objects)
    assert report, str(report)
    own = [row for row in report.rows if row.layer.startswith("own") and row.kind == "perturbed"]
    assert {row.gate for row in own} >= {"forward", "backward", "inference"}
    assert not any(row.kind == "componentwise" for row in report.rows if row.gate.whole)
    assert any("own" in note and "not proved" in note for note in report.notes)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("build, objects, tensor", [
    (of_class, {"Swishy": Off}, "output"), (of_class, {"Swishy": Half}, "input_gradient"),
    (of_class, {"Swishy": Summed}, "factor_gradient"),
    (of_function, {"squared": (SQUARED[0], HALVED[1])}, "input_gradient"),
    (of_lambda, {"own": TWICE}, "input_gradient")])
def test_a_wrong_one_is_detected_and_placed(build, objects, tensor):
    report = checked(build(), objects, steps=0)
    assert not report
    assert report.first_failure.layer.startswith("own")
    assert report.first_failure.tensor == tensor and report.first_failure.off == "candidate"
    assert all(row.downstream for row in report.rows
               if not row.passed and not row.layer.startswith("own"))
    assert "unknown" in str(report)


def test_at_inference_alone():
    twin = of_class()
    model = scratch.model_from_config(twin.get_config(), custom_objects={"Swishy": OurSwishy})
    model.set_weights(twin.get_weights())
    x = np.random.default_rng(0).normal(size=RNG_SHAPE).astype("float32")
    assert compare.check(model, twin, x, gradients=False)


def test_a_layer_that_cannot_be_made_anew_is_named():
    class Closed(Swishy):
        @classmethod
        def from_config(cls, config):
            raise RuntimeError("it is closed")

    with pytest.raises(ValueError, match="'own'.*from_config makes anew.*it is closed"):
        checked(network(Closed(name="own")), {"Closed": OurSwishy}, steps=0)


def test_no_trace_file_keeps_the_functions(tmp_path):
    twin = of_class()
    x = np.zeros(RNG_SHAPE, "float32")
    trace = compare.record(twin, x, gradients=False)
    trace.save(tmp_path / "golden.npz")
    assert compare.Trace.load(tmp_path / "golden.npz").runs == {}


def test_only_the_live_model_can_judge(tmp_path, capsys):
    twin = of_class()
    model = scratch.model_from_config(twin.get_config(), custom_objects={"Swishy": OurSwishy})
    model.set_weights(twin.get_weights())
    trace = compare.record(twin, np.ones(RNG_SHAPE, "float32"), gradients=False)
    for reference in (trace, model):
        with pytest.raises(ValueError, match="'own' is of class Swishy.*the live Keras model"):
            compare.check(model, reference,
                          None if reference is trace else np.ones(RNG_SHAPE, "float32"),
                          gradients=False)
    trace.save(tmp_path / "golden.npz")
    assert cli.main(["check", "--golden", str(tmp_path / "golden.npz"),
                     "--custom-objects", "mine.py"]) == 2
    assert "no --custom-objects with --golden" in capsys.readouterr().err


class Counting(Swishy):
    """Counts its passes in training, in a weight that nobody trains."""

    def build(self, input_shape):
        super().build(input_shape)
        self.passes = self.add_weight(name="passes", shape=(), initializer="zeros",
                                      trainable=False)

    def call(self, x, training=False):
        if training:
            self.passes.assign_add(1.0)
        return super().call(x)


@pytest.mark.parametrize("counts", [1, 2])
def test_what_a_pass_changes_is_judged(counts):
    class OurCounting(OurSwishy):
        non_trainable = ("passes",)

        def build(self, input_shape):
            super().build(input_shape)
            self.add_weight("passes", (), scratch.initializers.get("zeros"))

        def forward(self, x, training=False):
            if training:
                self.params["passes"] += counts
            return super().forward(x, training)

    report = checked(network(Counting(name="own")), {"Counting": OurCounting}, steps=0)
    failed = {(row.gate, row.tensor) for row in report.rows
              if row.layer == "own" and not row.passed}
    assert failed == ({("update", "passes")} if counts == 2 else set()), str(report)
