"""Arrays of another runtime, each judged on its own input, whatever their order and names."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from tests.compare.support.schema_fit import require_fit
from tests.scratch.support.several import by_names, made, multi_task


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(5, 9, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def stack(keras):
    layers = keras.layers
    return with_weights(keras.Sequential([
        keras.Input((9, 8, 3)), layers.Conv2D(4, (3, 2), activation="relu", name="a"),
        layers.BatchNormalization(name="b"), layers.MaxPooling2D(2, name="c"),
        layers.Dropout(0.5, name="d"), layers.Flatten(name="e"),
        layers.Dense(5, activation="softmax", name="f")]))


@pytest.fixture(scope="module")
def graph(keras):
    layers = keras.layers
    source = keras.Input((9, 8, 3))
    left = layers.Conv2D(4, 3, padding="same", name="left")(source)
    right = layers.DepthwiseConv2D(3, padding="same", name="right")(source)
    both = layers.Concatenate(name="both")([left, right])
    added = layers.Add(name="added")([layers.ReLU(name="relu")(both), both])
    return with_weights(keras.Model(source, layers.GlobalMaxPooling2D(name="top")(added)))


def with_weights(model):
    rng = np.random.default_rng(1)
    model.set_weights([np.abs(rng.normal(0.3, 0.4, w.shape)) - 0.2 * (w.ndim > 1)
                       for w in model.get_weights()])
    return model


READS = {"left": ["x"], "right": ["x"], "both": ["left", "right"], "relu": ["both"],
         "added": ["relu", "both"], "top": ["added"]}  # of the graph; a stack's read the one before


def run(keras, model, x, **wrong):
    """What every layer of a Keras model puts out, those in `wrong` changed, and all behind them
    going on from there."""
    made, before = {}, "x"
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        reads = [made.get(name, x) for name in READS.get(layer.name, [before])]
        y = np.asarray(layer(reads if len(reads) > 1 else reads[0], training=False))
        made[layer.name] = wrong[layer.name](y) if layer.name in wrong else y
        before = layer.name
    return made


def failing(report):
    return [row.layer for row in report.rows if not row.passed and row.gate is Gate.FORWARD]


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_what_the_model_itself_puts_out_holds(keras, stack, graph, batch):
    x = np.random.default_rng(batch).normal(size=(batch, 9, 8, 3)).astype("float32")
    for model in (stack, graph):
        given = run(keras, model, x)
        report = compare.check_outputs(model, x, given)
        assert report, report
        assert [row.layer for row in report.rows] == [*given, "network"]
        assert report.notes == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize("model, layer", [("stack", name) for name in "abcdf"] + [
    ("graph", name) for name in ("left", "right", "both", "added", "top")])
def test_the_layer_that_is_wrong_is_named_and_no_other(request, keras, x, model, layer):
    model = request.getfixturevalue(model)
    given = run(keras, model, x, **{layer: lambda y: y + np.float32(1e-3)})
    report = compare.check_outputs(model, x, given)
    assert not report and failing(report) == [layer] and report.first_failure.layer == layer
    assert report.first_failure.off == "candidate" and report.exit_code == 1
    row = report.first_failure
    assert row.observed == pytest.approx(row.local + row.inherited)
    assert row.local == pytest.approx(1e-3, rel=1e-2)
    last = [row for row in report.rows if row.gate is Gate.WHOLE_NETWORK][0]
    assert not last.passed and last.downstream


def test_what_it_did_wrong_is_named(keras, stack, x):
    kernel, bias = stack.layers[0].get_weights()

    def convolution(kernel, bias):
        layer = keras.layers.Conv2D(4, (3, 2), activation="relu")
        layer.build((None, 9, 8, 3))
        layer.set_weights([kernel, bias])
        return np.asarray(layer(x))

    for wrong, cause in ((convolution(kernel[::-1, ::-1], bias), "kernel-flipped"),
                         (convolution(kernel, 0 * bias), "bias-missing")):
        report = compare.check_outputs(stack, x, run(keras, stack, x, a=lambda y, made=wrong: made))
        assert report.cause.layer == "a" and report.cause.identifier == cause, report.cause
    require_fit("check", {"about": "arrays", **report.as_dict()})


def test_an_offset_is_no_bias_of_each_position(keras, stack, x):
    report = compare.check_outputs(stack, x, run(keras, stack, x, b=lambda y: y + np.float32(0.01)))
    assert "bias-untied" not in report.cause.identifier


def channels_first(given):
    return {name: np.moveaxis(a, -1, 1) if a.ndim > 2 else a for name, a in given.items()}


def by_channel(y, images=(3, 3, 4)):
    """Rows that were flattened pixel by pixel, flattened channel by channel."""
    return np.moveaxis(y.reshape(-1, *images), -1, 1).reshape(len(y), -1)


def test_channels_first_is_seen_and_said(keras, stack, x):
    given = channels_first(run(keras, stack, x))
    report = compare.check_outputs(stack, x, given)
    assert report and report.notes == ["Taken as channels first, turned to channels last: "
                                       "a, b, c, d."]
    assert compare.check_outputs(stack, x, given, data_format="channels_first")
    with pytest.raises(ValueError, match="output of 'a' in shape"):
        compare.check_outputs(stack, x, given, data_format="channels_last")
    swapped = {**given, "a": given["a"][:, ::-1]}
    assert failing(compare.check_outputs(stack, x, swapped)) == ["a", "b"]


def test_flattened_channel_by_channel_only_where_channels_come_first(keras, stack, x):
    given = run(keras, stack, x)
    images = stack.layers[3].output.shape[1:]
    turned = {**given, "e": by_channel(given["e"], images)}
    assert compare.check_outputs(stack, x, channels_first(turned))
    assert failing(compare.check_outputs(stack, x, turned)) == ["e", "f"]
    report = compare.check_outputs(stack, x, turned)
    assert report.cause.identifier == "flatten-order"


def test_where_both_orders_fit_the_nearer_is_taken(keras):
    model = with_weights(keras.Sequential([
        keras.Input((6, 6, 3)), keras.layers.Conv2D(4, 3, name="a"), keras.layers.ReLU(name="b")]))
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype("float32")
    given = run(keras, model, x)
    assert given["a"].shape == (4, 4, 4, 4)
    assert compare.check_outputs(model, x, given).notes == []
    assert "channels first" in compare.check_outputs(model, x, channels_first(given)).notes[0]
    assert not compare.check_outputs(model, x, channels_first(given), data_format="channels_last")


@pytest.mark.parametrize("missing", ["a", "ab", "bcde", "ce", "f", "def"])
def test_missing_layers_are_carried_through_and_said(keras, stack, x, missing):
    given = {name: a for name, a in run(keras, stack, x).items() if name not in missing}
    report = compare.check_outputs(stack, x, given)
    assert report, report
    assert [row.layer for row in report.rows if row.gate is Gate.FORWARD] == list(given)
    said = " ".join(report.notes)
    assert all(name in said for name in missing)
    assert ("Not judged" in said) == ("f" in missing)
    assert any(row.gate is Gate.WHOLE_NETWORK for row in report.rows) != ("f" in missing)


def test_behind_missing_layers_a_mistake_shows_in_the_next(keras, stack, x):
    wrong = run(keras, stack, x, b=lambda y: y * np.float32(1.01))
    report = compare.check_outputs(stack, x, {name: wrong[name] for name in "acdf"})
    assert failing(report) == ["c"]
    assert "together with b" in report.first_failure.note


def test_float16_allows_for_the_storing_and_no_more(keras, stack, graph, x):
    for model in (stack, graph):
        stored = {name: a.astype("float16") for name, a in run(keras, model, x).items()}
        assert compare.check_outputs(model, x, stored)
    stored["left"] = (stored["left"].astype("float32") * np.float32(1 + 2**-8)).astype("float16")
    # what reads it was not made of it
    assert failing(compare.check_outputs(graph, x, stored)) == ["left", "both"]


def test_arithmetic_in_float16_is_told(x):
    model = scratch.Sequential([scratch.Input((9, 8, 3)), scratch.Flatten(name="flat"),
                                scratch.Dense(4, name="first"), scratch.ReLU(name="relu"),
                                scratch.Dense(3, name="last")])
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(0, 0.2, w.shape) for w in model.get_weights()])
    h, given = x.astype("float16").reshape(len(x), -1), {}
    for layer in model.layers:
        if layer.params:
            kernel, bias = (w.astype("float16") for w in layer.params.values())
            total = np.zeros((len(h), kernel.shape[1]), "float16")
            for k in range(kernel.shape[0]):  # one product after the other, each sum rounded
                total += h[:, k:k + 1] * kernel[k]
            h = total + bias
        elif layer.name == "relu":
            h = np.maximum(h, np.float16(0))
        given[layer.name] = h
    assert compare.check_outputs(model, x, given, precision="float16")
    as_float32 = {name: a.astype("float32") for name, a in given.items()}
    assert "first" in failing(compare.check_outputs(model, x, as_float32))
    assert compare.check_outputs(model, x, as_float32, precision="float16")
    as_float32["last"] = as_float32["last"] + np.float32(0.05)
    assert failing(compare.check_outputs(model, x, as_float32, precision="float16")) == ["last"]


def test_float64_models_and_arrays(keras, x):
    model = scratch.Sequential([scratch.Input((9, 8, 3), dtype="float64"),
                                scratch.Conv2D(4, 3, name="a", dtype="float64"),
                                scratch.Flatten(name="b", dtype="float64")], dtype="float64")
    wide = model.layers[0].forward(x.astype("float64"), training=False)
    given = {"a": wide, "b": wide.reshape(len(x), -1)}
    assert compare.check_outputs(model, x, given)
    narrow = {name: a.astype("float32") for name, a in given.items()}
    assert compare.check_outputs(model, x, narrow)  # taken for float32's own arithmetic
    assert compare.check_outputs(model, x, narrow, precision="float64")  # stored so alone
    given["a"] = wide * (1 + 1e-9)
    assert failing(compare.check_outputs(model, x, given)) == ["a", "b"]


def test_names_that_say_nothing_go_by_order_and_shape(keras, stack, graph, x):
    arrays = list(run(keras, stack, x).values())
    for given in (arrays, {f"tensor_{i}": a for i, a in enumerate(arrays)},
                  list(channels_first(run(keras, stack, x)).values())):
        report = compare.check_outputs(stack, x, given)
        assert report and "order and shapes" in report.notes[0]
    report = compare.check_outputs(stack, x, {"c1": arrays[0], "n1": arrays[1], "p": arrays[5]})
    assert report and "c1 as a, n1 as b, p as f" in report.notes[0]
    with pytest.raises(ValueError, match="may be that of a or b"):
        compare.check_outputs(stack, x, {"one": arrays[0]})
    with pytest.raises(ValueError, match="do not fit: array 2"):
        compare.check_outputs(stack, x, [arrays[5], arrays[0]])


def test_nothing_that_was_given_is_ignored(keras, stack, x):
    given = run(keras, stack, x)
    for wrong, error, said in (
            ({**given, "aa": given["a"]}, ValueError, r"Received: aa \(did you mean a\?\)"),
            ({**given, "a": given["a"][:, 1:]}, ValueError, "output of 'a' in shape"),
            ({**given, "f": given["f"][:3]}, ValueError, "output of 'f' in shape"),
            ({**given, "a": given["a"].astype(complex)}, TypeError, "real numbers for 'a'"),
            ({**given, "a": None}, TypeError, "real numbers for 'a'"),
            ({}, ValueError, "at least one"), (given["a"], TypeError, "by the layers' names")):
        with pytest.raises(error, match=said):
            compare.check_outputs(stack, x, wrong)
    with pytest.raises(ValueError, match="data_format"):
        compare.check_outputs(stack, x, given, data_format="NCHW")
    with pytest.raises(ValueError, match="precision"):
        compare.check_outputs(stack, x, given, precision="half")
    with pytest.raises(ValueError, match="batch x"):
        compare.check_outputs(stack, None, given)
    with pytest.raises(ValueError, match="inputs of shape"):
        compare.check_outputs(stack, x[..., :2], given)


def test_the_input_layer_has_to_be_the_batch(keras, graph, x):
    given, name = run(keras, graph, x), graph.layers[0].name
    for array in (x, np.moveaxis(x, -1, 1)):
        assert compare.check_outputs(graph, x, {name: array, **given})
    with pytest.raises(ValueError, match=f"'{name}', the network's input, to be the batch"):
        compare.check_outputs(graph, x, {name: x[::-1], **given})


def test_a_nan_fails_where_it_arises_and_the_rest_is_judged(keras, stack, x):
    def broken(y):
        y = np.array(y)
        y[0, 0, 0, 0] = np.nan
        return y

    given = {**run(keras, stack, x), "b": broken(run(keras, stack, x)["b"])}
    report = compare.check_outputs(stack, x, given)
    assert failing(report) == ["b"] and report.nonfinite


def test_traces_bring_the_batch_and_need_no_keras(keras, stack, x):
    given = run(keras, stack, x)
    trace = compare.record(stack, x, gradients=False)
    assert compare.check_outputs(trace, None, given)
    assert failing(compare.check_outputs(trace, None, {**given, "c": given["c"] * 2})) == ["c", "d"]
    with pytest.raises(ValueError, match="no batch with a trace"):
        compare.check_outputs(trace, x, given)


def test_diff_takes_arrays_in_the_place_of_a_recording(keras, stack, x):
    right, wrong = run(keras, stack, x), run(keras, stack, x, c=lambda y: y + np.float32(1e-3))
    trace = compare.record(stack, x, gradients=False)
    for pair in ((trace, right), (right, trace)):
        assert compare.diff(*pair)
    for pair in ((trace, wrong), (wrong, trace)):
        report = compare.diff(*pair)
        assert (report.first_failure.layer, report.first_failure.off) == ("c", "candidate")
        assert failing(report) == failing(compare.check_outputs(stack, x, wrong))
    for wrong_pair in ((trace, x), (trace, None), (stack, trace), (right, right)):
        with pytest.raises(TypeError, match="Expected two recordings.*compare.check_outputs"):
            compare.diff(*wrong_pair)
    trained = compare.record(stack, x, upstream=np.ones((5, 5), "float32"))
    with pytest.raises(ValueError, match="recorded in training, where 'b' computes something else"):
        compare.diff(trained, right)


def test_inputs_stay_as_they_are(keras, stack, x):
    given = channels_first(run(keras, stack, x))
    kept = {name: array.copy() for name, array in given.items()}
    before = x.copy()
    compare.check_outputs(stack, x, given)
    assert np.array_equal(x, before)
    assert all(np.array_equal(given[name], kept[name]) for name in kept)


def joint_arrays(keras, case):
    """What each layer of a model puts out at inference."""
    names = [layer.name for layer in case.twin.layers]
    outputs = keras.Model(case.twin.inputs, [layer.output for layer in case.twin.layers])
    given = [case.x[key] for key in sorted(case.x)] if isinstance(case.x, dict) else case.x
    return dict(zip(names, (np.asarray(y) for y in outputs(given))))


@pytest.mark.parametrize("build", [by_names, multi_task])
def test_several_inputs_and_outputs(keras, build, tmp_path):
    case, _ = made(keras, build)
    given = joint_arrays(keras, case)
    report = compare.check_outputs(case.twin, case.x, given)
    assert report, str(report)
    assert [row.tensor for row in report.rows if row.gate is Gate.WHOLE_NETWORK] == [
        "output_1", "output_2"]
    compare.record(case.twin, case.x, gradients=False).save(tmp_path / "golden.npz")
    assert compare.check_outputs(compare.Trace.load(tmp_path / "golden.npz"), None, given)
    end = case.twin.output_names[1] if build is multi_task else "second"
    wrong = compare.check_outputs(case.twin, case.x, {**given, end: given[end] * 1.001})
    assert failing(wrong) == [end]
    assert [row.layer for row in wrong.rows if not row.passed] == [end, "network"]


def test_each_input_is_held_against_its_own_batch(keras):
    case, _ = made(keras, by_names)
    given = joint_arrays(keras, case)
    with pytest.raises(ValueError, match="Expected 'a', the network's input, to be the batch"):
        compare.check_outputs(case.twin, case.x, {**given, "a": given["a"] + 1})
