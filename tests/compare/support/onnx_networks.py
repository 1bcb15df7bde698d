"""A small CNN written node by node in ONNX, as somebody exports it by hand: channels first."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = ("conv", "relu", "norm", "pool", "flat", "dense", "soft")


def keras_cnn(keras, seed=0):
    """The Keras model that it is to be."""
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([
        keras.Input((9, 8, 3)),
        layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", name="conv"),
        layers.ReLU(name="relu"), layers.BatchNormalization(name="norm"),
        layers.AveragePooling2D(3, 2, padding="same", name="pool"), layers.Flatten(name="flat"),
        layers.Dense(6, name="dense"), layers.Softmax(name="soft")])
    rng = np.random.default_rng(seed + 1)
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


def onnx_cnn(path, model, *, pads=(1, 0, 1, 1), epsilon=1e-3, bias=True, relu="Relu",
             pool=None, axis=-1, permuted=True, flipped=False, without=(), names="n{}",
             inputs=(0, 1, 2), filters=(0, 1, 2, 3), norm=(0, 1, 2, 3)):
    """Write it to a file.

    Args:
        model: whose weights it gets.
        names: of the tensors, with a place for a number.
        inputs, filters, norm: the order of the kernel's channels and of a normalization's weights.
        Others: one mistake each.
    """
    held = {layer.name: layer.get_weights() for layer in model.layers}
    kernel, offset = held["conv"]
    kernel = (kernel[::-1, ::-1] if flipped else kernel)[:, :, list(inputs)][..., list(filters)]
    dense, dense_offset = held["dense"]
    if permuted:
        dense = np.moveaxis(dense.reshape(3, 4, 4, 6), 2, 0).reshape(48, 6)
    constants = {"k": np.moveaxis(kernel, (3, 2), (0, 1)), "b": offset, "d": dense,
                 "e": dense_offset, **dict(zip("ghmv", [held["norm"][i] for i in norm]))}
    pool = {"pads": (1, 0, 1, 1), "count_include_pad": 0, "op": "AveragePool", **(pool or {})}
    if (pooling := pool.pop("op")) == "MaxPool":
        del pool["count_include_pad"]
    wanted = [
        ("conv", "Conv", ["k", "b"] if bias else ["k"],
         {"pads": pads, "strides": (2, 1), "kernel_shape": (3, 2)}),
        ("relu", relu, [], {"alpha": 0.3} if relu == "LeakyRelu" else {}),
        ("norm", "BatchNormalization", ["g", "h", "m", "v"], {"epsilon": epsilon}),
        ("pool", pooling, [], {"kernel_shape": (3, 3), "strides": (2, 2), **pool}),
        ("flat", "Flatten", [], {}), ("dense", "Gemm", ["d", "e"], {}),
        ("soft", "Softmax", [], {"axis": axis})]
    nodes, last = [], "image"
    for i, (layer, op, extra, settings) in enumerate(wanted):
        if layer in without:
            continue
        made = names.format(i)
        nodes.append(helper.make_node(op, [last, *extra], [made], name=f"{op}_{i}", **settings))
        last = made
    graph = helper.make_graph(
        nodes, "cnn", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 9, 8])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name)
         for name, value in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9),
              path)
    return path
