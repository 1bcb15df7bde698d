"""A measurement of speed as plain values, for JSON: every turn, and the figures made of them."""

from dataclasses import asdict

from compare.document.plain_json import dumps
from compare.experiments.performance.cases import AXES, LAYER_PARTS
from compare.experiments.performance.check_cost import CHECK_AXES
from compare.experiments.performance.report import resting_shares
from compare.experiments.performance.results import BLAS, SCHEMA, Row, Speed
from compare.experiments.performance.tables import check_slope, powers, step_curve, taking_part


def as_dict(result: Speed) -> dict:
    """Everything that was measured, as dictionaries, lists, numbers and texts."""
    resting = resting_shares(result)
    return {
        "schema": SCHEMA,
        "kind": "speed",
        "title": result.title,
        "partial": result.partial,
        "stopped": result.stopped,
        "interrupted": result.interrupted,
        "settings": asdict(result.settings),
        "environment": result.environment,
        "base": result.base,
        "absent": [name for name in result.settings.competitors
                   if name not in result.settings.present],
        "competitors": {name: {**asdict(ready), "share_of_a_core_while_waiting": resting.get(name)}
                        for name, ready in result.ready.items()},
        "training": [row_as_dict(row, result) for row in result.part("training")],
        "predict": [row_as_dict(row, result) for row in result.part("predict")],
        "layers": {part: [row_as_dict(row, result) for row in result.part(part)]
                   for part in LAYER_PARTS if result.part(part)},
        "scaling": {axis: curve_as_dict(result, axis) for axis in AXES
                    if result.part("scaling", axis)},
        "check": {axis: {"points": [asdict(cost) for cost in result.check_curve(axis)],
                         "processor_time_over_axis_upper_half": check_slope(result, axis)}
                  for axis in CHECK_AXES if result.check_curve(axis)},
        "memory": {name: asdict(use) for name, use in result.memory.items()},
    }


def row_as_dict(row: Row, result: Speed) -> dict:
    """One row: each competitor's turns, time per sample and ratio, medians and quartiles."""
    competitors = {}
    for name, turns in row.turns.items():
        competitors[name] = {
            "us_per_sample": {key: 1e6 * value for key, value in asdict(row.time(name)).items()},
            "tried": row.how.get(name) or None,
            "turns": [asdict(turn) for turn in turns[:row.pairs]],
        }
        if name not in (result.base, BLAS):
            competitors[name][f"times_{result.base}"] = asdict(row.ratio(name, result.base))
    found = {**asdict(row.case), "pairs": row.pairs,
             "multiply_adds_per_sample": row.multiply_adds, "competitors": competitors}
    if BLAS in row.turns:
        found[f"{result.base}_times_{BLAS}"] = asdict(row.ratio(result.base, BLAS))
    return found


def curve_as_dict(result: Speed, axis: str) -> dict:
    """One scaling curve: its points, and the slopes fitted to them."""
    rows = result.part("scaling", axis)
    return {"points": [row_as_dict(row, result) for row in rows],
            "slopes": {name: powers(*step_curve(rows, name)) for name in taking_part(rows)}}


def as_json(result: Speed) -> str:
    """The same as text."""
    return dumps(as_dict(result))
