"""A replication as plain values, for JSON: the statistics, and every run's figures."""

from dataclasses import asdict

from compare.document.plain_json import dumps
from compare.experiments.benchmark.results import SIDES
from compare.experiments.replication.report import title, verdict
from compare.experiments.replication.results import MEASURES, Replication

SCHEMA = 1


def as_dict(result: Replication) -> dict:
    """Everything in a replication but the single test images' predictions."""
    first = result.first
    return {
        "schema": SCHEMA,
        "kind": "campaign",
        "title": title(result),
        "verdict": verdict(result),
        "margin": result.margin,
        "settings": {key: value for key, value in first["settings"].items() if key != "seed"},
        "seeds": [run.seed for run in result.runs],
        "environment": first["environment"],
        "summaries": {side: {measure: asdict(result.summary(side, measure))
                             for measure in MEASURES} for side in SIDES},
        "equivalence": {measure: asdict(result.equivalence(measure)) for measure in MEASURES},
        "published": [{"name": name, "side": side, "measure": measure, **asdict(stands)}
                      for name, side, measure, stands in result.places()],
        "runs": [{"seed": run.seed,
                  **{side: {measure: run.figure(side, measure) for measure in MEASURES}
                     for side in SIDES},
                  "predictions": asdict(pair)}
                 for run, pair in zip(result.runs, result.pairs)],
    }


def as_json(result: Replication) -> str:
    """The same as text."""
    return dumps(as_dict(result))
