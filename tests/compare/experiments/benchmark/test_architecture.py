"""The picture of a network as a graph, and what it is drawn from."""

import io
from dataclasses import asdict

import numpy as np
import pytest
from matplotlib.image import imread

import scratch
from compare.experiments.benchmark.figures import graph_layout
from compare.experiments.benchmark.figures.architecture import graph
from compare.experiments.replication.page_twin_check import layers_of
from compare.inputs import benchmark_networks


def branched() -> list[benchmark_networks.LayerInfo]:
    """Two branches of another length beside a line that goes from their beginning past their end.
    """
    x = scratch.Input((9, 7, 2))
    stem = scratch.Conv2D(3, 3, padding="same")(x)
    left = scratch.ReLU()(scratch.Conv2D(3, (1, 3), padding="same")(stem))
    right = scratch.MaxPooling2D(3, strides=1, padding="same")(stem)
    joined = scratch.Conv2D(3, 1)(scratch.Concatenate()([left, right]))
    return benchmark_networks.describe(scratch.Model(x, scratch.Add()([stem, joined])))


def test_a_graph_is_described_with_what_each_layer_reads():
    assert [(layer.class_name, layer.sources) for layer in branched()] == [
        ("Input", ()), ("Conv2D", (0,)), ("Conv2D", (1,)), ("ReLU", (2,)), ("MaxPooling2D", (1,)),
        ("Concatenate", (3, 4)), ("Conv2D", (5,)), ("Add", (1, 6))]
    chain = benchmark_networks.describe(benchmark_networks.build())
    assert [layer.sources for layer in chain] == [(), *((i,) for i in range(7))]


def test_the_graph_has_branches_side_by_side_and_lines_beside_them():
    layers = branched()
    nodes = graph_layout.with_lines(layers)
    assert {node.name for node in nodes if not isinstance(node, graph_layout.Through)} == {
        layer.name for layer in layers}
    stands = graph_layout.places(nodes)
    assert min(place.x - place.width / 2 for place in stands) == pytest.approx(0)
    for node, place in zip(nodes, stands):
        assert all(stands[source].level == place.level - 1 for source in node.sources)
    for level in range(max(place.level for place in stands) + 1):
        row = sorted((place for place in stands if place.level == level), key=lambda p: p.x)
        for a, b in zip(row, row[1:]):
            assert a.x + a.width / 2 + graph_layout.GAP <= b.x - b.width / 2 + 1e-9
    at = {node.name: place for node, place in zip(nodes, stands)
          if not isinstance(node, graph_layout.Through)}
    names = [layer.name for layer in layers]
    assert at[names[2]].level == at[names[4]].level == 2, "both branches begin on one level"
    # past the ReLU beside the pooling; past four levels beside the whole
    assert sum(isinstance(node, graph_layout.Through) for node in nodes) == 1 + 4
    pixels = drawn(graph(layers, "A block"))
    assert pixels.std() > 0.05 and pixels.shape[1] > drawn(graph(
        benchmark_networks.describe(benchmark_networks.build()), "A chain")).shape[1]


def drawn(figure) -> np.ndarray:
    """A figure's pixels."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return imread(io.BytesIO(file.getvalue()))[..., :3]


def test_a_record_s_layers_read_what_it_says_and_else_the_one_before():
    record = {"network": [asdict(layer) for layer in branched()]}
    assert [layer.sources for layer in layers_of(record)] == [
        (-1,), (0,), (1,), (0,), (2, 3), (4,), (0, 5)]
    chain = [asdict(layer) for layer in benchmark_networks.describe(benchmark_networks.build())]
    for layer in chain:
        del layer["sources"]
    assert [layer.sources for layer in layers_of({"network": chain})] == [
        (i,) for i in range(-1, 6)]
