"""Faults of Adamax, Nadam, Adadelta, Ftrl, Lion, Lamb, Adafactor, Muon and ScheduleFreeAdamW."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import setting, trained_by
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patching
from scratch.optimizers.adafactor import rms
from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.muon import orthogonalized

ADAMAX = trained_by("Adamax")
ADAMAX_EPSILON = trained_by("Adamax", epsilon=1e-3)
NADAM = trained_by("Nadam")
ADADELTA = trained_by("Adadelta")
ADADELTA_EPSILON = trained_by("Adadelta", epsilon=1e-3)
FTRL = trained_by("Ftrl", l1_regularization_strength=0.01, l2_regularization_strength=0.02)
LION = trained_by("Lion")
LAMB = trained_by("Lamb")
ADAFACTOR = trained_by("Adafactor")
MUON = trained_by("Muon")
FREE = trained_by("ScheduleFreeAdamW")


def start(self, beta, dtype):
    """1 - beta^t."""
    return 1 - np.power(as_keras_casts(beta, dtype), dtype.type(self.iterations + 1))


def adamax(corrected=True, epsilon_inside=False, fades=True):
    def update_step(self, right, g, w, rate, position):
        m, u = self.momentums[position], self.norms[position]
        m += (g - m) * (1 - self.beta_1)
        size = np.abs(g) + (self.epsilon if epsilon_inside else 0)
        np.maximum((self.beta_2 if fades else 1) * u, size, out=u)
        share = start(self, self.beta_1, w.dtype) if corrected else w.dtype.type(1)
        w -= rate * m / (share * (u if epsilon_inside else u + self.epsilon))

    return patching(update_step=update_step)


def nadam(ahead):
    """The direction is ahead(m, g, u_t, u_{t+1}, U_t) in place of Nadam's."""
    def update_step(self, right, g, w, rate, position):
        kept = w.copy()
        right(g, w, rate, position)
        dtype, t = w.dtype, self.iterations + 1
        now, after = (self.beta_1 * (1 - 0.5 * 0.96 ** step) for step in (t, t + 1))
        product = float(self.u_product)
        direction = ahead(self.momentums[position], g, now, after, product)
        root = np.sqrt(self.velocities[position] / start(self, self.beta_2, dtype)) + self.epsilon
        w[...] = kept - rate * np.asarray(direction, dtype) / root

    return patching(update_step=update_step)


def nadam_uncorrected(self, right, g, w, rate, position):
    kept = w.copy()
    right(g, w, rate, position)
    v = self.velocities[position]
    root = np.sqrt(v / start(self, self.beta_2, w.dtype)) + self.epsilon
    w[...] = kept + (w - kept) * (root / (np.sqrt(v) + self.epsilon))


def adadelta(before=False, outside=False, times_rate=False):
    def update_step(self, right, g, w, rate, position):
        squares, steps = self.accumulated_grads[position], self.accumulated_delta_vars[position]
        old = squares.copy()
        squares *= self.rho
        squares += (1 - self.rho) * np.square(g)
        below = old if before else squares
        if outside:
            step = (np.sqrt(steps) + self.epsilon) * g / (np.sqrt(below) + self.epsilon)
        else:
            step = np.sqrt(steps + self.epsilon) * g / np.sqrt(below + self.epsilon)
        steps *= self.rho
        steps += (1 - self.rho) * np.square(rate * step if times_rate else step)
        w -= rate * step

    return patching(update_step=update_step)


def ftrl_of_gradients(self, right, g, w, rate, position):
    """z grows by the gradient alone."""
    n, z = self.accumulators[position], self.linears[position]
    n += np.square(g)
    z += g
    curvature = np.power(n, self.power) / rate + 2 * self.l2
    w[...] = (np.clip(z, -self.l1, self.l1) - z) / curvature


def lion(direction, momentum_first=False):
    """w -= rate * direction(beta_1 m + (1 - beta_1) g, g)."""
    def update_step(self, right, g, w, rate, position):
        m = self.momentums[position]
        beta_1, beta_2 = (as_keras_casts(beta, w.dtype) for beta in (self.beta_1, self.beta_2))
        moved = m * beta_2 + g * (1 - beta_2)
        mixed = (moved if momentum_first else m) * beta_1 + g * (1 - beta_1)
        w -= rate * direction(mixed, g)
        m[...] = moved

    return patching(update_step=update_step)


