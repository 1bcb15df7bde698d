"""The values that are tried. Which of them exist is for Keras to say."""

import importlib
import inspect
import json

SIZES = (1, 2, (1, 2), (1, 2, 1))
BORDERS = (1, (1, 2), ((0, 1), (2, 0)), (1, 2, 0), ((0, 1), (2, 0), (1, 1)))
STRINGS = ("valid", "same", "causal", "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5",
           "fan_in", "fan_out", "fan_avg", "normal", "uniform", "truncated_normal",
           "untruncated_normal")

# what a class cannot be made without
NEEDED = {"factor": 0.5, "height_factor": 0.5, "width_factor": 0.5, "filters": 4,
          "kernel_size": 3, "units": 4, "pool_size": 2, "rate": 0.5, "stddev": 0.5,
          "drop_path_rate": 0.5, "projection_dim": 4, "equation": "...x,xy->...y",
          "output_shape": 4,
          "target_shape": (-1,), "activation": "relu", "initial_learning_rate": 0.1,
          "decay_steps": 10, "decay_rate": 0.5, "first_decay_steps": 10, "boundaries": [5],
          "values": [0.1, 0.01], "dims": (3, 1, 2), "filename": "figures.csv",
          "filepath": "model.keras", "schedule": float}

class Named(str):
    """A layer inside another one, made anew for each trial; it is shown by its class.

    The string is the class, then its arguments: 'GRU units=4'.
    """

    def __repr__(self) -> str:
        return self.split()[0]

    def make(self, wrapper):
        """The layer, of the library that the wrapper is of."""
        name, *arguments = self.split()
        library = importlib.import_module(f"{wrapper.__module__.split('.')[0]}.layers")
        given = {key: json.loads(value) for key, value in (each.split("=") for each in arguments)}
        return getattr(library, name)(**given)


# what Keras gives a default that it then refuses
NEEDED_ALL_THE_SAME = {"num_tokens": 5, "bin_boundaries": [0.0, 1.0]}

# for layers that take no other
NEEDED_BY = {"SpectralNormalization": {"layer": Named("Dense units=4")}}

# arguments that hold a layer, or two that read the steps in both directions
INNER = {"layer", "backward_layer"}
BACKWARDS = "GRU units=4 return_sequences=true go_backwards=true"
NEEDED["layer"] = Named("GRU units=4 return_sequences=true")

# without which a value would mean nothing
COMPANIONS: dict[str, dict] = {
    "output_padding": {"strides": 2}, "mean": {"variance": 2.0}, "variance": {"mean": 0.5},
    "num_bins": {"bin_boundaries": None}}

