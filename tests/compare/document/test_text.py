"""Texts that know their tone: it keeps to its letters, and nothing hides in them."""

import copy
import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.document import sections, tables
from compare.document.html.sections import paragraph
from compare.document.sections import Section, Table, wrapped
from compare.document.text import (
    Text,
    Tone,
    as_lines,
    bad,
    good,
    line,
    lines,
    strong,
    visible,
    warning,
)

TERMINAL = sorted(tables.ON_TERMINAL)
HOSTILE = "a\x1b[31m\n::stop-commands::x\r##[group]\u202eb\x9b\ud800"


def toned(text: Text) -> list[tuple[str, Tone]]:
    return [(span, tone) for span, tone in text.spans if tone]


def test_a_line_keeps_the_tones_of_its_pieces_and_is_a_string():
    text = line("Twins: ", good("Parity holds"), ": all ", strong("3"), "")
    assert isinstance(text, str) and text == "Twins: Parity holds: all 3"
    assert text.spans == (("Twins: ", None), ("Parity holds", Tone.GOOD), (": all ", None),
                          ("3", Tone.STRONG))
    assert line(text, ".").spans[1] == ("Parity holds", Tone.GOOD)
    assert toned(lines([bad("a"), "b", warning("c")])) == [("a", Tone.BAD), ("c", Tone.WARNING)]
    assert lines(["a", "", "b"]) == "a\n\nb" and lines([]) == ""


def test_equal_neighbours_are_one_span_and_empty_ones_none():
    assert Text([("a", Tone.BAD), ("", None), ("b", Tone.BAD)]).spans == (("ab", Tone.BAD),)
    assert Text().spans == () and not Text().toned and good("x").toned


