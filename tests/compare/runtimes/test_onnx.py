"""ONNX files, run and looked into: right ones hold, one mistake is found in its layer and named."""

import numpy as np
import pytest

import compare

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.compare.support.onnx_networks import keras_cnn, onnx_cnn  # noqa: E402

X = np.random.default_rng(3).normal(size=(5, 9, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def twin(keras):
    return keras_cnn(keras)


def said(report, begin):
    return " ".join(note for note in report.notes if note.startswith(begin))


@pytest.mark.parametrize("names", ["n{}", "cnn/conv/{}", "{}"])
def test_a_right_file_holds_whatever_its_tensors_are_called(twin, tmp_path, names):
    path = onnx_cnn(tmp_path / "right.onnx", twin, names=names)
    before = X.copy()
    report = compare.check(path, twin, X)
    assert report, str(report)
    assert [row.layer for row in report.rows] == [layer.name for layer in twin.layers] + ["network"]
    assert "handed over channels first" in report.notes[0]
    assert not said(report, "Settings") and np.array_equal(X, before)


# (what is wrong in the file, the layer, the cause, what is said of its settings)
WRONG = {
    "zeros on the other side": ({"pads": (1, 1, 1, 0)}, "conv", "padding-side",
                                "Conv pads (1, 1, 1, 0) in place of (1, 0, 1, 1)"),
    "another epsilon": ({"epsilon": 1e-5}, "norm", "epsilon", "epsilon 1e-05 in place of 0.001"),
    "no bias": ({"bias": False}, "conv", "bias-missing", ""),
    "a mirrored kernel": ({"flipped": True}, "conv", "kernel-flipped", ""),
    "blue for red": ({"inputs": (2, 1, 0)}, "conv", "kernel-channels-swapped", ""),
    "green for red": ({"inputs": (1, 0, 2)}, "conv", "kernel-channels-swapped", ""),
    "filters in another order": ({"filters": (2, 0, 1, 3)}, "conv", "kernel-channels-swapped", ""),
    "mean and variance exchanged": ({"norm": (0, 1, 3, 2)}, "norm", "moments-swapped", ""),
    "gamma and beta exchanged": ({"norm": (1, 0, 2, 3)}, "norm", "gamma-beta-swapped", ""),
    "a pool that keeps the largest": ({"pool": {"op": "MaxPool"}}, "pool", "pool-kind", ""),
    "a leak": ({"relu": "LeakyRelu"}, "relu", "activation-other", "alpha 0.3 in place of 0.0"),
    "no activation": ({"without": ("relu",)}, "relu", "activation-missing", ""),
    "zeros that are averaged": ({"pool": {"count_include_pad": 1}}, "pool", "pool-average-padding",
                                "count_include_pad 1 in place of 0"),
    "rows as Keras has them": ({"permuted": False}, "dense", "flatten-order", ""),
    "a softmax over the batch": ({"axis": 0}, "soft", "softmax-axis", ""),
    "logits": ({"without": ("soft",)}, "soft", "activation-missing", ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_mistake_is_named(twin, tmp_path, name):
    how, layer, identifier, words = WRONG[name]
    report = compare.check(onnx_cnn(tmp_path / "wrong.onnx", twin, **how), twin, X)
    assert not report and report.cause.layer == layer and report.cause.identifier == identifier
    assert [row.layer for row in report.rows if not row.passed] == [layer, "network"]
    assert words in said(report, "Settings")


def test_a_recorded_trace_is_enough(twin, tmp_path):
    trace = compare.record(twin, X, gradients=False)
    assert compare.check(onnx_cnn(tmp_path / "a.onnx", twin), trace)
    report = compare.check(onnx_cnn(tmp_path / "b.onnx", twin, epsilon=1e-5), trace)
    assert report.cause.identifier == "epsilon"


def test_a_shape_that_cannot_be_is_a_row_and_no_error(keras, tmp_path):
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((9, 8, 3)),
                              layers.Conv2D(4, (3, 2), padding="same", name="conv"),
                              layers.GlobalAveragePooling2D(name="pool"),
                              layers.Dense(5, name="dense")])
    path = tmp_path / "valid.onnx"
    write(path, model, [("Conv", ["k", "b"], {"kernel_shape": (3, 2)}),
                        ("GlobalAveragePool", [], {}), ("Flatten", [], {}),
                        ("Gemm", ["d", "e"], {})])
    report = compare.check(path, model, X)
    row = report.first_failure
    assert (row.layer, row.note) == ("conv", "expected shape (5, 9, 8, 4), received (5, 4, 7, 7)")
    assert "pads (0, 0, 0, 0) in place of (1, 0, 1, 1)" in said(report, "Settings")


def test_a_file_that_stops_on_its_way_is_judged_up_to_there(twin, tmp_path):
    path = onnx_cnn(tmp_path / "stops.onnx", twin, pads=(0, 0, 0, 0))
    report = compare.check(path, twin, X)
    row = report.first_failure
    assert (row.layer, row.note) == ("conv", "expected shape (5, 5, 8, 4), received (5, 4, 4, 7)")
    assert "'Gemm_5' (Gemm) raised" in said(report, "The file does not run to its end")
    assert "pads (0, 0, 0, 0) in place of (1, 0, 1, 1)" in said(report, "Settings")
    assert not any(row.passed for row in report.rows if row.layer == "network")


def test_what_a_clip_keeps_is_told_where_no_number_reaches_it(keras, tmp_path):
    layers = keras.layers
    model = keras.Sequential([keras.Input((9, 8, 3)), layers.Conv2D(4, (3, 2), name="conv"),
                              layers.ReLU(600.0, name="relu"),
                              layers.GlobalAveragePooling2D(name="pool"),
                              layers.Dense(5, name="dense")])
    path = tmp_path / "clip.onnx"
    write(path, model, [("Conv", ["k", "b"], {"kernel_shape": (3, 2)}), ("Clip", ["lo", "hi"], {}),
                        ("GlobalAveragePool", [], {}), ("Flatten", [], {}),
                        ("Gemm", ["d", "e"], {})], lo=np.float32(0), hi=np.float32(800))
    report = compare.check(path, model, X)
    assert report and "Clip max 800.0 in place of 600.0" in said(report, "Settings")


def write(path, model, wanted, **more):
    """A stack of nodes with the kernels of a convolution and a dense layer."""
    helper, held = onnx.helper, {layer.name: layer.get_weights() for layer in model.layers}
    constants = {"k": np.moveaxis(held["conv"][0], (3, 2), (0, 1)), "b": held["conv"][1],
                 "d": held["dense"][0], "e": held["dense"][1], **more}
    nodes = [helper.make_node(op, [f"t{i}", *more], [f"t{i + 1}"], **settings)
             for i, (op, more, settings) in enumerate(wanted)]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info("t0", 1, ["n", 3, 9, 8])], [info(f"t{len(nodes)}", 1, None)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9),
              path)


