"""The notebook that walks from a Keras model to a verdict runs, and shows what it should."""

from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from compare.experiments.benchmark.results import Benchmark
from tests.compare.document.html.test_pages import read
from tests.compare.support import html_cases
from tests.notebooks import execution

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "from_keras_to_a_verdict.ipynb"


@pytest.fixture(scope="module")
def executed():
    for package in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    return execution.executed(NOTEBOOK)


def shown(notebook, last_line: str) -> dict:
    """What the cell that ends with this line shows, by MIME type."""
    cell = next(cell for cell in notebook.cells
                if cell.cell_type == "code" and cell.source.splitlines()[-1] == last_line)
    result, = (out for out in cell.outputs if out.output_type == "execute_result")
    return result.data


@pytest.mark.long
def test_it_comes_to_both_verdicts(executed):
    said = shown(executed, "wrong.first_failure.name, bool(report), bool(wrong)")["text/plain"]
    assert said == "('conv2d kernel', True, False)"


@pytest.mark.long
@pytest.mark.parametrize("last_line, words", [
    ("model", ["conv2d (Conv2D)", "(None, 12, 10, 6)", "Total params"]),
    ("report", ["Parity holds: all", "conv2d", "keras", "rows"]),
    ("trace", ["Trace of keras", "conv2d/kernel_gradient", "8 × 6 × 5 × 6"]),
    ("wrong", ["Parity does not hold", "conv2d kernel", "data:image/png;base64,"])])
def test_results_show_as_html_by_themselves(executed, last_line, words):
    found = shown(executed, last_line)["text/html"]
    for word in words:
        assert word in found
    read(found)
    assert "<script" not in found


def test_no_output_is_kept_in_the_file():
    assert '"output_type"' not in NOTEBOOK.read_text(encoding="utf-8")


def test_benchmarks_and_campaigns_show_themselves_too():
    result: Benchmark = html_cases.benchmark()[0]
    runs = html_cases.replication()
    for found, words in ((result._repr_html_(), ["macro F1", "Agreement", "ant"]),
                         (runs._repr_html_(), ["3 pairs of runs", "Run by run", "kappa"])):
        read(found)
        for word in words:
            assert word in found


def test_names_in_fragments_are_escaped():
    report = html_cases.report(html_cases.Off, last=html_cases.EVIL)
    found = report._repr_html_()
    assert "<script>" not in found and "&lt;script&gt;alert" in found
    scratch.set_random_seed(0)
    model = scratch.Sequential([scratch.Input((1, 1, 2)),
                                scratch.Conv2D(1, 1, name=html_cases.EVIL)])
    trace = compare.record(model, np.array([[[[0.0, 1.0]]]], np.float32),
                           upstream=np.ones((1, 1, 1, 1), np.float32))
    assert "<script>" not in trace._repr_html_()
