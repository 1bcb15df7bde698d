"""Diagnosis of one layer, loss or optimizer by itself, without a network around it."""

import copy

import numpy as np

from compare.diagnosis.computation import LossComputation, UpdateComputation
from compare.diagnosis.finding import Finding
from compare.diagnosis.inference import diagnose_observations, diagnose_suspect
from compare.diagnosis.lost_digits import Again
from compare.diagnosis.observation import Observation
from compare.diagnosis.runners import StepRunner
from compare.diagnosis.search import PAIR_SECONDS
from compare.diagnosis.suspect import Suspect
from compare.oracle.running_error import Rounding
from compare.tracing.optimizer_steps import fresh

LOSS_BATCHES = (5, 3, 4)  # samples of the batches that are drawn for a loss
STEPS = 4  # of an optimizer whose first one is right


def diagnose_op(op, config: dict, x, *, dy=None, tensor: str | None = None, noise=None,
                training: bool = True, context: dict | None = None,
                seconds: float = PAIR_SECONDS) -> Finding | None:
    """What is wrong with one op, such as `compare.tracing.ops.LayerOp`; None if nothing is.

    Args:
        op: has `name`, `part`, `class_name`, `weights`, `run` and `holding`.
        config: the Keras config of the layer.
        x, dy: numbers of the right shapes; a tuple of inputs for a layer that merges.
        tensor: which result; None for the first that is wrong.
        noise: what a random layer is to use.
        context: see `compare.diagnosis.computation.LayerComputation`.
    """
    weights = dict(op.weights) if noise is None else {**op.weights, "noise": noise}
    suspect = Suspect(op.title, tensor or "output", op.class_name, config, op.part, x, dy,
                      {name: np.array(w) for name, w in weights.items()}, StepRunner(op),
                      training=training, context=context or {})
    if tensor is not None:
        return diagnose_suspect(suspect, seconds)
    for name in tensors_of(suspect):
        suspect.tensor = name
        finding = diagnose_suspect(suspect, seconds)
        if finding is not None:
            return finding
    return None


def tensors_of(suspect: Suspect) -> list[str]:
    """The results that such an op has, in the order in which they are judged."""
    shapes = [(3, *x.shape[1:]) for x in suspect.inputs]
    return list(suspect.drawn(shapes, "normal").changed(tensor="").all_results())


def diagnose_loss(loss, described, y, output, *, fused: bool = False, sample_weight=None,
                  steps=None, tensor: str | None = None, observed=None, extra=None,
                  seconds: float = PAIR_SECONDS) -> Finding | None:
    """What is wrong with a loss; None if nothing is.

    Args:
        loss: an object with `forward` and `backward`, as `scratch`'s.
        described: Keras's name or dictionary of what it should be.
        y, output, fused, sample_weight, steps: as `compare.oracle.losses.exact_loss` takes them.
        tensor: 'value' or 'gradient'; None for the first that is wrong.
        observed: (value, gradient) where the loss cannot be run, whatever `loss` is then.
        extra: the penalties that are part of the value.
    """
    for name in ("value", "gradient") if tensor is None else (tensor,):
        observations = []
        for some_y, some, weight, own in loss_numbers(y, output, sample_weight, observed):
            c = LossComputation(Rounding.of(output.dtype), loss=described, tensor=name, y=some_y,
                                output=some, fused=fused, sample_weight=weight,
                                steps=None if steps is None else steps[:len(some)],
                                dtype=output.dtype, extra=extra if own else None)
            made = observed if observed is not None else _run_loss(loss, c)
            observations.append(Observation(c, made[name == "gradient"]))
        again = None if observed is not None else _loss_again(loss, name)
        finding = diagnose_observations(observations, "loss", name, seconds=seconds, again=again)
        if finding is not None:
            return finding
    return None


def loss_numbers(y, output, sample_weight, observed):
    """(y, output, weights, whether they are the batch's own), some drawn for the purpose first.

    A loss is one number, which many a wrong formula may meet by chance; not for several batches.
    What is drawn looks like the output: probabilities and positive numbers stay such, and others
    are normal.
    """
    own = (y, output, sample_weight, True)
    if observed is not None:
        return [own]
    found = []
    for seed, number in enumerate(LOSS_BATCHES):
        number = min(len(output), number)
        drawn = outputs_like(output, number, np.random.default_rng(seed))
        weight = None if sample_weight is None else np.asarray(sample_weight)[:number]
        found.append((np.asarray(y)[:number], drawn.astype(output.dtype), weight, False))
    return [*found, own]


