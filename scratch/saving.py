"""A model as Keras saves it: its description, its file, the file of its weights."""

import json

from scratch import files
from scratch.compiling import Compiling
from scratch.suggestions import with_suggestions


class Saves(Compiling):
    """Has a description in Keras's words, and is written to the files that Keras reads."""

    def get_config(self) -> dict:
        """Keras's config of the same model."""
        raise NotImplementedError

    def saved_as(self) -> dict:
        """By what Keras's files know this kind of model: its class, and how it is built."""
        raise NotImplementedError

    def description(self) -> dict:
        """The model's config, and how it is built and compiled, in the dictionary Keras saves."""
        return {**self.saved_as(), "config": self.get_config(),
                "compile_config": self.get_compile_config()}

    def to_json(self, **options) -> str:
        """The model's description as JSON, for `scratch.models.model_from_json` or Keras's.

        Args:
            options: of `json.dumps`, such as indent.
        """
        return json.dumps({"registered_name": None, **self.saved_as(), "config": self.get_config()},
                          **options)

    @with_suggestions
    def save(self, filepath, overwrite: bool = True) -> None:
        """Write a `.keras` file; see `scratch.files.save_model`."""
        files.save_model(self, filepath, overwrite)

    @with_suggestions
    def save_weights(self, filepath, overwrite: bool = True) -> None:
        """Write a `.weights.h5` file; see `scratch.files.save_weights`."""
        files.save_weights(self, filepath, overwrite)

    @with_suggestions
    def load_weights(self, filepath, skip_mismatch: bool = False, by_name: bool = False) -> None:
        """Read a `.weights.h5`, `.h5` or `.keras` file; see `scratch.files.load_weights`."""
        files.load_weights(self, filepath, skip_mismatch, by_name)
