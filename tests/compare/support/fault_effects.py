"""Everything that a small scratch model computes, on ordinary numbers and on those that few draw.

Two models that differ anywhere in it are different functions: a fault that changes nothing of it
would be no fault. Nothing here is held against Keras, and nothing is judged.
"""

import contextlib
import copy

import numpy as np

import compare
import scratch
from compare.evaluation.fuzzing.specification import batch_of, sample_weights_of, targets_of
from compare.tracing import noise
from scratch.losses.cross_entropy import CrossEntropy
from scratch.several import Several, each, joined, mapped

# of steps made: the first ones, around boundaries of 1,000 and 2,000, beyond a float16's integers
ITERATIONS = (0, 1, 2, 3, 4, 5, 500, 999, 1000, 1001, 1500, 2000, 2051, 3000)
SCALES = (1.0, 0.0, 1e-3, 1e4)  # of gradients, on both sides of every limit


def effects(model, network) -> list[np.ndarray]:
    """All of it, as arrays in an order of their own; the model is left as it was."""
    with np.errstate(all="ignore"):
        found = [*of_a_batch(copy.deepcopy(model), network)]
        found += of_layers(copy.deepcopy(model), network)
        if model.loss is not None:
            found += of_epochs(copy.deepcopy(model), network)
            found += of_loss(copy.deepcopy(model.loss), network, shapes(model, network))
            found += of_optimizer(copy.deepcopy(model), network)
    return [np.asarray(array) for array in found]


def same(a, b) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(a, b))


def of_a_batch(model, network):
    """A trace on the network's batch, and three steps of training on it and on another one."""
    scratch.set_random_seed(3)
    x, y, weight = batch(model, network)
    trace = compare.record(model, x, y, sample_weight=weight, noise=noise.drawn(model, x),
                           **({} if y is not None else {"upstream": upstream(model, x)}))
    yield from trace.tensors().values()
    if trace.loss is None:
        return
    yield np.asarray(trace.loss)
    weighted = {} if weight is None else {"sample_weight": weight}
    overflowing = (1e6,) if model.optimizer.skips_nonfinite else ()
    for factor in (1, 0.5, 1, *overflowing):
        try:
            value, output = model.train_step(scaled(x, factor), y, **weighted)
        except scratch.NonFiniteLossError as error:  # its effect is where the step leads
            model.update()
            value, output = error.loss, np.asarray(error.loss)
        yield np.asarray(float(value))
        yield from each(output)
        yield from (layer.noise for layer in model.layers if layer.noise is not None)
        yield from (g for layer in model.layers for g in layer.grads.values())
    yield from model.get_weights()
    yield from each(model.forward(x))


def of_layers(model, network):
    """Each layer by itself: on whole numbers with many ties, on large ones, twice in a row."""
    for i, layer in enumerate(model.layers):
        scratch.set_random_seed(4)
        rng = np.random.default_rng([network.seed[-1], i])
        shape = layer.input_shape
        for scale in (1.0, 40.0, 1e-4):
            kept = []
            for training in (True, False):
                x = drawn(rng, shape, scale, layer.dtype)
                if isinstance(layer, scratch.Embedding):  # of class numbers
                    x = np.abs(x) // 1 % layer.input_dim
                if isinstance(layer, scratch.CategoryEncoding):
                    x = np.abs(x) // 1 % layer.num_tokens
                if isinstance(layer, scratch.Masking):  # some steps of the value alone
                    x[:, ::2] = layer.mask_value
                y = layer.forward(x, training)
                dy = np.asarray(rng.standard_normal(y.shape), layer.dtype)
                kept += [y, x if not isinstance(x, list) else x[0], layer.backward(dy), dy]
                kept += list(layer.grads.values())  # as they are after the calls that follow
            yield from (np.array(a) for each in kept
                        for a in (each if isinstance(each, list) else [each]))
        if layer.noise is not None:
            for _ in range(2):
                layer.forward(np.zeros((400, *shape[1:]), layer.dtype), training=True)
                yield layer.noise
        yield from (regularizer.gradient(np.round(layer.params[name]))
                    for name, regularizer in layer.regularizers.items())


