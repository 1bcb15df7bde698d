"""Two networks with one loss and one optimizer, where only one of them was compiled."""

import copy

from compare.tracing import configs
from compare.tracing.model_kinds import is_scratch
from compare.tracing.trace import Trace


def both_compiled(model, twin):
    """The two, where one is not compiled replaced by a copy with the other's loss and optimizer.

    Raises:
        ValueError: if neither is compiled.
    """
    compiled = [settings_of(side) for side in (model, twin)]
    if not any(compiled):
        raise ValueError("Expected at least one compiled model, as there are labels. Received two "
                         "without a loss: call model.compile(optimizer=..., loss=...)")
    if not compiled[0]:
        model = copy.deepcopy(model)
        configs.compile_as(model, compiled[1])
    if not compiled[1]:
        twin = compiled_copy(twin, compiled[0])
    return model, twin


def settings_of(side) -> dict:
    """Loss and optimizer of a model or a trace, {} where there are none."""
    if isinstance(side, Trace):
        return side.compile_config
    return configs.settings_of(side)


def compiled_copy(twin, config: dict):
    """A copy of a network with the loss and optimizer of `config`."""
    if is_scratch(twin):
        twin = copy.deepcopy(twin)
        configs.compile_as(twin, config)
        return twin
    import reference

    clone = reference.from_config(twin.get_config(), config)
    reference.set_weights(clone, twin.get_weights())
    return clone
