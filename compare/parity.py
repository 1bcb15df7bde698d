"""Checks that two networks are the same function, tensor by tensor, and says where they are not.

`check` records both networks on one batch, then runs every op of the candidate on the
reference's own input and output gradient (teacher forcing in both directions), so that a row shows
that op's error alone. What rounding can explain comes from the oracle in `compare.oracle`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from compare import adapters, foreign_outputs, one_class, runtimes, spans
from compare.checks import chosen_layers, time_left
from compare.diagnosis.finding import Finding
from compare.document import progress
from compare.gates import compare_traces, report_on
from compare.inputs import batches, compiling, fitting_scale, passes, twins
from compare.reduction.case import Case
from compare.reduction.minimize import run_small
from compare.report.report import Report
from compare.report.timing import timed
from compare.tracing import grouping, known_settings
from compare.tracing.global_state import QUIET, leaving_no_trace
from compare.tracing.model_kinds import is_keras, is_scratch, require_network
from compare.tracing.noise import drawn, noise_of
from compare.tracing.ops import ops_of, whole_layers
from compare.tracing.recorder import record
from compare.tracing.trace import Trace, at_inference, folded
from compare.tracing.validation import (
    check_alone,
    check_batch,
    check_precision,
    check_trace_alone,
)

LOCKSTEP = 5  # steps of training side by side


@timed
@leaving_no_trace
@np.errstate(**QUIET)
def check(model, twin, x=None, y=None, *, upstream=None, sample_weight=None, gradients=None,
          probes=True, steps=LOCKSTEP, seed=0, layers=None, sample=None) -> Report:
    """Whether `model` computes what `twin` computes, within proved rounding bounds.

    Layers that are random in training use the same noise on both sides: what the candidate's draw
    for the batch, or what a Trace holds.

    Args:
        model: the candidate: a `scratch.Sequential` or a `scratch.Model`; or a list of layers, one
            for each of the twin's, wrapped by `compare.wrap` or of scratch's kind; or a whole
            network in one class, wrapped by itself, of which only the whole is judged; or a
            torch.nn.Module, see `compare.from_torch`; or an ONNX or a TFLite file, by its path or
            from `compare.from_onnx` or `compare.from_tflite`: then the forward pass alone, each
            tensor of it judged as by `compare.check_outputs`; or a function of JAX's from
            `compare.from_jax`.
        twin: the reference: such a Keras model, another scratch model, or a Trace of either.
        x, y: the batch; of several inputs or outputs lists or dictionaries as the models take them,
            and likewise upstream and sample_weight. Not needed with a Trace, which brings its own.
            Without y a gradient of the output is drawn in the loss's place, and the report says so.
        upstream: the gradient with respect to the output, for models without a loss.
        sample_weight: of the losses, as `fit` takes it.
        gradients: False for the forward pass alone, outside of training, of x alone: for ports that
            have no backward pass. None, the default, is False where a layer was wrapped with
            `backward=None` or the Trace was recorded so, otherwise True.
        probes: also run each layer on numbers drawn for the purpose: integers, where nothing may
            differ at all, real numbers of which few meet in any sum, and, the loss and penalties
            too, numbers at the ends of their range.
        steps: how many steps to train in lockstep with a live Keras model; 0 for none.
        seed: of the gradient that is drawn, and of a sample of the layers.
        layers: names of layers, or patterns of them such as 'block_1_*', to check these alone; None
            for all. Then the report is on them, says what was left out, and nothing of the network
            as a whole or its training.
        sample: how many layers to draw, to check these alone.

    Returns:
        A Report: true if everything passed that was checked; `rows`, `first_failure`, and a table
            when printed.

    Raises:
        ValueError: for inputs that are not finite or do not fit, labels outside the classes, or
            models that are not compiled although there are labels; for gradients of layers that
            have no backward pass; for a name that no layer has.
        TypeError: for models of another kind.
    """
    shares = time_left.shares(probes, steps, layers is None and sample is None)
    with progress.together(shares):
        return _checked(model, twin, (x, y, upstream, sample_weight), gradients, probes, steps,
                        seed, (layers, sample))


def _checked(model, twin, batch: tuple, gradients, probes: bool, steps: int, seed: int,
             asked: tuple[Any, Any]) -> Report:
    """`check`, of a batch (x, y, upstream, sample_weight) and the (layers, sample) asked for."""
    x, y, upstream, sample_weight = batch
    layers, sample = asked
    if runtimes.is_file(model):
        return _file(model, twin, x, gradients, y=y, upstream=upstream,
                     sample_weight=sample_weight, layers=layers, sample=sample)
    require_network(twin)
    if isinstance(model, adapters.Conventions):
        if layers is not None or sample is not None:
            raise ValueError("Expected no layers and no sample with a network in one class, of "
                             "which the whole is run. Received some")
        return one_class.check(model, twin, x, y, upstream=upstream, sample_weight=sample_weight,
                               gradients=gradients, seed=seed, probes=probes)
    model, because = runtimes.taking_part(model, twin, x, gradients)
    if because:
        check_alone(layers=layers, sample=sample)
        return foreign_outputs.check_outputs(twin, x, model, because=because)
    model, twin = _pair(model, twin, batch)
    drawn_inputs = batches.drawn_inputs(twin)
    if drawn_inputs:
        x = batches.with_draws(twin, x, drawn_inputs, seed)
    if not isinstance(twin, Trace):
        x = grouping.inputs_of(twin, x)
        y, upstream = (grouping.outputs_of(twin, given) for given in (y, upstream))
        sample_weight = grouping.weights_of(twin, sample_weight)
    joined = getattr(model, "spans", ())
    whole = whole_layers(model)
    notes = adapters.notes_on(model) + batches.about_draws(drawn_inputs)
    if not passes.with_gradients(model, twin, gradients):
        check_alone(y=y, upstream=upstream, sample_weight=sample_weight)
        notes.append(passes.about_forward_alone(model, gradients))
        reference = folded(at_inference(twin) if isinstance(twin, Trace) else
                           record(twin, x, gradients=False, whole=whole), whole)
        some = chosen_layers.chosen(reference, *asked, seed)
        report = report_on(model, twin, twin, reference, {"gradients": False}, probes, 0, notes,
                           known_settings.not_checked(model), some)
        return spans.added(report, joined, reference, probes)
    if isinstance(twin, Trace):
        x, y, sample_weight = twin.x, twin.y, twin.sample_weight
        upstream = twin.upstream if y is None else None
    called = twin  # what its owner calls, compiled or not
    left_out = known_settings.not_checked(model)
    if y is not None:
        model, twin, has_loss, left_out = compiling.trained(model, twin)
        if not has_loss:
            y = sample_weight = None
        elif (exact := compiling.in_its_precision(twin)) is not twin:
            notes.append(compiling.ABOUT_LOSS)
            called = twin = exact
        if has_loss and is_keras(twin):
            model, twin, said = fitting_scale.fitted(model, twin, x, y, sample_weight)
            notes += said
    left_out = [*left_out, *known_settings.undrawn(model)]
    whole = whole_layers(model)
    noise = drawn(model, check_precision(check_batch(x), model.dtype))
    if y is None and upstream is None:
        upstream = batches.upstream(model, x, seed)
        notes.append(batches.about_upstream(model, seed))
    reference = folded(record(twin, x, y, upstream=upstream, sample_weight=sample_weight,
                              noise=noise, whole=whole, shared=True), whole)
    given = {"y": y, "upstream": upstream, "sample_weight": sample_weight,
             "noise": noise_of(reference)}
    some = chosen_layers.chosen(reference, *asked, seed)
    report = report_on(model, twin, called, reference, given, probes, steps, notes, left_out, some)
    return spans.added(report, joined, reference, probes)


def _file(file, twin, x, gradients, **given) -> Report:
    """The report on the forward pass of another runtime's file, which has no other."""
    if gradients:
        raise ValueError("Expected gradients to be False or None: "
                         f"{runtimes.opened(file).title} has no backward pass. Received: True")
    check_alone(**given)
    return foreign_outputs.check_outputs(twin, x, file)


