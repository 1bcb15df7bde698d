"""Pages as text: everything escaped, nothing loaded, the right numbers in the right places."""

import io
import json
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from compare.checks.row import Row, judge
from compare.document.charts import drawing, heatmaps, line_chart, palettes
from compare.document.charts.png import data_uri, png
from compare.document.html import page
from compare.document.html.sections import table
from compare.document.markup import Html, element, join
from compare.document.plain_json import dumps
from compare.document.sections import Table
from compare.experiments.benchmark.page import benchmark_page
from compare.experiments.replication.page import replication_page
from compare.experiments.replication.page_twin_check import row_of
from compare.oracle.running_error import Bounded, Rounding
from compare.report.network_layout import lanes, levels
from compare.report.page import report_page
from compare.report.page_network import drawing as network_drawing
from compare.report.report import Report, describe
from compare.tracing.topology import Layer
from tests.compare.support import html_cases
from tests.compare.support.html_cases import EVIL, partial, replication

EMPTY = {"img", "meta", "input", "link", "br", "wbr"}
FACTS = {"command": "parity check --html a.html", "machine": "a computer"}


class Reader(HTMLParser):
    """Checks that elements are closed in order, and collects what a browser might load."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.ids, self.texts = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "poster", "action"):
                self.addresses.append(value)
            if name == "id":
                self.ids.append(value)
            assert not name.startswith("on"), f"{tag} has a handler: {name}={value}"

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, text):
        if "script" not in self.open and "style" not in self.open:
            self.texts.append(text)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def pages():
    right, wrong = html_cases.report(), html_cases.report(html_cases.Off)
    yield "right", report_page(right, "Checking it", FACTS)
    yield "wrong", report_page(wrong, "Checking it\nA remark", FACTS, "the smallest case")
    yield "benchmark", benchmark_page(*html_cases.benchmark(), FACTS)


@pytest.fixture(scope="module")
def made():
    return dict(pages())


@pytest.mark.parametrize("name", ["right", "wrong", "benchmark"])
def test_a_page_is_well_formed_and_loads_nothing(made, name):
    reader = read(made[name])
    assert len(set(reader.ids)) == len(reader.ids), "an id is there twice"
    for address in reader.addresses:
        assert address.startswith(("data:image/png;base64,", "#")), address[:60]
    assert {a[1:] for a in reader.addresses if a.startswith("#")} <= {*reader.ids, ""}
    assert not re.search(r"@import|url\((?!#)|https?://", made[name])
    assert "default-src &#x27;none&#x27;" in made[name]
    assert len(made[name]) < 3_000_000


def test_the_page_says_what_the_report_says(made):
    found = html_cases.report(html_cases.Off)
    text = " ".join("".join(read(made["wrong"]).texts).split())
    first = found.first_failure
    assert f"Parity does not hold: {sum(not row.passed for row in found.rows)} of" in text
    assert " ".join(describe(first).split()) in text
    assert "parity check --html a.html" in text and "the smallest case" in text
    for row in found.rows:
        assert row.name in text
    bodies = re.findall(r"<tbody data-layer=.*?</tbody>", made["wrong"], re.S)
    assert len(bodies) == len(found.rows)
    assert sum('data-failed="yes"' in body for body in bodies) == sum(
        not row.passed for row in found.rows)


def test_names_from_outside_are_escaped_wherever_they_appear():
    found = html_cases.report(html_cases.Off, first=EVIL, last=f"{EVIL}last")
    page = report_page(found, f"Checking {EVIL}", {"command": EVIL}, EVIL)
    assert "<script>alert" not in page and "alert(&#x27;a&amp;b&#x27;)" in page
    read(page)


def test_a_large_report_stays_light_and_draws_what_failed():
    """Noise, which compresses worst, in more tensors than there is room for."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(150):
        expected = rng.standard_normal((2, 40, 40, 16)).astype(np.float32)
        actual = expected + np.float32(1e-6) * rng.standard_normal(expected.shape, np.float32)
        bound = np.full(expected.shape, 1.0 if i != 149 else 1e-9)
        rows.append(judge("forward", f"layer_{i}", "output", actual, expected,
                          Bounded(expected.astype(float), Rounding.of("float32"), bound)))
    assert [row.passed for row in rows] == [True] * 149 + [False]
    page = report_page(Report(rows, "a", "b", "float32", 2, [], []), "Checking", {})
    assert len(page) < 5_000_000
    assert 'aria-label="expected layer_149 output"' in page and "Not drawn" in page


