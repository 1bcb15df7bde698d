"""Settings as numbers of a weight's precision."""

import numpy as np


def as_keras_casts(number: float, dtype: np.dtype):
    """A setting as a scalar of `dtype`: TensorFlow's cast takes it through float32 first."""
    return dtype.type(np.float32(number))
