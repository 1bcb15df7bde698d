"""Pages in a real browser: they open, sort, filter, turn dark, fit a phone, and load nothing."""

import base64
import io
import os
import shutil

import numpy as np
import pytest
from matplotlib.image import imread

from compare.experiments.benchmark.files import write_directory
from compare.experiments.benchmark.page import benchmark_page
from compare.experiments.replication.page import replication_page
from compare.report.page import report_page
from tests.compare.support import html_cases

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--no-first-run"]
FACTS = {"command": "parity check --html page.html", "machine": "a computer"}
PAGES = ("check", "bench", "refused", "campaign")
LEVELS, TENSORS = 70, 1200  # of the page of a large network
LONG = "a_rather_long_name_of_the_kind_that_frameworks_make_up_by_themselves"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        running = engine.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    found = html_cases.report(html_cases.Off, first=LONG)
    (folder / "check.html").write_text(report_page(found, "Checking it", FACTS, "smallest " * 40))
    (folder / "bench.html").write_text(benchmark_page(*html_cases.benchmark(), FACTS))
    (folder / "refused.html").write_text(benchmark_page(*html_cases.refused(), FACTS))
    large = html_cases.large(LEVELS, TENSORS)
    (folder / "large.html").write_text(report_page(large, "Large", FACTS))
    dataset = html_cases.benchmark()[1]
    (folder / "campaign.html").write_text(
        replication_page(html_cases.replication(), FACTS, dataset))
    return folder


@pytest.fixture
def opened(browser, files):
    """A function that opens a page; afterwards there must be no error and no request."""
    contexts, troubles = [], []

    def open_(name, width=1100, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:"))
                or troubles.append(request.url))
        page.goto(f"file://{files / name}.html")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not troubles


def rows(page):
    """Names of the tensors in sight, in order."""
    return page.locator("#rows > tbody:visible button.open").all_inner_texts()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name, heading", [
    ("check", "Checking it"), ("bench", "Benchmark on Title of fashion-mnist"),
    ("refused", "PARTIAL (stopped early): Benchmark on Title of fashion-mnist"),
    ("campaign", "3 pairs of runs: Benchmark on Title of fashion-mnist")])
def test_it_renders_with_landmarks_and_pictures(opened, name, heading):
    page = opened(name)
    assert page.get_by_role("heading", level=1).inner_text() == heading
    for landmark in ("banner", "navigation", "main"):
        assert page.get_by_role(landmark).count() == 1, landmark
    page.evaluate("document.querySelectorAll('tr.detail').forEach(row => row.hidden = false)")
    sizes = page.eval_on_selector_all("image", "all => Promise.all(all.map(one => { const found = "
                                      "new Image(); found.src = one.getAttribute('href'); return "
                                      "found.decode().then(() => found.naturalWidth); }))")
    assert len(sizes) >= 2 and min(sizes) > 0, "a picture is broken"
    unnamed = page.eval_on_selector_all(
        "button, input, select, img, svg[role]", "all => all.filter(one => !(one.ariaLabel || "
        "one.textContent.trim() || (one.labels && one.labels.length))).length")
    assert unnamed == 0, "something has no name for a screen reader"


def test_rows_open_by_mouse_and_by_keyboard(opened):
    page = opened("check")
    button = page.locator("#rows > tbody:visible button.open[aria-expanded=false]").first
    button.evaluate("one => one.id = 'tried'")
    button = page.locator("#tried")
    detail = page.locator("#" + button.get_attribute("aria-controls"))
    assert not detail.is_visible()
    button.click()
    assert detail.is_visible() and button.get_attribute("aria-expanded") == "true"
    assert detail.locator("svg.heatmap image").count() == 3
    assert detail.locator("table.worst tbody tr").count() > 0
    button.focus()
    page.keyboard.press("Enter")
    assert not detail.is_visible() and button.get_attribute("aria-expanded") == "false"


def test_the_first_failure_is_open_from_the_start(opened):
    page = opened("check")
    first = page.locator("#rows > tbody[data-failed=yes]").first
    assert first.locator("button.open").get_attribute("aria-expanded") == "true"
    assert first.locator("tr.detail").is_visible()


def test_headers_sort_numbers_as_numbers_and_say_so(opened):
    page = opened("check")
    header = page.locator("#rows th[aria-sort]", has_text="used")
    keys = "all => all.map(one => Number(one.rows[0].cells[4].dataset.key))"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    found = page.eval_on_selector_all("#rows > tbody", keys)
    assert found == sorted(found, reverse=True) and found[0] > 1
    header.get_by_role("button").click()
    found = page.eval_on_selector_all("#rows > tbody", keys)
    assert header.get_attribute("aria-sort") == "ascending" and found == sorted(found)
    assert page.locator("#status").inner_text() == "Sorted by used, ascending."
    name = page.locator("#rows th[aria-sort]", has_text="tensor")
    name.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "none"
    texts = rows(page)
    assert texts == sorted(texts, key=str.lower)


