"""Networks of other runtimes, run with every tensor in sight and paired with Keras's layers.

    compare.check("model.onnx", keras_model, x)
    compare.check("model.tflite", keras_model, x)
    compare.check(compare.from_jax(function, params), keras_model, x, y)

Each runtime is imported in one place, and only once such a network is handed over.
"""

from compare.runtimes.jax_door import from_jax, wrap_jax
from compare.runtimes.network import NetworkFile, from_onnx, from_tflite, is_file, opened
from compare.runtimes.part_by_part import taking_part

__all__ = ["NetworkFile", "from_jax", "from_onnx", "from_tflite", "is_file", "opened",
           "taking_part", "wrap_jax"]
