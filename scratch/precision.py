"""Precisions by Keras's names: float32, float64, float16, bfloat16, and the mixed ones.

A policy says in which precision a layer computes and in which its weights are kept: 'mixed_float16'
computes in float16 with weights in float32. Numbers of float16 and bfloat16 are held here in arrays
of float32 that are rounded to them; float32 holds every number of either exactly. A layer casts
what it reads and its weights to its precision, computes in float32, and rounds what it makes: so do
TensorFlow's kernels for products, which add up in float32 and round once.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scratch.errors import UnsupportedError

LOW = ("float16", "bfloat16")
NAMES = ("float32", "float64", *LOW, *(f"mixed_{name}" for name in LOW))

_default: "Policy | None" = None  # what `set_dtype_policy` has chosen


@dataclass(frozen=True)
class Policy:
    """In which precision a layer computes, and in which its weights are kept.

    Attributes:
        name: Keras's.
    """

    name: str

    @cached_property
    def compute(self) -> str:
        """The precision of inputs, arithmetic, outputs and gradients."""
        return self.name.removeprefix("mixed_")

    @cached_property
    def variable(self) -> str:
        """The precision of the weights."""
        return "float32" if self.mixed else self.name

    @cached_property
    def mixed(self) -> bool:
        return self.name.startswith("mixed_")

    @cached_property
    def low(self) -> bool:
        """Whether it computes in float16 or bfloat16."""
        return self.compute in LOW

    @cached_property
    def held(self) -> np.dtype:
        """The dtype of the arrays in which numbers of this precision are held."""
        return np.dtype("float64" if self.name == "float64" else "float32")


def get(policy, owner="model") -> Policy:
    """The policy by its name, a numpy dtype or Keras's DTypePolicy dictionary.

    Raises:
        UnsupportedError: for any other, such as one of whole numbers.
    """
    if isinstance(policy, Policy):
        return policy
    name = policy
    if isinstance(policy, dict):
        name = policy.get("config", {}).get("name") or policy
    if isinstance(name, str) and name in NAMES:
        return Policy(name)
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype.name not in NAMES:
        raise UnsupportedError(f"{owner} does not support dtype={name!r}. "
                               f"Expected one of: {', '.join(NAMES)}.")
    return Policy(dtype.name)


def set_dtype_policy(policy) -> None:
    """Choose the precision of layers and models that are made from now on without one of their own.

    Args:
        policy: a name such as 'mixed_float16'; None for what a model's layers say.

    Raises:
        UnsupportedError: for another precision.
    """
    global _default
    _default = None if policy is None else get(policy, "set_dtype_policy")


def requested(dtype, owner="model") -> Policy | None:
    """The policy that was asked for, by `dtype` or by `set_dtype_policy`; None if none was."""
    return _default if dtype is None else get(dtype, owner)


def rounded(array: np.ndarray, precision: str) -> np.ndarray:
    """The nearest numbers of that precision, ties to even, in an array of the same dtype.

    Beyond the largest number of float16, 65504, that is infinity.
    """
    if precision not in LOW:
        return array
    if precision == "float16":
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(array.dtype)
    single = np.asarray(array, np.float32)
    bits = single.view(np.uint32)
    # half of what is cut off, and the last bit that stays: ties go to even, and carries pass on
    upper = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(
        0xFFFF0000)
    return np.where(np.isnan(single), single, upper.view(np.float32)).astype(array.dtype)


def as_fed(array: np.ndarray, precision: str) -> np.ndarray:
    """The numbers as an `Input` of that precision takes them: `rounded`, and of an array of float64
    the nearest ones of float32, if it is that."""
    if precision == "float32" and getattr(array, "dtype", None) == np.float64:
        with np.errstate(over="ignore"):
            return array.astype(np.float32).astype(np.float64)
    return rounded(array, precision)
