"""Single layers that are measured: everybody runs the same ones, in the same shapes."""

import numpy as np
import pytest

from compare.experiments.execution.worker_process import Worker
from compare.experiments.performance import report
from compare.experiments.performance.cases import Case, cases, layer_data
from compare.experiments.performance.competitors import make
from compare.experiments.performance.layer_kinds import BATCHES, KINDS
from compare.experiments.performance.results import Row, Speed, Turn
from compare.experiments.performance.settings import Settings, has_torch
from tests.compare.support import performance_torch


def case(kind: str, part: str = "backward", batch: int = 2) -> Case:
    return Case(part, kind, batch, KINDS[kind][0])


def test_each_kind_has_its_rows():
    rows = cases(Settings(parts=("layers",)))
    assert len(rows) == 2 * len(KINDS) * len(BATCHES) and all(row.is_layer for row in rows)
    assert len(cases(Settings(parts=("layers",), batch_sizes=(7,)))) == 2 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_keras_has_the_same_layer(kind):
    import reference

    model = case(kind).model()
    twin = reference.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    x, dy = layer_data(case(kind))
    y = twin(x).numpy()
    assert y.shape == dy.shape
    np.testing.assert_allclose(model.forward(x), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("part", ["forward", "backward"])
@pytest.mark.parametrize("competitor", ["scratch", "keras"])
def test_a_turn_is_as_many_batches_as_it_says(competitor, part):
    seconds, samples = make(competitor).layer(case("DepthwiseConv2D 3x3", part, 3)).run(4)
    assert seconds > 0 and samples == 12


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed")
def test_pytorch_has_layers_of_the_same_shapes():
    with Worker("PyTorch", performance_torch.layer_shapes,
                tuple(case(kind) for kind in KINDS)) as worker:
        ours, theirs = worker.ask()
    assert ours == theirs


def test_the_report_has_a_table_for_each_way():
    row = Row(case("ReLU", "forward"), 0, {name: [Turn(2e-3, 2, 0, 0)]
                                           for name in ("scratch", "keras")})
    result = Speed(Settings(parts=("layers",), pairs=1), {"machine": "any"}, [row])
    text = str(report.render(result))
    assert "Single layers, forward: time per sample" in text
    assert "Single layers, forward and backward" not in text
    line, = [line for line in text.splitlines() if line.startswith("ReLU")]
    assert line.split()[:3] == ["ReLU", "2", "1,000"] and line.split()[-3] == "1.00"
