"""Mistakes of the augmentations of images, whose draws are known."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.augmentation import Clipped, RandomContrast, RandomFlip
from compare.oracle.running_error import Bounded

ENDLESS = {"value_range": (-np.inf, np.inf)}


def of_augmentation(c) -> list[Variant]:
    """Draws that are not used, used for other images or the wrong way round; another axis, another
    mean; and clipping left out."""
    if not isinstance(c.layer, (Clipped, RandomFlip)):
        return []
    if not c.training:
        return _at_inference() if isinstance(c.layer, RandomFlip) and c.tensor == "output" else []
    if "noise" not in c.weights:
        return []
    found = [drawn("mask-wrong-tensor", "another image's draw",
                   lambda noise: np.roll(noise, 1, axis=0))]
    if isinstance(c.layer, RandomFlip):
        return found + _of_flips(c)
    found += [inside("clip-missing", "", lambda c: c.configured(**ENDLESS)),
              inside("mask-missing", "no draw is used", lambda c: c.changed(training=False)),
              drawn("sign", "the draw is taken away", lambda noise: -noise),
              inside("mask-wrong-tensor", "images are multiplied by 1 + the draw", lambda c:
                     _without_mean(c.weighing(noise=1 + c.exact(c.weights["noise"]).value)))]
    if isinstance(c.layer, RandomContrast):
        if c.tensor == "output":
            found.append(inside("moving-statistics", "zero takes the mean's place", _without_mean))
        else:
            found.append(inside("moving-statistics", "the gradient takes the mean for a constant",
                                lambda c: c.hooked(changed_back=lambda layer, right, dy, noise:
                                                   dy * noise)))
        found += [inside("normalization-axes", f"the mean of {said}", lambda c, a=axes: c.hooked(
            _mean=lambda layer, right, x: _mean(x, a)))
            for said, axes in (("the whole batch", (0, *c.layer.image_axes)),
                               ("all channels", (1, 2, 3)), ("each row", c.layer.image_axes[1]),
                               ("each column", c.layer.image_axes[0]))]
    return found


def drawn(identifier: str, detail: str, change) -> Variant:
    """With other draws, which are a function of the right ones."""
    return inside(identifier, detail, lambda c: c.weighing(
        noise=change(np.asarray(c.value(c.weights["noise"]), np.float64))))


def _of_flips(c) -> list[Variant]:
    turned = np.where(c.weights["noise"] == 0, 1, 0)
    return [inside("axes-permuted", f"turned over: {mode}", lambda c, m=mode: c.configured(mode=m))
            for mode in ("horizontal", "vertical", "horizontal_and_vertical")
            if mode != c.config["mode"]] + [
        inside("mask-inverted", "those are turned over that should stay",
               lambda c: c.weighing(noise=turned)),
        inside("mask-missing", "nothing is turned over", lambda c: c.changed(training=False)),
        drawn("mask-missing", "everything is turned over", np.ones_like)]


def _at_inference() -> list[Variant]:
    """Images turned over at inference, too: those that came out so."""
    def change(c, made):
        x = np.asarray(c.x)
        turned = np.flip(x, c.layer.axes)
        stays = np.abs(made - x).sum(axis=(1, 2, 3)) <= np.abs(made - turned).sum(axis=(1, 2, 3))
        return c.changed(training=True).weighing(noise=np.where(stays, 0, 1)[:, None, None, None])

    return [Variant("training-flag", "images are turned over at inference, too", change)]


def _without_mean(c):
    """The contrast's formula with 0 for the mean, which is x * noise, clipped; likewise its
    gradient."""
    return c.changed(class_name="RandomContrast").hooked(
        _mean=lambda layer, right, x: Bounded(np.zeros((1, 1, 1, 1)), x.rounding))


def _mean(x: Bounded, axes) -> Bounded:
    value = x.value.mean(axis=axes, keepdims=True)
    size = (np.abs(x.value) + x.bound).mean(axis=axes, keepdims=True)
    return Bounded(value, x.rounding, x.bound.mean(axis=axes, keepdims=True)
                   + x.rounding.gamma(x.value.size) * size)