def _pair(model, twin, batch: tuple):
    """(candidate, reference), once it is sure that they are networks and that a trace has no batch
    beside it."""
    require_network(twin)
    if is_keras(twin):
        import reference

        twin = reference.as_graph(twin)
        if is_scratch(model):
            twin = reference.opened(twin, {layer.name for layer in model.layers})
    if adapters.takes_part(model):
        model = adapters.as_network(model, twin)
    if not is_scratch(model):
        raise TypeError("Expected the candidate, the first of the two, to be a scratch.Sequential "
                        "or a scratch.Model, a list of layers, a network in one class as "
                        "compare.wrap(network), or a torch.nn.Module. "
                        f"Received: {type(model).__name__}")
    if isinstance(twin, Trace):
        check_trace_alone(*batch)
    return model, twin


@leaving_no_trace
def twin(model):
    """A Keras model with the same config and weights, compiled alike if the model is compiled.

    Args:
        model: a built scratch.Sequential or scratch.Model, which stays as it is.

    Raises:
        TypeError: for anything else.
        ValueError: for a model that does not know its input shape.
    """
    if not is_scratch(model):
        raise TypeError("Expected a scratch.Sequential or a scratch.Model. "
                        f"Received: {type(model).__name__}")
    return twins.twins(model)[1]