def residual(keras):
    layers = keras.layers
    keras.utils.set_random_seed(2)
    x = keras.Input((9, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = layers.Conv2D(4, (3, 1), padding="same")(y)
    z = layers.ReLU()(layers.BatchNormalization()(z))
    y = layers.Concatenate()([layers.Add()([y, z]), layers.DepthwiseConv2D(3, padding="same")(x)])
    y = layers.Dropout(0.5)(layers.MaxPooling2D(2)(y))
    y = layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, y)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


@pytest.mark.compiled  # what is exported is a compiled function
def test_what_keras_itself_exports_holds_and_a_changed_number_in_it_does_not(keras, tmp_path):
    pytest.importorskip("tf2onnx")
    model, path = residual(keras), str(tmp_path / "exported.onnx")
    model(X)  # which an export of a functional model asks for
    model.export(path, format="onnx", verbose=False)
    report = compare.check(path, model, X)
    assert report, str(report)
    # the exporter may fold a convolution and its normalization into what follows
    assert {type(model.get_layer(name)).__name__ for name in {
        layer.name for layer in model.layers[1:]} - {row.layer for row in report.rows}} <= {
            "Conv2D", "BatchNormalization"}
    file = onnx.load(path)
    for held in file.graph.initializer:
        array = onnx.numpy_helper.to_array(held)
        if array.shape == (7, 5):
            held.CopyFrom(onnx.numpy_helper.from_array(array[::-1].copy(), held.name))
    onnx.save(file, path)
    report = compare.check(path, model, X)
    assert report.first_failure.layer == model.layers[-1].name


def test_names_that_are_told(twin, tmp_path):
    path = onnx_cnn(tmp_path / "a.onnx", twin)
    assert compare.check(compare.from_onnx(path, names={"conv": "Conv_0"}), twin, X)
    report = compare.check(compare.from_onnx(path, names={"conv": "n1"}), twin, X)
    assert report.first_failure.layer == "conv"
    with pytest.raises(ValueError, match="Expected names of tensors or nodes: .*Received: n99"):
        compare.check(compare.from_onnx(path, names={"conv": "n99"}), twin, X)
    with pytest.raises(ValueError, match="Expected names of Keras layers: .*Received: cone"):
        compare.check(compare.from_onnx(path, names={"cone": "n1"}), twin, X)


def quantized(path):
    helper, info = onnx.helper, onnx.helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("QuantizeLinear", ["x", "s"], ["q"]),
         helper.make_node("DequantizeLinear", ["q", "s"], ["y"])], "q",
        [info("x", 1, ["n", 9, 8, 3])], [info("y", 1, None)],
        [onnx.numpy_helper.from_array(np.float32(0.1), "s")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9),
              path)


