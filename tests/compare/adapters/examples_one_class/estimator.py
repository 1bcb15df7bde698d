"""An estimator with `fit` and `predict` alone: what is judged is the change that a step makes.

    compare.wrap(Regressor(6, 5, 4), forward="predict", backward=None,
                 step=lambda net, x, y: net.fit(x, y, epochs=1))
"""

import numpy as np


class Regressor:
    """Dense, ReLU, dense; momentum; mean squared error. Weights (out, in), as `coefs_`."""

    def __init__(self, inputs, hidden, outputs, learning_rate=0.1, momentum=0.9):
        rng = np.random.default_rng(7)
        self.coefs_ = [rng.normal(0, 0.3, (hidden, inputs)), rng.normal(0, 0.3, (outputs, hidden))]
        self.intercepts_ = [np.zeros(hidden), np.zeros(outputs)]
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = [np.zeros_like(each) for each in (*self.coefs_, *self.intercepts_)]

    def predict(self, X):
        self.hidden_ = np.maximum(X @ self.coefs_[0].T + self.intercepts_[0], 0)
        return self.hidden_ @ self.coefs_[1].T + self.intercepts_[1]

    def gradients(self, X, Y):
        error = 2 * (self.predict(X) - Y) / Y.size
        back = error @ self.coefs_[1] * (self.hidden_ > 0)
        return [back.T @ X, error.T @ self.hidden_, back.sum(0), error.sum(0)]

    def fit(self, X, Y, epochs):
        for _ in range(epochs):
            arrays = [*self.coefs_, *self.intercepts_]
            for v, w, g in zip(self.velocity, arrays, self.gradients(X, Y)):
                v *= self.momentum
                v -= self.learning_rate * g
                w += v
        return self


def network(wrap, make=Regressor, **changed):
    return wrap(make(6, 5, 4), **{**dict(
        forward="predict", backward=None,
        step=lambda net, x, y: net.fit(x, y, epochs=1)), **changed})