def drawn(rng, shape, scale, dtype):
    if isinstance(shape, list):
        return [drawn(rng, each, scale, dtype) for each in shape]
    return np.asarray(rng.integers(-6, 7, (shape[0] or 5, *shape[1:])) * scale, dtype)


def of_epochs(model, network):
    """Two epochs of unequal batches, and what is predicted and reported behind them."""
    scratch.set_random_seed(5)
    x, y, weight = batch(model, network)
    # all of one size where states go on from batch to batch
    size = next((layer.batch_size for layer in model.layers
                 if getattr(layer, "stateful", False)), 3)
    x, y = joined([x, scaled(x[:size], 0.5)]), joined([y, y[:size]])
    weighted, first = {}, {}
    if weight is not None:
        weighted = {"sample_weight": joined([weight, weight[:size]])}
        first = {"sample_weight": weight[:size]}
    with contextlib.suppress(scratch.NonFiniteLossError):  # a rate may be too large for a loss
        history = model.fit(x, y, batch_size=size, epochs=2, shuffle=True, verbose=0, **weighted)
        yield np.asarray(history.history["loss"])
    yield from model.get_weights()
    yield np.asarray(model.evaluate(x, y, batch_size=size, verbose=0, **weighted))
    predicted = model.predict(x, batch_size=size, verbose=0)
    yield from predicted if isinstance(predicted, list) else [predicted]
    with contextlib.suppress(scratch.NonFiniteLossError):
        yield np.asarray(model.train_on_batch(x[:size], y[:size], **first))
    yield from model.get_weights()


def of_loss(loss, network, shape):
    """The loss where outputs and targets are equal, at margins, of large logits, of zeros."""
    rng = np.random.default_rng(6)
    y = targets_of(network, shape)
    given = {"from_logits": True} if isinstance(loss, CrossEntropy) else {}
    given["sample_weight"] = sample_weights_of(network, shape)
    several = isinstance(y, Several)
    sizes = Several(map(np.zeros, shape)) if several else np.zeros(shape)

    def signs(zeros):
        return rng.integers(-1, 2, zeros.shape)

    points = [sizes, mapped(signs, sizes), mapped(lambda zeros: 90.0 * signs(zeros), sizes),
              mapped(lambda zeros: 1e-9 + rng.random(zeros.shape), sizes)]
    if not several and np.shape(y) == shape:
        points += [y, np.where(rng.random(shape) < 0.5, y, y + 1)]
    for z in points:
        z = mapped(lambda array: np.asarray(array, network.dtype), z)
        yield np.asarray(float(loss.forward(y, z, **given)))
        yield from map(np.array, each(loss.backward()))


def of_optimizer(model, network):
    """Weights, slots and the gradients themselves after steps with many numbers and sizes."""
    rng = np.random.default_rng(7)
    weights = [w.copy() for w in model.trainable_variables]
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    for step in ITERATIONS:
        for scale in SCALES:
            given = [np.asarray(scale * rng.standard_normal(w.shape), w.dtype) for w in weights]
            if optimizer.built:
                optimizer.iterations = step
            optimizer.apply(given, weights)
            yield from (np.array(array) for array in (*given, *weights, *optimizer.slots()))


def batch(model, network):
    """(inputs, labels or None, weights of samples or None)."""
    if network.loss is None:
        return batch_of(network), None, None
    output = shapes(model, network)
    return batch_of(network), targets_of(network, output), sample_weights_of(network, output)


def shapes(model, network):
    """The output's shape for a batch of the network's, or a list of the outputs' ones."""
    if network.outputs:
        return [(network.batch, *shape[1:]) for shape in model.output_shape]
    return (network.batch, *model.output_shape[1:])


def scaled(x, factor):
    return mapped(lambda array: np.asarray(factor * array, array.dtype), x)


def upstream(model, x):
    return np.random.default_rng(8).standard_normal(
        (len(x), *model.output_shape[1:])).astype(model.dtype)
