"""Layers once more, by their definitions, in loops over complex numbers that differentiate
themselves.

A gradient is the complex step's: for an analytic f, Im f(x + ih) / h is f'(x) to the last digits
for a tiny h, since nothing is subtracted. No derivative is written down here.
"""

import cmath
import itertools
import math

import numpy as np

from tests.scratch.support.conv_lstm_definition import conv_lstm

STEP = 1e-100


def lines(shape, axes):
    """For each place on the other axes, the indices of the numbers along `axes`."""
    axes = [a % len(shape) for a in axes]
    others = [range(1) if i in axes else range(n) for i, n in enumerate(shape)]
    along = [range(n) if i in axes else range(1) for i, n in enumerate(shape)]
    for place in itertools.product(*others):
        yield [tuple(map(sum, zip(place, step))) for step in itertools.product(*along)]


def listed(axis):
    return [axis] if isinstance(axis, int) else list(axis or ())


def single(value):
    """Plain numbers as TensorFlow takes them in every precision, an array as it is."""
    return value if isinstance(value, np.ndarray) else np.asarray(value, np.float32).astype(float)


def rescaling(config, inputs, weights):
    (x,) = inputs
    return x * single(config["scale"]) + single(config.get("offset", 0.0))


def normalization(config, inputs, weights):
    (x,), y = inputs, np.empty(inputs[0].shape, complex)
    axes = sorted(a % x.ndim for a in listed(config.get("axis", -1)))
    sizes = [x.shape[a] for a in axes]
    mean, variance = (np.broadcast_to(single(config[name]) if config.get(name) is not None
                                      else weights[name], sizes) for name in ("mean", "variance"))
    for index in np.ndindex(*x.shape):
        place = tuple(index[a] for a in axes)
        deviation = max(math.sqrt(variance[place]), 1e-7)
        y[index] = (x[index] * deviation + mean[place] if config.get("invert")
                    else (x[index] - mean[place]) / deviation)
    return y


def group_normalization(config, inputs, weights):
    (x,), y = inputs, np.empty(inputs[0].shape, complex)
    axis = config.get("axis", -1) % x.ndim
    groups = x.shape[axis] if config["groups"] == -1 else config["groups"]
    size = x.shape[axis] // groups
    for sample, group in itertools.product(range(len(x)), range(groups)):
        own = [i for i in np.ndindex(*x.shape) if i[0] == sample and i[axis] // size == group]
        mean = sum(x[i] for i in own) / len(own)
        variance = sum((x[i] - mean) ** 2 for i in own) / len(own)
        for i in own:
            normal = (x[i] - mean) / cmath.sqrt(variance + config.get("epsilon", 1e-3))
            y[i] = (weights["gamma"][i[axis]] if "gamma" in weights else 1) * normal
            y[i] += weights["beta"][i[axis]] if "beta" in weights else 0
    return y


def einsum_dense(config, inputs, weights):
    """Each output is a sum over all values of the letters that it has not."""
    (x,), kernel = inputs, weights["kernel"]
    source, rest = config["equation"].split(",")
    of_kernel, output = rest.split("->")
    more = "ABC"[:x.ndim - len(source.replace("...", ""))]
    source, output = (named.replace("...", more) for named in (source, output))
    sizes = {**dict(zip(source, x.shape)), **dict(zip(of_kernel, kernel.shape))}
    y = np.zeros([sizes[letter] for letter in output], complex)
    for values in itertools.product(*map(range, sizes.values())):
        at = dict(zip(sizes, values))
        product = x[tuple(at[c] for c in source)] * kernel[tuple(at[c] for c in of_kernel)]
        y[tuple(at[c] for c in output)] += product
    return y + weights["bias"] if "bias" in weights else y


def attention(config, inputs, weights):
    """For each query a mean of the values, weighted by exp of the scores."""
    query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
    scale = weights.get("scale", 1.0)
    y = np.zeros((*query.shape[:2], value.shape[2]), complex)
    for n, i in np.ndindex(*query.shape[:2]):
        scores = []
        for k in key[n]:
            if "score_mode" not in config and "additive" in config:
                score = sum(scale * np.tanh(query[n, i] + k) if np.ndim(scale) else
                            np.tanh(query[n, i] + k))
            elif config.get("score_mode") == "concat":
                score = weights["concat_score_weight"] * sum(np.tanh(scale * (query[n, i] + k)))
            else:
                score = scale * sum(query[n, i] * k)
            scores.append(score)
        shares = [cmath.exp(score - scores[0].real) for score in scores]
        y[n, i] = sum(share * v for share, v in zip(shares, value[n])) / sum(shares)
    return y


def additive_attention(config, inputs, weights):
    return attention({**config, "additive": True}, inputs, weights)


def multi_head_attention(config, inputs, weights):
    """Head by head: projections, a weighted mean of values, and a sum over heads."""
    query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])

    group = config.get("group", 1)  # of query heads that share one of keys and values

    def projected(name, x, head):
        head = head if name == "query" else head // group
        bias = weights[f"{name}/bias"][head] if f"{name}/bias" in weights else 0
        return sum(x[d] * weights[f"{name}/kernel"][d, head] for d in range(len(x))) + bias

    out = weights["attention_output/kernel"]
    y = np.zeros((*query.shape[:2], out.shape[2]), complex)
    for n, i in np.ndindex(*query.shape[:2]):
        for head in range(config["num_heads"]):
            q = projected("query", query[n, i], head)
            scores = [sum(q * projected("key", k, head)) * single(config["key_dim"] ** -0.5)
                      for k in key[n]]
            shares = [cmath.exp(score - scores[0].real) for score in scores]
            mean = sum(share * projected("value", v, head)
                       for share, v in zip(shares, value[n])) / sum(shares)
            y[n, i] += sum(mean[v] * out[head, v] for v in range(len(mean)))
        y[n, i] += weights.get("attention_output/bias", 0)
    return y


