"""Two networks that are to be trained alike: each with the same kind of loss and optimizer, as far
as those are known.
"""

import copy
from dataclasses import replace
from typing import NamedTuple

from compare.tracing import configs
from compare.tracing.known_settings import NOT_CHECKED, not_checked, stands_in, understood
from compare.tracing.model_kinds import is_keras, is_scratch
from compare.tracing.trace import Trace
from compare.tracing.types import Config, Network

ABOUT_LOSS = ("Keras's loss was compiled while keras.config.floatx() was float32, and is cast to "
              "that; it is judged in float64, as the layers are, on a copy of the model.")


class Trained(NamedTuple):
    """Two networks that can be trained, and what of their settings could not be understood.

    Attributes:
        model, twin: the candidate and the reference, both compiled if their loss is known.
        has_loss: whether it is.
        left_out: names such as 'metric MyMetric'.
    """

    model: Network
    twin: Network
    has_loss: bool
    left_out: list[str]


def trained(model: Network, twin: Network) -> Trained:
    """The two, where one is not compiled replaced by a copy with the other's loss and optimizer,
    and where the reference's optimizer is not known both by copies with plain SGD.

    Args:
        model: the candidate, a scratch model.
        twin: the reference, a model or a Trace, which stay as they are.

    Raises:
        ValueError: if neither is compiled.
    """
    known, left_out = understood(settings_of(twin) or settings_of(model))
    left_out = list(dict.fromkeys([*not_checked(model), *left_out]))
    if stands_in(left_out) and known:
        if isinstance(twin, Trace):
            twin = replace(twin, compile_config=known)
        else:
            twin = compiled_copy(twin, known)
        model = compiled_copy(model, {**(settings_of(model) or known), NOT_CHECKED: left_out,
                                      "optimizer": known["optimizer"]})
    if known or not left_out or isinstance(twin, Trace):  # a trace's gradients are of its loss
        return Trained(*both_compiled(model, twin), True, left_out)
    return Trained(model, twin, False, left_out)


def both_compiled(model: Network, twin: Network) -> tuple[Network, Network]:
    """The two, where one is not compiled replaced by a copy with the other's loss and optimizer.

    Raises:
        ValueError: if neither is compiled.
    """
    compiled = [settings_of(side) for side in (model, twin)]
    if not any(compiled):
        raise ValueError("Expected at least one compiled model, as there are labels. Received two "
                         "without a loss: call model.compile(optimizer=..., loss=...)")
    if not compiled[0]:
        model = compiled_copy(model, understood(compiled[1])[0] or compiled[1])
    if not compiled[1]:
        twin = compiled_copy(twin, compiled[0])
    return model, twin


def settings_of(side: Network) -> Config:
    """Loss and optimizer of a model or a trace, {} where there are none."""
    if isinstance(side, Trace):
        return side.compile_config
    return configs.settings_of(side)


def compiled_copy(model: Network, config: Config) -> Network:
    """A model of the same config and weights, compiled as a compile config says."""
    if is_scratch(model):
        model = copy.deepcopy(model)
        configs.compile_as(model, config)
        return model
    import reference

    return reference.compiled_copy(model, config)


def in_its_precision(twin: Network) -> Network:
    """A compiled reference, or a copy whose loss is not cast to less than its layers compute in:
    `reference.losing_nothing`."""
    if not is_keras(twin):
        return twin
    import reference

    return reference.losing_nothing(twin, understood(configs.settings_of(twin))[0])
