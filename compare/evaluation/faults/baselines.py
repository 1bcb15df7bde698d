"""The other rules, applied to a network with a fault in it, or to a clean one."""

import copy
from typing import Any

import numpy as np

import compare
from compare import parity
from compare.evaluation.faults import baseline_rules, gradient_check
from compare.evaluation.faults.fault import Fault
from compare.evaluation.faults.scoring import Case
from compare.evaluation.fuzzing.specification import Specification
from compare.tracing.global_state import QUIET
from compare.tracing.ops import whole_layers
from compare.tracing.trace import folded


@np.errstate(**QUIET)
def verdicts(network: Specification, case: Case, fault: Fault | None = None) -> dict[str, bool]:
    """Whether each rule gives the alarm, by its name.

    Args:
        network: that the case was made of.
        case: with the fault in it, if there is one.
        fault: put into the float64 network whose gradients are checked by differences.
    """
    noise = parity.drawn(case.model, np.asarray(case.x))
    given: dict[str, Any] = {"upstream": case.upstream, "sample_weight": case.weight}
    whole = whole_layers(case.model)  # somebody's own forward is not taken apart on either side
    theirs = folded(compare.record(case.twin, case.x, case.y, noise=noise, whole=whole, **given),
                    whole)
    ours = compare.record(case.model, case.x, case.y, noise=parity.noise_of(theirs), **given)
    fine = in_float64(network, case)
    exact = folded(compare.record(fine, case.x, case.y, noise=parity.noise_of(theirs), **given),
                   whole)
    a, b, e = (compared(trace) for trace in (ours, theirs, exact))
    pairs = {name: baseline_rules.Pair(a[name], b[name], e.get(name)) for name in b if name in a
             and a[name].shape == b[name].shape}
    outputs = [baseline_rules.Pair(mine.output, other.output) for mine, other in
               zip(ours.parts, theirs.parts)]
    found = baseline_rules.alarms(pairs, outputs, theirs.sources)
    if fault is not None and fault.side == "candidate":
        fault.inject(fine)
    error = gradient_check.worst_error(fine, case.x, case.y, case.upstream, case.weight,
                                       parity.noise_of(theirs))
    return {**found, **{name: error > limit for name, limit in baseline_rules.DIFFERENCES.items()}}


def compared(trace) -> dict[str, np.ndarray]:
    """Every output and gradient of a trace, the loss, and what a step made of the weights."""
    found = {}
    for part in trace.parts:
        given = {"output_gradient", "noise", *part.weights}
        found.update({f"{part.name}/{name}": array for name, array in part.tensors.items()
                      if name not in given})
    if trace.loss is not None:
        found["loss"] = np.asarray(trace.loss)
    return found


def in_float64(network: Specification, case: Case):
    """The clean network in float64, with the case's weights."""
    plain = copy.deepcopy(network.plain())
    model = Specification.from_plain({**plain, "dtype": "float64", "policy": ""}).build()
    model.set_weights(case.model.get_weights())
    return model
