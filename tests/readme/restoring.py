"""Results made of their JSON again, as far as their reports need them: so what a command printed
can be shown anew without running it."""

import dataclasses

import numpy as np


def printed_of(record: dict) -> str | None:
    """What a benchmark or a measurement of speed had printed; None for the JSON of other commands,
    which does not say."""
    from compare.experiments import benchmark, performance

    if record.get("kind") == "benchmark":
        return benchmark.render(benchmark_of(record))
    return performance.render(speed_of(record)) if record.get("kind") == "speed" else None


def benchmark_of(record: dict):
    """A `compare.experiments.benchmark.results.Benchmark` as far as its report needs it."""
    from compare.experiments.benchmark.results import Benchmark, Check, DataInfo
    from compare.experiments.benchmark.settings import Settings
    from compare.inputs.benchmark_networks import LayerInfo

    data = {**record["data"], "test_labels": np.array(record["data"]["test_labels"])}
    return Benchmark(
        settings=taken(Settings, record["settings"]), data=taken(DataInfo, data),
        layers=[taken(LayerInfo, layer) for layer in record["network"]],
        environment=record["environment"],
        runs={side: run_of(side, run) for side, run in record["runs"].items()},
        check=taken(Check, record["check"]) if record["check"] else None,
        stopped=record["stopped"], interrupted=record["interrupted"])


def run_of(side: str, run: dict):
    """One side of it."""
    from compare.experiments.benchmark.results import Epoch, Progress, Ready, RunResult

    epochs = [taken(Epoch, {**epoch, "predictions": np.array(epoch["predictions"]),
                            "confidences": np.empty(0), "peak_memory": epoch["peak_memory_bytes"],
                            "checksum": int(epoch["batches_crc32"], 16)})
              for epoch in run["epochs"]]
    unfinished = run["unfinished"] and Progress(**run["unfinished"], curve=[])
    curve = list(zip(run["loss_curve"]["steps"], run["loss_curve"]["losses"]))
    return RunResult(side, taken(Ready, run) if "how" in run else None, epochs, curve, unfinished)


def speed_of(record: dict):
    """A `compare.experiments.performance.results.Speed`."""
    from compare.experiments.performance.check_cost import CheckCase, CheckCost
    from compare.experiments.performance.results import MemoryUse, Ready, Speed
    from compare.experiments.performance.settings import Settings

    rows = record["training"] + record["predict"]
    rows += [point for curve in record["scaling"].values() for point in curve["points"]]
    return Speed(
        settings=taken(Settings, record["settings"]), environment=record["environment"],
        rows=[row_of(row) for row in rows],
        ready={name: taken(Ready, ready) for name, ready in record["competitors"].items()},
        memory={name: taken(MemoryUse, use) for name, use in record["memory"].items()},
        checks={CheckCase(**point["case"]): CheckCost(**{**point, "case": CheckCase(
            **point["case"])}) for curve in record.get("check", {}).values()
            for point in curve["points"]},
        stopped=record["stopped"], interrupted=record["interrupted"])


def row_of(row: dict):
    """One row of its tables."""
    from compare.experiments.performance.cases import Case
    from compare.experiments.performance.results import Row, Turn

    return Row(taken(Case, row), row["multiply_adds_per_sample"],
               {name: [taken(Turn, turn) for turn in found["turns"]]
                for name, found in row["competitors"].items()},
               {name: found["tried"] for name, found in row["competitors"].items()
                if found["tried"]})


def taken(kind, values: dict):
    """A dataclass made of those of the values that it has a field for."""
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})
