"""What is used too early, or on what is no batch, is refused by name; nothing else comes of it."""

import numpy as np
import pytest

import scratch

X, Y = np.ones((2, 4), "f4"), np.ones((2, 3), "f4")


def network(*, compiled=True):
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3)])
    if compiled:
        model.compile("sgd", "mean_squared_error")
    return model


@pytest.mark.parametrize("use, kind, said", [
    (lambda: network().predict_on_batch(X[:0]), ValueError, r"at least one sample.*\(0, 4\)"),
    (lambda: network().predict_on_batch(1.0), ValueError, r"at least one sample.*\(\)"),
    (lambda: scratch.Sequential([]).predict(X, verbose=0), ValueError, "at least one layer"),
    (lambda: scratch.Sequential([]).forward(X), ValueError, "at least one layer"),
    (lambda: network().backward(Y), AttributeError, "Dense 'dense': expected a forward pass first"),
    (lambda: scratch.Dense(3).forward(X), ValueError, "Dense: expected a built layer"),
    (lambda: scratch.Conv2D(3, 1).forward(X[:, None, None]), AttributeError,
     "Conv2D: expected a built layer"),
    (lambda: network().fit(X, Y, class_weight=[1, 2], verbose=0), TypeError,
     r"class_weight to be a dictionary.*\[1, 2\]"),
    (lambda: network().train_on_batch(X, Y, class_weight=2.0), TypeError, "a dictionary.*2.0"),
    (lambda: scratch.SGD("a"), ValueError, "finite number, not negative.*'a'"),
    (lambda: scratch.SGD([0.1, 0.2]), ValueError, "finite number, not negative"),
    (lambda: scratch.SGD(0.1, momentum="x"), ValueError, "between 0 and 1.*'x'"),
    (lambda: scratch.Adam(0.1, beta_1=np.nan), ValueError, "between 0 and 1.*nan"),
    *[(lambda use=use: use(network(), X.astype(str)), TypeError, "to be numbers.*<U")
      for use in (lambda m, x: m.fit(x, Y, verbose=0), lambda m, x: m.evaluate(x, Y, verbose=0),
                  lambda m, x: m.predict(x, verbose=0), lambda m, x: m.predict_on_batch(x),
                  lambda m, x: m.train_on_batch(x, Y))],
    (lambda: network().predict(X.astype(complex), verbose=0), TypeError, "complex128")])
def test_it_is_refused(use, kind, said):
    with pytest.raises(kind, match=said):
        use()


@pytest.mark.parametrize("use", ["predict", "predict_on_batch", "predict_step", "forward"])
def test_the_first_batch_makes_the_weights_also_if_it_is_to_be_predicted(use):
    model = scratch.Sequential([scratch.Dense(3), scratch.Dense(2)])
    made = getattr(model, use)(X)
    assert model.input_shape == (None, 4)
    np.testing.assert_array_equal(np.reshape(made, (2, 2)), model.forward(X))
