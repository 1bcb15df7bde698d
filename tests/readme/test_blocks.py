"""Blocks are found, made of what was printed, and put in their place, on a page made here."""

import pytest

from tests.readme import __main__ as tool
from tests.readme import blocks, excerpt, running
from tests.readme.blocks import WIDTH

PAGE = """# Title

<!-- greet (1 second): python hello.py
first 1
keep ^c -->
```text
old

old
```

Between.

<!-- greet (1 second): python hello.py
keep \\| -->
| old |
|---|

```python
# hello.py: run by the blocks
print("a\\n| b   |   c |\\n|-----|------|\\n\\nc\\n" + "word " * 30)
```

<!-- other (an hour): parity fuzz
last 1 -->
old words
on two lines

The end.
"""
PRINTED = ["one", "two", "", "three", "", "four five", "six"]


@pytest.mark.parametrize("choice, expected", [
    ([], PRINTED),
    (["first 2"], ["one", "two", "..."]),
    (["last 1"], ["...", "six"]),
    (["first 2", "keep ^three"], ["one", "two", "", "three", "..."]),
    (["keep o$", "keep five"], ["...", "two", "...", "four five", "..."]),
    (["from three", "until six"], ["...", "three", "", "four five", "..."]),
    (["from three", "until four"], ["...", "three", "..."]),  # no empty line before a gap
    (["until two", "from five"], ["one", "...", "four five", "six"]),
    # an `until` is looked for behind its `from`
    (["from two", "until ^$", "from five", "until i"], ["...", "two", "...", "four five", "..."]),
    (["first 99"], PRINTED)])
def test_lines_are_chosen(choice, expected):
    assert excerpt.select(PRINTED, choice, gap="...") == expected


def test_without_a_gap_nothing_stands_for_what_is_left_out():
    assert excerpt.select(PRINTED, ["first 1", "last 1"]) == ["one", "six"]


@pytest.mark.parametrize("choice", ["keep seven", "from seven", "until seven", "keep", "first x",
                                    "all", "first -1"])
def test_a_choice_that_finds_nothing_or_is_none_is_refused(choice):
    with pytest.raises(ValueError, match="Expected .*Received"):
        excerpt.select(PRINTED, [choice])


def test_blocks_are_found_with_their_commands():
    first, second, third = blocks.find(PAGE)
    assert (first.name, first.about, first.command) == ("greet", "1 second", "python hello.py")
    assert first.choice == ("first 1", "keep ^c") and first.maker is None
    assert first.text == "```text\nold\n\nold\n```"
    assert second.text == "| old |\n|---|"
    assert (third.name, third.text) == ("other", "old words\non two lines")


@pytest.mark.parametrize("page", ["<!-- no marker -->\ntext\n",
                                  "<!-- a (1 s): parity check -->\n\n",
                                  "<!-- a (1 s): parity check -->\n"])
def test_a_comment_that_is_no_marker_or_has_no_block_is_refused(page):
    with pytest.raises(ValueError, match="Expected .*Received"):
        blocks.find(page)


def test_a_command_is_run_and_its_blocks_alone_are_exchanged():
    output = running.run("python hello.py", blocks.files(PAGE))
    new = tool.renewed(PAGE, "greet", output)
    old, table = blocks.find(PAGE), "| b | c |\n|---|---|"
    assert [block.text for block in blocks.find(new)] == [
        "```text\na\n...\nc\n...\n```", table, old[2].text]
    assert new == PAGE.replace(old[0].text, blocks.find(new)[0].text).replace(old[1].text, table)
    assert tool.renewed(new, "greet", output) == new


def test_a_sentence_is_broken_into_lines():
    sentence = tool.made(blocks.find(PAGE)[2], running.Output("x\n" + "word " * 50))
    assert sentence.split() == ["word"] * 50
    assert max(map(len, sentence.splitlines())) <= WIDTH


def test_a_command_that_fails_leaves_the_page_alone(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace('print("a', 'raise SystemExit(3)\nprint("a'), encoding="utf-8")
    before = page.read_bytes()
    monkeypatch.setattr(tool, "README", page)
    monkeypatch.setattr(tool, "PAGES", (page,))
    assert tool.main(["greet"]) == 1
    assert "greet: Expected" in capsys.readouterr().err and page.read_bytes() == before


def test_what_an_earlier_run_printed_can_be_put_in(tmp_path, monkeypatch, capsys):
    page, printed = tmp_path / "page.md", tmp_path / "printed.txt"
    page.write_text(PAGE, encoding="utf-8")
    printed.write_text("first\nnew words\n", encoding="utf-8")
    monkeypatch.setattr(tool, "README", page)
    monkeypatch.setattr(tool, "PAGES", (page,))
    assert tool.main(["other", "--from", str(printed)]) == 0
    assert page.read_text(encoding="utf-8") == PAGE.replace("old words\non two lines", "new words")
    assert len(list(tmp_path.iterdir())) == 2  # nothing is left of writing


def test_all_are_listed_and_unknown_names_refused(capsys):
    assert tool.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("bench", "check", "debug", "fuzz", "faults"))
    for argv in (["nothing"], ["bench", "check", "--from", "x.json"], ["--from", "x.json"]):
        with pytest.raises(SystemExit) as stop:
            tool.main(argv)
        assert stop.value.code == 2 and "expected" in capsys.readouterr().err
