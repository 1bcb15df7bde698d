"""A check gives back what it takes: generators, Keras's precision, memory; in every thread."""

import random
import threading

import numpy as np
import pytest

import compare
import scratch
from scratch import seed
from tests.compare.support import repeated_checks


@pytest.fixture(scope="module")
def pairs(keras):
    return {dtype: repeated_checks.pair(dtype) for dtype in ("float32", "float64")}


def drawn(keras):
    """A number from each generator of the process."""
    return (random.random(), np.random.random(), seed.generator().random(),
            float(keras.random.uniform(())), float(keras.layers.Dense(1).kernel_initializer.seed))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("call", [
    lambda m, t, x, y: compare.check(m, t, x, y, steps=2),
    lambda m, t, x, y: compare.record(t, x, y),
    lambda m, t, x, y: compare.twin(m),
    lambda m, t, x, y: compare.check(wrong(m), t, x, y, steps=1).diagnosis],
    ids=["check", "record", "twin", "diagnosis"])
def test_every_generator_goes_on_where_it_was(pairs, keras, call):
    def numbers(between):
        keras.utils.set_random_seed(3)
        scratch.set_random_seed(3)
        keras.random.uniform(())  # Keras's own is made when it is first asked
        between()
        return drawn(keras), keras.config.floatx(), keras.config.dtype_policy().name

    expected = numbers(lambda: None)
    assert numbers(lambda: call(*pairs["float64"])) == expected


def wrong(model):
    import copy

    model = copy.deepcopy(model)
    model.layers[-1].bias[1] += 1
    return model


def test_checks_in_several_threads_of_several_precisions_are_right(pairs, keras):
    said, before = [], keras.config.floatx()

    def work(pair):
        for _ in range(2):
            try:
                said.append(bool(compare.check(*pair, steps=1)))
            except Exception as error:
                said.append(error)

    threads = [threading.Thread(target=work, args=(pair,)) for pair in pairs.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 4 and keras.config.floatx() == before


def test_no_graph_stays(pairs, keras):
    compare.check(*pairs["float32"])
    before = repeated_checks.graphs()
    for _ in range(3):
        compare.check(*pairs["float32"])
    assert repeated_checks.graphs() <= before
