"""Which faults a look at the accuracy would not notice: short runs on scikit-learn's digits.

    python -m compare.evaluation.faults.accuracy_impact [IDENTIFIER ...]

Each fault's own network, made for images of digits, is trained with the fault and without it, from
the same weights and on the same batches. What it prints is what `measured.py` holds.
"""

import sys

import numpy as np

import scratch
from compare.evaluation.faults.accuracy_table import CLOSE
from compare.evaluation.faults.catalogue import chosen
from compare.evaluation.faults.fault import Fault
from compare.evaluation.faults.networks import SGD
from compare.evaluation.fuzzing.specification import Specification
from compare.inputs.datasets import digits

EPOCHS, BATCH, SEED = 5, 32, 0
CLASSES = 10
LOSS = ["SparseCategoricalCrossentropy", {}]
FASTER = ["SGD", {"learning_rate": 0.2}]  # for so few epochs
LEAST = 0.85  # below, a network without a fault does not learn digits, and shows nothing


def accuracy(network: Specification, data, fault: Fault | None = None) -> float:
    """The test accuracy after a short run; 0 for a loss that is no number.

    Args:
        network: made for digits, see `for_digits`.
        data: (x_train, y_train, x_test, y_test), the images of the network's shape.
        fault: put in before training.
    """
    x_train, y_train, x_test, y_test = data
    built = network.build()
    scratch.set_random_seed(SEED)
    model = type(built).from_config(built.get_config())  # with weights as Keras draws them
    model.compile_from_config(built.get_compile_config())
    if fault is not None:
        fault.inject(model)
    scratch.set_random_seed(SEED)
    try:
        with np.errstate(all="ignore"):
            model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=0)
            predicted = np.concatenate([p.argmax(axis=-1) for p in model.predict_step(x_test)])
    except scratch.NonFiniteLossError:
        return 0.0
    return float((predicted == y_test).mean())


def for_digits(network: Specification) -> Specification | None:
    """The same network for digits; None for one of volumes, which they are not, and for one that
    does not end in a plain cross-entropy."""
    rank = len(network.input_shape)
    if network.loss != LOSS or network.weighted or rank > 3:
        return None
    plain = network.plain()
    plain["input_shape"] = [[64], [8, 8], [8, 8, 1]][rank - 1]
    plain["nodes"][-1]["arguments"]["units"] = CLASSES
    plain["optimizer"] = FASTER if plain["optimizer"] == SGD else plain["optimizer"]
    return Specification.from_plain(plain)


def images(dataset, shape):
    """(x_train, y_train, x_test, y_test) with images of that shape."""
    x_train, x_test = ((x / np.float32(x.max())).astype(np.float32).reshape(len(x), *shape)
                       for x in (dataset.x_train, dataset.x_test))
    return x_train, dataset.y_train, x_test, dataset.y_test


def measure(faults: list[Fault]):
    """(identifier, accuracy with the fault, without it) of each that can be trained with."""
    dataset, clean = digits.load(), {}
    for fault in faults:
        network = for_digits(fault.network)
        if network is None or fault.side == "reference":
            continue
        data = images(dataset, network.input_shape)
        key = str(network.plain())
        try:
            if key not in clean:
                clean[key] = accuracy(network, data)
            if clean[key] >= LEAST:
                yield fault.identifier, accuracy(network, data, fault), clean[key]
        except (ValueError, IndexError, TypeError) as error:  # a fault made for other shapes
            print(f"{fault.identifier}: {error}", file=sys.stderr)


def main() -> None:
    """Print a line for each fault."""
    faults = chosen(sys.argv[1:] or None)
    for identifier, with_it, without in measure(faults):
        reached = "  # reached" if with_it >= without - CLOSE else ""
        print(f'    "{identifier}": ({with_it:.3f}, {without:.3f}),{reached}', flush=True)


if __name__ == "__main__":
    main()
