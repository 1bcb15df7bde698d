"""Tables in every format: they fit a terminal, and paste into a paper, a README and a page."""

import io
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabulate import tabulate_formats

from compare.checks.row import Row
from compare.document import sections, tables, terminal
from compare.document.significance import decimals, measured, significant
from compare.evaluation import fuzzing
from compare.evaluation.faults import tables as faults_tables
from compare.evaluation.faults.catalogue import chosen
from compare.evaluation.fuzzing import coverage
from compare.evaluation.fuzzing import report as fuzz_report
from compare.evaluation.fuzzing.running import Failure
from compare.experiments import benchmark, performance, replication
from compare.experiments.benchmark import tables as benchmark_tables
from compare.experiments.performance import tables as speed_tables
from compare.experiments.replication import report as replication_report
from compare.report import row_table
from compare.report.narrative import plain_words
from tests.compare.evaluation.faults.test_scoring import result as faults
from tests.compare.support import html_cases
from tests.compare.support.performance_cases import whole

TERMINAL = sorted(tables.ON_TERMINAL)
LATEX = sorted(tables.LATEX)
HEADERS = ["layer", "max\nabs", "used (%)", "figure", "p"]
CELLS = [["conv2d_1", "1.2e-07", "7.8", "0.891 ± 0.003", "<0.001"],
         ["a|b*c", "0", "100", "-0.005 ± 0.010", "0.250"],
         ["50% #1 & {x} ~y^2", "-1.5e+10", "0.33", "12.000 ± 3.000", "-"],
         ["[last]", "2.0e-300", ">100", "1 of 2", "inf"]]


def long_rows() -> list[Row]:
    """A row for each outcome, with the names and indices of a large network."""
    names = [f"block_{i}_{what}" for i in (13, 14) for what in
             ("depthwise_relu", "depthwise_batch_normalization", "projectconvolution/softmax")]
    common = dict(max_abs=1.25e-7, max_rel=3e-6, actual=1.0, expected=2.0, allowed=4.2e-7,
                  size=10 ** 7, index=(127, 111, 109, 1023), observed=1e-3)
    rows = []
    for i, name in enumerate(names):
        for tensor in ("output", "depthwise_kernel_gradient"):
            rows.append(Row("forward" if i < 3 else "whole network", name, tensor, True,
                            used=0.154, **common))
    off = dict(passed=False, used=2.3e8, over=1234567)
    return [*rows, replace(rows[0], gate="whole numbers", off="candidate", **off),
            replace(rows[1], gate="backward", off="reference", **off),
            replace(rows[2], gate="backward", off="both", **off),
            replace(rows[3], gate="backward", off="both", downstream=True, **off),
            Row("network", "", "layers", False, used=float("inf"), max_abs=float("inf"),
                note="expected 3 layers, received 2")]


def everything() -> dict:
    """A function of the format for each kind of table that is printed."""
    right, wrong = html_cases.report(), html_cases.report(html_cases.Off)
    large = replace(right, rows=long_rows())
    trained, _ = html_cases.benchmark()
    stopped, refused = html_cases.partial()
    networks = fuzzing.Result(7, list(range(12)), seconds=3.0)
    failure = fuzzing.Outcome("forward", "conv output: " + "so wrong " * 20, 0.1)
    networks.failures.append(Failure(
        3, failure, networks.specifications()[3], failure))
    missed = faults(detected=False, placed=False, tensor=False)
    missed.clean[1].alarm = "forward: dense output: off by a lot " * 8
    return {"check": right.render, "check that fails": wrong.render, "check of long names":
            large.render, "failures": wrong.failures,
            "bench": lambda f: benchmark.render(trained, f),
            "bench stopped": lambda f: benchmark.render(stopped, f),
            "bench refused": lambda f: benchmark.render(refused, f),
            "campaign": lambda f: replication.render(html_cases.replication(), f),
            "speed": lambda f: performance.render(whole(), f),
            "fuzz": lambda f: fuzz_report.render(networks, f),
            "faults": lambda f: faults_tables.render(missed, f),
            "catalogue": lambda f: faults_tables.listing(chosen(None), f)}


@pytest.fixture(scope="module")
def printed():
    return everything()


KINDS = ("check", "check that fails", "check of long names", "failures", "bench", "bench stopped",
         "bench refused", "campaign", "speed", "fuzz", "faults", "catalogue")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", KINDS)
