"""Real outputs of every command fit the schema that ships with the package, and others do not."""

import copy
import json
import sys

import numpy as np
import pytest

import compare
from compare import schemas
from compare.checks.row import Row
from compare.cli import main
from compare.document.plain_json import dumps
from compare.evaluation import fuzzing
from compare.evaluation.faults import tables as fault_tables
from compare.evaluation.faults.false_alarms import Clean
from compare.evaluation.faults.running import Result as FaultsResult
from compare.evaluation.faults.scoring import Score
from compare.evaluation.fuzzing import report as fuzz_report
from compare.evaluation.fuzzing.property_checks import Outcome
from compare.evaluation.fuzzing.running import Failure, Result
from compare.evaluation.support_matrix.answer import OfClasses, OfModel, Overview
from compare.evaluation.support_matrix.of_model import Verdict
from compare.experiments import execution
from compare.experiments.benchmark.json_record import as_dict as benchmark_dict
from compare.experiments.grading import Grades, Mark
from compare.experiments.grading.files import as_json as grades_json
from compare.experiments.grading.results import Item
from compare.experiments.performance.json_record import as_dict as speed_dict
from compare.experiments.replication.json_record import as_dict as replication_dict
from compare.experiments.replication.results import Replication
from compare.report.report import Report
from tests.compare.support import html_cases, in_this_process, performance_cases
from tests.compare.support.html_cases import partial, replication
from tests.compare.support.schema_fit import require_fit as validate

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


def fuzzed() -> Result:
    """Two networks of which one failed."""
    small = fuzzing.Result(0, [0, 1]).specifications()[1]
    bad = Outcome("forward", "off", 0.5)
    return Result(0, [0, 1], [Failure(1, bad, small, bad)], 3.0)


def judged_faults() -> FaultsResult:
    """A fault that was found, one that was missed and not diagnosed, and a false alarm."""
    return FaultsResult(
        [Score("a", "f", True, True, True, True, False, "loss: x", ["scale"], 0.5, {"close": True},
               {"close": False}), Score("b", "f", False, False, False)],
        [Clean(0, "", {"close": True}, 0.1), Clean(3, "forward: conv output")], 7)


def outputs():
    """(schema, what it is, the value that is written)."""
    odd = Report([Row("network", "", "layers", False, used=np.inf, max_abs=np.inf, note="none"),
                  Row("forward", "a", "output", False, actual=np.nan, expected=-np.inf,
                      used=np.inf, size=3, over=1)], "a", "b", "float64", 1, [], ["candidate: a"])
    yield "check", "holds", html_cases.report().as_dict()
    yield "check", "fails", {"about": "it", **html_cases.report(html_cases.Off).as_dict()}
    yield "check", "odd numbers", odd.as_dict()
    yield "benchmark", "whole", benchmark_dict(html_cases.benchmark()[0])
    for i, result in enumerate([*partial(), html_cases.refused()[0]]):
        result.check.rows = result.check.rows or html_cases.report().as_dict()
        yield "benchmark", f"partial {i}", benchmark_dict(result)
    yield "campaign", "three", replication_dict(replication())
    yield "campaign", "one", replication_dict(Replication(replication().runs[:1], 0.02, 2))
    yield "speed", "whole", speed_dict(performance_cases.whole())
    yield "speed", "empty", speed_dict(performance_cases.made([]))
    yield "speed", "checks", speed_dict(performance_cases.checked())
    yield "fuzz", "one failure", fuzz_report.as_dict(fuzzed())
    yield "faults", "missed and alarmed", fault_tables.as_dict(judged_faults())
    yield "faults", "nothing", fault_tables.as_dict(FaultsResult())
    mark = Mark("ann", (Item("conv", 0, 2, "it is off", "scale", "Divide."), Item("relu", 1, 1)),
                "the submission took longer than 60 s", "hello", 1.5)
    yield "grades", "one", json.loads(grades_json(Grades("Exercise", {"conv": 2, "relu": 1},
                                                         [mark])))
    yield "support", "everything", Overview().as_dict()
    yield "support", "a class", OfClasses({
        "Conv2D": [["filters", "required", "1, 2", ""]]}).as_dict()
    yield "support", "a model", OfModel("mine.keras", [
        Verdict("layer", "base.conv", "Conv2D"), Verdict("loss", "CTC", "CTC", "no")]).as_dict()


@pytest.fixture(scope="module")
def found():
    return list(outputs())


def test_real_outputs_fit(found):
    for name, what, value in found:
        try:
            validate(name, value)
        except jsonschema.ValidationError as error:
            pytest.fail(f"{name}, {what}: {error.json_path}: {error.message}")


@pytest.mark.parametrize("name", schemas.NAMES)
def test_schemas_are_valid_and_name_their_draft_and_version(name):
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:keras-parity:{name}:1" and "schema" in schema["required"]


def test_what_is_missing_unknown_or_of_another_version_does_not_fit(found):
    for name, _, value in found:
        for change in ("missing", "unknown", "version"):
            wrong = copy.deepcopy(json.loads(dumps(value)))
            if change == "missing":
                del wrong[[key for key in wrong if key != "about"][-1]]
            elif change == "unknown":
                wrong["something"] = 1
            else:
                wrong["schema"] = 99
            with pytest.raises(jsonschema.ValidationError):
                validate(name, wrong)


