"""Names of layers that would clear the screen, turn letters round or command GitHub's runner."""

import json
import re
import unicodedata
from xml.etree import ElementTree

import numpy as np
import pytest
import tabulate
from matplotlib.image import imread

import compare
import scratch
from compare.cli.debug import reference_of
from compare.cli.errors import MOST, one_line, with_advice
from compare.document import plain_json
from compare.document.text import HIDDEN, line
from compare.report import github_annotations
from compare.report.failing_tensor import first_seen
from compare.report.figures import writing
from compare.report.junit import junit, junit_error
from compare.report.page import report_page

EVIL = "\x1b[2JParity holds\n::stop-commands::x\r\u202e\x07\x9b1m\u2028|<script>alert(1)</script>"
FORMATS = sorted(tabulate.tabulate_formats)


def network(wrong=0.0):
    layers = [scratch.Dense(3, name=EVIL), scratch.ReLU(name=f"relu{EVIL}"),
              scratch.Dense(4, activation="softmax", name=f"::error::{EVIL}")]
    model = scratch.Sequential([scratch.Input((5,)), *layers], name=EVIL)
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    model.layers[0].params["bias"][1] += wrong
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module", params=[0.0, 1.0], ids=["holds", "does not"])
def report(request):
    x = np.random.default_rng(1).standard_normal((3, 5))
    return compare.check(network(request.param), network(), x, np.array([0, 1, 3]), steps=0)


def assert_plain(text, commands=True):
    """Nothing hides in a text, and no line of it is a command; tabs divide the columns of tsv."""
    hidden = {letter for letter in text if unicodedata.category(letter) in HIDDEN} - {"\n", "\t"}
    assert not hidden, hidden
    assert not commands or not re.search(r"(?m)^\s*::", text)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("tablefmt", FORMATS)
def test_in_a_table_of_any_format(report, tablefmt):
    for wide in (False, True):
        shown = report.render(tablefmt, wide)
        assert_plain(shown)
        shortened = not wide and "…" in shown
        assert "stop-commands" in shown or shortened or "html" in tablefmt
    assert_plain(report.failures(tablefmt))


def test_in_the_verdict_and_what_is_said_of_it(report):
    for text in (report.summary(), report.gates(), report.blindness(), *report.explanation()):
        assert_plain(text)


def test_in_junits_xml(report):
    text = junit(report, EVIL)
    assert_plain(text, commands=False)
    root = ElementTree.fromstring(text.encode())
    assert any("stop-commands" in case.get("name") for case in root.iter("testcase"))
    for element in root.iter():
        for value in (*element.attrib.values(), (element.text or "").strip()):
            assert_plain(value)
    assert_plain(junit_error(EVIL, EVIL), commands=False)


def test_in_json(report):
    text = plain_json.dumps(report.as_dict())
    assert_plain(text)
    names = {row["layer"] for row in json.loads(text)["rows"]}
    assert EVIL in names  # which a program gets as it is


    def handle_starttag(self, tag, attributes):
        self.found.add(tag)
        self.found |= {name for name, _ in attributes if name.startswith("on")}


def test_in_a_page(report):
    page = report_page(report, f"Checking {line(EVIL)}", {"model": EVIL})
    assert_plain(page, commands=False)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.parametrize("name", [EVIL, "\ud800", "$\\frac{$ ^_", "n" * 5000, "\u4f60" * 300])
def test_in_pictures_and_the_names_of_their_files(name, tmp_path):
    def named(wrong):
        model = network(wrong)
        model.layers[0].name = name
        return model

    x, y = np.random.default_rng(1).standard_normal((3, 5)), np.array([0, 1, 3])
    model, twin = named(1.0), named(0.0)
    report = compare.check(model, twin, x, y, steps=0)
    drawn, pattern = writing.write(
        first_seen(report.rows, *reference_of(model, twin, x, y, None)), tmp_path)
    assert drawn.parent == pattern.parent == tmp_path
    assert imread(pattern).std() > 0
    assert_plain(drawn.read_text(encoding="utf-8"), commands=False)
    assert "<script>alert" not in drawn.read_text(encoding="utf-8")


def test_in_githubs_annotations(report):
    for text in github_annotations.annotations(report, str(line(EVIL))):
        kind, rest = re.fullmatch(r"::(error|notice) (title=[^\n]*)", text).groups()
        assert_plain(rest)


def test_in_a_message_on_the_command_line():
    error = ValueError(f"Expected {EVIL} {'a' * 10**6}. Received: {EVIL}")
    for text in (one_line(error), with_advice("parity check", error)):
        assert_plain(text)
        assert "\n" not in text and len(text) < MOST + 200
        assert text.endswith(("</script>", "--help")) and "stop-commands" in text
    assert one_line(ValueError("short")) == "short"
