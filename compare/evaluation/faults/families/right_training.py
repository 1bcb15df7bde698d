"""Right variants of losses, optimizers and of a step."""

import numpy as np

from compare.evaluation.faults.families.loss_formulas import trained_on
from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.families.optimizers import ADAM, ADAMW, NESTEROV, trained_by
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, Variant
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around
from scratch.optimizers.casting import as_keras_casts

SPARSE = around("Dense", units=4)
CATEGORICAL = trained_on("CategoricalCrossentropy", "softmax")
BINARY = trained_on("BinaryCrossentropy", "sigmoid")
SQUARED = trained_on("MeanSquaredError")
HUBER = trained_on("Huber", delta=0.3)
LOG_COSH = trained_on("LogCosh")
MOMENTUM = trained_by("SGD", momentum=0.9)
RMSPROP = trained_by("RMSprop")
ADAGRAD = trained_by("Adagrad")
CLIPNORM = trained_by("SGD", clipnorm=0.01)
PARTS = around("Dense", units=4, batch=5)


def by_log_sum_exp(self, right, labels, z, from_logits):
    losses, gradient = right(labels, z, from_logits)
    return np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), labels], gradient


def by_log_softmax(self, right, y, z, from_logits):
    _, gradient = right(y, z, from_logits)
    top = z.max(axis=1, keepdims=True)
    log = z - (top + np.log(np.exp(z - top).sum(axis=1, keepdims=True)))
    return -(y * log).sum(axis=1), gradient


def by_logaddexp(self, right, y, z, from_logits):
    """log(1 + e^z) - y z."""
    _, slopes = right(y, z, from_logits)
    return np.logaddexp(0, z).astype(z.dtype) - y * z, slopes


def by_product(self, right, targets, y_pred, from_logits):
    """The sum of squares as a product of the error with itself."""
    _, gradient = right(targets, y_pred, from_logits)
    error = y_pred - targets
    return np.array([e @ e for e in error], y_pred.dtype) / error.shape[1], gradient


def by_smaller(self, right, y, y_pred, from_logits):
    """With c = min(|e|, delta): c (|e| - c / 2)."""
    _, slopes = right(y, y_pred, from_logits)
    size = np.abs(y_pred - y)
    cut = np.minimum(size, size.dtype.type(self.delta))
    return cut * (size - cut / 2), slopes


def by_magnitude(self, right, y, y_pred, from_logits):
    """|e| + log(1 + e^(-2 |e|)) - log 2."""
    _, slopes = right(y, y_pred, from_logits)
    size = np.abs(y_pred - y)
    return size + np.log1p(np.exp(-2 * size)) - size.dtype.type(np.log(2)), slopes


def rate_outside(self, right, gradient, variable, rate, position):
    """velocity = momentum * velocity + g, w -= rate * velocity: the same at a constant rate."""
    velocity = self.momentums[position]
    kept = -velocity / rate
    kept = as_keras_casts(self.momentum, variable.dtype) * kept + gradient
    velocity[...] = -rate * kept
    variable -= rate * kept


def ahead_by_gradient(self, right, gradient, variable, rate, position):
    """w -= rate (g + momentum * velocity)."""
    beta = as_keras_casts(self.momentum, variable.dtype)
    velocity = self.momentums[position]
    velocity[...] = beta * velocity - rate * gradient
    variable -= rate * (gradient - beta * (velocity / rate))


def averages(self, right, gradient, variable, alpha, position):
    """m = beta m + (1 - beta) g."""
    m, v = self.momentums[position], self.velocities[position]
    m[...] = self.beta_1 * m + (1 - self.beta_1) * gradient
    v[...] = self.beta_2 * v + (1 - self.beta_2) * np.square(gradient)
    variable -= m * alpha / (np.sqrt(v) + self.epsilon)


def corrected(self, right, gradient, variable, rate, position):
    """m and v are corrected first, and epsilon with them; the betas' powers as Keras has them."""
    dtype = variable.dtype
    first, second = (1 - np.power(as_keras_casts(beta, dtype), dtype.type(self.iterations + 1))
                     for beta in (self.beta_1, self.beta_2))
    m, v = self.momentums[position], self.velocities[position]
    m += (gradient - m) * (1 - self.beta_1)
    v += (np.square(gradient) - v) * (1 - self.beta_2)
    variable -= rate * (m / first) / (np.sqrt(v / second) + self.epsilon / np.sqrt(second))


