"""Parameters in one dictionary, gradients in another that a method returns.

    compare.wrap(Classifier(6, 5, 4), forward="predict", backward="gradient",
                 backward_takes=("x", "labels"), backward_gives="gradients", loss="loss",
                 loss_takes=("x", "labels"), labels="one_hot")
"""

import numpy as np


class Classifier:
    """Dense, tanh, dense, softmax, cross-entropy."""

    def __init__(self, inputs, hidden, classes):
        rng = np.random.default_rng(3)
        self.params = {"W1": rng.normal(0, 0.1, (inputs, hidden)), "b1": np.zeros(hidden),
                       "W2": rng.normal(0, 0.1, (hidden, classes)), "b2": np.zeros(classes)}

    def predict(self, x):
        self.hidden = np.tanh(x @ self.params["W1"] + self.params["b1"])
        scores = self.hidden @ self.params["W2"] + self.params["b2"]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def loss(self, x, t):
        return -np.sum(t * np.log(self.predict(x))) / len(x)

    def gradient(self, x, t):
        dscores = (self.predict(x) - t) / len(x)
        dhidden = self.through_tanh(dscores @ self.params["W2"].T)
        return {"W1": x.T @ dhidden, "b1": dhidden.sum(axis=0),
                "W2": self.hidden.T @ dscores, "b2": dscores.sum(axis=0)}

    def through_tanh(self, dy):
        return dy * (1 - self.hidden ** 2)


def network(wrap, make=Classifier, **changed):
    return wrap(make(6, 5, 4), **{**dict(
        forward="predict", backward="gradient", backward_takes=("x", "labels"),
        backward_gives="gradients", loss="loss", loss_takes=("x", "labels"),
        labels="one_hot"), **changed})
