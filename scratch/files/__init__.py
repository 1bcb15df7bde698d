"""Keras's files, read and written without Keras: `.keras` and `.weights.h5`.

A `.keras` file is a zip archive of `metadata.json`, `config.json` (the model and how it was
compiled) and `model.weights.h5` (weights and the optimizer's state). Nothing in a file is ever
executed: a config names classes, and only those that this package has are made, by
`scratch.models`.
"""

from scratch.files.model_archive import read_model, save_model
from scratch.files.weights_file import load_weights, save_weights

__all__ = ["load_weights", "read_model", "save_model", "save_weights"]
