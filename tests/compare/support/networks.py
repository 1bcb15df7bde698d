"""Random networks for the comparison's tests: drawn by a seed, different in everything at once.

Images are not square, and kernels, strides and pools differ by axis; weights, biases and inputs
have widely differing scales; activations stand inside layers or after them; the end is a softmax
of any kind, logits, or no loss at all.
"""

from dataclasses import dataclass

import numpy as np

import scratch

BATCHES = (2, 3, 5)


@dataclass
class Case:
    """A scratch model and a batch for it; `y` is None where `upstream` takes the loss's place."""

    seed: int
    model: scratch.Sequential
    x: np.ndarray
    y: np.ndarray | None
    upstream: np.ndarray | None

    def __str__(self):
        layers = "\n".join(f"  {type(layer).__name__} {layer.input_shape} -> {layer.output_shape} "
                           f"{plain_settings(layer)}" for layer in self.model.layers)
        return (f"networks.draw({self.seed}): {self.model.dtype.name}, batch of {len(self.x)}, "
                f"loss {self.model.get_compile_config().get('loss')}, optimizer "
                f"{self.model.get_compile_config().get('optimizer')}\n{layers}")


def plain_settings(layer) -> dict:
    """What the layer was made with, without what never changes here."""
    keep = ("kernel_size", "pool_size", "strides", "padding", "activation", "use_bias", "trainable",
            "axis")
    return {key: value for key, value in layer.get_config().items() if key in keep}


def draw(seed: int) -> Case:
    """The network of that number, compiled if it has a loss, and a batch for it."""
    rng = np.random.default_rng(seed)
    dtype = str(rng.choice(["float32", "float64"]))
    images = rng.random() < 0.8
    shape = image_shape(rng) if images else features_shape(rng)
    layers = [scratch.Input(shape)]
    if images:
        layers += image_layers(rng, shape)
        if rng.random() < 0.85:
            layers.append(scratch.Flatten())
    layers += [dense(rng) for _ in range(rng.integers(0, 2))]
    layers, loss = end(rng, layers)
    model = scratch.Sequential(layers, dtype=dtype)
    scale_weights(rng, model)
    batch = int(rng.choice(BATCHES))
    x = (rng.standard_normal((batch, *shape)) * 10 ** rng.uniform(-2, 2)).astype(dtype)
    output = (batch, *model.output_shape[1:])
    if loss is None:
        return Case(seed, model, x, None, rng.standard_normal(output).astype(dtype))
    momentum = float(rng.choice([0.0, 0.9]))
    model.compile(scratch.SGD(10 ** rng.uniform(-3, 0), momentum=momentum,
                              nesterov=bool(momentum and rng.random() < 0.5)), loss)
    labels = rng.integers(0, output[-1], output[:-1])
    one_hot = isinstance(loss, scratch.CategoricalCrossentropy)
    y = np.eye(output[-1], dtype=dtype)[labels] if one_hot else labels
    return Case(seed, model, x, y, None)


def image_shape(rng) -> tuple:
    """(H, W, C), all different."""
    height, width = rng.choice(np.arange(5, 14), 2, replace=False)
    return int(height), int(width), int(rng.integers(1, 4))


def features_shape(rng) -> tuple:
    return (7,) if rng.random() < 0.7 else (5, 4)


def image_layers(rng, shape) -> list:
    """One to four layers on images, none larger than what it is given."""
    layers = []
    size = np.array(shape[:2])
    for _ in range(rng.integers(1, 5)):
        kind = rng.choice(["conv", "pool", "relu", "activation"], p=[0.5, 0.25, 0.15, 0.1])
        if kind == "relu":
            layers.append(scratch.ReLU())
            continue
        if kind == "activation":
            layers.append(scratch.Activation(str(rng.choice(["relu", "softmax", "linear"],
                                                            p=[0.7, 0.15, 0.15]))))
            continue
        padding = str(rng.choice(["valid", "same"]))
        window = different(rng, 4)
        if padding == "valid":
            window = tuple(int(n) for n in np.minimum(window, size))
        strides = different(rng, 3)
        size = ((size - window) // strides + 1 if padding == "valid" else -(-size // strides))
        if kind == "conv":
            layers.append(scratch.Conv2D(int(rng.integers(1, 6)), window, strides, padding,
                                         **affine(rng)))
        else:
            layers.append(scratch.MaxPooling2D(window, strides, padding))
    return layers


def different(rng, largest: int) -> tuple[int, int]:
    """Two sizes from 1 to `largest`, different."""
    rows, columns = rng.choice(np.arange(1, largest + 1), 2, replace=False)
    return int(rows), int(columns)


def affine(rng) -> dict:
    """Settings that a convolution and a dense layer have in common."""
    activation = str(rng.choice(["linear", "relu", "softmax"], p=[0.5, 0.4, 0.1]))
    return {"activation": activation, "use_bias": bool(rng.random() < 0.75),
            "trainable": bool(rng.random() < 0.85)}


def dense(rng, units: int | None = None, **settings):
    return scratch.Dense(units or int(rng.integers(2, 9)), **{**affine(rng), **settings})


def end(rng, layers):
    """(layers with an end for classes, the loss or None)."""
    kind = str(rng.choice(["inside", "Softmax", "Activation", "logits", "flattened", "rectified",
                           "no loss"], p=[0.25, 0.15, 0.15, 0.15, 0.08, 0.07, 0.15]))
    activation = {"inside": "softmax", "rectified": "relu"}.get(kind, "linear")
    layers = [*layers, dense(rng, int(rng.integers(3, 7)), activation=activation)]
    if kind in ("Softmax", "flattened"):
        layers.append(scratch.Softmax())
    if kind == "Activation":
        layers.append(scratch.Activation("softmax"))
    if kind == "flattened":  # probabilities that have lost their logits
        layers.append(scratch.Flatten())
    if kind == "no loss":
        return layers, None
    loss = rng.choice([scratch.SparseCategoricalCrossentropy, scratch.CategoricalCrossentropy])
    if kind == "rectified":  # the other one divides by the sum, which may be zero
        loss = scratch.SparseCategoricalCrossentropy
    return layers, loss(from_logits=kind == "logits")


def scale_weights(rng, model) -> None:
    """Kernels from a hundredth of to ten times their usual size; biases, mostly not zero."""
    for layer in model.layers:
        for name, weight in layer.params.items():
            if name == "bias":
                weight[...] = rng.standard_normal(weight.shape) * 10 ** rng.uniform(-3, 1)
            else:
                weight *= 10 ** rng.uniform(-2, 1)
