"""Losses of segmentation, of similarity and focal ones, whose formula is not Keras's."""

import numpy as np

from compare.diagnosis.hypotheses.loss_formulas import Formula, positive
from compare.oracle.losses.base import EPSILON

DICE, TVERSKY, COSINE = ("Dice",), ("Tversky",), ("CosineSimilarity",)
HINGE = ("CategoricalHinge",)
FOCAL, FOCAL_BINARY = ("CategoricalFocalCrossentropy",), ("BinaryFocalCrossentropy",)
GENERALIZED = ("CategoricalGeneralizedCrossEntropy",)


def dice(top=2.0, smooth=(0.0, EPSILON), power=1):
    """1 - (top sum(y p) + smooth) / (sum(y^power) + sum(p^power) + smooth)."""
    def function(y, p, config):
        both = top * (y * p).sum(axis=1) + smooth[0]
        return 1 - both / ((y ** power).sum(axis=1) + (p ** power).sum(axis=1) + smooth[1])

    return function


def jaccard(y, p, config):
    both = (y * p).sum(axis=1)
    return 1 - both / (y.sum(axis=1) + p.sum(axis=1) - both + EPSILON)


def exchanged(y, p, config):
    """Tversky's weights of what is missed and of what is too much, each for the other."""
    alpha, beta = config.get("alpha", 0.5), config.get("beta", 0.5)
    both = (y * p).sum(axis=1)
    return 1 - both / (both + beta * (y * (1 - p)).sum(axis=1)
                       + alpha * (p * (1 - y)).sum(axis=1) + EPSILON)


def cosine(y, p):
    return (y * p).sum(axis=1) / np.sqrt((y * y).sum(axis=1) * (p * p).sum(axis=1))


def short(width):
    """By how much the true class is short of leading by so much."""
    def function(y, p, config):
        others = (1 - y) * p
        at = np.argmax(np.real(others), axis=1)
        return positive(others[np.arange(len(p)), at] - (y * p).sum(axis=1) + width)

    return function


def focal(alpha=None, gamma=None, more=0.0):
    """The categorical focal loss with another alpha or gamma than the config's."""
    def function(y, p, config):
        a = config.get("alpha", 0.25) if alpha is None else alpha
        power = config.get("gamma", 2.0) if gamma is None else gamma
        p = p / p.sum(axis=1, keepdims=True)
        return -(a * (1 - p) ** (power + more) * y * np.log(p)).sum(axis=1)

    return function


def focal_binary(balance, more=0.0):
    def function(y, p, config):
        t = y * p + (1 - y) * (1 - p)
        entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
        return balance(y, config) * (1 - t) ** (config.get("gamma", 2.0) + more) * entropy

    return function


def weighs(y, config):
    a = config.get("alpha", 0.25)
    return y * a + (1 - y) * (1 - a) if config.get("apply_class_balancing") else 1.0


def label(y, p):
    return (y * p).sum(axis=1)


FORMULAS = [
    Formula("loss-other", "the intersection is counted once, not twice", DICE, dice(1.0)),
    Formula("loss-other", "squares in the denominator, as in V-Net", DICE, dice(power=2)),
    Formula("loss-other", "1 is added above and below, against division by zero", DICE,
            dice(smooth=(1.0, 1.0))),
    Formula("loss-other", "the intersection over the union, as Jaccard's", DICE + TVERSKY, jaccard),
    Formula("loss-other", "Dice's, whatever alpha and beta are", TVERSKY, dice()),
    Formula("loss-other", "alpha and beta are exchanged", TVERSKY, exchanged),
    Formula("loss-other", "the similarity is taken from 1", COSINE,
            lambda y, p, config: 1 - cosine(y, p)),
    Formula("loss-other", "a product of vectors that are not brought to length 1", COSINE,
            lambda y, p, config: -(y * p).sum(axis=1)),
    Formula("loss-other", "the outputs are not brought to length 1", COSINE,
            lambda y, p, config: -(y * p).sum(axis=1) / np.sqrt((y * y).sum(axis=1))),
    Formula("loss-other", "every class within the margin counts, not the worst alone", HINGE,
            lambda y, p, config: positive((1 - y) * (
                p - (y * p).sum(axis=1, keepdims=True) + 1)).sum(axis=1)),
    Formula("loss-other", "there is no margin", HINGE, short(0.0)),
    Formula("loss-other", "a margin of 2", HINGE, short(2.0)),
    Formula("loss-other", "alpha is left out", FOCAL, focal(alpha=1.0)),
    Formula("loss-other", "a cross-entropy times alpha: gamma is left out", FOCAL,
            focal(gamma=0.0)),
    Formula("loss-other", "gamma is one more", FOCAL, focal(more=1.0)),
    Formula("loss-other", "gamma is one less", FOCAL, focal(more=-1.0)),
    Formula("loss-other", "classes are balanced by alpha, though they are not to be", FOCAL_BINARY,
            focal_binary(lambda y, c: weighs(y, {**c, "apply_class_balancing": True}))),
    Formula("loss-other", "classes are not balanced by alpha", FOCAL_BINARY,
            focal_binary(lambda y, c: 1.0)),
    Formula("loss-other", "alpha counts for the zeros, 1 - alpha for the ones", FOCAL_BINARY,
            focal_binary(lambda y, c: weighs(1 - y, {**c, "apply_class_balancing": True}))),
    Formula("loss-other", "gamma is one more", FOCAL_BINARY, focal_binary(weighs, 1.0)),
    Formula("loss-other", "gamma is one less", FOCAL_BINARY, focal_binary(weighs, -1.0)),
    Formula("loss-other", "it is not divided by q", GENERALIZED,
            lambda y, p, config: 1 - label(y, p) ** config.get("q", 0.5)),
    Formula("loss-other", "an absolute error, 1 - p", GENERALIZED,
            lambda y, p, config: 1 - label(y, p)),
    Formula("loss-other", "a cross-entropy", GENERALIZED,
            lambda y, p, config: -np.log(label(y, p))),
]