def test_every_line_fits_80_columns_in_every_format_for_a_terminal(printed, kind):
    assert set(KINDS) == set(printed)
    for tablefmt in TERMINAL if kind != "catalogue" else ("plain", "simple"):
        text = printed[kind](tablefmt)
        wide = [line for line in text.splitlines() if len(line) > 80]
        assert not wide, f"{tablefmt}:\n" + "\n".join(wide)
        assert text.strip()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", KINDS)
def test_prose_fits_80_columns_whatever_the_format_of_the_tables(printed, kind):
    for tablefmt in ("github", "latex_booktabs", "html"):
        text = printed[kind](tablefmt)
        wide = [line for line in text.splitlines() if len(line) > 80
                and not re.match(r"\||\\begin|<| *\S.*\\\\$", line)]
        assert not wide, f"{tablefmt}:\n" + "\n".join(wide)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_in_markdown_are_rectangles(printed, kind):
    for tablefmt in ("github", "pipe"):
        text = printed[kind](tablefmt)
        blocks = re.findall(r"(?m)(?:^\|.*\n?)+", text)
        assert blocks or kind in ("bench stopped", "bench refused"), text
        for block in blocks:
            lines = block.splitlines()
            assert len({pipes(line) for line in lines}) == 1, block
            assert re.fullmatch(r"\|(:-*|-+:)(\|(:-*|-+:))*\|", lines[1]), lines[1]
            assert len(lines) > 2 and all("---" not in line for line in lines[2:]), block


def pipes(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", KINDS)
def test_tables_in_latex_compile_as_far_as_escapes_go(printed, kind):
    for tablefmt in LATEX:
        for environment in re.findall(r"(?s)\\begin\{(?:tabular|longtable)\}.*?\\end\{\w+\}",
                                      printed[kind](tablefmt)):
            require_latex(environment)


def require_latex(text: str) -> list[list[str]]:
    """The cells of a table; fails for what LaTeX would refuse or swallow."""
    first, *lines = text.splitlines()
    columns = len(re.fullmatch(r"\\begin\{\w+\}\{([lr]+)\}", first)[1])
    rows = []
    for line in lines:
        if re.match(r"\\(hline|toprule|midrule|bottomrule|endhead|end)", line):
            continue
        assert line.endswith(r"\\"), line
        assert not re.match(r"\s*[\[*]", line), f"read as an argument of \\\\: {line}"
        cells = re.split(r"(?<!\\)&", line.removesuffix(r"\\"))
        assert len(cells) == columns, line
        for cell in cells:
            assert cell.isascii(), cell
            assert not re.search(r"\\(?![%#&_{}$^])(?!(textasciitilde|textbackslash|ensuremath)\{)"
                                 r"(?!(pm|times)\b|times1)", cell), cell
            bare = re.sub(r"\$(\\pm|-|[-+]?[\d.,]+\\times10\^\{-?\d+\})\$", "", cell)
            bare = re.sub(r"\\textasciitilde\{\}|\\textbackslash\{\}|\\ensuremath\{[<>]\}|\\\^\{\}"
                          r"|^ *\{\}", "", bare)
            assert not re.search(r"(?<!\\)[%#_$^~{}&]", bare), cell
        rows.append([cell.strip() for cell in cells])
    return rows


@pytest.mark.parametrize("tablefmt", LATEX)
def test_latex_escapes_once_and_sets_numbers_as_mathematics(tablefmt):
    text = tables.render(HEADERS, CELLS, tablefmt)
    rows = require_latex(text)
    assert rows[0] == ["layer", "max abs", r"used (\%)", "figure", "p"]
    assert rows[1] == [r"conv2d\_1", r"$1.2\times10^{-7}$", "7.8", r"0.891 $\pm$ 0.003",
                       r"\ensuremath{<}0.001"]
    assert rows[2] == ["a|b*c", "0", "100", r"$-$0.005 $\pm$ 0.010", "0.250"]
    assert rows[3] == [r"50\% \#1 \& \{x\} \textasciitilde{}y\^{}2", r"$-1.5\times10^{10}$",
                       "0.33", r"12.000 $\pm$ 3.000", "--"]
    assert rows[4][0] == "{}[last]" and rows[4][1] == r"$2.0\times10^{-300}$"
    assert r"\begin{longtable}" in text or r"\begin{tabular}{lrrrr}" in text


def test_latex_leaves_the_numbers_in_names_alone():
    rows = require_latex(tables.render(["name", "time"], [["a-1-2", "187"], ["v1e-5x", "2"]],
                                       "latex"))
    assert rows[1:] == [["a-1-2", "187"], ["v1e-5x", "2"]]


def test_markdown_escapes_what_github_would_not_show():
    text = tables.render(["name", "what"], [["a|b", "c*d"], ["_x_", "y_1 and __init__"],
                                            ["<b>", "p <0.001, a < b"], ["~~x~~", "`y`"]],
                         "github")
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in text.splitlines()]
    assert rows[2:] == [[r"a\|b", r"c\*d"], [r"\_x\_", r"y_1 and \_\_init\_\_"],
                        [r"\<b>", "p <0.001, a < b"], [r"\~\~x\~\~", r"\`y\`"]]
    numbers = tables.render(HEADERS, CELLS, "github").splitlines()
    assert re.fullmatch(r"\|:-+(\|-+:){4}\|", numbers[1]), "aligned to the right, also on GitHub"


