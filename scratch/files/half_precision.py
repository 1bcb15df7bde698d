"""Arrays of bfloat16 in Keras's files: two bytes each, which HDF5 has no type for."""

import numpy as np

STORED = np.dtype("V2")


def is_bfloat16(dataset) -> bool:
    """Whether Keras has written a dataset as bfloat16, and says so beside it."""
    return dataset.dtype == STORED and dataset.attrs.get("dtype") == "bfloat16"


def read(dataset) -> np.ndarray:
    """A dataset, or an array, as an array of numbers: those of bfloat16 as float32."""
    array = np.asarray(dataset)
    if array.dtype != STORED:
        return array
    # a bfloat16 is the upper half of a float32
    return (array.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
