"""Mistakes of layers that go from step to step: gates, what is carried on, and the way back."""

import numpy as np

from compare.diagnosis.hypotheses.conv_lstm import of_convolutions
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.bidirectional import Bidirectional
from compare.oracle.layers.conv_lstm import ConvLSTM2D
from compare.oracle.layers.recurrent import GRU, LSTM, Recurrent
from compare.oracle.layers.smooth_activations import Tanh
from compare.oracle.layers.time_distributed import TimeDistributed
from compare.oracle.recurrence import added
from compare.oracle.running_error import Bounded

FORMULA, CARRIED, BACK = "gate-formula", "state-not-carried", "gradient-not-carried"
GATES = {LSTM: ("i", "f", "c", "o"), GRU: ("z", "r", "h")}
OPEN = 200.0  # a gate's input for which its sigmoid is 1 in either precision


def of_recurrence(c) -> list[Variant]:
    """Of a recurrent layer, of one that is run in both directions, and of one on every step."""
    if isinstance(c.layer, Bidirectional):
        return _of_directions(c)
    if isinstance(c.layer, TimeDistributed):
        return _of_steps(c)
    if not isinstance(c.layer, Recurrent):
        return []
    found = _of_dropout(c) + _of_weights(c) + _of_gates(c)
    if c.tensor == "output":
        return found + _of_states(c) + _of_last_step(c)
    return found + _of_way_back(c)


def _of_dropout(c) -> list[Variant]:
    """A dropout of the features that is left out, not scaled, or another sample's."""
    if "noise" not in c.weights or not c.training:
        return []
    found = [] if c.tensor != "input_gradient" else [
        inside("mask-missing", "the gradient passes by it",
               lambda c: c.hooked(given_back=lambda layer, right, dz: _undropped(layer, dz)))]
    parts = c.layer.parts_of_noise(np.shape(c.x[0] if isinstance(c.x, tuple) else c.x))
    for rate, place, _ in parts:
        found.append(inside("mask-missing", "nothing is dropped" if len(parts) == 1 else
                            f"nothing of a share of {rate:.4g} is dropped",
                            lambda c, p=place: _with_noise(c, p, np.ones_like)))
        found.append(inside("scale", "what is kept is not made larger", lambda c, p=place, r=rate:
                            _with_noise(c, p, lambda own: own * (1 - r))))
    if any(gates > 1 for _, _, gates in parts):
        found.append(inside("mask-wrong-tensor", "all gates share that of the first",
                            lambda c: _shared(c, parts)))
    if c.config.get("recurrent_dropout"):
        found += [inside("mask-wrong-tensor", f"at each step the state is dropped by {said}",
                         lambda c, b=by: c.hooked(step=_stepwise(b)))
                  for said, by in (("the next sample's mask", 1), ("the last sample's mask", -1))]
    return [*found,
            inside("scale", "what is kept is not made larger", lambda c: _scaled_down(c, parts)),
            inside("mask-missing", "nothing is dropped", lambda c: c.changed(training=False)),
            inside("mask-wrong-tensor", "another sample's",
                   lambda c: c.weighing(noise=np.roll(c.weights["noise"], 1, axis=0)))]


def _undropped(layer, dz: Bounded) -> Bounded:
    return layer.dropping.sent_back(dz, layer.kernel, [None])


def _stepwise(by: int):
    """Each step with the noise of the states that is so many samples further than the last one's.
    """
    def step(layer, right, x, states):
        kept = layer.dropping.of_state
        layer.dropping.of_state = [each.rearranged(
            lambda a: np.roll(a, by * len(layer.kept), axis=0)) for each in kept]
        try:
            return right(x, states)
        finally:
            layer.dropping.of_state = kept
    return step


def _with_noise(c, place, change):
    noise = np.array(c.weights["noise"], np.float64)
    noise[..., place] = change(noise[..., place])
    return c.weighing(noise=noise)


def _shared(c, parts):
    noise = np.array(c.weights["noise"], np.float64)
    for _, place, gates in parts:
        noise[..., place] = np.tile(np.split(noise[..., place], gates, axis=-1)[0], gates)
    return c.weighing(noise=noise)


def _scaled_down(c, parts):
    noise = np.array(c.weights["noise"], np.float64)
    for rate, place, _ in parts:
        noise[..., place] *= 1 - rate
    return c.weighing(noise=noise)


