"""README.md tells the truth as far as that can be known at once: commands are understood, links and
files are there, code compiles, and what costs little to run prints what is shown."""

import re
import shlex
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from compare import cli
from compare.evaluation.faults import catalogue
from tests.readme import blocks
from tests.readme.blocks import PAGES, README, ROOT
from tests.readme.makers import MAKERS

TEXT = README.read_text(encoding="utf-8")
BLOCKS = [block for page in PAGES for block in blocks.find(page.read_text(encoding="utf-8"))]
SECTIONS = dict(part.split("\n", 1) for part in TEXT.split("\n## ")[1:])
COMMANDS = re.findall(r"^\| `(parity [^`]+)` \|", SECTIONS["Commands"], re.M)


def parsed(command: str):
    """The arguments of a command of parity, by its own parser."""
    program, *arguments = shlex.split(command)
    assert program == "parity"
    return cli.build_parser().parse_args(arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_understood(command):
    assert parsed(command).command in cli.COMMANDS


def test_every_subcommand_has_an_example():
    assert {parsed(command).command for command in COMMANDS} == set(cli.COMMANDS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.name}-{block.maker}")
def test_a_block_is_made_by_a_command_that_is_understood(block):
    if block.command.startswith("python -m "):
        module = block.command.split()[2]
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()
    else:
        parsed(block.command)
    assert block.maker is None or block.maker in MAKERS
    assert len({other.command for other in BLOCKS if other.name == block.name}) == 1


def test_every_output_and_every_table_of_figures_has_its_command():
    shown = {block.text for block in BLOCKS}
    outputs = re.findall(r"^```text\n.*?^```$", TEXT, re.M | re.S)
    assert outputs and set(outputs) <= shown
    tables = {table.rstrip("\n") for table in re.findall(r"(?:^\|.*\n)+", TEXT, re.M)}
    assert {table.splitlines()[0] for table in tables - shown} == {
        "| file | what it holds |", "| command | what for |", "| word | meaning |",
        # whose figures tests/compare/runtimes/test_figures.py counts
        next(line for line in TEXT.splitlines() if line.startswith("| what you have | how |"))}


def test_links_lead_somewhere():
    for page in PAGES:
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        local = [link for link in links if not link.startswith("http")]
        assert local
        missing = [link for link in local if not (page.parent / link).exists()]
        assert not missing, f"{page.name}: {missing}"


def test_the_files_to_be_read_are_there():
    rows = re.findall(r"^\| (`.*?) \|", SECTIONS["Reading order"], re.M)
    assert len(rows) > 8
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        for path in (first, *others):
            beside = PurePosixPath(first).parent / path
            assert (ROOT / path).exists() or (ROOT / beside).exists(), path


def python_block(beginning: str) -> str:
    """The one block of Python in the README whose first line begins so."""
    found = [code for code in blocks.snippets(TEXT) if code.startswith(beginning)]
    assert len(found) == 1, f"blocks that begin with {beginning!r}: {len(found)}"
    return found[0]


def test_every_block_of_python_is_run_by_a_test_here():
    beginnings = ("import scratch", "def test_my_port", "# mine.py", "model = scratch.load_model")
    for code in blocks.snippets(TEXT):
        assert code.startswith(beginnings), code


def test_the_python_does_what_the_readme_says(keras, tmp_path, monkeypatch, request):
    """From the first model to the last line, each block with what the ones before it left."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = {"x": rng.standard_normal((64, 28, 28, 1)).astype("float32"),
             "y": rng.integers(0, 10, 64)}
    exec(compile(python_block("import scratch"), "README.md", "exec"), names)
    assert names["report"] and names["report"].first_failure is None
    assert isinstance(names["twin"], keras.Sequential) and names["twin"].compiled
    assert len(names["history"].history["loss"]) == 3 and Path("golden.npz").is_file()
    names.update(my_model=names["model"], keras_model=names["twin"], x=names["x"][:8],
                 y=names["y"][:8])
    exec(compile(python_block("def test_my_port"), "README.md", "exec"), names)
    names["test_my_port"](request.getfixturevalue("parity"))
    names["twin"].save("model.keras")
    exec(compile(python_block("model = scratch.load_model"), "README.md", "exec"), names)
    assert keras.saving.load_model("again.keras").count_params() == names["twin"].count_params()


def test_a_picture_comes_before_all_else_and_is_small():
    before, _ = TEXT.split("```", 1)
    path, = re.findall(r"^!\[.+\]\((\S+)\)$", before, re.M)
    assert 1_000 < (ROOT / path).stat().st_size < 150_000


def test_the_catalogue_of_faults_is_as_the_readme_says():
    faults = catalogue.chosen(None)
    trained = [fault for fault in faults if fault.learns is not None]
    said = " ".join(SECTIONS["How well it finds mistakes"].split())
    single = sum(not fault.is_pair for fault in faults)
    assert (f"puts {len(faults)} faults in on purpose ({single} single ones, "
            f"{len(faults) - single} pairs, {sum(fault.cancels for fault in faults)} of which "
            f"cancel in the output; {sum(fault.side != 'candidate' for fault in faults)} on "
            "Keras's side)") in said
    assert (f"Of {len(trained)} faults that were trained on the digits, "
            f"{sum(fault.learns for fault in trained)} stay within one point") in said


def test_debug_prints_what_is_shown(keras, tmp_path, monkeypatch, capsys):
    block, = (block for block in BLOCKS if block.name == "debug")
    for name, code in blocks.files(TEXT).items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    keras.utils.clear_session()  # layers are numbered from the start again, as for a reader
    keras.utils.set_random_seed(0)
    try:
        assert cli.main(shlex.split(block.command)[1:]) == 1
    finally:
        sys.modules.pop("mine", None)
    made = block.of_lines(capsys.readouterr().out)
    assert exact(made) == exact(block.text)


def exact(text: str) -> str:
    """The text without the evidence, whose figures depend on how the machine rounds."""
    without, count = re.subn(r"Evidence:.*?Remedy:", "", text, flags=re.S)
    assert count == 1
    return without