def test_what_cannot_be_judged_is_refused_in_words(twin, tmp_path):
    path = onnx_cnn(tmp_path / "a.onnx", twin)
    quantized(tmp_path / "q.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no protobuf")
    for file, said in (("q.onnx", "no bound is proved for quantized arithmetic"),
                       ("broken.onnx", "cannot be read")):
        with pytest.raises(ValueError, match=said):
            compare.check(tmp_path / file, twin, X)
    with pytest.raises(FileNotFoundError, match="which is no file"):
        compare.check(tmp_path / "none.onnx", twin, X)
    with pytest.raises(ValueError, match="has no backward pass"):
        compare.check(path, twin, X, gradients=True)
    with pytest.raises(ValueError, match="y"):
        compare.check(path, twin, X, np.zeros(5))
    with pytest.raises(ValueError, match=r"takes a batch of shape \(5, 8, 9, 3\)"):
        compare.check(path, compare.record(transposed(twin), np.swapaxes(X, 1, 2).copy(),
                                           gradients=False))
    with pytest.raises(ValueError, match="path of a .onnx file"):
        compare.from_onnx("model.tflite")


def transposed(twin):
    import keras

    return keras.Sequential([keras.Input((8, 9, 3)), keras.layers.Conv2D(2, 3)])


def test_an_activation_of_what_is_positive_has_its_own_tensor(keras, tmp_path):
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((9, 8, 3)), layers.Conv2D(4, (3, 2), name="conv"),
                              layers.ReLU(name="relu"), layers.GlobalAveragePooling2D(name="pool"),
                              layers.Dense(5, name="dense")])
    model.layers[0].bias.assign(np.full(4, 50.0))
    path = tmp_path / "tanh.onnx"
    write(path, model, [("Conv", ["k", "b"], {"kernel_shape": (3, 2)}), ("Tanh", [], {}),
                        ("GlobalAveragePool", [], {}), ("Flatten", [], {}),
                        ("Gemm", ["d", "e"], {})])
    assert compare.check(path, model, X).first_failure.layer == "relu"
