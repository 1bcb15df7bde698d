"""Everything a Keras model computes on one batch: each layer's output and all gradients."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference import noise as noises
from reference.carried_states import from_zeros
from reference.failures import naming_part
from reference.model import copied, fresh_optimizer, loss_scale, model_dtype, rate_dtype
from reference.ops import LOW, Op, array, held, ops_of, output_ops, restored, run_op, view
from reference.quiet import precision, tf
from reference.structures import (
    as_inputs,
    as_outputs,
    each,
    filled_in,
    flat,
    form_of_outputs,
    mapped,
)


@dataclass
class Part:
    """A call of a layer, or the activation inside it. Arrays are NumPy's; a gradient is None where
    there is none (a softmax whose cross-entropy is fused with its logits has no output gradient).

    A layer that merges has a tuple of inputs and of input gradients. `noise` is what a random layer
    used; `inference` its output on the same input outside of training, if that is another one.

    Of a layer that is called again, each call has its own part of the weights' gradients, penalties
    being the first call's; `tied_to` names that one in the others, whose weights are not updated.
    """

    layer: str
    part: str  # "" for the layer, or the name of the activation inside it, or "whole" for both
    class_name: str
    input: np.ndarray | tuple
    output: np.ndarray
    output_gradient: np.ndarray | None = None
    input_gradient: np.ndarray | tuple | None = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)
    noise: np.ndarray | None = None
    inference: np.ndarray | None = None
    tied_to: str | None = None


@dataclass
class Observation:
    """What one batch did.

    Attributes:
        parts: one for each layer or activation.
        sources: for each part the positions of those it reads, -1 - k for the model's input k.
        ends: the positions of the parts that make the model's outputs.
        loss: with all penalties, None if there was none.
        terms: of several outputs each one's loss by itself, without its weight.
        loss_gradient: of the loss without penalties, with respect to the output or, if it is
            computed from the logits of a softmax or a sigmoid (`fused`), to those.
        inference: the model's output outside of training, if a layer has another one there.

    Of several outputs `loss_gradient`, `fused` and `inference` are tuples.
    """

    parts: list[Part]
    sources: list[tuple[int, ...]]
    loss: float | None
    loss_gradient: np.ndarray | tuple | None = None
    fused: bool | tuple[bool, ...] = False
    inference: np.ndarray | tuple | None = None
    ends: list[int] = field(default_factory=list)
    terms: tuple = ()


def observe(model, x, y=None, upstream=None, whole=frozenset(), noise=None,
            sample_weight=None, shared=False) -> Observation:
    """Run one batch forward and backward, in training mode, without changing the model.

    Args:
        model: a built `keras.Sequential`, or a functional model.
        x: a batch of inputs; of several inputs a tuple, and so is all else that follows.
        y: labels for the model's compiled loss; the gradients are then the loss's, penalties of
            regularizers included.
        upstream: instead of y, the gradient with respect to the model's output.
        whole: positions of layers that are to stay together with their activation.
        noise: by a call's position, what the layer uses instead of drawing numbers.
        sample_weight: of the loss, as `fit` takes it.
        shared: whether the weights, their gradients and the weights after a step may be
            TensorFlow's own memory, and are not to be written to.

    Returns:
        Outputs, gradients with respect to each part's input, output and weights, and with y also
        the loss and each weight after one step of a fresh copy of the optimizer. The weights that
        the forward pass itself changes are among the updated ones.

    Raises:
        ValueError: for a model that is no graph of layers.
    """
    dtype = model_dtype(model)
    scale = loss_scale(model) if y is not None else 1.0
    ops = ops_of(model, whole)
    variables = list({id(v): v for op in ops for v in op.variables if v.trainable}.values())
    state = [v for op in ops for v in op.state]
    layers = [op.layer for op in ops]
    with restored(state), precision(dtype), from_zeros(layers):
        execution = _Execution(model, ops, mapped(lambda a: np.asarray(a, dtype), x), noise or {})
        several = execution.form is not None
        target: Any = execution.made if several else execution.made[0]
        seed: Any = None
        if y is not None:
            target = execution.loss(y, sample_weight)
            with execution.tape:
                scaled = target if scale == 1 else target * scale
        else:
            seeds = [tf.cast(np.asarray(each_one, dtype), made.dtype)
                     for each_one, made in zip(each(upstream), execution.made)]
            seed = seeds if several else seeds[0]
        found = execution.gradients(target if y is None else scaled,
                                    [v.value for v in variables], seed)
        join_logits(execution, found)
        gradients = weight_gradients(execution, found, variables, scale if y is not None else 0.0,
                                     view if shared else array)
    updated = {}
    if y is not None:
        users = Counter(id(v) for op in ops for v in op.variables)
        totals = [added(gradients, id(v)) if users[id(v)] > 1 or g is None else
                  tf.convert_to_tensor(g) for v, g in zip(variables, found["weights"])]
        left = {id(v): moved[op.names[id(v)]] for op, moved in zip(ops, execution.moved)
                for v in op.state}
        updated = one_step(model, variables, totals, left, shared)
    parts = [_part(execution, found, i, gradients[i], updated, shared) for i in range(len(ops))]
    inference = None
    if any(op.differs_at_inference for op in ops):
        with precision(dtype), from_zeros(layers):
            given = mapped(lambda a: tf.constant(np.asarray(a, dtype)), x)
            made = [array(value) for value in flat(model(as_inputs(model, given), training=False))]
            inference = tuple(made) if several else made[0]
            for op, part, read in zip(ops, parts, execution.reads):
                if op.differs_at_inference:
                    part.inference = array(op.run(read, training=False))
    by_logits = found["logits"] or [None] * len(execution.ends)
    by_output = found["seen"] or [None] * len(execution.ends)
    fused = tuple(gradient is not None for gradient in by_logits)
    gradients_of_loss = tuple(array(a if a is not None else b)
                              for a, b in zip(by_logits, by_output))
    return Observation(parts, [op.sources for op in ops], None if y is None else target.numpy(),
                       gradients_of_loss if several else gradients_of_loss[0],
                       fused if several else fused[0], inference, execution.ends,
                       execution.terms)


def join_logits(execution: "_Execution", found: dict) -> None:
    """Of a loss that reads a sigmoid's output and its logits, as the focal one does, make the
    gradient with respect to the logits; the sigmoid by itself then sends nothing back."""
    for k, (by_logits, by_output) in enumerate(zip(found["logits"], found["seen"])):
        if by_logits is None or by_output is None:
            continue
        s, end = execution.made[k], execution.ends[k]
        found["logits"][k] = by_logits + by_output * s * (1 - s)
        if execution.ends.count(end) == 1 and not execution.is_read(end):
            found["outputs"][end], found["reads"][end] = None, [None]
        else:
            raise ValueError(f"Output {execution.ops[end].name!r}: expected a loss that reads "
                             "either the output or its logits, where something else reads the "
                             "output, too. Received one that reads both")


@tf.custom_gradient
def own_copy(tensor):
    """The tensor, with a gradient of its own.

    That of `tf.identity` hands on the very tensor that comes in. Where both ends are asked for, as
    here, TensorFlow never lets go of it: a few arrays more with every call.
    """
    return tf.identity(tensor), lambda gradient: tf.identity(gradient)


def widened(tensor):
    """The tensor in float32, if it is of less: what reads it casts it back, which changes nothing,
    and sends back a gradient of its own precision."""
    return tf.cast(tensor, "float32") if tensor.dtype.name in LOW else tensor


class _Execution:
    """One pass forward, on a tape. Every reader of a tensor reads a copy of its own, so that its
    gradient is what that reader alone sends back."""

    def __init__(self, model, ops: list[Op], x, noise: dict):
        self.model, self.ops = model, ops
        model._clear_losses()  # of an earlier batch
        self.noise = []
        self.moved: list[dict] = []  # for each op the weights that its pass changed, after it
        self.tape = tf.GradientTape()
        with self.tape:
            self.x = [tf.constant(array) for array in each(x)]
            self.tape.watch(self.x)
            self.outputs, self.reads = [], []
            for op in ops:
                read = op.inputs_of([own_copy(widened(self.value(source)))
                                     for source in op.sources])
                self.tape.watch(read)  # also behind classes, from where nothing leads further back
                used = None
                if op.is_random:
                    used = noise.get(op.position)
                    if used is None:
                        used = noises.drawn(
                            op.layer, read if op.reads_several else read[0])
                    used = np.array(used)
                self.noise.append(used)
                self.reads.append(read)
                with restored(op.state):  # another call begins where this one began
                    self.outputs.append(op.run(read, used))
                    self.moved.append({op.names[id(v)]: held(np.array(v.numpy()))
                                       for v in op.state})
        self.form = form_of_outputs(model)
        self.ends = output_ops(model, ops)
        self.seen: list = []  # of each output, what the loss reads
        self.logits: list = []  # likewise; None where it reads no logits
        self.terms: tuple = ()

    @property
    def made(self) -> list:
        """The model's outputs."""
        return [self.outputs[end] for end in self.ends]

    def is_read(self, i: int) -> bool:
        """Whether another op reads the output of this one."""
        return any(i in op.sources for op in self.ops)

    def is_reached(self, i: int, found: dict) -> bool:
        """Whether the loss depends on this op; given the gradients that were found."""
        below = self.form is None or any(
            end == i and found["logits"][k] is not None for k, end in enumerate(self.ends)
            if found["logits"])
        return found["outputs"][i] is not None or below

    def value(self, source: int):
        """The output of an op, or the model's input k for -1 - k."""
        return self.outputs[source] if source >= 0 else self.x[-1 - source]

    def loss(self, y, sample_weight):
        """The model's loss, with the penalties on weights and on outputs."""
        with self.tape:
            # Keras gives the output of a softmax or a sigmoid its logits along for the loss
            for end, output in zip(self.ends, self.made):
                seen = own_copy(widened(output))
                self.tape.watch(seen)  # also of classes, from where nothing leads further back
                self.seen.append(seen)
                along = self.ops[end].along
                if along is not None:
                    seen._keras_mask = along[0].compute_mask(self.value(along[1]))
                logits = getattr(output, "_keras_logits", None)
                if seen.dtype != output.dtype:  # the loss casts what it reads, and so loses them
                    logits = None
                if logits is not None:
                    if logits is self.reads[end][0]:  # a reader of its own, apart from the softmax
                        logits = widened(self.value(self.ops[end].sources[0]))
                    seen._keras_logits = logits = own_copy(logits)
                self.logits.append(logits)
            for op, output in zip(self.ops, self.outputs):
                regularizer = op.layer.activity_regularizer
                if op.last and regularizer is not None:
                    samples = tf.cast(tf.shape(output)[0], output.dtype)
                    op.layer.add_loss(regularizer(output) / samples)
            labels, weights, seen = self._packed(y, sample_weight)
            with naming_part("the loss"):
                loss = self.model.compute_loss(x=as_inputs(self.model, _alone_or_all(self.x)),
                                               y=labels, y_pred=seen, sample_weight=weights,
                                               training=True)
        self.model._clear_losses()
        if self.form is not None:
            self.terms = terms_of(self.model, labels, seen, weights)
        return loss

    def _packed(self, y, sample_weight) -> tuple:
        """Labels, weights and what the loss sees of the outputs, in the model's form."""
        weights = mapped(lambda w: tf.constant(np.asarray(w)), sample_weight)
        if self.form is None:
            return tf.constant(np.asarray(y)), weights, self.seen[0]
        labels = tuple(tf.constant(np.asarray(labels))
                       for labels in filled_in(y, tuple(self.seen)))
        return (as_outputs(self.model, labels), as_outputs(self.model, weights),
                as_outputs(self.model, tuple(self.seen)))

    def _logits(self) -> list[tuple]:
        """(number of the output, its logits) where the loss may read those."""
        return [(k, logits) for k, logits in enumerate(self.logits) if logits is not None]

    def gradients(self, target, weights: list, seed) -> dict:
        """The gradients with respect to all that is asked for, by name.

        Raises:
            KerasError: naming the layer whose gradient TensorFlow cannot compute.
        """
        wanted = {"reads": self.reads, "outputs": self.outputs, "weights": weights,
                  "seen": self.seen, "logits": dict(self._logits())}
        try:
            found = self.tape.gradient(target, wanted, output_gradients=seed)
            by_logits = found["logits"]
            found["logits"] = [by_logits.get(k) for k in range(len(self.logits))]
            return found
        except tf.errors.OpError:
            for op, read, noise, output in zip(self.ops, self.reads, self.noise, self.outputs):
                x = tuple(value.numpy() for value in read)
                held = weights_of(op) | {"noise": noise}
                run_op(op, x if op.merges else x[0], np.ones(output.shape, output.dtype.name), held)
            with naming_part("the way back"):
                raise