class Cells(HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self, text: str):
        super().__init__()
        self.rows, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("tablefmt", ["html", "unsafehtml"])
def test_html_shows_every_text_as_it_is(tablefmt):
    cells = [*CELLS, [html_cases.EVIL, "1", "2", "3", "4"]]
    text = tables.render(HEADERS, cells, tablefmt)
    found = [[cell.strip() for cell in row] for row in Cells(text).rows]
    assert found == [[header.replace("\n", " ") for header in HEADERS], *cells]
    assert "<script" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_tables_in_html_are_rectangles(printed, kind):
    for table in re.findall(r"(?s)<table>.*?</table>", printed[kind]("html")):
        rows = Cells(table).rows
        assert len(rows) > 1 and len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("tablefmt", tabulate_formats)
def test_no_format_loses_a_figure(tablefmt):
    text = tables.render(HEADERS, CELLS[:1], tablefmt)
    for said in ("7.8", "0.891", "0.003", "0.001"):
        assert said in text
    assert tables.render(["a", "b"], [], tablefmt) is not None
    if tablefmt not in tables.ON_TERMINAL:
        assert "max abs" in text, "a heading on one line"


def columns_of(text: str) -> list[tuple[int, int]]:
    """Where the columns of a table in 'simple' begin and end."""
    rule = next(line for line in text.splitlines() if re.fullmatch(r"-+(  -+)*", line))
    return [match.span() for match in re.finditer("-+", rule)]


def test_numbers_stand_below_one_another_at_the_decimal_point():
    column = ["0.891", "12,832", "-", "-49.5", "+0.0047", "1.2e-07", "0"]
    text = tables.render(["name", "figure"], [["x", cell] for cell in column])
    lines = text.splitlines()[2:]
    start, end = columns_of(text)[1]
    points = {line.index(".") for line in lines if "." in line}
    assert len(points) == 1
    point = points.pop()
    for line, cell in zip(lines, column):
        assert line[start:end].strip() == cell
        if "." not in cell:
            assert len(line.rstrip()) == point, "units where the others have theirs"


def test_a_cell_keeps_its_digits_and_a_column_of_texts_is_aligned_left():
    text = tables.render(["name", "seeds"], [["one", "0.500"], ["two", "10.250"]], "plain")
    assert text.splitlines() == ["name   seeds", "one    0.500", "two   10.250"]
    assert tables.render(["what"], [["b"], ["long"]], "plain").splitlines() == [
        "what", "b", "long"]


# The check's table


def test_long_names_are_whole_or_shortened_in_the_middle_and_unlike_ones_stay_unlike():
    rows = long_rows()
    names = {row.layer for row in rows} - {""}
    for tablefmt in TERMINAL:
        text = row_table.render(rows, rows, tablefmt)
        assert max(map(len, text.splitlines())) <= 80
        said = re.findall(r"block_\S+", text)
        found = {shown: [name for name in names if same(shown, name)] for shown in said}
        assert all(len(whose) == 1 for whose in found.values()), found
        assert {whose[0] for whose in found.values()} == names
    assert "127 111 109 1023" in " ".join(
        line[slice(*columns_of(text)[4])].strip() for text in
        [row_table.render(rows, rows, "simple")] for line in text.splitlines())


def same(shown: str, name: str) -> bool:
    """Whether a name, or what is left of it around an ellipsis, stands for this one."""
    begin, ellipsis, end = shown.partition("…")
    return name == shown if not ellipsis else name.startswith(begin) and name.endswith(end)


def test_a_name_is_never_broken_over_two_lines():
    model = "the_classifier_head.predictions/softmax"
    text = tables.render(["name", "said"], [["max_pooling2d", "word " * 30], [model, "x" * 60]])
    assert "max_pooling2d" in text and max(map(len, text.splitlines())) <= 80
    assert len([line for line in text.splitlines() if "the_cl" in line or "max" in line]) == 2
    assert all(same(each, model) for each in re.findall(r"the_\S+", text))