def outputs_like(output, number: int, rng) -> np.ndarray:
    """Numbers drawn in the place of so many samples' outputs."""
    drawn = rng.standard_normal(output[:number].shape)
    if output.min() < 0:
        return drawn
    drawn = np.exp(drawn)
    if output.max() > 1:
        return drawn
    sums = np.allclose(output.sum(axis=-1), 1, atol=1e-3)
    return drawn / drawn.sum(axis=-1, keepdims=True) if sums else drawn / (1 + drawn)


def _run_loss(loss, c: LossComputation):
    """(value, gradient) of a copy."""
    function = copy.deepcopy(loss)
    options = {} if c.sample_weight is None else {"sample_weight": c.sample_weight}
    if c.steps is not None:
        options["mask"] = c.steps
    value = function.forward(c.y, np.array(c.output), c.fused or None, **options)
    if c.extra is not None:
        value = value + c.extra.value
    return np.asarray(value, np.float64), np.asarray(function.backward(), np.float64)


def _loss_again(loss, tensor: str) -> Again:
    """Runs a loss in float64."""
    def again(seen: Observation):
        c = seen.right
        assert isinstance(c, LossComputation)
        return _run_loss(loss, c.changed(output=np.asarray(c.output, np.float64)))[
            tensor == "gradient"]

    return again


def diagnose_optimizer(optimizer, class_name: str, config: dict, weights, gradients, *,
                       position: int | None = None, observed=None, decays: tuple = (),
                       names: tuple = (), seconds: float = PAIR_SECONDS) -> Finding | None:
    """What is wrong with the first step of a fresh optimizer; or, if nothing is and it can be run,
    with the first `STEPS` ops; None if nothing is.

    Args:
        optimizer: an object with `get_config`, `from_config` and `apply`, as `scratch`'s.
        class_name, config: what it should be, as Keras writes it.
        weights, gradients: lists of arrays.
        position: which weight; None for the first that is wrong.
        observed: the weights after the op where the optimizer cannot be run.
        decays: for each weight whether it decays; left out, all do.
        names: of the weights, 'dense/kernel' ..., for rules that tell them apart.
    """
    rng = np.random.default_rng(0)
    dtype = weights[0].dtype
    drawn = [[rng.standard_normal(w.shape).astype(dtype) for w in weights] for _ in range(2)]
    batches = [(weights, gradients)] if observed is not None else [tuple(drawn),
                                                                   (weights, gradients)]
    made = [observed if observed is not None else _stepped(optimizer, decays, names, w, g)
            for w, g in batches]
    for i in range(len(weights)) if position is None else (position,):
        observations = []
        for (w, g), after in zip(batches, made):
            c = UpdateComputation(Rounding.of(dtype), class_name=class_name, config=config,
                                  weights=tuple(map(np.asarray, w)),
                                  gradients=tuple(map(np.asarray, g)), position=i, dtype=dtype,
                                  decays=decays, names=names)
            observations.append(Observation(c, after[i]))
        finding = diagnose_observations(observations, "update", f"weight {i}", seconds=seconds)
        if finding is not None or observed is not None:
            return finding
    return diagnose_steps(optimizer, class_name, config, weights, seconds, decays, names)


def diagnose_steps(optimizer, class_name: str, config: dict, weights,
                   seconds: float = PAIR_SECONDS, decays: tuple = (), names: tuple = ()
                   ) -> Finding | None:
    """What is wrong with the first `STEPS` ops of a fresh optimizer, on normal numbers."""
    rng = np.random.default_rng(1)
    dtype = weights[0].dtype
    start, *gradients = [tuple(rng.standard_normal(w.shape).astype(dtype) for w in weights)
                         for _ in range(STEPS + 1)]
    made = _stepped(optimizer, decays, names, start, *gradients)
    for i in range(len(weights)):
        c = UpdateComputation(Rounding.of(dtype), class_name=class_name, config=config,
                              weights=start, gradients=gradients[0], later=tuple(gradients[1:]),
                              position=i, dtype=dtype, decays=decays, names=names)
        finding = diagnose_observations([Observation(c, made[i])], "update", f"weight {i}",
                                        seconds=seconds)
        if finding is not None:
            return finding
    return None


def _stepped(optimizer, decays, names, weights, *gradients) -> list[np.ndarray]:
    """The weights after one step for each list of gradients."""
    variables = [np.array(w) for w in weights]
    made = fresh(optimizer, variables, list(decays) or [True] * len(variables))
    if names:
        made.build(variables, list(names))
    for each in gradients:
        made.apply([np.array(g) for g in each], variables)
    return variables