def _alone_or_all(arrays: list):
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


def terms_of(model, labels, outputs, weights) -> tuple:
    """Each output's loss by itself, in the order in which Keras adds them up."""
    found = []
    for path, loss, _, _ in model._compile_loss._flat_losses:
        y, seen, weight = labels, outputs, weights
        for key in path:
            y, seen = y[key], seen[key]
            weight = weight[key] if isinstance(weight, (dict, list, tuple)) else weight
        found.append(np.asarray(loss(y, seen, weight)))
    return tuple(found)


def weight_gradients(execution: _Execution, found: dict, variables: list, penalty_scale: float,
                     as_array=array) -> list[dict]:
    """For each op the gradients with respect to the variables that it uses, by their `id`.

    A variable of one op has the tape's. Of one that several calls use, the tape knows the sum
    alone: each call is run once more on its own input and on the gradient of its output; the
    gradient of a penalty is the first call's.

    Args:
        penalty_scale: what the penalties are multiplied by, 0 for none.
        as_array: makes an array of a tensor.
    """
    of_all = {id(v): as_array(g) for v, g in zip(variables, found["weights"]) if g is not None}
    users = Counter(id(v) for op in execution.ops for v in op.variables)
    gradients = []
    for i, op in enumerate(execution.ops):
        trained = [v for v in op.variables if id(v) in of_all]
        own = {id(v): of_all[id(v)] for v in trained if users[id(v)] == 1}
        if len(own) < len(trained) and execution.is_reached(i, found):
            alone = _alone(execution, found, i)
            for v in trained:
                own[id(v)] = alone[execution.ops[i].names[id(v)]]
                if penalty_scale and op.tied_to is None and v.regularizer is not None:
                    own[id(v)] = own[id(v)] + penalty_scale * _penalty_gradient(v)
        gradients.append(own)
    return gradients