def decay_by_factor(self, right, variables, positions, rate):
    for variable in variables:
        variable *= variable.dtype.type(1 - self.weight_decay * rate)


def towards_square(self, right, gradient, variable, rate, position):
    velocity = self.velocities[position]
    velocity += (1 - self.rho) * (np.square(gradient) - velocity)
    variable -= rate * gradient / np.sqrt(velocity + self.epsilon)


def inverse_root(self, right, gradient, variable, rate, position):
    accumulator = self.accumulators[position]
    accumulator += np.square(gradient)
    variable -= rate * (gradient * (1 / np.sqrt(accumulator + self.epsilon)))


def clipped_by_share(self, right, given):
    return [g * g.dtype.type(min(1, self.clipnorm / np.linalg.norm(g))) for g in given]


def in_parts(self, right, x, y, sample_weight=None):
    """A batch in two parts, whose gradients count by their samples."""
    if len(x) < 2:
        return right(x, y, sample_weight)
    half = (len(x) + 1) // 2
    total, value, outputs = [], 0, []
    for rows in (slice(0, half), slice(half, None)):
        share = self.dtype.type(len(y[rows]) / len(y))
        part, output, _ = self.loss_and_gradients(x[rows], y[rows])
        value += share * part
        outputs.append(output)
        total.append([{name: share * g for name, g in layer.grads.items()}
                      for layer in self.layers])
    for layer, first, second in zip(self.layers, *total):
        layer.grads = {name: first[name] + second[name] for name in first}
    self.update()
    return value, np.concatenate(outputs)


def scaled_and_back(self, right, gradients, variables):
    """Gradients are scaled against underflow and scaled back: powers of two round nothing."""
    right([g * g.dtype.type(1024) / g.dtype.type(1024) for g in gradients], variables)


# identifier, sentence, network, place, injection
TABLE = [
    ("cross-entropy-log-sum-exp", "log sum exp(z) - z[label]", SPARSE, LOSS,
     patching(rows=by_log_sum_exp)),
    ("categorical-log-softmax", "-sum y log softmax(z)", CATEGORICAL, LOSS,
     patching(rows=by_log_softmax)),
    ("binary-logaddexp", "log(1 + e^z) - y z", BINARY, LOSS, patching(elements=by_logaddexp)),
    ("squared-product", "the error times itself", SQUARED, LOSS, patching(rows=by_product)),
    ("huber-smaller", "c (|e| - c / 2), c the smaller of |e| and delta", HUBER, LOSS,
     patching(elements=by_smaller)),
    ("log-cosh-magnitude", "|e| + log(1 + e^(-2 |e|)) - log 2", LOG_COSH, LOSS,
     patching(elements=by_magnitude)),
    ("momentum-rate-outside", "the rate multiplies the velocity, at a constant rate", MOMENTUM,
     OPTIMIZER, patching(update_step=rate_outside)),
    ("nesterov-by-gradient", "w -= rate (g + momentum * velocity)", NESTEROV, OPTIMIZER,
     patching(update_step=ahead_by_gradient)),
    ("adam-averages", "beta m + (1 - beta) g", ADAM, OPTIMIZER, patching(update_step=averages)),
    ("adam-corrected-first", "m and v are corrected, and epsilon with them", ADAM, OPTIMIZER,
     patching(factor=lambda self, right, rate: rate, update_step=corrected)),
    ("adamw-decay-factor", "w *= 1 - decay * rate", ADAMW, OPTIMIZER,
     patching(_decay=decay_by_factor)),
    ("rmsprop-towards-square", "v += (1 - rho) (g^2 - v)", RMSPROP, OPTIMIZER,
     patching(update_step=towards_square)),
    ("adagrad-inverse-root", "a product with the inverse root", ADAGRAD, OPTIMIZER,
     patching(update_step=inverse_root)),
    ("clipnorm-by-share", "g min(1, limit / norm)", CLIPNORM, OPTIMIZER,
     patching(_clipped=clipped_by_share)),
    ("gradients-scaled-and-back", "gradients times 1024, divided by 1024", SPARSE, OPTIMIZER,
     patching(apply=scaled_and_back)),
    ("batch-in-parts", "a batch in two parts that count by their samples", PARTS, TRAINING,
     patching(train_step=in_parts)),
]


def variants():
    """All of them."""
    for name, sentence, network, place, inject in TABLE:
        yield Variant(f"right-{name}", "Right training", sentence, network, At(place, inject))
