"""The first two gates: are the two networks specified alike, and do they hold the same weights?"""

import numpy as np

import scratch
from compare.checks.gate import Gate
from compare.checks.row import Row, bitwise, mismatch
from compare.oracle.low_precision import policy_of
from compare.tracing.configs import UNDECAYED, incidental, layer_entries, without_names
from compare.tracing.grouping import same
from compare.tracing.loss_scale import INNER, rule_of
from compare.tracing.loss_terms import is_joint, terms_of
from compare.tracing.trace import Trace
from compare.tracing.types import Config
from scratch.layers import LAYERS

# Settings of layers that draw at random, which do nothing outside of training.
IN_TRAINING = ("rate", "stddev")
# Rows without which the other gates have nothing to compare.
STRUCTURE = ("layers", "precision", "shape", "pass")


def network(candidate: Trace, reference: Trace) -> list[Row]:
    """One row each for layers, settings, precisions, batch, shape, loss and optimizer."""
    trained = candidate.training or reference.training
    rows = [
        _row("precision", candidate.dtype, reference.dtype),
        _row("layers", _chain(candidate), _chain(reference)),
        _row("settings", *_differences(*(_settings(side, trained) for side in (candidate,
                                                                               reference)))),
        _row("dtypes", *_differences(_promoted(candidate), _promoted(reference))),
        _row("batch", *_batches(candidate, reference)),
        _shape(candidate, reference),
    ]
    if not (candidate.training and reference.training):
        rows.append(_row("pass", *(f"recorded {'in' if side.training else 'outside of'} training"
                                   for side in (candidate, reference))))
    if candidate.y is not None or reference.y is not None:
        rows.append(_row("loss", *_differences(_loss(candidate), _loss(reference))))
        rows.append(_row("optimizer", *_differences(_optimizer(candidate), _optimizer(reference))))
    return rows


def same_structure(rows: list[Row]) -> bool:
    """Whether the networks have the same layers, shapes and precision: else nothing compares."""
    return all(row.passed for row in rows if row.gate is Gate.NETWORK and row.tensor in STRUCTURE)


def weights(candidate: Trace, reference: Trace) -> list[Row]:
    """One row per weight: equal bit for bit, or not."""
    rows = []
    for ours, theirs in zip(candidate.parts, reference.parts):
        if ours.tied_to is not None and theirs.tied_to is not None:
            continue  # further calls of layers whose weights are compared already
        for name in dict.fromkeys([*theirs.weights, *ours.weights]):
            pair = ours.weights.get(name), theirs.weights.get(name)
            make = mismatch if any(array is None for array in pair) else bitwise
            rows.append(make(Gate.WEIGHTS, ours.name, name, *pair))
    rows.sort(key=lambda row: [part.name for part in candidate.parts].index(row.layer))
    return rows


def _row(what: str, ours: object, theirs: object, layer: str = "") -> Row:
    passed = ours == theirs
    note = "" if passed else f"expected {theirs}, received {ours}"
    return Row(Gate.NETWORK, layer, what, passed=passed, kind="exact", note=note,
               used=0.0 if passed else np.inf)


def _chain(trace: Trace) -> list[str]:
    """Each part's class, with the numbers of the parts it reads where it is not the one before, and
    of the part whose weights it uses once more."""
    named = []
    first = {part.layer: i + 1 for i, part in reversed(list(enumerate(trace.parts)))}
    for i, (part, sources) in enumerate(zip(trace.parts, trace.sources)):
        reads = ", ".join(str(source + 1) if source >= -1 else f"input {-source}"
                          for source in sources)
        named.append(part.class_name + (f"/{part.part}" if part.part else "")
                     + ("" if tuple(sources) == (i - 1,) else f" of {reads}")
                     + ("" if part.tied_to is None else f", tied to {first[part.tied_to]}"))
    if trace.ends != [len(trace.parts) - 1]:
        named.append(f"outputs {', '.join(str(end + 1) for end in trace.ends)}")
    return named


def _shape(candidate: Trace, reference: Trace) -> Row:
    """The first output of another shape, with the layer it belongs to; passed if there is none."""
    for ours, theirs in zip(candidate.parts, reference.parts):
        if ours.output.shape != theirs.output.shape:
            return _row("shape", ours.output.shape, theirs.output.shape, ours.name)
    return _row("shape", None, None)


def _settings(trace: Trace, trained: bool) -> Config:
    settings: Config = {**_policies(trace)}
    layers = [layer for _, layer in layer_entries(trace.config)
              if layer["class_name"] != "InputLayer"]
    for i, layer in enumerate(layers):
        for key, value in layer["config"].items():
            if not incidental(key) and (trained or key not in IN_TRAINING):
                settings[f"layer {i + 1} {key}"] = without_names(value)
    return settings


def _policies(trace: Trace) -> Config:
    """The precision of each layer that does not compute in the network's."""
    found = {path: policy_of(entry["config"]).name for path, entry in layer_entries(trace.config)
             if entry["class_name"] in LAYERS}
    return {f"layer {i + 1} precision": name for i, name in enumerate(found.values())
            if name != trace.dtype}


def _promoted(trace: Trace) -> Config:
    """The tensors that are of another precision than the network, and which."""
    return {name: array.dtype.name for name, array in trace.tensors().items()
            if array.dtype.name != trace.dtype}


def _differences(ours: Config, theirs: Config) -> tuple[Config, Config]:
    """The entries that differ. A key that one side leaves out differs only if it is set."""
    keys = [key for key in {**theirs, **ours} if ours.get(key) != theirs.get(key)]
    return {key: ours.get(key) for key in keys}, {key: theirs.get(key) for key in keys}


def _batches(candidate: Trace, reference: Trace) -> tuple[str, str]:
    alike = all(same(getattr(candidate, name), getattr(reference, name))
                for name in ("x", "y", "sample_weight"))
    return ("the same batch", "the same batch") if alike else ("another batch", "the same batch")


def _loss(trace: Trace) -> Config:
    if is_joint(trace):
        return {f"{term.layer} {key}": value for term in terms_of(trace) for key, value in
                {**_described(term.loss), "weight": 1.0 if term.weight is None else term.weight,
                 "computed from logits": term.fused}.items()}
    return {**_described(trace.compile_config.get("loss")), "computed from logits": trace.fused}


def _described(given: object) -> Config:
    try:  # Keras's many names for a loss, and what it leaves out, made one
        loss = scratch.losses.serialize(scratch.losses.get(given))
    except ValueError:  # one that scratch does not have
        loss = {"class_name": str(given), "config": {}}
    config = {key: value for key, value in loss["config"].items() if not incidental(key)}
    return {"loss": loss["class_name"], **config}


def _optimizer(trace: Trace) -> Config:
    optimizer = trace.compile_config.get("optimizer")
    if not isinstance(optimizer, dict):
        return {"optimizer": optimizer}
    rule = rule_of(optimizer)  # of one that scales the loss the one inside
    config = {key: without_names(value) for key, value in {
        **optimizer["config"], **rule["config"], INNER: rule["class_name"]}.items()
        if not incidental(key)}
    # the rate is used in the weights' precision, and that is where it has to be equal
    rate = config.get("learning_rate")
    if isinstance(rate, float):
        config["learning_rate"] = float(np.dtype(trace.dtype).type(rate))
    excluded = {UNDECAYED: sorted(optimizer[UNDECAYED])} if UNDECAYED in optimizer else {}
    return {"optimizer": optimizer["class_name"], **config, **excluded}
