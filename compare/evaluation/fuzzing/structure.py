"""What a drawn network gets besides its layers: operations, calls of layers again, models inside.

None of it changes a shape, so that it may stand anywhere before the last dense layer.
"""

import copy

import numpy as np

from compare.evaluation.fuzzing.building import keeps_states, layer_of, shapes_of
from compare.evaluation.fuzzing.layer_grammar import OF_WHOLE_NUMBERS
from compare.evaluation.fuzzing.specification import Node, Specification, classes_of
from scratch.layers import LAYERS as KNOWN
from scratch.layers.conv_lstm import ConvLSTM

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
    ("GeluOperation", {"approximate": True}), ("GeluOperation", {"approximate": False}),
    ("EluOperation", {"alpha": 0.5}), ("LeakyReluOperation", {"negative_slope": 0.1}),
    ("LogSigmoidOperation", {}), ("LogSoftmaxOperation", {"axis": -1}),
    ("AbsoluteOperation", {}), ("SquareOperation", {}), ("PowerOperation", {"operands": [None, 2]}),
    ("NormalizeOperation", {"axis": -1}), ("FlipOperation", {"axis": -1}),
    ("RollOperation", {"shift": [1], "axis": [-1]}),
    ("GetItemOperation", {"key": [{"class_name": "__ellipsis__", "config": {}}, {
        "class_name": "__slice__", "config": {"start": None, "stop": None, "step": -1}}]}),
)
# two after which the shape is as before
ROUND_TRIPS: tuple[tuple[tuple[str, dict], ...], ...] = (
    (("ExpandDimsOperation", {"axis": -1}), ("SqueezeOperation", {"axis": -1})),
    (("RepeatOperation", {"repeats": 2, "axis": -1}), ("SplitOperation", {
        "indices_or_sections": 2, "axis": -1, "place": 1})),
    (("MoveaxisOperation", {"source": 1, "destination": -1}),
     ("MoveaxisOperation", {"source": -1, "destination": 1})),
)
# and of the same tensor twice, or of a tensor and its mean or sum
PAIRS = ("AddOperation", "SubtractOperation", "MultiplyOperation", "MaximumOperation",
         "MinimumOperation")
REDUCTIONS = ("MeanOperation", "SumOperation", "MaxOperation", "MinOperation", "VarOperation")
ONCE = ("SpectralNormalization",)  # layers of one call alone
OFTEN = 0.35  # of each kind of structure
SEVERAL = 0.15  # inputs, and outputs
UNITS = (2, 5)  # of another output
# of another output: the activation of its dense layer, and the loss
ENDS: tuple[tuple[str, list], ...] = (
    ("linear", ["MeanSquaredError", {}]), ("linear", ["Huber", {"delta": 0.3}]),
    ("softmax", ["SparseCategoricalCrossentropy", {}]), ("sigmoid", ["BinaryCrossentropy", {}]))


def with_fractions(specification: Specification) -> Specification:
    """The network as it is, or with a Rescaling behind a Discretization whose whole numbers, int32
    in Keras, it cannot run the next layer on."""
    made = copy.deepcopy(specification)
    for i in reversed(range(len(made.nodes) - 1)):
        readers = [node.class_name for node in made.nodes if i in node.sources]
        if makes_whole_numbers(made.nodes[i]) and any(
                name not in OF_WHOLE_NUMBERS for name in readers):
            insert(made, i + 1, [Node("Rescaling", {"scale": 0.5}, [i])])
    return made


def makes_whole_numbers(node: Node) -> bool:
    """Whether what it puts out is int32 in Keras."""
    return (node.class_name == "Discretization"
            and node.arguments.get("output_mode", "int") == "int")


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
    if rng.random() < SEVERAL:
        _another_input(made, rng)
    if rng.random() < SEVERAL:
        _more_outputs(made, rng)
    carrying = [i for i, node in enumerate(made.nodes[:_end(made)]) if carries_states(made, i)]
    if carrying and rng.random() < OFTEN:
        _carry_states(made, rng, int(rng.choice(carrying)))
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
    if position > 0 and makes_whole_numbers(specification.nodes[before]):
        return  # on which Keras cannot run every operation
    if kind < 0.1:
        names = ROUND_TRIPS[rng.integers(len(ROUND_TRIPS))]
        insert(specification, position, [
            Node(name, copy.deepcopy(arguments), [before + k])
            for k, (name, arguments) in enumerate(names)])
    elif kind < 0.6:
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
            and specification.nodes[i].class_name not in ONCE
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
            first == 0 and classes_of(specification) is not None) and not any(
            node.class_name in ONCE for node in specification.nodes[first:stop])
        specification.inside.append([first, stop, 1 + int(same and rng.random() < 0.5)])
        places = [place for place in places if first <= place[0] and place[1] <= stop
                  and place != [first, stop]]


