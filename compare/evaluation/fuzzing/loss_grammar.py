"""How a network ends: its last activation, the loss that goes with it, and the optimizer."""

from typing import Any

SOFT = ("softmax", "sigmoid", "linear")
REDUCTION = ("sum_over_batch_size", "sum", "mean_with_sample_weight")

# loss -> (last activations it goes with, values by argument, the default first)
LOSSES: dict[str, tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]] = {
    "SparseCategoricalCrossentropy": (("softmax", "linear"), {"reduction": REDUCTION}),
    "CategoricalCrossentropy": (("softmax", "linear"), {"label_smoothing": (0.0, 0.1),
                                                        "reduction": REDUCTION}),
    "BinaryCrossentropy": (("sigmoid", "linear"), {"label_smoothing": (0.0, 0.2),
                                                   "reduction": REDUCTION}),
    "KLDivergence": (("softmax",), {"reduction": REDUCTION}),
    "MeanSquaredError": (("linear", "tanh", "sigmoid"), {"reduction": REDUCTION}),
    "MeanAbsoluteError": (("linear", "relu"), {"reduction": REDUCTION}),
    "Huber": (("linear", "tanh"), {"delta": (1.0, 0.3), "reduction": REDUCTION}),
    "LogCosh": (("linear",), {"reduction": REDUCTION}),
    "MeanAbsolutePercentageError": (("linear",), {"reduction": REDUCTION}),
    "MeanSquaredLogarithmicError": (("softplus", "sigmoid"), {"reduction": REDUCTION}),
    "Poisson": (("softplus", "exponential"), {"reduction": REDUCTION}),
    "Hinge": (("linear", "tanh"), {"reduction": REDUCTION}),
    "SquaredHinge": (("linear", "tanh"), {"reduction": REDUCTION}),
    "CategoricalHinge": (("linear", "tanh", "softmax"), {"reduction": REDUCTION}),
    "CosineSimilarity": (("linear", "tanh", "sigmoid"), {"reduction": REDUCTION}),
    "BinaryFocalCrossentropy": (("sigmoid", "linear"), {
        "gamma": (2.0, 3.0), "apply_class_balancing": (False, True), "alpha": (0.25, 0.6),
        "label_smoothing": (0.0, 0.2), "reduction": REDUCTION}),
    "CategoricalFocalCrossentropy": (("softmax", "linear"), {
        "gamma": (2.0, 3.0), "alpha": (0.25, 0.6), "label_smoothing": (0.0, 0.1),
        "reduction": REDUCTION}),
    "CategoricalGeneralizedCrossEntropy": (("softmax",), {"q": (0.5, 0.8), "reduction": REDUCTION}),
    "Dice": (("sigmoid", "softmax"), {"axis": (None, -1), "reduction": REDUCTION}),
    "Tversky": (("sigmoid", "softmax"), {"alpha": (0.5, 0.3), "beta": (0.5, 0.7),
                                         "axis": (None, -1), "reduction": REDUCTION}),
    "Circle": (("linear", "tanh"), {"gamma": (80.0, 10.0), "margin": (0.4, 0.25),
                                    "remove_diagonal": (True, False), "reduction": REDUCTION}),
}
OF_LENGTH_1 = ("Circle",)  # of outputs (batch, width) that a UnitNormalization makes
FROM_LOGITS = ("SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy",
               "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")

# what every optimizer can do besides: moving averages, gathered gradients
AROUND: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"use_ema": True, "ema_momentum": 0.7},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2})
CLIPPING: tuple[dict[str, float], ...] = (
    {}, {"clipnorm": 0.1}, {"clipvalue": 0.05}, {"global_clipnorm": 0.2})
SCHEDULES = (
    {"module": "keras.optimizers.schedules", "class_name": "ExponentialDecay", "config": {
        "initial_learning_rate": 0.02, "decay_steps": 2, "decay_rate": 0.5, "staircase": False,
        "name": "ExponentialDecay"}, "registered_name": None},
    {"module": "keras.optimizers.schedules", "class_name": "CosineDecay", "config": {
        "initial_learning_rate": 0.02, "decay_steps": 10, "alpha": 0.1, "name": "CosineDecay",
        "warmup_target": None, "warmup_steps": 0}, "registered_name": None},
    {"module": "keras.optimizers.schedules", "class_name": "PiecewiseConstantDecay", "config": {
        "boundaries": [1, 3], "values": [0.03, 0.01, 0.003], "name": "PiecewiseConstant"},
     "registered_name": None},
)
RATES = (0.01, 0.001, *SCHEDULES)
OPTIMIZERS: dict[str, dict[str, tuple[Any, ...]]] = {
    "SGD": {"momentum": (0.0, 0.9), "nesterov": (False, True), "weight_decay": (None, 0.01)},
    "Adam": {"amsgrad": (False, True), "beta_1": (0.9, 0.5), "weight_decay": (None, 0.01)},
    "AdamW": {"weight_decay": (0.004, 0.02)},
    "RMSprop": {"rho": (0.9, 0.5), "momentum": (0.0, 0.9), "centered": (False, True),
                "weight_decay": (None, 0.01)},
    "Adagrad": {"initial_accumulator_value": (0.1, 0.5), "weight_decay": (None, 0.01)},
    "Adadelta": {"rho": (0.95, 0.5), "weight_decay": (None, 0.01)},
    "Adamax": {"beta_1": (0.9, 0.5), "beta_2": (0.999, 0.8), "weight_decay": (None, 0.01)},
    "Nadam": {"beta_1": (0.9, 0.5), "beta_2": (0.999, 0.8), "weight_decay": (None, 0.01)},
    "Lion": {"beta_1": (0.9, 0.5), "beta_2": (0.99, 0.8), "weight_decay": (None, 0.01)},
    "Ftrl": {"l1_regularization_strength": (0.0, 0.001), "beta": (0.0, 0.1),
             "l2_regularization_strength": (0.0, 0.01)},
    "Lamb": {"beta_1": (0.9, 0.5), "beta_2": (0.999, 0.8), "weight_decay": (None, 0.01)},
    "Adafactor": {"beta_2_decay": (-0.8, -0.5), "clip_threshold": (1.0, 0.5),
                  "epsilon_2": (1e-3, 0.1), "weight_decay": (None, 0.01)},
    "Muon": {"momentum": (0.95, 0.6), "nesterov": (True, False), "rms_rate": (0.2, None),
             "ns_steps": (5, 3), "adam_lr_ratio": (1, 0.5), "exclude_layers": ([], ["dense"]),
             "weight_decay": (0.004, 0.02)},
    "ScheduleFreeAdamW": {"beta_1": (0.9, 0.7), "warmup_steps": (0, 3),
                          "weight_decay": (None, 0.01)},
}