@pytest.mark.parametrize("through", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_tones_travel_to_another_process(through):
    text = line(bad("2 of 3 fail"), ": why")
    assert through(text) == text and through(text).spans == text.spans


def test_as_json_it_is_a_plain_string():
    assert json.dumps({"verdict": line(good("Parity holds"), ".")}) == \
        '{"verdict": "Parity holds."}'


def test_words_have_no_tone_by_themselves():
    for text in ("Parity holds", "FAILED", "Cause: exact", "PARTIAL: interrupted"):
        assert not line(text).toned and not as_lines(text).toned and not wrapped(text).toned


# White space moves, letters keep their tone


spans = st.lists(st.tuples(st.text("ab .-_:/", max_size=9), st.sampled_from([None, *Tone])),
                 max_size=9)


@given(spans, st.data())
def test_every_letter_keeps_its_tone_however_the_white_space_moves(found, data):
    text = Text(found)
    letters = [pair for pair in text.letters() if not pair[0].isspace()]
    spaces = data.draw(st.lists(st.sampled_from(["", " ", "\n  "]), min_size=len(letters) + 1,
                                max_size=len(letters) + 1))
    laid = "".join(space + letter for space, (letter, _) in zip(spaces, letters)) + spaces[-1]
    moved = text.moved(laid)
    assert moved == laid
    assert [pair for pair in moved.letters() if not pair[0].isspace()] == letters
    assert all(tone is None for letter, tone in moved.letters() if letter == "\n" and laid != text)


def test_white_space_within_a_tone_has_it_and_between_two_has_none():
    moved = line(good("all is well"), " or ", bad("not")).moved("all  is\nwell  or not")
    assert moved.spans == (("all  is", Tone.GOOD), ("\n", None), ("well", Tone.GOOD),
                           ("  or ", None), ("not", Tone.BAD))


def test_wrapping_keeps_tones_over_a_line_break():
    text = line("word " * 13, bad("Parity does not hold"), ": " + "word " * 20)
    found = wrapped(text)
    assert "Parity does not\nhold" in found
    assert toned(found) == [("Parity does not", Tone.BAD), ("hold", Tone.BAD)]


HEADERS = ["layer", "bound", "used", "verdict", "note"]
ROWS = [["exact", "exact", "0", good("exact"), ""],
        ["passed", "normwise", "12", good("passed"), "passed by a hair"],
        ["FAILED", "exact", "300", line(bad("FAILED"), ": candidate"), "FAILED"],
        ["a name as long as it need not be " * 2, "normwise", "200",
         line(bad("failed"), ": downstream"), "and a remark of some length, failed " * 2]]


@pytest.mark.parametrize("tablefmt", TERMINAL)
def test_a_table_is_the_same_with_tones_and_has_them_where_its_cells_do(tablefmt):
    found = tables.render(HEADERS, ROWS, tablefmt)
    plain = tables.render(HEADERS, [[str(cell) for cell in row] for row in ROWS], tablefmt)
    assert found == plain and not plain.toned
    assert toned(found) == [("exact", Tone.GOOD), ("passed", Tone.GOOD), ("FAILED", Tone.BAD),
                            ("failed", Tone.BAD)]
    row = next(each for each in found.split("\n") if ": candidate" in each)
    assert row.count("FAILED") == 3  # a layer's name and a note that say so have no tone


@pytest.mark.parametrize("tablefmt", TERMINAL)
def test_tones_of_broken_cells_and_of_numbers_lie_on_their_letters(tablefmt):
    rows = [[bad("bad " * 12 + "end"), good("1.5"), "漢字 " * 9], ["plain", "10.25", strong("é")]]
    found = tables.render(["what", "number", "else"], rows, tablefmt)
    assert found == tables.render(["what", "number", "else"],
                                  [[str(cell) for cell in row] for row in rows], tablefmt)
    for tone, letters in ((Tone.BAD, "bad" * 12 + "end"), (Tone.GOOD, "1.5"), (Tone.STRONG, "é")):
        said = "".join(letter for letter, each in found.letters() if each is tone)
        assert said.replace(" ", "") == letters


def test_a_letter_of_a_name_cannot_stand_for_a_tone():
    name = "".join(tables.MARKS.values())
    found = tables.render(["layer", "verdict"], [[name, good("exact")]])
    assert name in found and toned(found) == [("exact", Tone.GOOD)]


@pytest.mark.parametrize("tablefmt", ["github", "latex", "html", "tsv", "rst"])
def test_what_is_pasted_elsewhere_has_no_tone(tablefmt):
    assert not tables.render(HEADERS, ROWS, tablefmt).toned


def test_headings_and_their_rules_are_strong_and_tables_heads_are_not():
    report = sections.as_text([
        Section("A title that is so long that it does not fit a single line of eighty columns "
                "by any means", ["said"], Table(["a", "b"], [["1", "x"], ["2", "y"]])),
        Section("Second", [line(good("fine"), " it is")])])
    strong_ones = [span for span, tone in toned(report) if tone is Tone.STRONG]
    title = report.split("\nsaid")[0]
    assert "\n".join(strong_ones) == title + "\nSecond\n------"
    assert [span for span, tone in toned(report) if tone is Tone.GOOD] == ["fine"]


def test_on_a_page_tones_are_classes_and_text_is_escaped():
    found = paragraph(line(bad("Parity <does not> hold"), ": ", good("a"), strong("b"), " & c"))
    assert found == ('<p><span class="failed">Parity &lt;does not&gt; hold</span>: '
                     '<span class="good">a</span><strong>b</strong> &amp; c</p>')
    assert paragraph("failed") == "<p>failed</p>"
    assert paragraph(lines(["a", "b"])).startswith("<pre ")


# What comes from outside


@pytest.mark.parametrize("text, shown", [
    ("plain ü ✓ 漢字 \u00a0", "plain ü ✓ 漢字 \u00a0"), ("a\x1b[31mb", r"a\x1b[31mb"),
    ("a\nb\tc\r", r"a\nb\tc\r"), ("\x9b1m\x7f\x00", r"\x9b1m\x7f\x00"),
    ("\u202eabc\u2028", r"\u202eabc\u2028"), ("\udc80", r"\udc80"), (r"C:\new", r"C:\new"),
    ("::error::x", r"\x3a:error::x"), ("  ::x::", r"  \x3a:x::"), (":::x", r"\x3a\x3a:x"),
    ("tensorflow::ops::Add, a: b", "tensorflow::ops::Add, a: b"), ("12:30", "12:30"),
    ("a##[group]", r"a#\x23[group]"), ("## heading [1]", "## heading [1]")])
def test_what_hides_is_shown_escaped_and_all_else_left_alone(text, shown):
    assert visible(text) == shown == line(text) == visible(shown)


@given(st.text(st.characters(), max_size=30) | st.text("ab:#[ \n\x1b_.", max_size=30))
def test_nothing_hides_in_a_line(text):
    shown = line("said: ", text)
    assert "\n" not in shown and "\r" not in shown and "\x1b" not in shown
    assert visible(shown) == shown
    shown.encode()  # halves of characters cannot be printed


def test_characters_may_be_kept():
    assert visible("a\n::x\x1b", keep="\n") == "a\n\\x3a:x\\x1b"


def commands(text: str) -> list[str]:
    """What GitHub's runner would obey."""
    return re.findall(r"(?m)^\s*::.*|.*##\[.*", text)


@given(st.lists(st.text("abAB:#[ \n\x1b_./-=", max_size=40), min_size=4, max_size=4),
       st.sampled_from([*TERMINAL, "github", "latex", "html", "tsv", "rst"]))
def test_no_cell_and_no_sentence_begins_a_line_with_a_command(texts, tablefmt):
    name, tensor, note, where = texts
    shown = tables.render(["layer", "tensor", "note"], [[f"  {name}", tensor, note]], tablefmt)
    assert not commands(shown) and "\x1b" not in shown
    report = sections.as_text([Section(where, [name * 3, f"said of {note} " * 5],
                                       Table(["a"], [[tensor]]), [where])], tablefmt)
    assert not commands(report) and "\x1b" not in report


def test_a_long_name_is_not_broken_into_a_command():
    for before in range(40):
        name = "a" * before + "::stop-commands::x"
        rows = [[name, "y::", "some words " * 9, "more of them " * 9]]
        for tablefmt in ("simple", "plain"):
            assert not commands(tables.render(["a", "b", "c", "d"], rows, tablefmt))


def test_markdown_shows_what_hides_and_keeps_a_sentence_on_its_line():
    text = sections.as_markdown([Section(HOSTILE, [HOSTILE], Table(["a"], [[HOSTILE]]),
                                         [HOSTILE])], {})
    assert not commands(text) and "```" not in text
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    assert text.count(r"\x1b") == 4
    listed = sections.as_markdown([Section("Title", [lines(["one", "two"])])], {})
    assert "```\none\ntwo\n```" in listed