def test_other_tables_sort_too(opened):
    page = opened("bench")
    table = page.locator("table.sortable", has_text="precision").first
    before = table.locator("tbody tr").all_inner_texts()
    table.locator("th[aria-sort] button", has_text="class").click()
    table.locator("th[aria-sort] button", has_text="class").click()
    assert table.locator("tbody tr").all_inner_texts() == before[::-1]


def test_the_filter_finds_a_layer_and_the_drawing_leads_to_it(opened):
    page = opened("check")
    everything = len(rows(page))
    page.get_by_label("Find a layer or tensor").fill("AGAIN ker")
    assert rows(page) and all("again kernel" in name for name in rows(page))
    page.get_by_label("Find a layer or tensor").fill("")
    assert len(rows(page)) == everything
    page.get_by_role("combobox", name="Show").select_option("failed")
    assert 0 < len(rows(page)) < everything
    page.get_by_role("combobox", name="Show").select_option("whole numbers")
    gates = page.eval_on_selector_all("#rows > tbody:not([hidden])",
                                      "all => all.map(one => one.dataset.gate)")
    assert set(gates) == {"whole numbers"}
    page.get_by_role("combobox", name="Show").select_option("all")
    page.locator("button.layer", has_text="added").click()
    assert all(name.startswith("added") for name in rows(page)) and rows(page)
    assert page.evaluate("document.activeElement.id") == "filter"


def test_a_large_network_is_zoomed_and_shows_the_layer_that_failed(opened):
    page = opened("large")
    view, drawn = page.locator(".viewport"), page.locator(".network")
    assert view.evaluate("one => one.scrollHeight > 2 * one.clientHeight")
    assert page.locator("button.layer.bad").first.is_visible()
    inside = """() => { const [a, b] = ["button.layer.bad", ".viewport"].map((name) =>
        document.querySelector(name).getBoundingClientRect());
        return a.top >= b.top && a.bottom <= b.bottom; }"""
    assert page.evaluate(inside), "scrolled to from the start"
    height = "one => one.getBoundingClientRect().height"
    before = drawn.evaluate(height)
    page.get_by_role("button", name="Nearer").click()
    nearer = drawn.evaluate(height)
    assert nearer > 1.5 * before and page.evaluate(inside), "what was in the middle stays there"
    page.get_by_role("button", name="Farther").click()
    assert drawn.evaluate(height) == pytest.approx(before, rel=0.02)
    page.get_by_role("button", name="Whole network").click()
    assert view.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
    assert not page.locator("button.layer b").first.is_visible(), "no text that nobody can read"
    assert page.locator("button.layer").first.get_attribute("title") == "Show the rows of l0, Dense"
    assert opened("check").get_by_role("button", name="Nearer").count() == 0, "all in sight anyhow"


def test_many_rows_come_in_portions_and_are_all_found(opened):
    page = opened("large")
    page.get_by_role("combobox", name="Show").select_option("all")
    assert len(rows(page)) == 250
    assert page.locator("#count").inner_text() == f"the first 250 of {TENSORS} rows"
    more = page.get_by_role("button", name="Show 250 more")
    more.click()
    assert len(rows(page)) == 500
    page.get_by_label("Find a layer or tensor").fill("l69 output 1189")
    assert rows(page) == ["l69 output 1189"] and not more.is_visible()
    page.locator("#rows > tbody:visible button.open").click()
    assert page.locator("tr.detail:visible dl").is_visible(), "made once it is opened"
    page.get_by_label("Find a layer or tensor").fill("")
    page.locator("#rows th[aria-sort]", has_text="used").get_by_role("button").click()
    assert rows(page)[0] == "l30 output 30", "the largest of all, not of those in sight"
    assert page.evaluate("document.getElementsByTagName('*').length") < 40 * TENSORS


def test_a_table_s_heading_is_on_each_page_of_paper(opened):
    pypdf = pytest.importorskip("pypdf")
    paper = pypdf.PdfReader(io.BytesIO(opened("large").pdf(format="A4")))
    texts = [sheet.extract_text() for sheet in paper.pages]
    tables = [text for text in texts if " forward equal" in text]
    assert len(tables) > 3
    assert all("tensor" in text and "verdict" in text for text in tables)


