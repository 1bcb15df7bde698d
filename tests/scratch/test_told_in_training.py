"""Layers and models that a graph calls with training=True, which Keras's `fit`, `evaluate` and
`predict` overrule, and a model that is called by itself does not."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins


def monte_carlo(library):
    K, x = library.layers, library.Input((6,))
    base = library.Sequential([library.Input((6,)), K.Dense(5), K.Dropout(0.5)], name="base")
    y = K.Dropout(0.4, name="told")(base(x, training=True), training=True)
    return library.Model(x, K.Dense(2, name="end")(K.Dropout(0.4, name="untold")(y)))


def batch():
    return np.random.default_rng(0).standard_normal((8, 6)).astype("float32")


def draws(model, **said):
    x = batch()
    return not np.array_equal(np.array(model(x, **said)), np.array(model(x, **said)))


def test_who_is_told():
    assert monte_carlo(scratch).told == [True, True, True, False, False]


@pytest.mark.parametrize("said, drawn", [({}, True), ({"training": False}, False),
                                         ({"training": True}, True)])
def test_a_model_that_is_called_by_itself_draws_where_keras_does(keras, said, drawn):
    assert draws(monte_carlo(keras), **said) == draws(monte_carlo(scratch), **said) == drawn


def test_only_what_is_told_draws():
    model = monte_carlo(scratch)
    for layer in model.layers:
        layer.give_noise(np.zeros((8, 5), "float32") if layer.name == "untold" else None)
    assert np.abs(model(batch())).max() > 0  # else the noise of zeros would leave the bias alone
    assert not np.abs(model(batch(), training=True)).max()


def test_predict_and_evaluate_overrule_it(keras):
    model, twin = monte_carlo(scratch), monte_carlo(keras)
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(batch(), verbose=0), twin.predict(batch(), verbose=0),
                               rtol=0, atol=1e-6)


def test_files_keep_it(keras, tmp_path):
    monte_carlo(keras).save(tmp_path / "theirs.keras")
    model = scratch.load_model(tmp_path / "theirs.keras")
    assert model.told == monte_carlo(scratch).told
    model.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    assert draws(back) and not draws(back, training=False)


def test_a_check_holds_and_says_so(keras):
    model = monte_carlo(scratch)
    model.compile("sgd", "mse")
    report = compare.check(*twins.twins(model), batch(), np.ones((8, 2), "float32"))
    assert report, report
    assert any(note.startswith("Called with training=True: base, told. In Keras fit, evaluate")
               for note in report.notes), report.notes
