"""The precision of a layer: which it computes in, and what is cast to it."""

import numpy as np

from scratch import low_precision, precision
from scratch.errors import UnsupportedError


class HasPrecision:
    """Computes in the precision of its policy."""

    # Whether its arithmetic in float16 and bfloat16 is proved to be Keras's.
    takes_low_precision = False
    # Whether Keras casts its inputs to the precision that it computes in.
    casts_inputs = True
    # Whether Keras casts its weights to the precision that it computes in.
    casts_weights = True

    policy: precision.Policy
    requested_policy: precision.Policy | None

    def take_policy(self, policy: precision.Policy) -> None:
        """Compute in that precision.

        Raises:
            UnsupportedError: for one in which the layer's arithmetic is not proved.
        """
        if policy.low and not self.takes_low_precision:
            raise UnsupportedError(
                f"{self} does not support dtype={policy.name!r}: what Keras computes in "
                f"{policy.compute} is not proved for it. Expected: 'float32' or 'float64'.")
        self.policy, self.dtype = policy, policy.held

    @property
    def requested_dtype(self) -> np.dtype | None:
        """The dtype of the arrays that the layer asks for; None where it leaves that to a model."""
        return None if self.requested_policy is None else self.requested_policy.held

    def require_linear(self, interpolation: str, policy: precision.Policy) -> None:
        """Refuse a low precision for an interpolation that TensorFlow has no way back of in it.

        Raises:
            UnsupportedError: for any but 'nearest' and 'bilinear'.
        """
        if policy.low and interpolation not in ("nearest", "bilinear"):
            raise UnsupportedError(f"{self} does not support interpolation={interpolation!r} with "
                                   f"dtype={policy.name!r}. Expected: 'nearest' or 'bilinear'.")

    def autocast(self, value):
        """What comes in, an array or a list of them, as the layer computes with it: as it is, or
        cast to float16 or bfloat16."""
        return low_precision.lowered(self, value)

    def rounded(self, array: np.ndarray) -> np.ndarray:
        """What the layer has computed half-way, in the precision that it computes in."""
        return precision.rounded(array, self.policy.compute) if self.policy.low else array