def test_dark_follows_the_system_and_the_button(opened):
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = opened("check", color_scheme="light"), opened("check", color_scheme="dark")
    bright, night = light.evaluate(paper), dark.evaluate(paper)
    assert bright != night
    light.get_by_role("button", name="Use dark colours").click()
    assert light.evaluate(paper) == night
    dark.get_by_role("button", name="Use light colours").click()
    assert dark.evaluate(paper) == bright


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_a_phone_with_everything_open(opened, name):
    page = opened(name, width=360)
    page.get_by_role("combobox", name="Show").select_option("all")
    page.get_by_role("button", name="Open all").click()
    assert page.locator("tr.detail:visible").count() > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    charts = page.locator("svg.chart")
    assert charts.count() and all(one.is_visible() for one in charts.all())


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_it_is_black_on_white_without_controls(opened, name):
    page = opened(name, color_scheme="dark")
    page.get_by_role("button", name="Use light colours").click()
    page.get_by_role("button", name="Use dark colours").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    for hidden in ("nav", "#theme", "form.controls label", "#open-all"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator("table").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_scripts_everything_can_be_read(opened):
    page = opened("check", java_script_enabled=False)
    details = page.locator("tr.detail")
    assert details.first.is_visible() and details.last.is_visible()
    assert not page.locator("form.controls").is_visible()


def test_paper_has_the_rows_that_are_open_and_says_how_many_there_are(opened):
    page = opened("check")
    page.get_by_role("combobox", name="Show").select_option("failed")
    shown, failed = page.locator("#count").inner_text(), len(rows(page))
    details = page.locator("tr.detail:visible").count()
    page.emulate_media(media="print")
    assert page.locator("#count").is_visible() and page.locator("#count").inner_text() == shown
    assert shown.startswith(f"{failed} of ")
    assert page.locator("tr.detail:visible").count() == details > 0


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(opened, name):
    """Tab visits all controls, each with a ring around it."""
    page = opened(name)
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, [tabindex=\"0\"]')]"
        ".filter(one => one.checkVisibility()).length")
    assert wanted > 20
    visited = set()
    for _ in range(wanted):
        page.keyboard.press("Tab")
        where, style = page.evaluate("(() => { const one = document.activeElement; const style = "
                                     "getComputedStyle(one); return [[...document.querySelectorAll"
                                     "('*')].indexOf(one), style.outlineStyle + ' ' "
                                     "+ style.outlineWidth]; })()")
        visited.add(where)
        assert style == "solid 3px", page.evaluate("document.activeElement.outerHTML.slice(0,200)")
    assert len(visited) == wanted


# Every text in sight whose contrast with what is painted below it is less than WCAG asks for.
CONTRAST = """() => {
  const paint = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const colour = (...layers) => {
    for (const layer of layers) { paint.fillStyle = layer; paint.fillRect(0, 0, 1, 1); }
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (channels) => {
    const [r, g, b] = channels.map((c) => c / 255).map(
      (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), one = walker.currentNode.parentElement;
    if (!text || ["SCRIPT", "STYLE", "OPTION"].includes(one.tagName) || !one.checkVisibility()
        || one.closest(".unseen, .skip")) continue;
    const below = ["white"];
    for (let at = one; at; at = at.parentElement) {
      below.splice(1, 0, getComputedStyle(at).backgroundColor);
    }
    const shade = one.parentElement.querySelector(":scope > .shade");
    if (shade) {
      const { fill, fillOpacity } = getComputedStyle(shade);
      below.push(`color-mix(in srgb, ${fill} ${100 * fillOpacity}%, transparent)`);
    }
    const style = getComputedStyle(one);
    const ink = one.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [luminance(colour(...below)), luminance(colour(...below, ink))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) bad.push(`${contrast.toFixed(2)} ${one.className} ${text.slice(0, 40)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_can_be_told_from_its_background(opened, name, scheme):
    page = opened(name, color_scheme=scheme)
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", PAGES)
def test_tables_have_names_and_headers(opened, name):
    bad = opened(name).eval_on_selector_all(
        "table", "all => all.filter(one => !one.caption || !one.caption.textContent.trim()"
        " || !one.querySelector('thead th[scope=col]') || [...one.querySelectorAll('th')]"
        ".some(header => !header.scope)).map(one => one.outerHTML.slice(0, 300))")
    assert bad == []


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_a_folder_are_light_on_any_ground(browser, tmp_path, scheme):
    """As GitHub shows them: in an img, where the page's style does not reach."""
    written = [path for path in write_directory(*html_cases.benchmark(), tmp_path)
               if path.suffix == ".svg"]
    assert len(written) == 7
    page = browser.new_page(color_scheme=scheme)
    for path in written:
        page.set_content(f'<body style="background:#0d1117"><img src="{data_uri(path)}">')
        found = page.locator("img")
        assert found.evaluate("one => one.decode().then(() => one.naturalWidth)") > 500
        pixels = imread(io.BytesIO(found.screenshot()))[..., :3]
        assert np.median(pixels) == 1.0, "a light ground"
        assert (pixels.min(axis=-1) < 0.3).mean() > 0.002, "and something on it"
    page.close()


def data_uri(path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()
