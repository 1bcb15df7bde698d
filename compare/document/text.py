"""Text whose pieces know their tone, and that hides nothing of what came from outside.

A report says what is good, bad or worth a warning where it makes its sentence; whoever shows it
decides what becomes of that: colours on a terminal, classes on a page, nothing in a file. So a
layer that somebody named 'failed' gets no tone, and no word has to be looked for.

    line(good("Parity holds"), f": all {count} rows of {layer}")

Whatever is put into a line is shown by `visible`: names, messages and paths may hold characters
that move a cursor or begin a line of their own.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from enum import Enum

# Control characters, invisible ones that reorder letters, halves of characters, line separators.
HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
# What GitHub's runner takes for a command of its own: '::stop-commands::' at the beginning of a
# line, behind white space too, and the older '##[group]' anywhere (its documentation, "Workflow
# commands"). Between letters, as in 'tensorflow::ops', it is neither.
COMMAND = re.compile(r"(?<![A-Za-z\d]):(?=:)|(?<=#)#(?=\[)")


class Tone(Enum):
    """What a piece of text is to its reader."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    STRONG = "strong"  # a heading, or the label in front of a sentence


Span = tuple[str, Tone | None]


class Text(str):
    """A text made of spans, each of one tone or of none.

    It is a `str`, and may be used as one. What a method of `str` gives is a plain `str` again: tone
    can be lost, but never go astray.

    Attributes:
        spans: (text, tone) one after the other, none of them empty, neighbours of unlike tones.
    """

    spans: tuple[Span, ...]

    def __new__(cls, spans: Iterable[Span] = ()) -> "Text":
        runs = itertools.groupby((span for span in spans if span[0]), key=lambda span: span[1])
        kept = tuple(("".join(text for text, _ in run), tone) for tone, run in runs)
        made = super().__new__(cls, "".join(text for text, _ in kept))
        made.spans = kept
        return made

    def __reduce__(self) -> tuple[type["Text"], tuple[tuple[Span, ...]]]:
        return Text, (self.spans,)  # so that it can be copied and sent to another process

    @property
    def toned(self) -> bool:
        """Whether any of it has a tone."""
        return any(tone for _, tone in self.spans)

    def letters(self) -> list[Span]:
        """Every character with its tone."""
        return [(letter, tone) for text, tone in self.spans for letter in text]

    def moved(self, laid_out: str) -> "Text":
        """The same letters with other white space between them, as wrapping and padding leave them:
        each keeps its tone."""
        if laid_out == self:
            return self
        tones = [tone for letter, tone in self.letters() if not letter.isspace()]
        marks: list[Tone | None] = []
        seen = 0
        for letter in laid_out:
            if letter.isspace():  # has a tone where the letters around it share one
                around = set(tones[max(seen - 1, 0):seen + 1]) if 0 < seen < len(tones) else {None}
                marks.append(around.pop() if len(around) == 1 and letter != "\n" else None)
            else:
                marks.append(tones[seen])
                seen += 1
        return Text(zip(laid_out, marks))

    def swapped(self, old: str, new: str) -> "Text":
        """With `new` for each `old` that lies within a span."""
        return Text((text.replace(old, new), tone) for text, tone in self.spans)


def line(*pieces: str) -> Text:
    """One line of these pieces; what would break it, or hide in it, is shown escaped."""
    spans: list[Span] = []
    for piece in pieces:
        spans += piece.spans if isinstance(piece, Text) else [(visible(piece), None)]
    return Text(spans)


def lines(parts: Iterable[str]) -> Text:
    """Lines, one below the other."""
    spans: list[Span] = []
    for part in parts:
        spans += [*line(part).spans, ("\n", None)]
    return Text(spans[:-1])


def as_lines(text: str) -> Text:
    """A text that may have several lines; what hides in one of them is shown escaped."""
    return text if isinstance(text, Text) else lines(text.split("\n"))


def good(text: str) -> Text:
    """What is as it should be."""
    return _toned(text, Tone.GOOD)


def bad(text: str) -> Text:
    """What is wrong."""
    return _toned(text, Tone.BAD)


def warning(text: str) -> Text:
    """What has to be known before anything else is believed."""
    return _toned(text, Tone.WARNING)


def strong(text: str) -> Text:
    """A heading, or the label in front of a sentence."""
    return _toned(text, Tone.STRONG)


def _toned(text: str, tone: Tone) -> Text:
    return Text([(line(text), tone)])


def visible(text: str, keep: str = "") -> str:
    r"""The text with hidden characters and beginnings of GitHub's commands as Python escapes them.

    ESC becomes '\x1b', a line break '\n', '::error::' '\x3a:error::'. Applied twice, it changes
    nothing more.

    Args:
        keep: characters that are left as they are.
    """
    return COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", unhidden(text, keep))


def unhidden(text: str, keep: str = "") -> str:
    """`visible` for what GitHub's runner does not read, such as a page: it hides nothing, and '::'
    stays as it is."""
    if text.isprintable():
        return text
    return "".join(letter if letter in keep or unicodedata.category(letter) not in HIDDEN
                   else repr(letter)[1:-1] for letter in text)
