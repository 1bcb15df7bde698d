"""Kinks that a batch does not reach: what an activation does on their other side goes unseen."""

from compare.checks.gate import Gate
from compare.oracle.registry import oracle_for
from compare.tracing.configs import layer_config
from compare.tracing.trace import WHOLE, Part, Trace

KINKS = {"relu": (0,), "relu6": (0, 6), "leaky_relu": (0,), "elu": (0,), "selu": (0,),
         "celu": (0,), "hard_sigmoid": (-3, 3), "hard_silu": (-3, 3), "hard_tanh": (-1, 1),
         "hard_shrink": (-0.5, 0.5), "soft_shrink": (-0.5, 0.5), "sparse_plus": (-1, 1),
         "sparse_sigmoid": (-1, 1)}
LAYERS = {"LeakyReLU": "leaky_relu", "PReLU": "leaky_relu", "ELU": "elu"}
REACH = {Gate.WHOLE_NUMBERS: 8, Gate.FEW_TERMS: 1}  # what these probes' own numbers surely surround


def unseen(trace: Trace, part: Part) -> list[tuple[str, str]]:
    """(a sentence on what the part's inputs do not show, the gate whose own numbers do or '')."""
    if part.part == WHOLE:
        return []
    config = layer_config(trace, part.layer)
    kinks, blocks = _kinks(part, config)
    gate = Gate.FEW_TERMS
    if kinks and oracle_for(part.class_name, config, part.part).exact:
        gate = Gate.WHOLE_NUMBERS
    said = []
    for kink in kinks:
        seen_by = gate if abs(kink) < REACH[gate] else ""
        if (part.input > kink).all():
            said.append((f"{part.name}: every input is {_above(kink)}, so a rectifier that is "
                         "missing changes nothing, nor does a mask that is" if blocks
                         and kink == kinks[0] else
                         f"{part.name}: every input is {_above(kink)}, so what is done to others "
                         "does not show", seen_by))
        elif not (part.input > kink).any():
            said.append((f"{part.name}: no input is {_above(kink)}, so nothing passes, and nothing "
                         "can be wrong behind it" if blocks and kink == kinks[0] else
                         f"{part.name}: no input is {_above(kink)}, so what is done to such does "
                         "not show", seen_by))
    return said


def _kinks(part: Part, config: dict) -> tuple[tuple, bool]:
    """(the kinks in ascending order, whether nothing passes below the first)."""
    class_name, named = part.class_name, None
    if class_name == "Activation" or part.part:
        named = config.get("activation") or part.part
        if isinstance(named, dict):  # a layer that serves as an activation
            class_name, config, named = named["class_name"], named["config"], None
    if named is None and class_name == "ReLU":
        limit = config.get("max_value")
        kinks = (config.get("threshold") or 0, *([] if limit is None else [limit]))
        return tuple(sorted(set(kinks))), not config.get("negative_slope")
    named = named or LAYERS.get(class_name)
    return KINKS.get(named, ()), named in ("relu", "relu6")


def _above(kink) -> str:
    return "positive" if kink == 0 else f"above {kink:g}"
