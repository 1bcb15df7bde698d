"""Operations that change shapes, in the networks that are drawn: of every kind, on whatever stands
before them, and nothing else is drawn otherwise for them."""

import numpy as np
import pytest

from compare.evaluation import fuzzing
from compare.evaluation.fuzzing import generator
from compare.evaluation.fuzzing.changing_shapes import Chain, reshaped
from compare.evaluation.fuzzing.specification import Node, Specification, batch_of

SHAPES = ((6,), (7, 3), (6, 4, 4), (3, 4, 2, 2), (2, 3, 2, 3, 2))
KINDS = {"Transpose", "Swapaxes", "Moveaxis", "Reshape", "ExpandDims", "Squeeze", "Unstack",
         "GetItem", "Split", "Concatenate", "Stack", "Pad", "Flip", "Roll", "Repeat", "Tile",
         "DepthToSpace", "SpaceToDepth", "ExtractPatches", "Mean", "Sum", "Max", "Min", "Var",
         "Matmul", "Einsum", "Add", "Subtract", "Multiply", "Maximum"}


def chained(shape, seed) -> Specification:
    """Drawn operations on inputs of a shape, a Flatten and a dense layer."""
    nodes = Chain(shape, np.random.default_rng(seed)).drawn(0, -1)
    nodes.append(Node("Flatten", {}, [len(nodes) - 1]))
    nodes.append(Node("Dense", {"units": 2}, [len(nodes) - 1]))
    return Specification(list(shape), nodes, None, None, batch=3, seed=[4, seed])


def test_every_kind_is_drawn_and_every_chain_runs():
    found = set()
    for seed in range(400):
        network = chained(SHAPES[seed % len(SHAPES)], seed)
        found |= {node.class_name.removesuffix("Operation") for node in network.nodes}
        model = network.build()
        y = model.forward(batch_of(network))
        assert y.shape == (3, 2) and np.isfinite(y).all()
        model.backward(np.ones_like(y))
    assert found >= KINDS


def test_whatever_else_a_network_has_stays(monkeypatch):
    with_them = [generator.draw(11, number) for number in range(120)]
    monkeypatch.setattr(generator, "reshaped", lambda network, rng: network)
    changed = 0
    for number, made in enumerate(with_them):
        plain = generator.draw(11, number)
        rest = iter(made.nodes)
        for node in plain.nodes:  # in the order in which they stand there, too
            assert any((other.class_name, other.arguments) == (node.class_name, node.arguments)
                       for other in rest)
        same = len(made.nodes) == len(plain.nodes)
        assert not same or made.plain() == plain.plain()
        changed += not same
        for each in (made, plain):
            each.nodes, each.inside, each.outputs, each.policy = [], [], [], ""
        assert made.plain() == plain.plain()
    assert changed > 10


def test_what_reads_a_flatten_together_with_others_keeps_its_shape():
    nodes = [Node("Flatten", {}, [-1]), Node("TanhOperation", {}, [0]),
             Node("AddOperation", {"operands": [None, None]}, [1, -2]),
             Node("Dense", {"units": 2}, [2])]
    network = Specification([3, 2], nodes, None, None, more_inputs=[[6]])
    for seed in range(30):
        assert reshaped(network, np.random.default_rng(seed)).plain() == network.plain()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(8))
def test_they_are_as_in_keras(keras, seed):
    outcome = fuzzing.judge(chained(SHAPES[seed % len(SHAPES)], seed))
    assert outcome.passed, outcome
