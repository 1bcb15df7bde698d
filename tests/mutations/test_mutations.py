"""The list of mutations is of this code, and the command tells what is noticed from what is not."""

import pytest

from tests.mutations import __main__ as command
from tests.mutations.catalogue import MUTATIONS
from tests.mutations.trying import ROOT, Mutation

SMALL = ("compare/document/test_text.py",)
HARMLESS = Mutation("a comment more", "compare/document/text.py", "import re\n",
                    "import re  # of Python\n", SMALL)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_is_a_change_of_a_line_that_is_there(mutation):
    text = (ROOT / mutation.file).read_text()
    changed = mutation.applied(text)
    assert changed != text
    compile(changed, mutation.file, "exec")
    assert all((ROOT / "tests" / test).exists() for test in mutation.tests)


def test_names_are_unique():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_a_text_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="expected 'no such text' once in .* Received: 0 times"):
        Mutation("x", "compare/document/text.py", "no such text", "", SMALL).applied("text")


@pytest.mark.long
def test_what_is_noticed_and_what_is_not(monkeypatch, capsys):
    broken = Mutation("nothing is bad", "compare/document/text.py", 'BAD = "bad"',
                      'BAD = "good"', SMALL)
    monkeypatch.setattr(command, "MUTATIONS", [HARMLESS, broken])
    before = (ROOT / broken.file).read_text()
    assert command.main([]) == 1
    assert capsys.readouterr().out == (
        "Not noticed: a comment more (compare/document/text.py)\n"
        "1 of 2 mutations are noticed by the tests.\n")
    assert (ROOT / broken.file).read_text() == before, "the project itself stays"
    assert command.main(["nothing"]) == 0
    assert command.main(["no mutation has this"]) == 2
    assert command.main(["--list"]) == 0
    assert capsys.readouterr().out.endswith("a comment more\nnothing is bad\n")


def test_what_does_not_end_is_told_and_the_others_are_still_tried(monkeypatch, capsys):
    def tried(mutation, project):
        if mutation.name == "a comment more":
            raise RuntimeError("a comment more: expected its tests to end within 3600 s")
        return True

    broken = Mutation("nothing is bad", "compare/document/text.py", 'BAD = "bad"',
                      'BAD = "good"', SMALL)
    monkeypatch.setattr(command, "MUTATIONS", [HARMLESS, broken])
    monkeypatch.setattr(command, "noticed", tried)
    assert command.main([]) == 1
    assert capsys.readouterr().out == (
        "Not decided: a comment more: expected its tests to end within 3600 s\n"
        "1 of 2 mutations are noticed by the tests.\n")
