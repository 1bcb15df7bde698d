"""A benchmark as plain values, for JSON: everything that was measured, with a schema version."""

from dataclasses import asdict

from compare.document.plain_json import dumps
from compare.experiments.benchmark import tables
from compare.experiments.benchmark.metrics import figures
from compare.experiments.benchmark.report import agreement_of
from compare.experiments.benchmark.results import SCHEMA, Benchmark, Check, Epoch, RunResult


def as_dict(result: Benchmark) -> dict:
    """Everything in a benchmark, as dictionaries, lists, numbers and texts."""
    info = result.data
    return {
        "schema": SCHEMA,
        "kind": "benchmark",
        "title": result.title,
        "partial": result.partial,
        "stopped": result.stopped,
        "interrupted": result.interrupted,
        "compared_epoch": result.last_epoch or None,
        "settings": asdict(result.settings),
        "data": {"name": info.name, "title": info.title, "source": info.source,
                 "fallback_reason": info.fallback_reason, "class_names": info.class_names,
                 "training_images": info.training_images, "test_images": len(info.test_labels),
                 "test_labels": info.test_labels},
        "environment": result.environment,
        "network": [asdict(layer) for layer in result.layers],
        "published": ({name: asdict(p) for name, p in result.settings.protocol.published.items()}
                      if tables.has_published(result) else None),
        "check": check_as_dict(result.check) if result.check else None,
        "runs": {side: run_as_dict(run, result) for side, run in result.runs.items()},
        "agreement": agreement_as_dict(result) if result.last_epoch else None,
    }


def check_as_dict(check: Check) -> dict:
    """What was said of the twins."""
    return {"passed": check.passed, "summary": check.summary, "text": check.text,
            "rows": check.rows}


def run_as_dict(run: RunResult, result: Benchmark) -> dict:
    """One side: how it ran, every epoch, and the loss at finer steps."""
    ready = asdict(run.ready) if run.ready else {}
    return {**ready,
            "epochs": [epoch_as_dict(epoch, result) for epoch in run.epochs],
            "loss_curve": {"steps": [step for step, _ in run.curve],
                           "losses": [loss for _, loss in run.curve]},
            "unfinished": ({"epoch": run.unfinished.epoch, "step": run.unfinished.step,
                            "steps": run.unfinished.steps, "loss": run.unfinished.loss}
                           if run.unfinished else None)}


def epoch_as_dict(epoch: Epoch, result: Benchmark) -> dict:
    """One finished epoch with its test figures."""
    names = result.data.class_names
    found = figures(result.data.test_labels, epoch.predictions, len(names))
    return {
        "number": epoch.number, "steps": epoch.steps, "seconds": epoch.seconds,
        "ms_per_step": 1000 * epoch.seconds / epoch.steps,
        "training_loss": epoch.training_loss, "training_accuracy": epoch.training_accuracy,
        "batches_crc32": f"{epoch.checksum:08x}", "peak_memory_bytes": epoch.peak_memory,
        "accuracy": found.accuracy, "macro_f1": found.macro_f1,
        "per_class": [{"class": name, "images": found.support[i], "precision": found.precision[i],
                       "recall": found.recall[i], "f1": found.f1[i]}
                      for i, name in enumerate(names)],
        "confusion": found.confusion,  # rows are labels, columns predictions
        "predictions": epoch.predictions,
    }


def agreement_as_dict(result: Benchmark) -> dict:
    found = agreement_of(result)
    return {**asdict(found), "neither_right": found.neither_right,
            "share": found.same / found.images}


def as_json(result: Benchmark) -> str:
    """The same as text."""
    return dumps(as_dict(result))