def _alone(execution: _Execution, found: dict, i: int) -> dict[str, np.ndarray]:
    """The gradients of a call's weights by name, given the gradient of its output."""
    op, read = execution.ops[i], tuple(value.numpy() for value in execution.reads[i])
    dy = found["outputs"][i]
    if dy is None:
        raise ValueError(f"Layer {op.name!r}: expected a layer that is called more than once to "
                         "hand its output on. Received: one whose loss is computed from its logits")
    held = weights_of(op) | {"noise": execution.noise[i]}
    return run_op(op, read if op.merges else read[0], array(dy), held)[2]


def _penalty_gradient(variable) -> np.ndarray:
    with tf.GradientTape() as tape:
        penalty = variable.regularizer(variable)
    return array(tape.gradient(penalty, variable.value))


def added(gradients: list[dict], key: int) -> np.ndarray | None:
    """The sum of what the ops give for one variable, in their order; None if none does."""
    found = [own[key] for own in gradients if key in own]
    return sum(found[1:], start=found[0]) if found else None


def _part(execution: _Execution, found: dict, i: int, own: dict, updated: dict,
          shared: bool) -> Part:
    op, read = execution.ops[i], tuple(value.numpy() for value in execution.reads[i])
    gradients = tuple(array(gradient) for gradient in found["reads"][i])
    none = all(gradient is None for gradient in gradients)
    return Part(
        op.name, op.part, op.class_name,
        read if op.merges else read[0], array(execution.outputs[i]),
        output_gradient=array(found["outputs"][i]),
        input_gradient=None if none else gradients if op.merges else gradients[0],
        weights={op.names[id(v)]: view(v) for v in op.variables} if shared else weights_of(op),
        weight_gradients={op.names[id(v)]: own[id(v)] for v in op.variables if id(v) in own},
        updated=_updated(op, execution.moved[i], updated),
        noise=execution.noise[i], tied_to=op.tied_to,
    )


