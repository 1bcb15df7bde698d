"""Paths that are refused for a result, asked without a command: links, capitals, packages."""

import os
from argparse import Namespace

import pytest

from compare.cli import clashes

FILES, FOLDERS = ("json", "html", "junit", "pytest", "out"), ("runs",)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package").mkdir()
    for name in ("g.npz", "mine.py", "package/__init__.py", "package/inner.py", "weights.H5",
                 "there.json", "test_own.py"):
        (tmp_path / name).write_text("text")
    os.symlink("g.npz", "link.txt")
    os.symlink("there.json", "other.json")
    return tmp_path


def refuse(**options):
    """The options afterwards."""
    args = Namespace(**options)
    clashes.refuse(args, FILES, FOLDERS)
    return args


@pytest.mark.parametrize("options, said", [
    ({"golden": "g.npz", "json": "link.txt"}, "--json .* link.txt, .* what --golden names"),
    ({"golden": "link.txt", "json": "package/../g.npz"}, "what --golden names"),
    ({"json": "there.json", "html": "other.json"}, "--html .* what --json names"),
    ({"json": "new", "runs": "./new"}, "--runs .* what --json names"),
    ({"model": "mine:network", "json": "mine.py"}, "what --model names"),
    ({"model": "package:network", "json": "package/__init__.py"}, "what --model names"),
    ({"model": "package.inner:network", "json": "package/inner.py"}, "what --model names"),
    ({"data_dir": "d", "json": "d"}, "what --data-dir names"),
    ({"json": "weights.H5"}, "--json to name a new file.* weights.H5"),
    ({"json": "g.npz"}, "--json to name a new file"), ({"out": "mine.py"}, "--out to name a new"),
    ({"pytest": "test_own.py"}, "--pytest to name a new file"),
    ({"golden": "g.npz", "out": "g.npz"}, "--out .* what --golden names")])
def test_what_is_read_or_written_twice_or_would_be_lost_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        refuse(**options)


@pytest.mark.parametrize("options", [
    {"json": "there.json", "html": "new.html", "junit": "new.xml", "runs": "runs"},
    {"golden": "g.npz", "json": "there.json"}, {"out": "g.npz"},  # what `record` has written before
    {"json": None, "html": ""}, {"json": os.devnull, "html": os.devnull},
    {"model": "mine:network", "json": "mine.json"}, {"json": "new.npz"}])
def test_other_paths_are_not(options):
    assert vars(refuse(**options)) == options


@pytest.mark.parametrize("options, kept", [
    ({"golden": "g.npz", "junit": "g.npz"}, False), ({"json": "new", "junit": "new"}, False),
    ({"junit": "mine.py"}, False), ({"json": "mine.py", "junit": "new.xml"}, True)])
def test_an_error_is_not_written_to_a_junit_file_that_is_refused(options, kept):
    args = Namespace(**options)
    with pytest.raises(ValueError, match="expected --"):
        clashes.refuse(args, FILES, FOLDERS)
    assert args.junit == (options["junit"] if kept else None)