def _of_weights(c) -> list[Variant]:
    """Gates in another order, kernels turned, a second bias."""
    found = []
    names = next((names for kind, names in GATES.items() if isinstance(c.layer, kind)), ("h",))
    units = c.layer.units
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            order = list(range(len(names)))
            order[first], order[second] = order[second], order[first]
            found.append(inside("gate-order", f"{names[first]} and {names[second]} exchanged",
                                lambda c, o=order: _in_order(c, o, units)))
    found.append(inside("transposed-weights", "the recurrent kernel, gate by gate", lambda c:
                        c.weighing(recurrent_kernel=np.concatenate([
                            part.swapaxes(-2, -1) for part in np.split(
                                c.weights["recurrent_kernel"], len(names), axis=-1)], axis=-1))))
    if isinstance(c.layer, ConvLSTM2D):
        found += of_convolutions(c)
    bias = c.weights.get("bias")
    if bias is not None and np.ndim(bias) == 2:
        for said, kept in (("that of the state before is left out", [[1], [0]]),
                           ("that of the input is left out", [[0], [1]])):
            found.append(inside("recurrent-bias", said, lambda c, kept=kept: c.weighing(
                bias=c.weights["bias"] * np.array(kept))))
        found.append(inside("recurrent-bias", "the two are exchanged",
                            lambda c: c.weighing(bias=c.weights["bias"][::-1])))
        if c.tensor == "bias_gradient":
            for said, rows in (("both rows get that of the input", [0, 0]),
                               ("both rows get that of the state before", [1, 1]),
                               ("the two rows are exchanged", [1, 0])):
                found.append(inside("recurrent-bias", said,
                                    lambda c, rows=rows: c.moved(lambda g: g[rows])))
    return found


def _in_order(c, order: list[int], units: int):
    columns = np.arange(len(order) * units).reshape(len(order), units)[order].reshape(-1)
    changed = c.weighing(**{name: np.asarray(weight)[..., columns]
                            for name, weight in c.weights.items() if name != "noise"})
    if c.tensor.endswith("_gradient") and c.tensor.removesuffix("_gradient") in c.weights:
        return changed.moved(lambda g: g[..., np.argsort(columns)])
    return changed


def _of_gates(c) -> list[Variant]:
    """A gate that is always open or always shut, inverted, or at another place."""
    found = []
    for kind, names in GATES.items():
        if not isinstance(c.layer, kind):
            continue
        for gate, name in enumerate(names):
            if name in ("c", "h"):
                continue
            for said, bias in (("is always open", OPEN), ("is always shut", -OPEN)):
                found.append(inside(FORMULA, f"the gate {name} {said}",
                                    lambda c, k=gate, b=bias: _with_gate(c, k, b)))
            found.append(inside(FORMULA, f"1 - {name} stands in place of the gate {name}",
                                lambda c, k=gate: _with_gate(c, k, 0.0, -1.0)))
            for more in (1.0, -1.0):
                found.append(inside(FORMULA, f"{more:+g} is added to the gate {name} before its "
                                    "activation", lambda c, k=gate, b=more: _with_gate(c, k, b, 1.0)
                                    ))
    found.append(inside("activation-missing", "of the cell" if isinstance(c.layer, LSTM) else
                        "of the new state", lambda c: c.hooked(function=_plain)))
    if isinstance(c.layer, GRU):
        after = bool(c.config.get("reset_after", True))
        found.append(inside("reset-gate", "it acts on the state before, not on the product" if after
                            else "it acts on the product, not on the state before",
                            lambda c: _resetting(c, after)))
    return found


def _with_gate(c, gate: int, bias: float, factor: float = 0.0):
    """One gate's input times a factor, plus a bias."""
    units = c.layer.units
    part = slice(gate * units, (gate + 1) * units)
    changed = {}
    for name in c.weights.keys() - {"noise"}:
        changed[name] = np.array(c.weights[name], np.float64)
        changed[name][..., part] *= factor
    width = c.weights["kernel"].shape[-1]
    if "bias" not in changed:
        changed["bias"] = np.zeros((2, width) if isinstance(c.layer, GRU) and c.layer.after
                                   else (width,))
    first = changed["bias"][0] if changed["bias"].ndim == 2 else changed["bias"]
    first[part] += bias
    return c.weighing(**changed)


def _plain(layer, right, x: Bounded, *argument):
    """The activation left out where it is the layer's own, not that of a gate."""
    return right(x, *argument) if argument else (x, _Through({}))


class _Through(Tanh):
    def backward(self, dy: Bounded):
        return dy, {}


def _resetting(c, after: bool):
    changed = c.configured(reset_after=not after)
    bias = c.weights.get("bias")
    if bias is None:
        return changed
    bias = np.asarray(bias, np.float64)
    return changed.weighing(bias=bias.sum(axis=0) if after else np.stack([bias, 0 * bias]))


def _of_states(c) -> list[Variant]:
    """What a step does not know of the one before it."""
    def forgetful(kept):
        return lambda layer, right, x, states: right(x, [
            state if keeps else layer.zeros(x.shape[0]) for state, keeps in zip(states, kept)])

    found = [inside(CARRIED, "no step knows of the one before it",
                    lambda c: c.hooked(step=forgetful((False, False))))]
    if isinstance(c.layer, LSTM):
        found += [inside(CARRIED, said, lambda c, kept=kept: c.hooked(step=forgetful(kept)))
                  for said, kept in (("the cell is not carried on", (True, False)),
                                     ("the output is not carried on", (False, True)))]
    return found


