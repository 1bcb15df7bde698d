"""What a drawn network gets besides its layers: operations, calls of layers again, models inside.

None of it changes a shape, so that it may stand anywhere before the last dense layer.
"""

import copy

import numpy as np

from compare.evaluation.fuzzing.building import shapes_of
from compare.evaluation.fuzzing.specification import Node, Specification, classes_of

# operations of one tensor that keep its shape: class and arguments, operands among them
OPERATIONS: tuple[tuple[str, dict], ...] = (
    ("AddOperation", {"operands": [None, 0.5]}), ("AddOperation", {"operands": [3, None]}),
    ("SubtractOperation", {"operands": [1.0, None]}),
    ("MultiplyOperation", {"operands": [None, 1 / 6]}),
    ("TrueDivideOperation", {"operands": [None, 3.0]}),
    ("DivideOperation", {"operands": [None, -2.0]}),
    ("MaximumOperation", {"operands": [None, 0.25]}),
    ("MinimumOperation", {"operands": [0.25, None]}), ("NegativeOperation", {}),
    ("ReluOperation", {}), ("Relu6Operation", {}), ("SeluOperation", {}), ("SigmoidOperation", {}),
    ("TanhOperation", {}), ("SiluOperation", {}), ("HardSigmoidOperation", {}),
    ("HardSiluOperation", {}), ("SoftplusOperation", {}), ("SoftsignOperation", {}),
    ("SoftmaxOperation", {"axis": -1}), ("ClipOperation", {"x_min": -0.5, "x_max": 1.0}),
)
# and of the same tensor twice, or of a tensor and its mean or sum
PAIRS = ("AddOperation", "SubtractOperation", "MultiplyOperation", "MaximumOperation",
         "MinimumOperation")
REDUCTIONS = ("MeanOperation", "SumOperation")
OFTEN = 0.35  # of each kind of structure


def structured(specification: Specification, rng: np.random.Generator) -> Specification:
    """The network with some of it, or as it was."""
    made = copy.deepcopy(specification)
    if rng.random() < OFTEN:
        for _ in range(int(rng.integers(1, 3))):
            _put_operation(made, rng)
    if rng.random() < OFTEN:
        _call_again(made, rng)
    if rng.random() < OFTEN:
        _put_inside(made, rng)
    return made


def _end(specification: Specification) -> int:
    """The number of the last dense layer, or else of the last one, before which things may be put.
    """
    return max([i for i, node in enumerate(specification.nodes) if node.class_name == "Dense"],
               default=len(specification.nodes) - 1)


def insert(specification: Specification, position: int, nodes: list[Node]) -> None:
    """Put nodes, whose sources count as they will stand, before the node of that position; who read
    the one before it then reads the last of them."""
    count = len(nodes)

    def moved(source: int) -> int:
        return source + count if source >= position - 1 else source

    for node in specification.nodes[position:]:
        node.sources = [moved(source) for source in node.sources]
        if node.again is not None and node.again >= position:
            node.again += count
    specification.nodes[position:position] = nodes


def _put_operation(specification: Specification, rng: np.random.Generator) -> None:
    position = int(rng.integers(0, _end(specification) + 1))
    before, kind = position - 1, rng.random()
    if position == 0 and classes_of(specification) is not None:
        return  # class numbers are not to be changed
    if kind < 0.6:
        name, arguments = OPERATIONS[rng.integers(len(OPERATIONS))]
        insert(specification, position, [Node(name, copy.deepcopy(arguments), [before])])
    elif kind < 0.8:
        name = PAIRS[rng.integers(len(PAIRS))]
        insert(specification, position,
               [Node(name, {"operands": [None, None]}, [before, before])])
    else:
        name = REDUCTIONS[rng.integers(len(REDUCTIONS))]
        insert(specification, position, [
            Node(name, {"axis": -1, "keepdims": True}, [before]),
            Node("SubtractOperation", {"operands": [None, None]}, [before, position])])


def _call_again(specification: Specification, rng: np.random.Generator) -> None:
    """Call a layer on its own output, if there is one that keeps the shape."""
    shapes = shapes_of(specification)
    able = [i for i in range(_end(specification)) if len(specification.nodes[i].sources) == 1
            and shapes[i] == shapes[specification.nodes[i].sources[0]]]
    if able:
        i = int(rng.choice(able))
        node = specification.nodes[i]
        insert(specification, i + 1, [Node(node.class_name, copy.deepcopy(node.arguments), [i],
                                           dict(node.labels), again=i)])


def _put_inside(specification: Specification, rng: np.random.Generator) -> None:
    """Make a model of some nodes, and another of some of those; call it twice if that can be."""
    shapes = shapes_of(specification)
    places = [[first, stop] for stop in range(1, _end(specification) + 1) for first in range(stop)
              if stands_alone(specification, first, stop)]
    for _ in range(int(rng.integers(1, 3))):
        if not places:
            return
        first, stop = places[rng.integers(len(places))]
        same = shapes[stop - 1] == shapes[specification.nodes[first].sources[0]] and not (
            first == 0 and classes_of(specification) is not None)
        specification.inside.append([first, stop, 1 + int(same and rng.random() < 0.5)])
        places = [place for place in places if first <= place[0] and place[1] <= stop
                  and place != [first, stop]]


def stands_alone(specification: Specification, first: int, stop: int) -> bool:
    """Whether nodes read one output from outside, and only the last one's is read there."""
    nodes = specification.nodes
    outside = {source for node in nodes[first:stop] for source in node.sources
               if not first <= source}
    read = {source for node in nodes[stop:] for source in node.sources if first <= source < stop}
    again = any(node.again is not None and (first <= i < stop) != (first <= node.again < stop)
                for i, node in enumerate(nodes))
    return len(outside) == 1 and read <= {stop - 1} and not again
