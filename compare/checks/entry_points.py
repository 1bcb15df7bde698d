"""What people call: predict and evaluate of both networks, as each is made and compiled.

The other gates run layers, one by one. A model whose class computes more than its layers, or that
is compiled into something else, shows it here, and at the gate 'lockstep', which calls
`train_on_batch`.
"""

import copy
from typing import Any

import numpy as np

from compare.checks import counted_metrics, epochs
from compare.checks.gate import Gate
from compare.checks.row import Row, judge, raised
from compare.document import progress
from compare.oracle.network import CARRIED, at_the_second_run, outside_of_training
from compare.tracing import execution
from compare.tracing.carried_states import stateful_layers
from compare.tracing.grouping import as_tuple
from compare.tracing.layer_error import RAISED, of_model
from compare.tracing.tensor_names import by_name
from compare.tracing.trace import Trace
from compare.tracing.types import Network
from scratch.several import each, mapped


@progress.during(f"Gate '{Gate.WHOLE_NETWORK}': predict and evaluate")
def rows(model: Network, twin: Network, reference: Trace) -> list[Row]:
    """Rows for what predict and evaluate return, held against the layers one after another.

    Args:
        model: the candidate, compiled if the trace has labels.
        twin: the live Keras model; only if it is compiled, it can evaluate.
        reference: its trace, whose batch is run.

    Raises:
        KerasError: if TensorFlow cannot run a call of the reference.
    """
    import reference as keras_side

    batch = mapped(np.array, reference.x), reference.y, reference.sample_weight
    with keras_side.EntryPoints(twin) as own:
        theirs = by_name("predict", own.predict(as_tuple(reference.x)))
        if reference.y is not None and twin.compiled:
            theirs["evaluate loss"] = np.asarray(own.evaluate(*map(as_tuple, batch))["loss"])
    try:
        ours = _called(copy.deepcopy(model), *batch)
    except RAISED as error:  # somebody's own layer may raise anything
        return [raised(Gate.WHOLE_NETWORK, "network", "predict",
                       f"not run: {of_model(model, error)}")]
    right = outside_of_training(reference)
    found = [judge(Gate.WHOLE_NETWORK, "network", call, ours[call], value, right["network", call])
             for call, value in theirs.items()]
    if "evaluate loss" in theirs:
        found += epochs.rows(model, reference, right["network", "evaluate loss"])
        epoch = epochs.epoch_of(reference)
        found += [] if epoch is None else counted_metrics.rows(model, epoch)
    return found + _carried(model, twin, reference)


def _carried(model: Network, twin: Network, reference: Trace) -> list[Row]:
    """Rows for what both put out when they run on the batch once more, if any states go on from
    batch to batch; everything else is run from zeros."""
    import reference as keras_side

    copied = copy.deepcopy(model)
    layers = stateful_layers(copied.layers)
    if not layers:
        return []
    theirs = by_name(CARRIED, keras_side.at_the_second_run(twin, as_tuple(reference.x)))
    for layer in layers:
        layer.carries = True
        layer.reset_states()
    try:
        for _ in range(2):
            made = copied.forward(mapped(np.array, reference.x), training=False)
    except RAISED as error:
        return [raised(Gate.WHOLE_NETWORK, "network", CARRIED,
                       f"not run: {of_model(model, error)}")]
    ours = by_name(CARRIED, each(made) if len(each(made)) > 1 else made)
    right = at_the_second_run(reference)
    return [judge(Gate.WHOLE_NETWORK, "network", call, ours[call], value, right["network", call])
            for call, value in theirs.items()]


def _called(model: Network, x: Any, y: Any, sample_weight: Any) -> dict[str, np.ndarray]:
    """What the candidate's calls return, by the call's name."""
    predicted = model.predict(x, batch_size=len(x), verbose=0)
    if getattr(model, "outputs_as", None) is not None:
        predicted = model.outputs_as.flat(predicted)
        predicted = predicted if len(predicted) > 1 else predicted[0]
    made = by_name("predict", predicted)
    if y is not None:
        figures = model.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True,
                                 **execution.weighted(sample_weight))
        made["evaluate loss"] = np.asarray(figures["loss"])
    return made
