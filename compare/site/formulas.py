"""Formulas become MathML, which browsers draw by themselves: no script, no fonts to be fetched."""

import html
import re

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
DISPLAYED = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.S)
BAR = re.compile(r"<mo([^>]*)>(&#x0007C;)</mo>")


def on_page_content(content, page, config, files):
    content = INLINE.sub(lambda m: mathml(m[1], "inline"), content)
    return DISPLAYED.sub(lambda m: mathml(m[1], "block"), content)


def mathml(escaped: str, display: str) -> str:
    """A formula of LaTeX. Bars stand close to what is between them; browsers take them for
    operators between two things."""
    made = convert(html.unescape(escaped), display=display)
    return BAR.sub(r'<mo\1 lspace="0" rspace="0">\2</mo>', made)
