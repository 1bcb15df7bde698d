"""Whether what was stored as a pair of runs is one, of the settings that were asked for."""

import math
from dataclasses import asdict

import numpy as np

from compare.document.plain_json import plain
from compare.experiments.benchmark.results import SCHEMA, SIDES
from compare.experiments.benchmark.settings import Settings

SHARES = ("training_accuracy", "accuracy", "macro_f1")


def require_run(settings: Settings, record: dict) -> None:
    """Hold a stored record against the settings of its run.

    Raises:
        ValueError: naming what was expected and what the record has.
        KeyError, TypeError, IndexError: for a record in which something is missing.
    """
    _require("kind and schema", ("benchmark", SCHEMA), (record["kind"], record["schema"]))
    _require("settings", plain(asdict(settings)), plain(record["settings"]))
    _require("a whole run: partial, interrupted", (False, False),
             (record["partial"], record["interrupted"]))
    _require("twins that were found alike", True, record["check"]["passed"])
    _require("sides", sorted(SIDES), sorted(record["runs"]))
    labels, classes = np.asarray(record["data"]["test_labels"]), record["data"]["class_names"]
    steps = math.ceil(record["data"]["training_images"] / settings.batch_size)
    for side in SIDES:
        epochs = record["runs"][side]["epochs"]
        _require(f"epochs of {side}", list(range(1, settings.epochs + 1)),
                 [epoch["number"] for epoch in epochs])
        for epoch in epochs:
            _require_epoch(epoch, f"{side}, epoch {epoch['number']}", labels, len(classes), steps)


def _require_epoch(epoch: dict, where: str, labels: np.ndarray, classes: int, steps: int) -> None:
    """Hold one epoch's figures against what they can be, and against its predictions."""
    _require(f"steps of {where}", steps, epoch["steps"])
    for name in SHARES:
        if not 0 <= epoch[name] <= 1:
            raise ValueError(f"expected {name} of {where} from 0 to 1. Received: {epoch[name]!r}")
    for name in ("training_loss", "seconds"):
        if not 0 <= epoch[name] < math.inf:
            raise ValueError(f"expected {name} of {where} to be finite and not negative. "
                             f"Received: {epoch[name]!r}")
    predictions = np.asarray(epoch["predictions"])
    _require(f"predictions of {where}", labels.shape, predictions.shape)
    if not np.isin(predictions, np.arange(classes)).all():
        raise ValueError(f"expected predictions of {where} to be classes from 0 to {classes - 1}. "
                         f"Received: {predictions.min()} to {predictions.max()}")
    right = float((predictions == labels).mean())
    if not math.isclose(right, epoch["accuracy"], rel_tol=1e-9):
        raise ValueError(f"expected the accuracy of {where} that its predictions have, {right!r}. "
                         f"Received: {epoch['accuracy']!r}")


def _require(what: str, expected, received) -> None:
    if expected != received:
        raise ValueError(f"expected {what}: {expected!r:.300}. Received: {received!r:.300}")