# by the argument's name, in place of what the default's type suggests
BY_NAME = {
    "kernel_size": SIZES, "strides": SIZES, "dilation_rate": SIZES, "pool_size": SIZES,
    "size": SIZES, "padding": (*STRINGS, *BORDERS), "cropping": BORDERS,
    "output_padding": (None, 0, 1, (0, 1), (0, 1, 0)),
    "data_format": ("channels_last", "channels_first"),
    "interpolation": ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    "label_smoothing": (0.0, 0.1), "axis": (-1, 1, [1, 2]), "seed": (None, 7),
    "noise_shape": (None, (None, 1, 1, 4)),
    "max_value": (None, 6.0, 2.5), "shared_axes": (None, [1], [1, 2]),
    "target_shape": ((-1,), (4, -1)), "dims": ((3, 1, 2), (2, 1, 3)),
    "renorm_clipping": (None, {"rmax": 2.0}), "renorm_momentum": (0.99, 0.5),
    "reduction": ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None),
    "ignore_class": (None, 0, -1), "class_id": (None, 1), "top_k": (None, 2),
    "thresholds": (None, 0.3, [0.3, 0.6]), "threshold": (0.0, 0.3, None),
    "average": (None, "micro", "macro", "weighted"), "k": (5, 1), "num_classes": (None, 3),
    "weight_decay": (None, 0.01), "clipnorm": (None, 0.5), "clipvalue": (None, 0.5),
    "global_clipnorm": (None, 0.5), "loss_scale_factor": (None, 2.0), "ema_momentum": (0.99, 0.5),
    "gradient_accumulation_steps": (None, 2), "ema_overwrite_frequency": (None, 3),
    "warmup_target": (None, 0.2), "value": (0.0, 0.5), "gain": (1.0, 0.5),
    "mean": (0.0, 0.5), "variance": (None, 2.0),
    "fill_mode": ("constant", "reflect", "wrap", "nearest"),
    "groups": (1, 2, 4, -1), "bias_axes": (None, "y"), "value_dim": (None, 2),
    "output_shape": (None, 3, (2, 3)), "attention_axes": (None, 1, (1,), (1, 2)),
    "sliding_window": (None, 2), "score_mode": ("dot", "concat"),
    "input_axes": (None, [0]), "output_axes": (None, [1]), "boundaries": ([5],),
    "values": ([0.1, 0.01],), "dtype": (None, "float32"), "name": (None, "mine"),
    "lora_rank": (None, 2), "lora_alpha": (None, 2.0), "quantization_config": (None,),
    "shape": ((8, 6, 4), (None, None, 4)), "batch_size": (None, 3),
    "layer": tuple(map(Named, ("GRU units=4 return_sequences=true", "LSTM units=4",
                               "SimpleRNN units=4", "Dense units=4", "Conv1D filters=4 "
                               "kernel_size=2", "Conv2D filters=4 kernel_size=2", "Flatten "
                               'data_format="channels_last"', "BatchNormalization momentum=0.5",
                               "Dropout rate=0.5", 'Activation activation="relu"',
                               "MaxPooling1D pool_size=2"))),
    "backward_layer": (None, Named(BACKWARDS)),
    "merge_mode": ("concat", "sum", "mul", "ave", None), "weights": (None,),
    "num_tokens": (5, 1), "bin_boundaries": ([0.0, 1.0], [0.5]), "num_bins": (None, 4),
    "output_mode": ("int", "one_hot", "multi_hot", "count"),
    "batch_shape": (None, (None, 8, 6, 4), (3, 8, 6, 4)),
}
KINDS = ("activation", "initializer", "regularizer", "constraint")


def kind(argument: str) -> str | None:
    """'activation', 'initializer', 'regularizer' or 'constraint' for an argument that holds one."""
    return next((k for k in KINDS if argument == k or argument.endswith(f"_{k}")), None)


def names(keras, of: str) -> tuple:
    """Keras's names of all activations, initializers, regularizers or constraints."""
    module = getattr(keras, f"{of}s")
    functions = {name for name, thing in vars(module).items()
                 if not name.startswith("_") and name not in ("get", "serialize", "deserialize")
                 and callable(thing) and name.islower()}
    return tuple(sorted(functions))


def to_try(keras, argument: str, default) -> tuple:
    """The values for an argument of that name and default, the default first."""
    of = kind(argument)
    if of:
        return (None, *names(keras, of))
    if argument in BY_NAME:
        needed_here = default is inspect.Parameter.empty
        return BY_NAME[argument] if needed_here else (default, *BY_NAME[argument])
    if isinstance(default, bool):
        return (default, not default)
    if isinstance(default, str):
        return (default, *STRINGS)
    if isinstance(default, int):
        return (default, 1, 2, 4)
    if isinstance(default, float):
        return (default, 0.25, 1.0)
    if default is inspect.Parameter.empty:
        needed_one = NEEDED.get(argument, 1)
        return (1, 2, 4) if isinstance(needed_one, int) else (needed_one, 0.25)
    return (default,)


def parameters(cls, leave_out=()) -> dict:
    """The arguments that a class has of its own, with their defaults."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {name: parameter.default
            for name, parameter in inspect.signature(cls.__init__).parameters.items()
            if name != "self" and name not in leave_out and parameter.kind not in kinds}


def needed(cls) -> dict:
    """Arguments that make an object of the class."""
    own = parameters(cls)
    needs = {**NEEDED, **NEEDED_BY.get(cls.__name__, {})}
    return {**{name: needs.get(name, 1) for name, default in own.items()
               if default is inspect.Parameter.empty},
            **{name: value for name, value in NEEDED_ALL_THE_SAME.items() if name in own}}