def test_layers_stand_above_their_tensors_where_both_do_not_fit_side_by_side():
    short = [Row("forward", "conv2d", "output", True), Row("backward", "conv2d", "bias", True)]
    assert re.search(r"(?m)^  conv2d +output ", row_table.render(short, short, "simple"))
    name = "a_name_of_three_dozen_letters_more"
    rows = [Row("forward", name, "output", True, index=(1, 22, 33, 4)),
            Row("backward", name, "depthwise_kernel_gradient", True),
            Row("backward", name, "bias_gradient", True)]
    lines = [line.rstrip() for line in row_table.render(rows, rows, "simple").splitlines()]
    assert lines.count(f"  {name}") == 2, "once below each gate"
    assert [line.split()[0] for line in lines if line.startswith("    ") and line.split()] == [
        "output", "depthwise_kernel_gradient", "bias_gradient"] or "(%)" in "".join(lines)


class Window(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("columns, expected", [(120, 120), (60, 60), (17, 40)])
def test_a_table_has_the_width_of_the_terminal_and_prose_80_at_most(columns, expected,
                                                                   monkeypatch):
    monkeypatch.setattr(sys, "stdout", Window())
    monkeypatch.setattr(terminal, "columns", lambda stream: columns)
    cells = [["word " * 50, "other " * 50]]
    widths = [len(line.rstrip()) for line in tables.render(["a", "b"], cells).splitlines()]
    assert expected - 10 <= max(widths) <= expected
    prose = sections.wrapped("word " * 50).splitlines()
    assert max(map(len, prose)) <= min(expected, 80) < max(map(len, prose)) + 5


def test_what_is_not_written_to_a_terminal_does_not_depend_on_the_window(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(terminal, "columns", lambda stream: 200)
    assert max(map(len, tables.render(["a"], [["word " * 50]]).splitlines())) <= 80


def test_an_ellipsis_is_one_that_standard_output_can_show(monkeypatch):
    class Ascii(io.StringIO):
        encoding = "ascii"

    monkeypatch.setattr(sys, "stdout", Ascii())
    assert tables.render(["a"], [["x" * 100]], "plain").splitlines()[1].count("..") == 1


def test_rows_are_grouped_by_gate_on_a_terminal_and_stand_alone_elsewhere():
    report = html_cases.report(html_cases.Off)
    shown = report.table().splitlines()
    for gate in ("forward", "loss", "backward", "update", "whole network"):
        assert shown.count(gate) == 1
    first = next(row for row in report.rows if row.gate == "forward")
    assert shown[shown.index("forward") + 1].split()[:2] == [first.layer, first.tensor]
    lines = report.table("github").splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:4]] == ["gate", "layer", "tensor"]
    assert all(re.match(r"\| \w+", line) for line in lines[2:])


@pytest.mark.parametrize("used, text", [
    (0, "0"), (0.0000331, "<0.1"), (0.00331, "0.3"), (0.0784, "7.8"),
    (0.154, "15"), (0.98, "98"), (1.0, "100"),
    (1.0001, ">100"), (1.68, "168"), (99.9, "9990"), (1.68e7, "1.7e+09"), (float("inf"), "inf")])
def test_shares_of_a_bound_never_hide_on_which_side_of_it_they_are(used, text):
    assert row_table.hundredths(used) == text
    assert text == "100" or (float(text.strip("<>")) > 100 or text == ">100") == (used > 1)


def test_verdicts_say_whose_fault_it_is():
    words = [(row_table.outcome(row), row_table.verdict(row)) for row in long_rows()[-6:]]
    assert words == [("passed", "passed"), ("FAILED: candidate", "FAILED: candidate off"),
                     ("FAILED: reference", "FAILED: reference off"),
                     ("FAILED: both", "FAILED: both off"),
                     ("failed: downstream", "failed (downstream): both off"),
                     ("FAILED", "FAILED")]
    assert row_table.outcome(Row("forward", "a", "output", True)) == "equal"


def test_wide_shows_every_figure_on_one_line():
    rows = long_rows()
    lines = row_table.render(rows, rows, "simple", wide=True).splitlines()
    assert len(lines) == 2 + len(rows)
    for title in (*row_table.COLUMNS, "integers"):
        assert title in lines[0]


def test_plain_words_and_explanations_are_wrapped():
    report = html_cases.report(html_cases.Off)
    for text in (*plain_words(report.rows), *report.explanation()):
        assert max(map(len, text.splitlines())) <= 80
    assert report.explanation()[0].startswith("Cause: ")


