"""The notebooks of the guides run from top to bottom, and are kept with what they put out."""

import json

import pytest

from tests.notebooks import execution

GUIDES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in execution.GUIDES}


def code(name: str) -> list[dict]:
    return [cell for cell in GUIDES[name]["cells"] if cell["cell_type"] == "code"]


def test_there_is_one_for_each_kind_of_reader():
    assert set(GUIDES) == {"first_mismatch", "course", "port"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("path", execution.GUIDES, ids=lambda path: path.stem)
def test_it_runs_and_puts_out_what_is_kept(path):
    """In kind: what was printed, and which cells have a result; figures may differ by machine."""
    for package in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    now = execution.without_noise(execution.executed(path))
    for cell, kept in zip([cell for cell in now.cells if cell.cell_type == "code"],
                          code(path.stem), strict=True):
        assert [output.output_type for output in cell.outputs] == [
            output["output_type"] for output in kept["outputs"]], cell.source
        assert verdicts(cell.outputs) == verdicts(kept["outputs"])


def verdicts(outputs) -> list[str]:
    """The sentences that begin with a verdict, up to their figures."""
    lines = "".join("".join(output.get("text", "")) for output in outputs).splitlines()
    return [line.split(":")[0] for line in lines if line.startswith("Parity ")]


@pytest.mark.parametrize("name", GUIDES)
def test_outputs_are_kept_small_and_without_noise(name):
    assert [cell["execution_count"] for cell in code(name)] == list(range(1, len(code(name)) + 1))
    assert any(cell["outputs"] for cell in code(name))
    kept = json.dumps([cell["outputs"] for cell in code(name)])
    assert len(kept) < 10_000
    for noise in ('"stderr"', "Traceback", "/tmp", "/root", "\\u001b"):
        assert noise not in kept
