"""The site: what its pages are made of, and that it is whole, quiet, and fetches nothing."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "compare" / "site" / "mkdocs.yml"

pytest.importorskip("mkdocs", reason="mkdocs is not installed: the extra 'site'")

README = """# Title

See [the way](#the-way), [a guide](compare/guides/CI.md#x), [a figure](tests/readme/a.svg),
[a notebook](compare/guides/notebooks/port.ipynb).

<!-- a comment
of two lines -->
## What you will see

Text.

## The way

### A part
"""


@pytest.fixture
def pages(monkeypatch):
    """The module, for a README of two pages."""
    spec = importlib.util.spec_from_file_location("pages", CONFIG.parent / "pages.py")
    pages = importlib.util.module_from_spec(spec)  # of the checkout: it is not installed
    spec.loader.exec_module(pages)
    monkeypatch.setattr(pages, "SECTIONS", {"index.md": ("", "What you will see"),
                                            "way.md": ("The way",)})
    return pages


def test_the_readme_is_cut_at_its_sections(pages):
    assert list(pages.split(README)) == ["", "What you will see", "The way"]
    first = pages.page_of(README, ("", "What you will see"))
    assert first.startswith("# Title\n") and "## What you will see\n" in first
    assert "comment" not in first
    assert pages.page_of(README, ("The way",)).split() == ["#", "The", "way", "##", "A", "part"]


def test_links_lead_to_where_things_are_on_the_site(pages):
    links = re.findall(r"\]\((.*?)\)", pages.page_of(README, ("",)))
    assert links == ["way.md#the-way", "CI.md#x", "figures/a.svg", "notebooks/port.md"]


def test_a_notebook_shows_its_text_its_code_and_what_came_out(pages):
    cells = [{"cell_type": "markdown", "source": ["# A title"]},
             {"cell_type": "code", "source": ["f()"], "outputs": [
                 {"output_type": "stream", "text": ["printed\n"]},
                 {"output_type": "execute_result", "data": {"text/plain": ["7"]}},
                 {"output_type": "display_data", "data": {"text/html": ["<p>a\n\nb</p>"],
                                                          "text/plain": ["no"]}},
                 {"output_type": "error", "ename": "KeyError", "evalue": "'x'"}]}]
    page = pages.notebook_page({"cells": cells}, "port")
    for part in ("# A title", "```python\nf()\n```", "```text\nprinted\n```", "```text\n7\n```",
                 '<div class="output"><p>a\nb</p></div>', "KeyError: 'x'", "(port.ipynb)"):
        assert part in page
    assert "no" not in page.replace("notebook", "")


def test_it_is_built_without_a_warning_and_fetches_nothing(tmp_path, monkeypatch):
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    build(load_config(str(CONFIG), site_dir=str(tmp_path / "site")))  # strict: raises
    found = {path.relative_to(tmp_path / "site").as_posix(): path.read_text(encoding="utf-8")
             for path in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "VERDICT.html", "speed.html", "faults.html", "SUPPORT.html",
            "notebooks/course.html", "api/layers.html"} <= set(found)
    for name, page in found.items():
        assert not re.search(r'(?:src|<link[^>]* href)="(?:https?:)?//', page), name
        assert "arithmatex" not in page, name
    assert 'id="compare.check"' in found["api/compare.html"]
    assert 'id="scratch.layers.Dense"' in found["api/layers.html"]
    assert found["VERDICT.html"].count("<math") > 20
