"""Where batches come from: arrays, sequences, generators, cut into epochs; weights and splits."""

import numpy as np
import pytest

import scratch
from scratch.batches import Epochs, adapt, class_weights_of, gives_batches, validation_rows

X = np.arange(10.0)[:, None]
Y = np.arange(10) * 10
W = np.arange(10) * 100


def rows(batches):
    """The sample numbers of each batch; x, y and weights have to belong together."""
    numbers = []
    for x, y, w in batches:
        assert (x[:, 0] * 10 == y).all() and (w is None or (y * 10 == w).all())
        numbers.append(x[:, 0].astype(int).tolist())
    return numbers


def test_arrays_in_order():
    source = adapt(X, Y, W, batch_size=4)
    assert source.steps == 3
    assert rows(source) == rows(source) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert rows(adapt(X, Y, batch_size=4, rows=range(3, 9))) == [[3, 4, 5, 6], [7, 8]]
    assert rows(adapt(X, Y)) == [list(range(10))], "32 by default"
    assert len(rows(adapt(X, Y, steps=3))) == 3, "as large as that number of steps wants"


def test_arrays_shuffled():
    scratch.set_random_seed(1)
    source = adapt(X, Y, W, batch_size=4, shuffle=True, rows=range(2, 9))
    first, second = rows(source), rows(source)
    assert first != second and sorted(sum(first, [])) == list(range(2, 9))
    scratch.set_random_seed(1)
    assert rows(adapt(X, Y, W, batch_size=4, shuffle=True, rows=range(2, 9))) == first
    mixed = rows(adapt(X, Y, W, batch_size=5, shuffle="batch"))
    assert [sorted(batch) for batch in mixed] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert mixed != [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


class Numbered:
    """As `keras.utils.PyDataset`."""

    def __init__(self):
        self.hooks = []

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[4 * i:4 * i + 4], Y[4 * i:4 * i + 4], W[4 * i:4 * i + 4]

    def on_epoch_begin(self):
        self.hooks.append("begin")

    def on_epoch_end(self):
        self.hooks.append("end")


def test_numbered_batches():
    data = Numbered()
    source = adapt(data)
    assert source.steps == 3 and rows(source) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert data.hooks == ["begin", "end"]
    scratch.set_random_seed(3)
    orders = [rows(adapt(data, shuffle=True)) for _ in range(5)]
    assert all(sorted(order) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] for order in orders)
    assert any(order != orders[0] for order in orders)


def generator():
    for i in range(0, 10, 4):
        yield X[i:i + 4], Y[i:i + 4]


def test_generators_go_on_where_they_stopped():
    epochs = Epochs(adapt(generator()), steps=1)
    assert [rows(epochs) for _ in range(3)] == [[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8, 9]]]
    with pytest.warns(UserWarning, match="ran out before an epoch had its 1 steps"):
        assert rows(epochs) == []
    assert epochs.exhausted
    epochs = Epochs(adapt(generator()))
    assert epochs.steps is None and len(rows(epochs)) == 3 and rows(epochs) == []


def test_what_can_be_run_through_again_is():
    class Again:
        def __iter__(self):
            return generator()

    epochs = Epochs(adapt(Again()))
    assert len(rows(epochs)) == len(rows(epochs)) == 3


def test_epochs_of_so_many_steps_go_through_arrays_in_turn():
    """As in Keras: the next epoch goes on, and a pass that ends within an epoch ends it."""
    epochs = Epochs(adapt(X, Y, batch_size=2), steps=2)  # five batches
    assert epochs.steps == 2
    assert rows(epochs) == [[0, 1], [2, 3]] and rows(epochs) == [[4, 5], [6, 7]]
    with pytest.warns(UserWarning, match="ran out"):
        assert rows(epochs) == [[8, 9]]
    assert rows(epochs) == [[0, 1], [2, 3]] and not epochs.exhausted
    epochs = Epochs(adapt(X, Y, batch_size=5), steps=2)
    assert rows(epochs) == rows(epochs) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_batches_of_one_two_or_three():
    for batch, expected in [(X, 1), ((X,), 1), ((X, Y), 2), ([X, Y, W], 3)]:
        (found,) = list(adapt(iter([batch])))
        assert sum(part is not None for part in found) == expected and found[0] is X
    for wrong in [(), (X, Y, W, W)]:
        with pytest.raises(ValueError, match=r"batches x, \(x, y\) or .* Received: \d values"):
            list(adapt(iter([wrong])))


@pytest.mark.parametrize("x, expected", [
    (X, False), ([1, 2], False), ((1, 2), False), (generator(), True), (iter([1]), True),
    (Numbered(), True), (range(3), True)], ids=lambda each: type(each).__name__)
def test_what_gives_batches(x, expected):
    assert gives_batches(x) == expected


@pytest.mark.parametrize("arguments, said", [
    (dict(x=generator(), y=Y), "y to be part of the batches.*generator. Received: y"),
    (dict(x=Numbered(), sample_weight=W), "sample_weight to be part of the batches.*Numbered"),
    (dict(x=X, y=Y, sample_weight=W, class_weight={}), "sample_weight or class_weight, not both"),
    (dict(x=X, y=Y, sample_weight=W[:9]), "as many sample weights.*9 weights and 10 inputs"),
    (dict(x=X[:0], y=Y[:0]), "at least one sample. Received: 0"),
    (dict(x=X, y=np.zeros((10, 2, 3)), class_weight={}), r"one class.*shape \(10, 2, 3\)"),
])
def test_what_does_not_fit_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        adapt(**arguments)


def test_weights_by_class():
    weights = {0: 0.5, 2: 3, 7: 9.0}
    expected = [3, 0.5, 1, 3]
    for y in ([2, 0, 1, 2], [[2], [0], [1], [2]], [2.0, 0.0, 1.0, 2.0], np.eye(3)[[2, 0, 1, 2]]):
        found = class_weights_of(np.asarray(y), weights)
        assert found.dtype == np.float32 and found.tolist() == expected
    batches = list(adapt(iter([(X, Y)]), class_weight={30: 4.0}))
    assert batches[0][2].tolist() == [1, 1, 1, 4, 1, 1, 1, 1, 1, 1]
    with pytest.raises(ValueError, match="not both"):
        list(adapt(iter([(X, Y, W)]), class_weight={}))


def test_the_last_samples_validate():
    assert validation_rows(10, 0.25) == (range(0, 7), range(7, 10))
    assert validation_rows(10, 0.2) == (range(0, 8), range(8, 10))
    assert validation_rows(10, 0.001) == (range(0, 9), range(9, 10))
    for split in (0.99, 1.0, -0.5):
        with pytest.raises(ValueError, match="samples on both sides of 10. Received: "):
            validation_rows(10, split)
