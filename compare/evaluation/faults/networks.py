"""The small networks that faults are put into: one layer in question, with something on both sides.

Nothing is square, no two neighbouring sizes are equal, and every random number comes from a seed.
"""

from compare.evaluation.fuzzing.specification import Node, Specification
from scratch.naming import snake_case

VOLUME, IMAGE, SEQUENCE, VECTOR = (3, 5, 4, 2), (6, 5, 2), (7, 3), (6,)  # shapes of a sample
CHANNELS = 4  # that the layer in question reads
CLASSES = 3
SOFT = (["SparseCategoricalCrossentropy", {}], "softmax")  # a loss and the activation before it
SGD = ["SGD", {"learning_rate": 0.05}]
OF_VECTORS = {"Dense", "LayerNormalization", "Softmax", "Activation", "ReLU", "LeakyReLU", "ELU",
              "PReLU", "Dropout", "GaussianNoise"}


def shape_for(class_name: str) -> tuple:
    """The inputs on which a layer of that class is tried."""
    if "1D" in class_name:
        return SEQUENCE
    if "3D" in class_name:
        return VOLUME
    return VECTOR if class_name in OF_VECTORS else IMAGE


def around(class_name: str, shape=None, end=SOFT, optimizer=SGD, batch=4, dtype="float32", seed=1,
           weighted=False, last=None, channels=CHANNELS, between=(), **arguments) -> Specification:
    """The layer between a front layer that gives it so many channels and a dense end.

    Args:
        class_name: of the layer in question, which is named by Keras's rule: 'conv2d'.
        shape: of a sample.
        end: (loss, activation); the loss None for a random gradient in its place.
        last: arguments of the dense layer at the end.
        between: (class name, arguments) of layers between the front layer and the one in question.
        arguments: of the layer in question.
    """
    shape = shape_for(class_name) if shape is None else shape
    nodes = [front(shape, "front", -1, channels)]
    _append(nodes, [*between, (class_name, arguments)])
    return ended(nodes, shape, end, optimizer, batch, dtype, seed, weighted, last)


def joined(class_name: str, shape=IMAGE, end=SOFT, dtype="float32", seed=1, second=None,
           reads=-1, batch=4, channels=CHANNELS, between=(), **arguments) -> Specification:
    """The merging layer behind two front layers.

    Args:
        second: channels of the second one.
        reads: what the second one reads: -1 for the network's input, 0 for the first one's output.
        between: (class name, arguments) of layers, one after the other, between the second front
            layer and the merging one.
    """
    nodes = [front(shape, "front", -1, channels),
             front(shape, "other", reads, second or channels)]
    _append(nodes, between)
    nodes.append(Node(class_name, {"name": snake_case(class_name), **arguments},
                      [0, len(nodes) - 1]))
    return ended(nodes, shape, end, SGD, batch, dtype, seed, False, None)


def _append(nodes: list[Node], layers) -> None:
    """Layers behind the last node, one after the other."""
    for name, settings in layers:
        nodes.append(Node(name, {"name": snake_case(name), **settings}, [len(nodes) - 1]))


def ended(nodes, shape, end, optimizer, batch, dtype, seed, weighted, last) -> Specification:
    """The nodes with a dense layer behind them, flattened first if need be."""
    if nodes[-1].class_name != "Flatten":
        nodes.append(Node("Flatten", {"name": "flatten"}, [len(nodes) - 1]))
    loss, activation = end
    nodes.append(Node("Dense", {"name": "last", "units": CLASSES, "activation": activation,
                                **(last or {})}, [len(nodes) - 1]))
    return Specification(list(shape), nodes, loss, optimizer if loss else None, dtype=dtype,
                         batch=batch, weighted=weighted, seed=[1, seed])


def front(shape, name: str, source: int, channels: int = CHANNELS) -> Node:
    """A layer that makes so many channels of the network's input."""
    if len(shape) == 5:  # steps of volumes
        return Node("Dense", {"name": name, "units": channels}, [source])
    if len(shape) == 4:
        arguments = {"filters": channels, "kernel_size": (2, 1, 2), "padding": "same"}
        return Node("Conv3D", {"name": name, **arguments}, [source])
    if len(shape) == 3:
        arguments = {"filters": channels, "kernel_size": (2, 3), "padding": "same"}
        return Node("Conv2D", {"name": name, **arguments}, [source])
    if len(shape) == 2:
        arguments = {"filters": channels, "kernel_size": 2, "padding": "same"}
        return Node("Conv1D", {"name": name, **arguments}, [source])
    return Node("Dense", {"name": name, "units": channels + 1}, [source])
