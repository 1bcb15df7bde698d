"""The gates: their order, their names as strings, and that these stand in one place."""

import ast
import copy
import json
import pickle
from pathlib import Path

import pytest

import compare
from compare.checks.gate import Gate
from compare.checks.row import Row
from tests.compare.support import examples

ORDER = ["network", "weights", "whole numbers", "few terms", "forward", "loss", "backward",
         "update", "inference", "extremes", "whole network", "lockstep"]
MAKERS = ("Row", "judge", "bitwise", "mismatch", "raised")


def test_gates_stand_in_the_order_in_which_they_are_asked():
    assert list(Gate) == ORDER
    assert [gate.order for gate in Gate] == list(range(len(ORDER)))


@pytest.mark.parametrize("gate", Gate)
def test_a_gate_is_its_name(gate):
    name = ORDER[gate.order]
    assert gate == name and hash(gate) == hash(name) and {name: 1}[gate] == 1
    assert (str(gate), f"{gate}", repr(gate), f"{gate:>20}") == (
        name, name, repr(name), f"{name:>20}")
    assert json.dumps({gate: gate}) == json.dumps({name: name})
    assert pickle.loads(pickle.dumps(gate)) is copy.deepcopy(gate) is Gate(name) is gate
    assert gate.sentence.endswith(".") and not (gate.single_layer and gate.whole)


def test_which_gates_judge_what():
    assert [gate for gate in Gate if gate.single_layer] == [
        "whole numbers", "few terms", "forward", "backward", "inference", "extremes"]
    assert [gate for gate in Gate if gate.whole] == ["whole network", "lockstep"]


def test_a_row_takes_a_gate_or_its_name():
    assert Row("few terms", "dense", "output", True).gate is Gate.FEW_TERMS
    assert Row(Gate.LOSS, "loss", "value", True).as_dict()["gate"] == "loss"
    with pytest.raises(ValueError, match="'forwards' is not a valid Gate"):
        Row("forwards", "dense", "output", True)


def test_rows_of_a_report_compare_with_plain_strings():
    report = compare.check(examples.network(), examples.network(), *examples.batch())
    assert {row.gate for row in report.rows} >= {"forward", "backward", "whole numbers"}
    assert all(row.passed for row in report.rows if row.gate == "forward")


def names_as_strings(source: str) -> list[int]:
    """Lines on which a gate is told by a string: in a comparison with .gate, as the gate of a row
    that is made, or one of the names that mean nothing else."""
    found = []
    for node in ast.walk(ast.parse(source)):
        inside = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Attribute) and side.attr == "gate" for side in sides):
                inside = sides
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in MAKERS:
            inside = node.args[:1]
        elif isinstance(node, ast.Constant) and node.value in ORDER and " " in node.value:
            inside = [node]
        found += [each.lineno for side in inside for each in ast.walk(side)
                  if isinstance(each, ast.Constant) and each.value in ORDER]
    return found


def test_names_as_strings_are_seen():
    source = ('a.gate == "loss"\nb.gate in ("x", "forward")\nRow("update", "")\n'
              'x = {"few terms": 1}\nphase == "forward"\nRow(Gate.LOSS, "loss")')
    assert names_as_strings(source) == [1, 2, 3, 4]


def test_no_other_module_spells_a_gates_name():
    folder = Path(compare.__file__).parent
    found = {str(path.relative_to(folder)): lines for path in folder.rglob("*.py")
             if path.name not in ("gate.py", "training_trajectory.py")
             and (lines := names_as_strings(path.read_text(encoding="utf-8")))}
    assert not found, found
