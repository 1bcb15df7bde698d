"""The benchmark network, for images of any size, and a wider one.

Two 5x5 convolutions, one max pooling, one dense layer: the network is specified here once, as a
scratch model; its Keras twin is made from that model's config. How each is trained, and what was
published of it before, is in `protocols.py`.
"""

from dataclasses import dataclass

import scratch

LEARNING_RATE = 0.005


@dataclass(frozen=True)
class LayerInfo:
    """One layer as a reader wants to see it.

    Attributes:
        settings: such as "6 of 5x5, same"; empty where there is nothing to say.
        output_shape: without the batch.
        parameters: how many numbers its weights hold.
        sources: positions, in the same list, of what it reads.
    """

    name: str
    class_name: str
    settings: str
    output_shape: tuple[int, ...]
    parameters: int
    sources: tuple[int, ...] = ()


def build(input_shape=(28, 28, 1), classes: int = 10, learning_rate: float = LEARNING_RATE,
          seed: int = 0, dtype: str = "float32") -> scratch.Sequential:
    """The benchmark network, built and compiled, with weights drawn from `seed`.

    Args:
        input_shape: (H, W, C) of one image; H and W at least 2.
        classes: how many outputs.
        learning_rate: of plain SGD.
        seed: restarts scratch's generator, so equal seeds give equal weights.
        dtype: the precision, such as 'float32' or 'mixed_float16'.

    Raises:
        ValueError: for a shape the layers cannot take, or a learning rate that is none.
    """
    scratch.set_random_seed(seed)
    model = scratch.Sequential([
        scratch.Input(input_shape),                       # (H, W, C)
        scratch.Conv2D(6, 5, padding="same"),             # (H, W, 6)
        scratch.ReLU(),
        scratch.Conv2D(6, 5, padding="same"),             # (H, W, 6)
        scratch.ReLU(),
        scratch.MaxPooling2D(2),                          # (H // 2, W // 2, 6)
        scratch.Flatten(),                                # (H // 2 * W // 2 * 6,)
        scratch.Dense(classes, activation="softmax"),     # (classes,)
    ], name="benchmark", dtype=dtype)
    return _compiled(model, learning_rate)


def build_wide(input_shape=(28, 28, 1), classes: int = 10, learning_rate: float = LEARNING_RATE,
               seed: int = 0, dtype: str = "float32") -> scratch.Sequential:
    """A wider network, with 83,466 parameters for images of 28x28x1. Arguments as for `build`;
    H and W at least 4."""
    scratch.set_random_seed(seed)
    model = scratch.Sequential([
        scratch.Input(input_shape),                                       # (H, W, C)
        scratch.Conv2D(32, 5, padding="same", activation="relu"),         # (H, W, 32)
        scratch.MaxPooling2D(2),                                          # (H // 2, W // 2, 32)
        scratch.Conv2D(64, 5, padding="same", activation="relu"),         # (H // 2, W // 2, 64)
        scratch.MaxPooling2D(2),                                          # (H // 4, W // 4, 64)
        scratch.Flatten(),                                                # (H // 4 * W // 4 * 64,)
        scratch.Dense(classes, activation="softmax"),                     # (classes,)
    ], name="wide", dtype=dtype)
    return _compiled(model, learning_rate)


NETWORKS = {"benchmark": build, "wide": build_wide}


def _compiled(model: scratch.Sequential, learning_rate: float) -> scratch.Sequential:
    model.compile(optimizer=scratch.SGD(learning_rate), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def describe(model: scratch.Sequential | scratch.Model) -> list[LayerInfo]:
    """The inputs and every layer of a built model, in order."""
    inputs = ([model.input_layer] if isinstance(model, scratch.Sequential) else model.inputs)
    rows = [LayerInfo(each.name, "Input", "", tuple(each.shape[1:]), 0) for each in inputs]
    for layer, sources in zip(model.layers, model.sources, strict=True):
        rows.append(LayerInfo(layer.name, type(layer).__name__, _settings(layer.get_config()),
                              tuple(layer.output_shape[1:]), layer.count_params(),
                              tuple(len(inputs) + i if i >= 0 else -1 - i for i in sources)))
    return rows


def _settings(config: dict) -> str:
    said = []
    if "filters" in config:
        said.append(f"{config['filters']} filters of {_by(config['kernel_size'])}")
    if "pool_size" in config:
        said.append(f"windows of {_by(config['pool_size'])}")
    if "units" in config:
        said.append(f"{config['units']} units")
    if "padding" in config and "filters" in config:
        said.append(config["padding"])
    if config.get("activation") not in (None, "linear"):
        said.append(str(config["activation"]))
    return ", ".join(said)


def _by(sizes) -> str:
    return "x".join(str(size) for size in sizes)