def test_a_row_with_a_wrong_gate_or_a_text_for_a_number_does_not_fit():
    value = html_cases.report().as_dict()
    for key, wrong in (("gate", "garden"), ("used", "much"), ("passed", 1), ("shape", [1.5])):
        changed = copy.deepcopy(value)
        changed["rows"][-1][key] = wrong
        with pytest.raises(jsonschema.ValidationError):
            validate("check", changed)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Expected: one of check, .*Received: 'chess'"):
        schemas.load("chess")


MODULE = """
from tests.compare.support.html_cases import Off, network


def right(): return network()
def wrong(): return network(Off)
"""


@pytest.fixture
def golden(tmp_path, monkeypatch):
    """A folder with a recording of a scratch network, so that no command needs TensorFlow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pages.py").write_text(MODULE)
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.5, 0.5, (5, 9, 7, 2)).astype(np.float32)
    compare.record(html_cases.network(), x, rng.integers(0, 4, 5)).save("golden.npz")
    yield tmp_path
    sys.modules.pop("pages", None)


@pytest.mark.parametrize("name, code", [("right", 0), ("wrong", 1)])
def test_the_command_writes_every_output_it_is_asked_for(golden, capsys, name, code):
    assert main(["check", "--golden", "golden.npz", "--model", f"pages:{name}", "--json", "a.json",
                 "--html", "a b.html", "--junit", "a.xml", "--github"]) == code
    validate("check", json.loads((golden / "a.json").read_text()))
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("::notice" if code == 0 else "::error")
    page = (golden / "a b.html").read_text()
    assert ("parity check --golden golden.npz --model pages:" in page
            and "--html &#x27;a b.html&#x27;" in page)
    assert (golden / "a.xml").read_text().startswith("<?xml")


def test_without_being_asked_nothing_is_annotated_or_written(golden, capsys):
    assert main(["check", "--golden", "golden.npz", "--model", "pages:wrong"]) == 1
    assert "::error" not in capsys.readouterr().out
    assert {path.name for path in golden.iterdir()} - {"__pycache__"} == {"pages.py", "golden.npz"}


@pytest.mark.parametrize("option", ["--html", "--junit"])
def test_a_path_that_cannot_be_written_to_is_refused_first(golden, capsys, option):
    assert main(["check", "--golden", "golden.npz", option, "no/such/file"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and f"{option}: expected a file" in captured.err


def test_what_record_writes_fits(golden, capsys, keras):
    assert main(["record", "--model", "pages:right", "--out", "new.npz", "--json", "r.json"]) == 0
    written = json.loads((golden / "r.json").read_text())
    validate("record", written)
    assert [tensor["name"] for tensor in written["tensors"]][0] == "conv/output"


OPEN = {("fuzz", "arguments"), ("fuzz", "loss"), ("fuzz", "optimizer")}  # Keras's own arguments


def properties(schema, name=""):
    """(the key a schema stands under, the schema) of everything in a schema."""
    if isinstance(schema, dict):
        yield name, schema
        for group in ("properties", "patternProperties", "$defs"):
            for key, value in schema.get(group, {}).items():
                yield from properties(value, key)
        for key in ("items", "additionalProperties"):
            yield from properties(schema.get(key), name)
        for value in schema.get("anyOf", ()):
            yield from properties(value, name)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_key_is_described_and_no_other_is_allowed(name):
    schema = schemas.load(name)
    assert len(schema["description"]) > 30
    for _, part in properties(schema):
        for group in ("properties", "patternProperties"):
            for key, value in part.get(group, {}).items():
                assert value.get("description"), f"{name}: nothing says what {key} is"
    for key, part in properties(schema):
        if part.get("type") == "object" and (name, key) not in OPEN:
            assert "additionalProperties" in part, f"{name}: {key} may hold anything"


def test_figures_have_units():
    """Durations and sizes are told in words."""
    units = {"seconds": "second", "ms": "millisecond", "us": "microsecond", "bytes": "bytes",
             "kappa": "chance"}
    for name in schemas.NAMES:
        for _, part in properties(schemas.load(name)):
            for key, value in part.get("properties", {}).items():
                kinds = [value, *value.get("anyOf", ())]
                for word in set(key.split("_")) & units.keys():
                    if any(kind.get("type") in ("number", "integer") for kind in kinds):
                        assert units[word] in value["description"], f"{name}: {key}"


DEBUGGED = """
from compare.inputs.twins import twins
from tests.compare.support.html_cases import Off, network


def pair(): return network(Off), twins(network())[1]
"""


def test_what_debug_fuzz_and_faults_write_fits(tmp_path, capsys, keras, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(execution, "run", in_this_process.run)
    (tmp_path / "debugged.py").write_text(DEBUGGED)
    for argv, code, name in ((["debug", "debugged:pair"], 1, "check"),
                             (["fuzz", "--seed", "5", "--count", "1"], 0, "fuzz"),
                             (["faults", "--only", "permute-inverse", "--count", "1"], 0,
                              "faults")):
        assert main([*argv, "--json", "out.json"]) == code, capsys.readouterr()
        validate(name, json.loads((tmp_path / "out.json").read_text()))
    sys.modules.pop("debugged", None)