def _of_last_step(c) -> list[Variant]:
    """Another step's state, or the steps from the other end."""
    backwards = bool(c.config.get("go_backwards"))
    found = [inside("other-step", "the steps are read from the " + ("first" if backwards else
                    "last") + " one", lambda c: c.configured(go_backwards=not backwards))]
    if c.config.get("return_state"):  # which lie beside the output
        return found
    if c.config.get("return_sequences"):
        found.append(inside("other-step", "the states come out in reverse",
                            lambda c: c.moved(lambda y: y[:, ::-1])))
        return found
    for said, step in (("the first step's state comes out", 0),
                       ("the last but one step's state comes out", -2)):
        found.append(inside("other-step", said, lambda c, t=step: c.configured(
            return_sequences=True).moved(lambda y: y[:, t])))
    return found


def _of_way_back(c) -> list[Variant]:
    """What a step does not send back to the one before it."""
    def cut(kept):
        def back(layer, right, arrived, d_states, saved):
            dz, sent, more = right(arrived, d_states, saved)
            return dz, [each if keeps else layer.zeros(dz.shape[0])
                        for each, keeps in zip(sent, kept)], more
        return back

    found = [inside(BACK, "the gradient stops at every step",
                    lambda c: c.hooked(step_back=cut((False, False))))]
    if isinstance(c.layer, LSTM):
        found += [inside(BACK, said, lambda c, kept=kept: c.hooked(step_back=cut(kept)))
                  for said, kept in (("the cell's does not go back", (True, False)),
                                     ("the output's does not go back", (False, True)))]
    if isinstance(c.layer, GRU):
        found.append(inside(BACK, "the way past the gates is left out",
                            lambda c: c.hooked(step_back=_by_the_gates)))
    return found


def _by_the_gates(layer, right, arrived, d_states, kept):
    dz, (sent,), more = right(arrived, d_states, kept)
    return dz, [sent - added([*arrived, d_states[0]]) * kept[1]], more


def _of_directions(c) -> list[Variant]:
    """The two directions put together in another way."""
    name, prefix = "directions", "backward_layer/"
    found = [inside(name, "the second layer's states are not turned back",
                    lambda c: c.hooked(_turned=lambda layer, right, a: a))]
    if c.config["merge_mode"] == "concat":
        units = int(c.config["layer"]["config"]["units"])
        if c.tensor == "output":
            found.append(inside(name, "the second layer's states come first", lambda c: c.moved(
                lambda y: np.concatenate([y[..., units:], y[..., :units]], axis=-1))))
        else:
            for said, part in (("only the first layer sends a gradient back", slice(units, None)),
                               ("only the second layer sends a gradient back", slice(units))):
                found.append(inside(name, said, lambda c, part=part: c.changed(
                    dy=_zeroed(c.dy, part))))
    if c.tensor.startswith((prefix, "forward_layer/")):
        way, rest = c.tensor.split("/", 1)
        other = "forward_layer" if way == "backward_layer" else "backward_layer"
        found.append(inside(name, "it gets the gradient of the other direction",
                            lambda c: c.changed(tensor=f"{other}/{rest}")))
    return found


def _zeroed(array, part) -> np.ndarray:
    left = np.array(array)
    left[..., part] = 0
    return left


def _of_steps(c) -> list[Variant]:
    """A layer that is run on every step: one step in place of all."""
    found = [inside("batch-mixed", "steps and samples are merged in one order and parted in the "
                    "other", lambda c: c.moved(lambda y: np.ascontiguousarray(
                        y.swapaxes(0, 1)).reshape(y.shape)))]
    for said, step in (("first", 0), ("last", -1)):
        at = slice(step, None) if step else slice(1)
        if c.tensor == "output":
            found.append(inside("other-step", f"every step gets the {said} one's output", lambda c,
                                at=at: c.moved(lambda y: np.broadcast_to(y[:, at], y.shape))))
        elif c.tensor == "input_gradient":
            found.append(inside("other-step", f"only the {said} step gets a gradient",
                                lambda c, at=at: c.moved(lambda dx: _at_step(dx, at))))
        else:
            found.append(inside("other-step", f"it is that of the {said} step alone", lambda c,
                                at=at: c.changed(x=np.asarray(c.x)[:, at],
                                                 dy=np.asarray(c.value(c.dy))[:, at])))
    return found


def _at_step(array: np.ndarray, at: slice) -> np.ndarray:
    left = np.zeros_like(array)
    left[:, at] = array[:, at]
    return left
