"""Recording: what stands in a trace is what the network computes.

The network itself stays as it was.
"""

import copy

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from compare.tracing.validation import check_batch
from tests.compare.support import examples

ENDS = [("Softmax", "sparse_categorical_crossentropy"),
        ("inside", "sparse_categorical_crossentropy"),
        (None, scratch.SparseCategoricalCrossentropy(from_logits=True))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("end, loss", ENDS)
def test_a_scratch_trace_holds_what_the_model_computes_by_itself(end, loss, dtype):
    model = examples.network(end, loss, scratch.SGD(0.1, momentum=0.5), dtype)
    x, y = examples.batch()
    trace = compare.record(model, x, y)
    loss_value, output, dx = model.loss_and_gradients(x, y, wants_input_gradient=True)
    assert trace.loss == loss_value
    np.testing.assert_array_equal(trace.parts[-1].output, output)
    np.testing.assert_array_equal(trace.parts[0].input_gradient, dx)
    for layer in model.layers:
        part = next(part for part in trace.parts if part.layer == layer.name)
        for name, gradient in layer.grads.items():
            np.testing.assert_array_equal(part.weight_gradients[name], gradient)
            np.testing.assert_array_equal(part.weights[name], layer.params[name])
    model.update()
    for layer in model.layers:
        part = next(part for part in trace.parts if part.layer == layer.name)
        for name, weight in layer.params.items():
            np.testing.assert_array_equal(part.updated[name], weight)
    assert all(array.dtype == dtype for array in trace.tensors().values())
    assert trace.x.dtype == dtype and trace.loss_gradient.dtype == dtype


def test_each_part_takes_up_where_the_last_one_ended():
    trace = compare.record(examples.network("inside"), *examples.batch())
    names = [(part.layer, part.part) for part in trace.parts]
    assert names == [("conv", ""), ("relu", ""), ("pool", ""), ("second", ""), ("second", "relu"),
                     ("flatten", ""), ("dense", ""), ("dense", "softmax")]
    for before, after in zip(trace.parts, trace.parts[1:]):
        np.testing.assert_array_equal(before.output, after.input)
        if after.input_gradient is not None:
            np.testing.assert_array_equal(before.output_gradient, after.input_gradient)
    assert trace.fused
    # the gradient starts at the logits, which are what the dense layer puts out before its softmax
    np.testing.assert_array_equal(trace.parts[-2].output_gradient, trace.loss_gradient)
    assert trace.parts[-1].output_gradient is None


@pytest.mark.parametrize("side", ["scratch", "keras"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_recording_changes_nothing(side, momentum):
    model = examples.network(optimizer=scratch.SGD(0.1, momentum=momentum))
    x, y = examples.batch()
    model.train_on_batch(x, y)  # so that the optimizer has a past
    if side == "keras":
        model = twins.twins(model)[1]
        model.train_on_batch(x.astype("float32"), y)
    before, x_before, y_before = examples.everything(model), x.copy(), y.copy()
    compare.record(model, x, y)
    compare.record(model, x, upstream=examples.upstream())
    assert examples.everything(model) == before
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)


def test_the_recorded_step_is_that_of_a_fresh_optimizer():
    fresh = examples.network(optimizer=scratch.SGD(0.1, momentum=0.9))
    used = copy.deepcopy(fresh)
    used.train_on_batch(*examples.batch(seed=9))
    used.set_weights(fresh.get_weights())
    a, b = (compare.record(model, *examples.batch()) for model in (fresh, used))
    for mine, other in zip(a.parts, b.parts):
        for name, weight in mine.updated.items():
            np.testing.assert_array_equal(weight, other.updated[name])


def test_an_upstream_gradient_takes_the_place_of_a_loss():
    model = examples.network(loss=None)
    x, dy = examples.batch()[0], examples.upstream()
    trace = compare.record(model, x, upstream=dy)
    model.forward(x)
    dx = model.backward(dy.astype("float32"))
    assert (trace.loss, trace.y, trace.fused) == (None, None, False)
    np.testing.assert_array_equal(trace.parts[-1].output_gradient, dy.astype("float32"))
    np.testing.assert_array_equal(trace.parts[0].input_gradient, dx)
    assert not any(part.updated for part in trace.parts)
    keras_trace = compare.record(twins.twins(model)[1], x, upstream=dy)
    assert keras_trace.compile_config == {}
    np.testing.assert_array_equal(keras_trace.parts[-1].output_gradient, dy.astype("float32"))


def test_a_frozen_layer_has_no_gradients_and_no_step_on_either_side():
    model = examples.network()
    model.get_layer("second").trainable = False
    model, twin = twins.twins(model)
    for trace in (compare.record(side, *examples.batch()) for side in (model, twin)):
        learning = {part.layer for part in trace.parts if part.weight_gradients}
        assert learning == {"conv", "dense"} == {part.layer for part in trace.parts if part.updated}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_keras_trace_is_of_the_models_precision(dtype):
    model, twin = twins.twins(examples.network(dtype=dtype))
    trace = compare.record(twin, *examples.batch())
    assert trace.dtype == dtype and trace.x.dtype == dtype and trace.loss.dtype == dtype
    assert all(array.dtype == dtype for array in trace.tensors().values())
    assert trace.producer.startswith("keras 3") and "tensorflow" in trace.producer
    assert trace.config["layers"][1]["config"]["kernel_size"] == [3, 2]


def test_a_trace_is_its_own_recording():
    trace = compare.record(examples.network(), *examples.batch())
    assert compare.record(trace, None) is trace


@pytest.mark.parametrize("side", ["scratch", "keras"])
@pytest.mark.parametrize("change, expected", [
    (dict(x=np.zeros((0, *examples.SHAPE))), r"at least one sample.*\(0, 7, 6, 2\)"),
    (dict(x=3.0), r"at least one sample.*\(\)"),
    (dict(x=np.full((2, *examples.SHAPE), np.nan)), r"finite.*nan at index \(0, 0, 0, 0\).*168"),
    (dict(x=np.full((2, *examples.SHAPE), -np.inf)), r"finite.*-inf"),
    (dict(x=np.zeros((5, 6, 7, 2))), r"shape"),
    (dict(y=None), "labels y or an upstream gradient. Received: neither"),
    (dict(upstream=np.zeros((5, 4))), "labels y or an upstream gradient. Received: both"),
    (dict(y=np.array([0, 1, 2, 3])), r"shape \(5,\).*Received: \(4,\)"),
    (dict(y=np.array([0, 1, 2, 4, 1])), "from 0 to 3. Received: 4"),
    (dict(y=np.array([0, 1, -1, 2, 1])), "from 0 to 3. Received: -1"),
    (dict(y=np.array([0, 1, 0.5, 2, 1])), "whole numbers.*Received: 0.5"),
    (dict(y=np.array([0, 1, np.nan, 2, 1])), "whole numbers.*Received: nan"),
], ids=lambda value: "" if isinstance(value, str) else ",".join(value))
def test_what_cannot_be_run_is_refused(side, change, expected):
    model = examples.network()
    if side == "keras":
        model = twins.twins(model)[1]
    x, y = examples.batch()
    arguments = {"x": x, "y": y, **change}
    with pytest.raises(ValueError, match=f"(?s){expected}"):
        compare.record(model, arguments.pop("x"), **arguments)


@pytest.mark.parametrize("side", ["scratch", "keras"])
def test_labels_without_a_loss_are_refused(side):
    model = examples.network(loss=None)
    if side == "keras":
        model = twins.twins(model)[1]
    with pytest.raises(ValueError, match="Expected a compiled .*model, as there are labels"):
        compare.record(model, *examples.batch())


@pytest.mark.parametrize("thing", [None, "model.keras", lambda x: x, scratch.Dense(3)])
def test_other_things_are_no_models(thing):
    with pytest.raises(TypeError, match="Expected a scratch.Sequential, a keras.Sequential or a "
                                        "Trace, or a functional model of either. Received: "):
        compare.record(thing, *examples.batch())


def test_whole_numbers_are_inputs_too():
    x = check_batch([[1, 2], [3, 4]])
    assert x.shape == (2, 2)
    images = np.random.default_rng(0).integers(0, 256, (3, *examples.SHAPE)).astype("uint8")
    a = compare.record(examples.network(), images, np.array([0, 1, 2]))
    b = compare.record(examples.network(), images.astype("float32"), np.array([0, 1, 2]))
    np.testing.assert_array_equal(a.parts[-1].output, b.parts[-1].output)