def lamb(ratio=None, corrected=True):
    """Lamb with ratio(w, direction, g) in place of that of the norms."""
    def update_step(self, right, g, w, rate, position):
        m, v = self.momentums[position], self.velocities[position]
        m += (g - m) * (1 - self.beta_1)
        v += (np.square(g) - v) * (1 - self.beta_2)
        shares = [start(self, beta, w.dtype) if corrected else w.dtype.type(1)
                  for beta in (self.beta_1, self.beta_2)]
        direction = m / shares[0] / (np.sqrt(v / shares[1]) + self.epsilon)
        lengths = [np.sqrt(np.sum(np.square(a))) for a in (w, direction, g)]
        made = lengths[0] / lengths[1] if lengths[0] and lengths[1] else w.dtype.type(1)
        w -= (made if ratio is None else ratio(lengths, made)) * rate * direction

    return patching(update_step=update_step)


def adafactor(clipped=True, sized=True, limited=True, factored=True, by_sum=False):
    def update_step(self, right, g, w, rate, position):
        v, dtype = self.velocities[position], w.dtype
        step = dtype.type(self.iterations + 1)
        squares = np.square(g) + dtype.type(self.epsilon_1)
        old = 1 - np.power(step, dtype.type(-self.decay_power))
        if w.ndim > 1 and factored:
            r, c = self.rows[position], self.columns[position]
            r[...] = old * r + (1 - old) * squares.mean(axis=-1)
            c[...] = old * c + (1 - old) * squares.mean(axis=-2)
            mean = r.sum() if by_sum else r.mean()
            v[...] = (r / mean)[:, np.newaxis] * c
        else:
            v[...] = old * v + (1 - old) * squares
        direction = g / np.sqrt(v)
        if clipped:
            direction /= np.maximum(dtype.type(1), rms(direction) / self.clip_threshold)
        size = np.maximum(dtype.type(self.epsilon_2), rms(w)) if sized else dtype.type(1)
        w -= size * (np.minimum(rate, 1 / np.sqrt(step)) if limited else rate) * direction

    return patching(update_step=update_step)


def muon(length):
    """Of matrices, the step is length(n, k) rate o(g + momentum m)."""
    def update_step(self, right, g, w, rate, position):
        m = self.momentums[position]
        if self.adam_velocities[position] is not None:
            right(g, w, rate, position)
            return
        m += g + m * (self.momentum - 1)
        made = orthogonalized(g + self.momentum * m, (self.muon_a, self.muon_b, self.muon_c),
                              self.ns_steps)
        w -= w.dtype.type(length(*w.shape)) * rate * made

    return patching(update_step=update_step)


