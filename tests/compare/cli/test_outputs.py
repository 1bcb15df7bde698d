"""Results that are published: whole files, paths that are tried first, and what is printed."""

import json
from types import SimpleNamespace

import pytest

from compare.cli import outputs
from compare.document import files


def render(result, tablefmt):
    return f"{tablefmt}: {result}\n"


def folder(result, directory):
    files.write_text(directory / "a.txt", result)
    return [directory / "a.txt"]


KINDS = {"as_json": json.dumps, "page": lambda result: f"<p>{result}", "folder": folder}


def asked(tmp_path, *options):
    """The options of a command, those named with a path each."""
    given = {name: None for name in ("json", "html", "out")}
    given |= {name: str(tmp_path / name) for name in options}
    args = SimpleNamespace(format="simple", **given)
    outputs.require_writable(args)
    return args


def test_what_is_asked_for_is_written_printed_and_told(tmp_path, capsys):
    args = asked(tmp_path, "json", "html", "out")
    assert (tmp_path / "out").is_dir() and not (tmp_path / "json").exists()
    outputs.publish(args, "result", render, **KINDS)
    assert (tmp_path / "json").read_text() == '"result"'
    assert (tmp_path / "html").read_text() == "<p>result"
    printed = capsys.readouterr()
    assert printed.out == "simple: result\n"
    assert printed.err.splitlines() == [f"Wrote {path}" for path in (
        args.json, args.html, tmp_path / "out" / "a.txt")]


@pytest.mark.parametrize("option", ["json", "html"])
def test_a_file_that_has_been_written_beside_others_is_not_written_over(tmp_path, capsys, option):
    args = asked(tmp_path, "json", "html", "out")
    setattr(args, option, str(tmp_path / "html" / ".." / "out" / "a.txt"))
    with pytest.raises(ValueError, match=f"--{option} to name a file of its own.*a.txt"):
        outputs.publish(args, "result", render, **KINDS)
    assert (tmp_path / "out" / "a.txt").read_text() == "result"
    assert capsys.readouterr().out == "simple: result\n"


def test_what_is_not_asked_for_is_not_made(tmp_path, capsys):
    def never(*given):
        pytest.fail("made for nothing")

    outputs.publish(asked(tmp_path), "result", render, as_json=never, page=never, folder=never)
    assert capsys.readouterr() == ("simple: result\n", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails", ["json", "html", "out"])
def test_a_full_disk_does_not_cost_the_result(tmp_path, monkeypatch, capsys, fails):
    write = files.write_text

    def full(path, text):
        if fails in str(path):
            raise OSError(28, "No space left on device", str(path))
        write(path, text)

    args = asked(tmp_path, "json", "html", "out")
    monkeypatch.setattr(files, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        outputs.publish(args, "result", render, **KINDS)
    printed = capsys.readouterr()
    assert printed.out == "simple: result\n" and "Wrote" not in printed.err
    assert (tmp_path / "json").exists() or fails == "json"


@pytest.mark.parametrize("option", [*outputs.FILES, *outputs.FOLDERS])
def test_a_path_is_tried_before_the_work(tmp_path, option):
    (tmp_path / "file").write_text("")
    args = SimpleNamespace(**{option: str(tmp_path / "file" / "below")})
    with pytest.raises(OSError, match=f"--{option}"):
        outputs.require_writable(args)
