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
    "global norm": lambda: optimizers.SGD(0.1, 0.9, global_clipnorm=0.5),
    "small global norm": lambda: optimizers.SGD(0.1, global_clipnorm=1e4),
    "clipped values": lambda: optimizers.Adam(0.1, clipvalue=0.3),
    "decay": lambda: optimizers.SGD(0.1, weight_decay=0.3),
    "averages": lambda: optimizers.SGD(0.1, use_ema=True, ema_momentum=0.7,
                                       ema_overwrite_frequency=2),
    "two decays": lambda: optimizers.Muon(0.1, weight_decay=0.2, adam_weight_decay=0.4),
    "all": lambda: optimizers.AdamW(0.1, global_clipnorm=0.5, use_ema=True),
}
BY_TENSOR = ("by tensor", "two decays")


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


@pytest.mark.sampled(2, of="rule")
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
    for a, b in zip([*alone, *apart.slots(), *apart.averages],
                    [*neighbours, *together.slots(), *together.averages]):
        np.testing.assert_array_equal(a, b)
    assert parts(apart, new, alone) == 4
    assert parts(together, kept, neighbours) == (4 if rule in BY_TENSOR else 1)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_gradients_are_clipped_to_neighbours_and_stay_what_they_are(clip):
    optimizer, variables = optimizers.SGD(0.1, **{clip: 0.5}), side_by_side.copies(weights())
    kept = side_by_side.copies(gradients(0))
    before = [gradient.copy() for gradient in kept]
    optimizer.build(variables)
    clipped = optimizer._clipped(kept)
    assert parts(optimizer, clipped, variables) == 1
    assert all(a is b for a, b in zip(clipped, optimizer._clipped(kept))), "the same places again"
    for a, b in zip(kept, before):
        np.testing.assert_array_equal(a, b)


def test_a_weight_that_is_excluded_does_not_decay_with_its_neighbours():
    variables = side_by_side.copies([np.ones(3, np.float32) for _ in range(4)])
    optimizer = optimizers.SGD(1.0, weight_decay=0.25)
    optimizer.exclude_from_weight_decay(var_list=[variables[1]])
    optimizer.apply([np.zeros(3, np.float32)] * 4, variables)
    assert [weight[0] for weight in variables] == [0.75, 1, 0.75, 0.75]


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


def test_a_list_that_the_caller_changes_is_looked_at_again():
    variables, grads = side_by_side.copies(weights()), gradients(0)
    optimizer, expected = optimizers.SGD(1.0), [weight.copy() for weight in variables]
    for step in (1, 2):
        grads[0] = np.full_like(grads[0], step)
        optimizer.apply(grads, variables)
        for weight, gradient in zip(expected, grads):
            weight -= gradient
    for a, b in zip(variables, expected):
        np.testing.assert_array_equal(a, b)


def test_gradients_may_be_plain_lists():
    variables = [np.zeros(2, np.float32), np.zeros(3, np.float32)]
    optimizers.SGD(1.0).apply([[1.0, 2.0], [3.0, 4.0, 5.0]], variables)
    assert [list(weight) for weight in variables] == [[-1, -2], [-3, -4, -5]]


def test_an_optimizer_that_is_built_again_finds_the_slots_anew():
    variables = side_by_side.copies([np.zeros(3, np.float32)] * 3)
    grads = side_by_side.copies([np.ones(3, np.float32)] * 2)
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(variables[1:])
    optimizer.apply(grads, variables[1:])
    optimizer.build(variables)
    optimizer.apply(grads, variables[1:])
    assert not optimizer.momentums[0].any()
    assert optimizer.momentums[1].all() and optimizer.momentums[2].all()


def test_a_slot_that_is_set_counts_in_the_next_step():
    variables = side_by_side.copies([np.zeros(3, np.float32)] * 2)
    grads = side_by_side.copies([np.ones(3, np.float32)] * 2)
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    optimizer.apply(grads, variables)
    optimizer.momentums[1] = np.full(3, 8, np.float32)
    optimizer.apply(grads, variables)
    assert variables[0].tolist() == [-2.5] * 3  # -1, then 0.5 * -1 - 1
    assert variables[1].tolist() == [2] * 3  # -1, then 0.5 * 8 - 1


def test_numbers_with_gaps_between_are_looked_at_in_each_step():
    optimizer, gradient = optimizers.SGD(1.0), np.zeros((4, 6), np.float32)[:, :3]
    assert optimizer.can_use([gradient])
    gradient[3, 2] = np.nan
    assert not optimizer.can_use([gradient])
