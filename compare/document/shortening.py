"""Names that are too long for their column, shortened in the middle.

A name is never broken over two lines: nobody could look for it or copy it. What begins and what
ends it tells it from others, as in 'block_1_exp…_convolution'.
"""

from collections.abc import Sequence

from compare.document.terminal import shown
from compare.document.text import Span, Text

# of what is kept of a name, how much stands before the ellipsis; the first that tells all apart
SPLITS = (1 / 2, 2 / 3, 1 / 3, 1 / 5, 4 / 5)


def shortened_column(texts: Sequence[Text], size: int) -> list[Text]:
    """The texts of a column, no word in them longer than `size`, their indent counted; unlike texts
    stay unlike if that can be had."""
    if all(longest_word(text) <= size for text in texts):
        return list(texts)
    tries = [[shortened(text, size, split) for text in texts] for split in SPLITS]
    return max(tries, key=lambda column: len(set(column)))


def longest_word(text: str) -> int:
    """The most columns that a word of the text needs, with the indent of its line before it."""
    return max((indent(line) + len(word) for line in text.split("\n") for word in line.split()),
               default=0)


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def shortened(text: Text, size: int, split: float = SPLITS[0]) -> Text:
    """A text with each word that is longer than `size` shortened in the middle."""
    room = max(size - indent(text), 1)
    made: list[Span] = []
    word: list[Span] = []
    for letter in [*text.letters(), (" ", None)]:
        if letter[0].isspace():
            made += [*_short(word, room, split), letter]
            word = []
        else:
            word.append(letter)
    return Text(made[:-1])


def _short(word: list[Span], room: int, split: float) -> list[Span]:
    if len(word) <= room:
        return word
    ellipsis = shown("…", "..")[:room]
    kept = room - len(ellipsis)
    before = round(split * kept)
    tone = word[before][1]
    return [*word[:before], *((sign, tone) for sign in ellipsis),
            *word[len(word) - (kept - before):]]
