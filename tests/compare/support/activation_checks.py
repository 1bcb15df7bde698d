"""Numbers to try the oracle's activations on, and how their bounds are held against arrays."""

import numpy as np

from compare.oracle.running_error import Bounded
from tests.scratch.support.activation_oracles import KINKS

SHAPE = (4, 3)  # of a sample: a softmax needs rows
KINKED = sorted({0.7, 1, 2, 2.5, 10, *(at for _, at in KINKS)})


def sweep(dtype) -> np.ndarray:
    """(samples, *SHAPE): kinks and neighbours, all sizes from denormal up to saturation."""
    rng = np.random.default_rng(1)
    kinks = np.array(KINKED, dtype)
    largest = 80 if dtype == "float32" else 300
    sizes = np.geomspace(float(np.finfo(dtype).tiny) / 8, largest, 900).astype(dtype)
    x = np.concatenate([
        kinks, np.nextafter(kinks, -kinks - 1), np.nextafter(kinks, 2 * kinks + 1), sizes, -sizes,
        rng.uniform(-30, 30, 900).astype(dtype), rng.standard_normal(1200).astype(dtype),
        1e-6 * rng.standard_normal(300).astype(dtype)])
    rng.shuffle(x)
    return x[:len(x) // 12 * 12].reshape(-1, *SHAPE)


def used(result: Bounded, array) -> np.ndarray:
    """Each element's share of its bound; both sides' overflow to the same infinity is no error."""
    array = np.asarray(array, np.float64)
    assert array.shape == result.shape
    limit = np.finfo("float32" if result.rounding.unit > 2.0**-50 else "float64").max
    overflow = np.isinf(array) & (np.abs(result.value) > 0.9 * limit)
    error = np.where(overflow, 0.0, np.abs(array - result.value))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / result.bound)


def assert_inside(result: Bounded, array, x, what):
    share = used(result, array)
    worst = np.unravel_index(np.argmax(np.nan_to_num(share, nan=np.inf)), share.shape)
    assert share[worst] <= 1, (
        f"{what}: {int((~(share <= 1)).sum())} of {share.size} outside, the worst at x = "
        f"{x[worst]!r}: {np.asarray(array)[worst]!r} for {result.value[worst]!r}, allowed "
        f"{result.bound[worst]:.3g}")