def test_rows_without_tensors_and_with_odd_numbers_have_a_page_too():
    rows = [Row("network", "", "layers", False, used=np.inf, note="expected a, received b"),
            Row("forward", "l", "output", False, shape=(2,), max_abs=np.nan, max_rel=np.inf,
                index=(0,), actual=np.nan, expected=1.0, used=np.nan, over=1, size=2)]
    page = report_page(Report(rows, "a", "b", "float32", 2, [], []), "Checking", {})
    assert "expected a, received b" in page
    read(page)


def test_elements_escape_children_and_attributes():
    assert element("p", "<&>", title='"<') == '<p title="&quot;&lt;">&lt;&amp;&gt;</p>'
    assert element("img", alt="a", hidden=True, width=None) == '<img alt="a" hidden>'
    assert element("a", [["x", element("b", 1)], None], class_="k", data_x="0") == (
        '<a class="k" data-x="0">x<b>1</b></a>')
    assert join([Html("<i>"), "<i>"]) == "<i>&lt;i&gt;"


def test_pictures_are_png_with_the_colours_of_the_palette():
    values = np.array([[0.0, 1.0, np.nan], [0.5, -3.0, np.inf]])
    scale = palettes.palette("diverging")
    pixels = palettes.positions(values, 0, 1)
    found = imread(io.BytesIO(png(pixels, scale)))  # (2, 3, 4), 0 to 1
    for place in np.ndindex(2, 3):
        wanted = (scale[254] if not np.isfinite(values[place]) else
                  scale[round(253 * min(max(values[place], 0), 1))])
        assert np.array_equal(np.rint(found[place] * 255), wanted)
    assert data_uri(b"\x00").endswith(",AA==")


@pytest.mark.parametrize("scale, ends", [("sequential", ("ffffd9", "081d58")),
                                         ("diverging", ("7f3b08", "053061")),
                                         ("grey", ("ffffff", "000000"))])
def test_scales_begin_and_end_with_their_published_colours(scale, ends):
    found = palettes.palette(scale)
    for at, text in zip((0, 253), ends):
        assert bytes(found[at, :3]).hex() == text
    assert found[255, 3] == 0, "gaps are transparent"


@pytest.mark.parametrize("look", ["light", "dark"])
def test_text_on_the_colours_of_a_share_can_be_read(look):
    """WCAG's contrast ratio, computed here from its definition, is at least 4.5."""
    sheets = (drawing.style() + page.asset("page.css")).replace("#fff;", "#ffffff;")
    begin = sheets.index('[data-theme="dark"] {') if look == "dark" else 0
    said = re.findall(r"--([\w-]+): #([0-9a-f]{6});", sheets[begin:])
    colours = {name: np.array([int(text[i:i + 2], 16) for i in (0, 2, 4)], float)
               for name, text in reversed(said)}  # the first of each name counts

    def luminance(channels):
        parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
                 for c in channels]
        return np.dot(parts, (0.2126, 0.7152, 0.0722))

    for share in np.linspace(0, 1, 101):
        paper = luminance((1 - share) * colours["card"] + share * colours["used-all"])
        text = luminance(colours["ink"])
        light, dark = max(paper, text), min(paper, text)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, share