def free(before=False, later=0, corrected=True):
    """`later`: the first steps' number; `before`: x comes out of the old z."""
    def update_step(self, right, g, w, rate, position):
        z, v = self.momentums[position], self.velocities[position]
        dtype, old = w.dtype, z.copy()
        beta_1, beta_2, epsilon = (as_keras_casts(n, dtype) for n in (self.beta_1, self.beta_2,
                                                                      self.epsilon))
        one, step = dtype.type(1), dtype.type(self.iterations + 1)
        v += (np.square(g) - v) * (one - beta_2)
        share = one - np.power(beta_2, step) if corrected else one
        z -= rate * g / (np.sqrt(v / share) + epsilon)
        x = (w - (one - beta_1) * (old if before else z)) / beta_1
        x += (z - x) / (step + dtype.type(later))
        w[...] = (one - beta_1) * z + beta_1 * x

    return patching(update_step=update_step)


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("adamax-uncorrected", "m's start at zero is not made up for", ADAMAX, "bias-correction",
     adamax(corrected=False), ("scale", "optimizer-setting")),
    ("adamax-epsilon-inside", "epsilon stands in the maximum, as another library has it",
     ADAMAX_EPSILON, "epsilon", adamax(epsilon_inside=True)),
    ("adamax-never-fades", "the largest gradient so far does not fade", ADAMAX,
     "optimizer-setting", adamax(fades=False), ("optimizer-state",)),
    ("nadam-not-ahead", "it does not look ahead: Adam with another correction", NADAM, "nesterov",
     nadam(lambda m, g, now, after, product: m / (1 - product)), ("scale", "optimizer-setting")),
    ("nadam-gradient-alone", "the momentum that is looked along is left out", NADAM, "nesterov",
     nadam(lambda m, g, now, after, product: (1 - now) * g / (1 - product)),
     ("optimizer-setting",)),
    ("nadam-uncorrected", "v's start at zero is not made up for", NADAM, "bias-correction",
     patching(update_step=nadam_uncorrected), ("scale",)),
    ("adadelta-old-squares", "divides by the mean of squares before the step", ADADELTA,
     "optimizer-state", adadelta(before=True)),
    ("adadelta-epsilon-outside", "epsilon is added to the roots", ADADELTA_EPSILON, "epsilon",
     adadelta(outside=True)),
    ("adadelta-rate-remembered", "steps are remembered times the rate", ADADELTA,
     "optimizer-state", adadelta(times_rate=True)),
    ("ftrl-l1-ignored", "l1 is left out", FTRL, "optimizer-setting", setting("l1", 0.0)),
    ("ftrl-l2-halved", "l2 counts half", FTRL, "optimizer-setting", setting("l2", 0.01)),
    ("ftrl-of-gradients", "z does not know of the weights", FTRL, "optimizer-setting",
     patching(update_step=ftrl_of_gradients)),
    ("lion-momentum-first", "the momentum moves on before the step is made of it", LION,
     "optimizer-state", lion(lambda mixed, g: np.sign(mixed), momentum_first=True)),
    ("lion-unsigned", "no sign is taken", LION, "optimizer-setting", lion(lambda mixed, g: mixed),
     ("scale",)),
    ("lion-of-gradient", "the sign of the gradient alone", LION, "optimizer-setting",
     lion(lambda mixed, g: np.sign(g))),
    ("lamb-without-ratio", "the step is not as long as the weight", LAMB, "step-size",
     lamb(lambda lengths, made: made / made), ("scale", "optimizer-setting")),
    ("lamb-by-gradient", "the ratio is that of the weight and its gradient", LAMB, "step-size",
     lamb(lambda lengths, made: lengths[0] / lengths[2] if lengths[0] and lengths[2] else made),
     ("scale",)),
    ("lamb-uncorrected", "the means' start at zero is not made up for", LAMB, "bias-correction",
     lamb(corrected=False), ("scale",)),
    ("adafactor-unclipped", "the update is not clipped", ADAFACTOR, "step-size",
     adafactor(clipped=False), ("scale",)),
    ("adafactor-unsized", "the weight's own size does not count", ADAFACTOR, "step-size",
     adafactor(sized=False), ("scale",)),
    ("adafactor-unlimited", "the rate is not limited by 1 / sqrt(t)", ADAFACTOR, "step-size",
     adafactor(limited=False), ("learning-rate-schedule", "scale")),
    ("adafactor-unfactored", "mean squares are kept whole", ADAFACTOR, "optimizer-setting",
     adafactor(factored=False), ("optimizer-state",)),
    ("adafactor-by-sum", "rows are divided by their sum, not by their mean", ADAFACTOR,
     "optimizer-setting", adafactor(by_sum=True), ("optimizer-state",)),
    ("muon-first-scale", "the step is scaled as in the first implementation", MUON, "step-size",
     muon(lambda rows, columns: np.sqrt(max(1, rows / columns))), ("scale",)),
    ("muon-unscaled", "the sides of the matrix do not count", MUON, "step-size",
     muon(lambda rows, columns: 1), ("scale",)),
    ("muon-four-iterations", "one iteration is missing", MUON, "optimizer-setting",
     setting("ns_steps", 4)),
    ("muon-not-ahead", "it does not look ahead", MUON, "nesterov", setting("nesterov", False),
     ("optimizer-setting",)),
    ("free-old-z", "x is worked out of z before the step", FREE, "optimizer-state",
     free(before=True)),
    ("free-one-late", "a step counts for 1 / (t + 1) in the mean", FREE, "optimizer-setting",
     free(later=1)),
    ("free-uncorrected", "v's start at zero is not made up for", FREE, "bias-correction",
     free(corrected=False), ("scale",)),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Newer rules", f"rule-{name}", sentence, network, OPTIMIZER, "", cause,
                     inject, *(also or [()]), "update", steps=5)
