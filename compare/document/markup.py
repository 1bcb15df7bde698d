"""HTML elements as text. Whatever is not made here is escaped, so nothing can slip through: no
element, and no character that hides or turns others round."""

import html
import re
from collections.abc import Iterable

from compare.document.text import unhidden


class Html(str):
    """Text that is HTML already."""


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """An element; children and attributes' values are escaped unless they are `Html`.

    Children may be nested lists; None is left out. In attributes' names '_' stands for '-' and a
    last '_' is dropped; True gives an attribute without a value, None and False none at all.
    """
    said = "".join(_attribute(key.rstrip("_").replace("_", "-"), value)
                   for key, value in attributes.items() if value is not None and value is not False)
    if name in ("img", "meta", "input", "link", "br", "wbr"):
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Children one after the other, escaped where they have to be."""
    texts: list[str] = []
    for child in children:
        if isinstance(child, Html):
            texts.append(child)
        elif isinstance(child, (list, tuple)):
            texts.append(join(child))
        elif child is not None:
            texts.append(html.escape(unhidden(str(child), keep="\n\t")))
    return Html("".join(texts))


def _attribute(name: str, value: object) -> str:
    if value is True:
        return f" {name}"
    return f' {name}="{html.escape(unhidden(str(value), keep=chr(10)))}"'


def breakable(name: str) -> list[object]:
    """A name such as 'conv2d_1/relu input_gradient', which may be broken after '_' and '/'."""
    pieces = re.split(r"(?<=[_/])", name)
    return [pieces[0], *([element("wbr"), piece] for piece in pieces[1:])]