def grouped_query_attention(config, inputs, weights):
    heads = config["num_query_heads"]
    return multi_head_attention({"num_heads": heads, "key_dim": config["head_dim"],
                                 "group": heads // config["num_key_value_heads"]}, inputs, weights)


SQUASHING = {"tanh": cmath.tanh, "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)),
             "linear": lambda z: z}


def recurrence(config, inputs, weights, step, states):
    """The first state after each step, or after the last one; `step` makes the next states of a
    sample, unit by unit, from its sums with input and state, given the number of a column. With
    return_state a list of that and of all states after the last step.

    Args:
        inputs: the sequences, and behind them the states to begin with, if these are no zeros.
    """
    units, outputs, last = config["units"], [], []
    bias = weights.get("bias", np.zeros(1))
    for number, sample in enumerate(inputs[0]):
        before = [list(state[number]) for state in inputs[1:]] or [
            [0.0] * units for _ in range(states)]
        rows = []
        for features in sample[::-1] if config.get("go_backwards") else sample:
            def of_input(column, features=features):
                own = bias[0] if bias.ndim == 2 else bias
                return sum(features[i] * weights["kernel"][i, column] for i in range(len(features))
                           ) + (own[column] if "bias" in weights else 0)

            def of_state(column, h):
                own = bias[1, column] if bias.ndim == 2 else 0
                return sum(h[i] * weights["recurrent_kernel"][i, column]
                           for i in range(units)) + own

            before = step(of_input, of_state, before)
            rows.append(before[0])
        outputs.append(rows if config.get("return_sequences") else rows[-1])
        last.append(before)
    if not config.get("return_state"):
        return np.array(outputs)
    return [np.array(outputs), *np.array(last).swapaxes(0, 1)]


def functions(config):
    return [SQUASHING[config.get(key, usual)] for key, usual in (
        ("activation", "tanh"), ("recurrent_activation", "sigmoid"))]


def simple_rnn(config, inputs, weights):
    squash, units = functions(config)[0], range(config["units"])

    def step(of_input, of_state, states):
        return [[squash(of_input(u) + of_state(u, states[0])) for u in units]]

    return recurrence(config, inputs, weights, step, 1)


def lstm(config, inputs, weights):
    (squash, gate), n = functions(config), config["units"]

    def step(of_input, of_state, states):
        h, c = states
        new_h, new_c = [], []
        for u in range(n):
            i, f, g, o = (of_input(k * n + u) + of_state(k * n + u, h) for k in range(4))
            new_c.append(gate(f) * c[u] + gate(i) * squash(g))
            new_h.append(gate(o) * squash(new_c[-1]))
        return [new_h, new_c]

    return recurrence(config, inputs, weights, step, 2)


def gru(config, inputs, weights):
    (squash, gate), n = functions(config), config["units"]

    def step(of_input, of_state, states):
        (h,), new = states, []
        z, r = ([gate(of_input(k * n + u) + of_state(k * n + u, h)) for u in range(n)]
                for k in range(2))
        for u in range(n):
            if config.get("reset_after", True):
                inner = r[u] * of_state(2 * n + u, h)
            else:
                inner = of_state(2 * n + u, [r[i] * h[i] for i in range(n)])
            new.append(z[u] * h[u] + (1 - z[u]) * squash(of_input(2 * n + u) + inner))
        return [new]

    return recurrence(config, inputs, weights, step, 1)


def rms_normalization(config, inputs, weights):
    (x,), y = inputs, np.empty(inputs[0].shape, complex)
    for own in lines(x.shape, listed(config.get("axis", -1))):
        square = sum(x[i] ** 2 for i in own) / len(own)
        for i in own:
            y[i] = x[i] / cmath.sqrt(square + config.get("epsilon", 1e-6))
    return y * weights["scale"]


def unit(x, axes, shortest):
    y = np.empty(x.shape, complex)
    for own in lines(x.shape, axes):
        length = cmath.sqrt(sum(x[i] ** 2 for i in own))
        for i in own:
            y[i] = x[i] / (length if length.real >= shortest else shortest)
    return y


def unit_normalization(config, inputs, weights):
    return unit(inputs[0], listed(config.get("axis", -1)), 1e-12)


def repeat_vector(config, inputs, weights):
    (x,) = inputs
    y = np.empty((x.shape[0], config["n"], x.shape[1]), complex)
    for n, i, c in np.ndindex(*y.shape):
        y[n, i, c] = x[n, c]
    return y


def dot(config, inputs, weights):
    axes = listed(config["axes"]) * (2 if isinstance(config["axes"], int) else 1)
    places = [axis % x.ndim for axis, x in zip(axes, inputs)]
    if config.get("normalize"):
        inputs = [unit(x, [axis], 1e-7) for x, axis in zip(inputs, places)]
    others = [[range(n) for i, n in enumerate(x.shape) if i not in (0, axis)]
              for x, axis in zip(inputs, places)]
    rows = []
    for sample in range(len(inputs[0])):
        for first in itertools.product(*others[0]):
            for second in itertools.product(*others[1]):
                rows.append(sum(
                    inputs[0][sample][(*first[:places[0] - 1], k, *first[places[0] - 1:])]
                    * inputs[1][sample][(*second[:places[1] - 1], k, *second[places[1] - 1:])]
                    for k in range(inputs[0].shape[places[0]])))
    shape = [len(r) for r in (*others[0], *others[1])] or [1]
    return np.array(rows).reshape(len(inputs[0]), *shape)


def images(x, config):
    return np.moveaxis(x, 1, -1) if config.get("data_format") == "channels_first" else x


def cubic(i, size, new):
    """Keys's convolution kernel at the nearest of 1024 places; float32 decides which that is."""
    half = np.float32(0.5)
    at = (np.float32(i) + half) * (np.float32(size) / np.float32(new)) - half
    low = math.floor(at)
    between = round(float((at - np.float32(low)) * np.float32(1024))) / 1024

    def share(d):
        d = abs(d)
        if d < 1:
            return 1.5 * d**3 - 2.5 * d**2 + 1
        return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2

    own = [(j, share(low + between - j)) for j in range(low - 1, low + 3) if 0 <= j < size]
    total = math.fsum(s for _, s in own)
    return [(j, s / total) for j, s in own]


def resized(x, height, width, interpolation):
    """Each pixel from where its middle lies in x (N, H, W, C)."""
    def read(i, size, new):
        """[(pixel, share)] of an axis."""
        if interpolation == "nearest":
            return [(min(int((np.float32(i) + np.float32(0.5))
                             * (np.float32(size) / np.float32(new))), size - 1), 1.0)]
        if interpolation == "bicubic":
            return cubic(i, size, new)
        at = min(max((i + 0.5) * size / new - 0.5, 0.0), size - 1.0)
        return [(j, 1 - abs(at - j)) for j in range(size) if abs(at - j) < 1]

    y = np.zeros((len(x), height, width, x.shape[-1]), complex)
    for n, i, j, c in np.ndindex(*y.shape):
        for p, down in read(i, x.shape[1], height):
            for q, across in read(j, x.shape[2], width):
                y[n, i, j, c] += down * across * x[n, p, q, c]
    return y


def middle(x, height, width):
    """The middle of x, or the whole of an axis that is no longer."""
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    return x[:, top:top + height, left:left + width]


def of_aspect(x, height, width):
    """The largest middle of x that has the aspect ratio."""
    rows, columns = x.shape[1:3]
    return middle(x, min(rows, max(1, columns * height // width)),
                  min(columns, max(1, rows * width // height)))


def center_crop(config, inputs, weights):
    x, height, width = images(inputs[0], config), config["height"], config["width"]
    if x.shape[1] >= height and x.shape[2] >= width:
        y = middle(x, height, width)
    else:
        y = resized(of_aspect(x, height, width), height, width, "bilinear")
    return np.moveaxis(y, -1, 1) if config.get("data_format") == "channels_first" else y


def resizing(config, inputs, weights):
    x, height, width = images(inputs[0], config), config["height"], config["width"]
    if config.get("crop_to_aspect_ratio"):
        x = of_aspect(x, height, width)
    if config.get("pad_to_aspect_ratio"):
        rows, columns = x.shape[1:3]
        down = max(0, columns * height // width - rows) // 2
        across = max(0, rows * width // height - columns) // 2
        framed = np.full((len(x), rows + 2 * down, columns + 2 * across, x.shape[3]),
                         config.get("fill_value", 0.0), complex)
        framed[:, down:down + rows, across:across + columns] = x
        x = framed
    y = resized(x, height, width, config.get("interpolation", "bilinear"))
    return np.moveaxis(y, -1, 1) if config.get("data_format") == "channels_first" else y


def of_images(config, inputs, weights):
    return conv_lstm(config, inputs[0], weights, *functions(config))


DEFINITIONS = {
    "ConvLSTM1D": of_images, "ConvLSTM2D": of_images, "ConvLSTM3D": of_images,
    "Rescaling": rescaling, "Normalization": normalization,
    "GroupNormalization": group_normalization, "RMSNormalization": rms_normalization,
    "GroupedQueryAttention": grouped_query_attention,
    "MultiHeadAttention": multi_head_attention, "SimpleRNN": simple_rnn, "LSTM": lstm, "GRU": gru,
    "EinsumDense": einsum_dense, "Attention": attention, "AdditiveAttention": additive_attention,
    "LayerScale": lambda config, x, weights: x[0] * weights["gamma"],
    "OwnWeight": lambda config, x, weights: np.stack(
        [weights[config["weight"]].reshape(config["output_shape"])] * len(x[0])),
    "CustomScaleLayer": lambda config, x, weights: x[0] + x[1] * config["scale"],
    "UnitNormalization": unit_normalization, "RepeatVector": repeat_vector, "Dot": dot,
    "CenterCrop": center_crop, "Resizing": resizing, "Identity": lambda config, x, weights: x[0],
}


def by_definition(name, config, inputs, weights, dy, learned) -> dict:
    """Output and all gradients, by tensor name: those of several inputs as in a trace.

    Args:
        inputs: a list of arrays.
        learned: the weights that have a gradient.
    """
    def outputs(inputs, weights):
        return DEFINITIONS[name](config, inputs, weights)

    def gradient(array, put):
        found = np.empty(array.shape)
        for index in np.ndindex(*array.shape):
            moved = array.astype(complex)
            moved[index] += 1j * STEP
            found[index] = math.fsum((dy * (put(moved).imag / STEP)).ravel())
        return found

    inputs = [x.astype(complex) for x in inputs]
    made = {"output": outputs(inputs, weights).real}
    for i, x in enumerate(inputs):
        made[f"input_gradient_{i + 1}" if len(inputs) > 1 else "input_gradient"] = gradient(
            x, lambda moved, i=i: outputs([*inputs[:i], moved, *inputs[i + 1:]], weights))
    for weight in learned:
        made[f"{weight}_gradient"] = gradient(
            weights[weight], lambda moved, w=weight: outputs(inputs, {**weights, w: moved}))
    return made