# Rounding


@pytest.mark.parametrize("uncertainty, digits", [(0.003, 3), (0.0031, 3), (0.0014, 4), (0.0096, 3),
                                                 (0.018, 3), (0.02, 2), (1.4, 1), (3.0, 0),
                                                 (47.0, 0), (0.0, 4), (float("nan"), 4)])
def test_digits_end_where_the_uncertainty_begins(uncertainty, digits):
    assert decimals(uncertainty) == digits


def test_a_figure_with_its_uncertainty():
    assert measured(0.89062, 0.00307) == "0.891 ± 0.003"
    assert measured(-0.00471, 0.00144, "+") == "-0.0047 ± 0.0014"
    assert measured(0.00471, 0.00307, "+") == "+0.005 ± 0.003"
    assert measured(0.5, None) == "0.5000"
    assert (significant(-49.47), significant(0.7333), significant(107.53)) == (
        "-49.5", "0.733", "108")


def test_a_campaign_puts_mean_and_interval_into_one_cell():
    table = replication_report.figures(html_cases.replication())
    assert table.headers == ["", "scratch", "Keras", "difference"]
    assert [row[0] for row in table.rows] == [
        "accuracy, mean ± 95 %", "accuracy, standard deviation", "macro F1, mean ± 95 %",
        "macro F1, standard deviation"]
    summary = html_cases.replication().summary("scratch", "accuracy")
    mean, half = table.rows[0][1].split(" ± ")
    assert float(half) == pytest.approx(summary.high - summary.mean, rel=0.5, abs=1e-4)
    assert len(mean.split(".")[1]) == len(half.split(".")[1])


def test_digits_follow_the_number_of_test_images():
    result, _ = html_cases.benchmark()
    few = {row[0]: row for row in benchmark_tables.main(result).rows}
    labels, predictions = result.data.test_labels, {}
    for side, run in result.runs.items():
        predictions[side] = run.epochs[-1].predictions
        for epoch in run.epochs:
            epoch.predictions = epoch.predictions.repeat(2000)
    result.data.test_labels = labels.repeat(2000)
    many = {row[0]: row for row in benchmark_tables.main(result).rows}
    assert (len(few["accuracy"][3]), len(many["accuracy"][3])) == (4, 5)


# What standard output can show


@pytest.mark.parametrize("encoding, sign", [("utf-8", "±"), ("latin-1", "±"), ("ascii", "+-"),
                                            ("no such", "+-")])
def test_the_sign_is_one_that_standard_output_can_show(encoding, sign, monkeypatch):
    class Terminal(io.StringIO):
        pass

    Terminal.encoding = encoding
    monkeypatch.setattr(sys, "stdout", Terminal())
    text = replication.render(html_cases.replication(), "simple")
    assert f" {sign} " in text and f"within {sign}0.01" in text
    assert text.isascii() == (sign == "+-")
    assert r"$\pm$" in replication.render(html_cases.replication(), "latex")


# Properties

words = st.text("ab_/-. Z1:", min_size=0, max_size=40)


@given(words, st.integers(1, 20))
def test_breaking_loses_nothing_but_spaces_and_keeps_to_the_width(text, size):
    found = tables.broken(text, size)
    assert re.sub(r"\s", "", found) == re.sub(r"\s", "", text)
    if size > len(text) - len(text.lstrip()):
        assert all(len(line) <= size for line in found.split("\n")), found


@given(st.lists(st.lists(words, min_size=4, max_size=4), min_size=1, max_size=5),
       st.sampled_from(TERMINAL))
def test_any_four_texts_fit(rows, tablefmt):
    text = tables.render(["a heading", "b", "another\none", "c"], rows, tablefmt)
    assert all(len(line) <= 80 for line in text.splitlines()), text


def test_a_path_is_not_broken_by_wrapping():
    path = "/a/very/long/path" * 8
    assert path in sections.wrapped(f"Data: {path} and something after it that goes on and on.")
    assert sections.wrapped("short\n  and indented " + "word " * 30).splitlines()[2].startswith(
        " " * 4 + "word")


@pytest.mark.parametrize("found", [coverage.table(coverage.count([])),
                                   speed_tables.slopes(whole())], ids=["coverage", "slopes"])
def test_headings_on_several_lines_are_one_line_where_they_must(found):
    for tablefmt in ("github", "latex_booktabs", "html", "tsv"):
        text = sections.table_text(found, tablefmt)
        assert found.headers[-1].replace("\n", " ") in text
