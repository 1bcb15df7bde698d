"""Drawings: one and the same on a page and in a file, and a file that needs nothing else."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from compare.document.charts import drawing, matrix, tile
from compare.document.charts.drawing import Drawing, Group, sheet
from compare.document.charts.line_chart import Band, Level, Series, chart, key
from compare.document.pictures import Picture, write_pictures
from tests.compare.support import svg_file

EVIL = "<script>alert('a&b')</script>"


def box(width, height, heading=""):
    return Drawing(heading, f"{width} by {height}", "", width, height, "boxed")


def places(text):
    """(x, y, width, height) of every picture on a sheet."""
    root = ElementTree.fromstring(text)
    return [tuple(float(one.get(key)) for key in ("x", "y", "width", "height"))
            for one in root.findall(f"{svg_file.NAMESPACE}svg")]


def test_pictures_lie_side_by_side_and_none_over_another():
    drawings = [box(100, 50, "a"), box(80, 70), box(60, 20, "c"), box(300, 10), box(5, 400)]
    text = sheet("Heading", "About it " * 30, [Group("first", drawings, 2),
                                               Group("", [box(900, 5)], 3)])
    root = ElementTree.fromstring(text)
    found = places(text)
    assert [(w, h) for *_, w, h in found] == [(d.width, d.height) for d in drawings] + [(900, 5)]
    for i, (x, y, w, h) in enumerate(found):
        assert x + w <= float(root.get("width")) and y + h <= float(root.get("height"))
        for a, b, c, d in found[:i]:
            assert x >= a + c or a >= x + w or y >= b + d or b >= y + h
    assert found[0][1] == found[1][1] and found[2][1] > found[0][1]


def test_a_file_stands_on_its_own(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(sheet(EVIL, "About", [Group("Group", [box(400, 90, "Box")], 1)]))
    root = svg_file.read(path)
    assert svg_file.texts(root) == [EVIL, "About", "Group", "Box"]
    for name, colour in re.findall(r"--(\w+): (#\w+)", drawing.style()):
        used = f"var(--{name})" in drawing.style()
        assert used and colour in path.read_text(), f"{name} has a colour that nothing uses"


def test_what_could_not_be_drawn_leaves_no_older_file(tmp_path):
    (tmp_path / "b.svg").write_text("of an earlier run")
    captions = write_pictures({"a.svg": Picture("A", "<svg/>"), "b.svg": Picture("B", None)},
                              tmp_path)
    assert captions == {"a.svg": "A"} and [p.name for p in tmp_path.iterdir()] == ["a.svg"]


def test_a_matrix_can_be_read_cell_by_cell():
    numbers = np.array([[5, 0], [-2, 7]])
    found = matrix.matrix("h", "label", numbers, numbers / 7, "+d", ("ant", "a bee"))
    root = ElementTree.fromstring(found.svg())
    assert root.get("role") == "table" and root.get("aria-label") == "label"
    table = [["".join(cell.itertext()) for cell in row if cell.get("role") == "cell"]
             for row in root if row.get("role") == "row"]
    assert table == [[], ["+5", ""], ["-2", "+7"]]
    heads = [one.text for one in root.iter() if one.get("role") in ("columnheader", "rowheader")]
    assert heads == ["ant", "a bee", "ant", "a bee"]
    shades = [float(one.get("fill-opacity")) for one in root.iter() if one.get("fill-opacity")]
    assert shades[2] == max(shades) == matrix.DARKEST and min(shades) == shades[1]
    assert [one.get("class") for one in root.iter("g") if one.get("class")] == [
        "first", "second", "first"]


def test_a_tile_says_all_its_lines_and_breaks_long_ones():
    image = np.array([[0, 16], [16, 0], [0, 0]])
    lines = [("✓ scratch: ant 0.50", "good"), ("Keras: " + "ant 2×, " * 8, "")]
    found = tile.tile("test image 3: ant", image, 16, "ant", "#3", lines)
    root = ElementTree.fromstring(found.svg())
    written = ["".join(one.itertext()) for one in root.iter("text")]
    assert written[:2] == ["ant #3", "✓ scratch: ant 0.50"]
    assert " ".join(written[2:]) == lines[1][0].strip() and len(written) > 4
    assert max(map(len, written)) <= tile.LETTERS
    assert found.height > tile.SIDE * 3 / 2 + tile.LINE * len(written)
    picture = root.find("image")
    assert float(picture.get("height")) == pytest.approx(1.5 * float(picture.get("width")))


@pytest.mark.parametrize("width", [200, 340, 520])
def test_the_names_of_a_key_do_not_run_into_one_another(width):
    entries = [Series("scratch", [], "first", marks="dot"), Series("Keras", [], "second"),
               Band("95 % interval", 0, 1, "third"), Level("published, NumPy", 0.5, "fourth")]
    found = key(entries, width)
    root = ElementTree.fromstring(found.svg())
    spots = [tuple(map(float, re.findall(r"[\d.]+", one.get("transform")))) for one in root]
    assert [one.find("text").text for one in root] == [entry.name for entry in entries]
    for (x, y), (a, b), entry in zip(spots, spots[1:], entries):
        assert (a >= x + 32 + 6 * len(entry.name) and b == y) or (a == 0 and b > y)
    assert max(y for _, y in spots) + 20 <= found.height


def test_bands_levels_and_stems_lie_where_they_belong():
    found = chart("h", "label", [Series("a", [(0, 1.0), (1, 3.0)], "first", marks="up")], "x", "y",
                  (Band("b", 0.0, 2.0, "third", 1.0),), (Level("l", 4.0, "fourth"),),
                  ((0, 1.0, 3.0),)).svg()
    root = ElementTree.fromstring(found)
    band = next(one for one in root.iter("rect"))
    top, bottom = float(band.get("y")), float(band.get("y")) + float(band.get("height"))

    def height(kind):
        path = next(one for one in root.iter("path") if kind in one.get("class", "").split())
        return float(re.match(r"M[\d.]+ ([\d.]+)", path.get("d"))[1])

    one = (top + bottom) / 2  # the place of y = 1
    each = (bottom - top) / 2  # a step of y
    assert height("mean") == pytest.approx(one, abs=0.2)
    assert height("level") == pytest.approx(one - 3 * each, abs=0.3)
    assert height("stem") == pytest.approx(one, abs=0.2)