def _another_input(specification: Specification, rng: np.random.Generator) -> None:
    """Join another input with what a node puts out."""
    shapes = shapes_of(specification)
    position = int(rng.integers(1, _end(specification) + 1)) if _end(specification) else 0
    if position == 0 or any(first < position < stop for first, stop, _ in specification.inside):
        return  # in the midst of a model that reads one tensor
    specification.more_inputs.append([int(n) for n in shapes[position - 1]])
    name = PAIRS[rng.integers(len(PAIRS))]
    reads = [position - 1, -2] if rng.random() < 0.5 else [-2, position - 1]
    for place in specification.inside:
        place[:2] = [n + (n >= position + (k == 1)) for k, n in enumerate(place[:2])]
    insert(specification, position, [Node(name, {"operands": [None, None]}, reads)])


def _more_outputs(specification: Specification, rng: np.random.Generator) -> None:
    """Another output or two: a dense layer on what a node puts out, or that itself."""
    shapes = shapes_of(specification)
    last = len(specification.nodes) - 1
    hidden = {i for first, stop, _ in specification.inside for i in range(first, stop - 1)}
    able = [i for i in range(last) if i not in hidden and 1 <= len(shapes[i]) <= 3
            and specification.nodes[i].again is None
            and not makes_whole_numbers(specification.nodes[i])]
    if not able:
        return
    specification.outputs = [[last, specification.loss, _weight(rng)]]
    for _ in range(int(rng.integers(1, 3))):
        i = int(rng.choice(able))
        if rng.random() < 0.3:
            loss = ["MeanSquaredError", {}] if rng.random() < 0.7 else None
            specification.outputs.append([i, loss, _weight(rng)])
            continue
        activation, loss = ENDS[rng.integers(len(ENDS))]
        if len(shapes[i]) > 1:
            specification.nodes.append(Node("Flatten", {}, [i]))
            i = len(specification.nodes) - 1
        specification.nodes.append(Node("Dense", {
            "units": UNITS[rng.integers(len(UNITS))], "activation": activation}, [i]))
        specification.outputs.append([len(specification.nodes) - 1, copy.deepcopy(loss),
                                      _weight(rng)])
    weights = [weight for *_, weight in specification.outputs]
    if None in weights:  # all have one, or none
        specification.outputs = [[node, loss, None] for node, loss, _ in specification.outputs]
    if specification.loss is None:
        specification.outputs = [[node, None, None] for node, *_ in specification.outputs]


def carries_states(specification: Specification, i: int) -> bool:
    """Whether a node's states may go on to another one: it is called once, and a layer that Keras
    hands the states of out."""
    node = specification.nodes[i]
    if node.class_name == "Bidirectional" and keeps_states(node):
        return False
    if node.again is not None or any(other.again == i for other in specification.nodes):
        return False
    kind = KNOWN.get(node.class_name)
    return kind is not None and hasattr(kind, "state_widths") and not issubclass(kind, ConvLSTM)


def _carry_states(specification: Specification, rng: np.random.Generator, i: int) -> None:
    """Another layer of the same kind, on the same sequence, begins with the states of a node; who
    read that reads this one, or the sum of both. One that adds two directions up may hand them out
    instead."""
    node = specification.nodes[i]
    layer = layer_of(node.class_name, node.arguments)
    apart = getattr(layer, "merge_mode", "") == "sum" and rng.random() < 0.5
    again = copy.deepcopy(node)
    inner = node.arguments["layer"]["config"] if "layer" in node.arguments else node.arguments
    inner["return_state"] = True
    if isinstance(node.arguments.get("backward_layer"), dict):
        node.arguments["backward_layer"]["config"]["return_state"] = True
    count = 1
    if apart:
        node.arguments["merge_mode"], count = None, 2
    states = len(layer.state_widths)
    again.sources = [*node.sources[:1], *[i] * states]
    again.places = [(node.places or [0])[0], *range(count, count + states)]
    nodes = [again]
    if apart or rng.random() < 0.5:
        both = ([i, i], [0, 1]) if apart else ([i], [0])
        nodes.append(Node("Add", {}, [*both[0], i + 1], places=[*both[1], 0]))
    insert(specification, i + 1, nodes)
    for place in specification.inside:
        place[:2] = [n + len(nodes) * (n > i) for n in place[:2]]
    for output in specification.outputs:
        output[0] += len(nodes) * (output[0] >= i)


def _weight(rng: np.random.Generator) -> float | None:
    return (None, 0.25, 1.0, 3.0)[rng.integers(4)]


def stands_alone(specification: Specification, first: int, stop: int) -> bool:
    """Whether nodes read one output from outside, and only the last one's is read there."""
    nodes = specification.nodes
    outside = {source for node in nodes[first:stop] for source in node.sources
               if not first <= source}
    read = {source for node in nodes[stop:] for source in node.sources if first <= source < stop}
    again = any(node.again is not None and (first <= i < stop) != (first <= node.again < stop)
                for i, node in enumerate(nodes))
    further = any(place and first <= source < stop for node in nodes[stop:]
                  for source, place in zip(node.sources, node.places))
    return len(outside) == 1 and read <= {stop - 1} and not again and not further