def assert_parity(model, twin, x=None, y=None, **options) -> None:
    """`check`, with its options, and an AssertionError if anything fails: its first line says which
    layer, which tensor and why, the table follows."""
    __tracebackhide__ = True
    report = check(model, twin, x, y, **options)
    if not report:
        raise AssertionError(f"{report.headline()}\n\n{report}")


def diagnose(model, twin, x=None, y=None, **options) -> list[Finding]:
    """What is wrong with each layer that fails `check`, with the loss and with the optimizer.

    Returns:
        One `compare.diagnosis.Finding` for the first failing tensor of each; none if parity holds.
    """
    return check(model, twin, x, y, **options).diagnosis


@leaving_no_trace
@np.errstate(**QUIET)
def diff(trace_a: Trace, trace_b: Trace) -> Report:
    """Compare two recordings. Neither network is run; each op is judged on its own input.

    The first is the candidate, the second the reference. Where the inputs of an op differ, what
    the candidate should have made of its own input comes from the oracle. If one of the two is a
    dictionary of arrays by the layers' names, it is the candidate, and `check_outputs` judges it.

    Raises:
        TypeError: for what is no recording.
        ValueError: for arrays beside a trace that does not hold the forward pass outside of
            training, or as `check_outputs` raises it.
    """
    arrays = [isinstance(each, Mapping) for each in (trace_a, trace_b)]
    for side, is_arrays in zip((trace_a, trace_b), arrays):
        if not (isinstance(side, Trace) or is_arrays) or all(arrays):
            raise TypeError("Expected two recordings, as compare.record gives them; arrays of "
                            "another runtime are judged by compare.check_outputs(keras_model, x, "
                            f"{{'layer': array}}). Received: {type(side).__name__}")
    if any(arrays):
        trace, outputs = (trace_b, trace_a) if arrays[0] else (trace_a, trace_b)
        return foreign_outputs.check_outputs(trace, outputs=outputs)
    return compare_traces(trace_a, trace_b, None)


def assert_case(model: str, layer: str, tensor: str, *, part: str, class_name: str, config: dict, x,
                dy, weights: dict, expected, allowed, changes: dict | None = None,
                training: bool = True, cause: str = "") -> None:
    """Runs one layer of a network on one small case, and holds a result against known numbers.

    What the tests call that `parity debug --pytest` writes; they may be edited and kept.

    Args:
        model: 'FILE.keras' or 'module:callable', as for `parity debug`.
        layer: the layer's name.
        tensor: what is judged: 'output', 'input_gradient', 'kernel_gradient' ...
        part: '' for the layer, the name of an activation inside it for that alone, or 'whole'.
        class_name, config: the kind of layer, and the arguments that it has in this case.
        x: the input, (batch, ...); a tuple for a layer that merges.
        dy: the gradient of the output, in the output's shape.
        weights: by name; a random layer's 'noise' is among them.
        expected: the exact result.
        allowed: how far rounding may lead away from it, element by element.
        changes: arguments in which the case differs from the layer, such as fewer filters.
        training: whether the layer is run as in training.
        cause: what was found to be wrong when the case was written.

    Raises:
        AssertionError: if the result has another shape or lies further away than allowed.
        ValueError: if the network has no such layer.
    """
    __tracebackhide__ = True
    ops = {(op.name, op.part): op for op in ops_of(twins.candidate(model))}
    if (layer, part) not in ops:
        raise ValueError(f"Expected a network with the layer {layer!r}. Received: {model} with "
                         f"{', '.join(dict.fromkeys(name for name, _ in ops))}")
    case = Case(class_name, part, config, x, dy, weights, changes or {}, training)
    actual = run_small(ops[layer, part], case, tensor).tensors[tensor]
    if np.shape(actual) != np.shape(expected):
        raise AssertionError(f"{layer} {tensor}: expected shape {np.shape(expected)}. "
                             f"Received: {np.shape(actual)}")
    over = ~(np.abs(actual - expected) <= allowed)  # so that NaN counts as over
    if over.any():
        first = tuple(int(i) for i in np.argwhere(over)[0])
        raise AssertionError(
            f"{layer} {tensor}: {f'{cause}. ' if cause else ''}"
            f"{int(over.sum())} of {over.size} elements are further from the "
            f"exact result than rounding explains. At {list(first)} expected {expected[first]}, "
            f"received {actual[first]}, allowed {np.broadcast_to(allowed, over.shape)[first]}")
