"""A layer's settings: Keras's config of it, and which of Keras's other arguments it takes."""

from typing import Any

from scratch import constraints, precision, regularizers
from scratch.errors import UnsupportedError
from scratch.suggestions import arguments_of, did_you_mean


class HasConfig:
    """Made from Keras's config of a layer, and gives it."""

    # Where Keras has its layer of that name; its networks bring some of their own.
    keras_module = "keras.layers"
    # Of a layer given for one of somebody's own: the dictionary by which Keras knows that one.
    described_as: dict[str, Any] | None = None
    # Arguments that are layers themselves.
    inner_layers: tuple[str, ...] = ()
    # Keras arguments this layer accepts only at the value that leaves the mathematics alone, and
    # its weights' constraints.
    neutral: dict = {}

    name: Any
    trainable: Any
    policy: precision.Policy
    constraints: dict
    activity_regularizer: Any
    input_shape: Any

    def get_config(self) -> dict:
        """Constructor arguments, as Keras's layer of the same name gives them."""
        policy = {"module": "keras", "class_name": "DTypePolicy",
                  "config": {"name": self.policy.name}, "registered_name": None}
        neutral = {key: accepted[0] for key, accepted in self.neutral.items()}
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy, **neutral}
        for name, constraint in self.constraints.items():
            config[f"{self.argument_of(name)}_constraint"] = constraints.serialize(constraint)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict):
        """A layer with these settings, not built yet."""
        return cls(**config)

    def build_config(self) -> dict:
        """What Keras builds such a layer by, before it gets its weights from a file."""
        return {"input_shape": self.input_shape}

    @classmethod
    def argument_of(cls, weight: str) -> str:
        """What the names of a weight's arguments begin with, such as `kernel` in
        `kernel_regularizer`."""
        return weight

    def _weight_of(self, argument: str) -> str:
        """The weight whose arguments' names begin so."""
        return argument

    def _take_settings(self, settings: dict) -> None:
        """Keep those that are constraints, and refuse others that would change the mathematics.

        Raises:
            UnsupportedError: for the first of these, by its name.
        """
        self._refuse(self._constrain(settings))

    def _constrain(self, settings: dict) -> dict:
        """Keep those of the settings that are constraints; returns the others."""
        others = {}
        for key, value in settings.items():
            argument = key.removesuffix("_constraint")
            if key in self.neutral and argument != key:
                if value is None:
                    continue
                try:
                    self.constraints[self._weight_of(argument)] = constraints.get(value)
                except UnsupportedError as error:
                    raise UnsupportedError(f"{self} does not support {key}={value!r:.200}: {error}"
                                           ) from None
            else:
                others[key] = value
        return others

    def _refuse(self, settings: dict) -> None:
        for key, value in settings.items():
            if key not in self.neutral:
                if value is None:
                    continue  # a key of some other Keras version, left unset
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}: it has no such argument here."
                    + did_you_mean(key, arguments_of(type(self)))
                )
            plain = tuple(value) if isinstance(value, list) else value
            if plain not in self.neutral[key]:
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}. "
                    f"Expected: {key}={self.neutral[key][0]!r}."
                )