def _updated(op: Op, moved: dict, stepped: dict) -> dict[str, np.ndarray]:
    """A call's weights after the step: those that its pass moved, and at a layer's first call those
    that the optimizer changed, from where the pass left them."""
    names = op.names
    after = moved | {names[id(v)]: stepped[id(v)] for v in op.variables
                     if id(v) in stepped and not op.tied_to}
    return {name: after[name] for name in names.values() if name in after}


def weights_of(op: Op) -> dict:
    """What the op's variables hold, by their names."""
    return {op.names[id(v)]: held(np.array(v.numpy())) for v in op.variables}


def one_step(model, variables, gradients, left: dict, shared: bool) -> dict[int, np.ndarray]:
    """Each variable's value after one step of a fresh copy of the model's optimizer.

    Args:
        left: by `id`, what a variable holds that the pass itself has changed.
        shared: whether the values may be TensorFlow's own memory.
    """
    pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
    with precision(rate_dtype(model)):
        # through NumPy: a variable made from another's tensor would share, and change, its memory
        copies = [copied(v, np.array(left.get(id(v), v.numpy()))) for _, v in pairs]
        for (_, v), copy in zip(pairs, copies):
            copy.constraint = v.constraint
        optimizer = fresh_optimizer(model.optimizer, [v for _, v in pairs], copies)
        with naming_part("an optimizer's step"):
            optimizer.apply([tf.cast(gradient, v.dtype) for gradient, v in pairs], copies)
    return {id(v): view(copy) if shared else held(copy.numpy())
            for (_, v), copy in zip(pairs, copies)}
