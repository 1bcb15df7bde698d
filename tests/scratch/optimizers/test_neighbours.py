"""Weights that are moved together, against the same weights moved one by one."""

import copy
import pickle

import numpy as np
import pytest

from scratch import optimizers, side_by_side

RULES = {
    "sgd": lambda: optimizers.SGD(0.1), "momentum": lambda: optimizers.SGD(0.1, 0.9),
    "nesterov": lambda: optimizers.SGD(0.1, 0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.1), "amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.1, clipnorm=0.5), "adamax": lambda: optimizers.Adamax(0.1),
    "nadam": lambda: optimizers.Nadam(0.1), "lion": lambda: optimizers.Lion(0.1),
    "rmsprop": lambda: optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.1), "adadelta": lambda: optimizers.Adadelta(0.1),
    "by tensor": lambda: optimizers.Lamb(0.1),
}


def weights():
    generator = np.random.default_rng(5)
    shapes = [(3, 2, 4, 5), (5,), (7, 6), (6,)]
    arrays = [generator.normal(size=shape).astype(np.float32) for shape in shapes]
    arrays[2] = np.asfortranarray(arrays[2])
    return arrays


def gradients(seed: int):
    """In the weights' memory order, in which norms add up."""
    return [np.random.default_rng(seed).normal(size=weight.shape).astype(
        np.float32, order="F" if weight.flags.f_contiguous else "C") for weight in weights()]


def parts(optimizer, grads, variables) -> int:
    return len(list(optimizer._parts(grads, variables, range(len(variables)))))


@pytest.mark.parametrize("left_out", [None, 1])
@pytest.mark.parametrize("rule", RULES)
def test_neighbours_go_bit_for_bit_where_single_weights_go(rule, left_out):
    apart, together = RULES[rule](), RULES[rule]()
    alone, neighbours = weights(), side_by_side.copies(weights())
    kept = side_by_side.zeros_like(neighbours)
    apart.build(alone)
    together.build(neighbours)
    for step in range(5):
        new = gradients(step)
        for place, gradient in zip(kept, new):
            place[...] = gradient
        chosen = [i for i in range(4) if step < 2 or i != left_out]
        apart.apply([new[i] for i in chosen], [alone[i] for i in chosen])
        together.apply([kept[i] for i in chosen], [neighbours[i] for i in chosen])
    for a, b in zip([*alone, *apart.slots()], [*neighbours, *together.slots()]):
        np.testing.assert_array_equal(a, b)
    assert parts(apart, new, alone) == 4
    assert parts(together, kept, neighbours) == (4 if rule == "by tensor" else 1)


def test_a_subclass_is_asked_for_each_weight():
    class Halved(optimizers.SGD):
        def update_step(self, gradient, variable, factor, position):
            variable -= factor * gradient / variable.ndim

    neighbours = side_by_side.copies(weights())
    grads = [np.ones_like(weight) for weight in neighbours]
    optimizer = Halved(1.0)
    optimizer.build(neighbours)
    before = [weight.copy() for weight in neighbours]
    optimizer.apply(grads, neighbours)
    for a, b in zip(before, neighbours):
        np.testing.assert_allclose(a - b, 1 / a.ndim, rtol=1e-5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))],
                         ids=["deepcopy", "pickle"])
def test_a_copy_remembers_for_itself(copied):
    optimizer, neighbours = optimizers.Adam(0.1), side_by_side.copies(weights())
    kept = side_by_side.copies(gradients(0))
    optimizer.build(neighbours)
    optimizer.apply(kept, neighbours)
    twin, others = copied((optimizer, neighbours))
    for _ in range(2):
        optimizer.apply(kept, neighbours)
        twin.apply(gradients(0), others)
    for a, b in zip([*neighbours, *optimizer.slots()], [*others, *twin.slots()]):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, b)