def test_a_mosaic_places_its_panels_and_its_mark():
    panels = np.arange(5 * 2 * 3).reshape(5, 2, 3).astype(float)
    found, columns = heatmaps.mosaic(panels, 0, 253)
    for i in range(5):
        top, left = (i // columns) * 3, (i % columns) * 4
        assert np.array_equal(found[top:top + 2, left:left + 3], panels[i])
    text = heatmaps.marker((4, 1, 2), panels.shape, columns, zoom=10)
    numbers = {key: int(value) for key, value in re.findall(r'(\w+)="(\d+)"', text)}
    row, column = (numbers["y"] + 1 - heatmaps.TITLE) // 10, (numbers["x"] + 1) // 10
    assert found[row, column] == panels[4, 1, 2]
    assert numbers["width"] == numbers["height"] == 12


def test_ticks_are_round_and_inside():
    for low, high in ((0, 1), (-0.013, 0.0121), (3, 4e6), (0.1, 0.1001), (1, 3)):
        found = line_chart.ticks(low, high, 5)
        assert 2 <= len(found) <= 7
        assert all(low - 1e-9 <= value <= high + 1e-9 for value, _ in found)
        for value, text in found:
            assert float(text.replace(",", "")) == pytest.approx(value, abs=1e-12)


def test_a_chart_draws_what_is_finite_where_it_belongs():
    series = line_chart.Series("a", [(0, 0.0), (1, np.nan), (2, 10.0)], "first", marks="dot")
    found = line_chart.chart("heading", "title", [series], "x", "y").svg()
    places = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', found)]
    assert len(places) == 2 and places[0][0] < places[1][0] and places[0][1] > places[1][1]
    assert "Nothing was finished" in line_chart.chart("t", "t", [], "x", "y").svg()


def test_skips_that_overlap_lie_in_lanes_of_their_own():
    def layer(*sources):
        return Layer("l", "Add", (1,), sources, 0)

    layers = [layer(-1), layer(0), layer(1, 0), layer(2), layer(3, 2), layer(4, -1)]
    found = lanes(layers)
    assert sorted((a, b) for a, b, _ in found) == [(-1, 5), (0, 2), (2, 4)]
    for i, (a, b, lane) in enumerate(found):
        for c, d, other in found[:i]:
            assert lane != other or b <= c or d <= a


def test_branches_stand_side_by_side_joined_to_what_they_read():
    def layer(name, *sources):
        return Layer(name, "Add", (1,), sources, 0)

    layers = [layer("in", -1), layer("left", 0), layer("right", 0), layer("far", 2),
              layer("sum", 1, 3)]
    assert levels(layers) == [[0], [1, 2], [3], [4]]
    assert [(a, b) for a, b, _ in lanes(layers)] == [(1, 3)], "from left past far"
    drawn = network_drawing(layers, [])
    read(element("main", drawn))
    places = re.findall(r'x1="([\d.]+)%" y1="0" x2="([\d.]+)%"', drawn)
    assert places == [("50.00", "25.00"), ("50.00", "75.00"), ("75.00", "50.00"),
                      ("50.00", "50.00")]
    assert "--columns:2" in drawn and drawn.count("<li>") == 4
    assert "✗ failed" not in drawn
    wrong = [Row("forward", "left", "output", False, used=2.0)]
    assert "✗ failed" in network_drawing(layers, wrong)


def test_a_network_of_two_thousand_tensors_is_drawn_quickly():
    layers = [Layer(f"l{i}", "Dense", (3,), (i - 1,), 0) for i in range(500)]
    rows = [Row("forward", f"l{i % 500}", "output", True, used=0.5) for i in range(2000)]
    begun = time.perf_counter()
    assert network_drawing(layers, rows).count("--used:0.500") == 500
    assert time.perf_counter() - begun < 5


def test_tables_sort_spreads_by_their_median():
    found = table(Table(["net\nwork", "ratio"], [["a<", "1.2 [1-2]"], ["b", "-"]]), "speeds")
    assert 'data-key="1.2"' in found and "a&lt;" in found and "net\nwork" in found
    read(found)


def test_a_campaign_s_page_has_its_statistics_and_its_pictures():
    page = replication_page(replication(), FACTS)
    reader = read(page)
    text = " ".join("".join(reader.texts).split())
    for said in ("3 pairs of runs", "Accuracy and F1 over all runs", "Run by run", "kappa",
                 "counts as small: within 0.01", "95 % interval of the mean"):
        assert said in text, said
    assert page.count('class="chart stretched"') == 4 + 2
    # in the charts, and a sample of each in their keys
    assert page.count('class="cross"') == (2 * 3 + 3) + (2 + 1)
    assert page.count('class="dot"') == (2 * 3 + 2 * 3 + 3) + (2 + 2 + 1)
    assert page.count('class="stem"') == 2 * 3


def test_benchmarks_that_ended_early_have_a_page_that_says_so():
    _, dataset = html_cases.benchmark()
    stopped, refused = partial()
    for result, said in ((stopped, "Stopped early (interrupted by Ctrl-C)"),
                         (refused, "The two are not the same function, so nothing was trained.")):
        page = benchmark_page(result, dataset, FACTS)
        read(page)
        assert said in page


def test_a_benchmark_whose_check_failed_has_what_a_check_s_page_has():
    """The diagnosis first, in the words of the report itself; then the network and the rows."""
    result, dataset = html_cases.refused()
    page = benchmark_page(result, dataset, FACTS)
    text = " ".join("".join(read(page).texts).split())
    found = html_cases.report(html_cases.Off)
    finding, = found.diagnosis
    assert " ".join(finding.sentence.split()) in text and finding.remedy in text
    places = [page.find(f'<section id="{name}"') for name in
              ("diagnosis", "network", "rows-of-tensors", "how", "environment")]
    assert places == sorted(places) and places[0] > 0
    assert page.count('data-failed="yes"') == sum(not row.passed for row in found.rows)
    assert 'aria-label="expected last output"' in page
    assert "Learning curves" not in page and "Confusion" not in page


@pytest.mark.parametrize("make", [
    lambda: report_page(html_cases.report(), "Checking it", FACTS),
    lambda: report_page(html_cases.report(html_cases.Off), "Checking it", FACTS),
    lambda: benchmark_page(*html_cases.benchmark(), FACTS),
    lambda: benchmark_page(*html_cases.refused(), FACTS),
    lambda: benchmark_page(partial()[0], html_cases.benchmark()[1], FACTS),
    lambda: replication_page(replication(), FACTS)])
def test_the_verdict_is_one_sentence(make):
    said = re.search(r'<p class="verdict.*?<span>([^<]*)</span></p>', make())[1]
    assert said[0].isupper() and said.endswith(".")
    assert not re.search(r"\.\s+[A-Z]", said), said


def test_a_campaign_s_page_shows_all_runs_together():
    result = replication()
    page = replication_page(result, FACTS, html_cases.benchmark()[1])
    text = " ".join("".join(read(page).texts).split())
    apart = sum((run.predictions("scratch") != run.predictions("keras")).astype(int)
                for run in result.runs)  # (test images,)
    assert f"On {int((apart > 0).sum())} of 6 test images" in text
    assert f"differ in {apart.max()} of 3" in text
    assert page.count('aria-label="test image') == int((apart > 0).sum())
    total = sum(np.array(run.record["runs"]["keras"]["epochs"][0]["confusion"])
                for run in result.runs)
    matrix = re.search(r'role="table" aria-label="Confusion matrix: Keras".*?</svg>', page, re.S)[0]
    cells = [int((re.findall(r">([-+\d]+)</text>", cell) or [0])[0])
             for cell in re.findall(r'role="cell">(.*?)</g>', matrix)]
    assert cells == total.ravel().tolist()
    for said in ("Learning curves", "The network", "again kernel_gradient", "ms per step"):
        assert said in text, said


def test_recorded_rows_are_the_rows_they_were_recorded_from():
    odd = Row("forward", "l", "output", False, shape=(2, 3), max_abs=np.inf, index=(0, 1),
              actual=np.nan, expected=-np.inf, used=np.inf, note="n", kind="normwise")
    for row in [odd, *html_cases.report(html_cases.Off).rows]:
        found = row_of(json.loads(dumps(row.as_dict())))
        assert found.as_dict() == row.as_dict()
