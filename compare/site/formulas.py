"""Formulas become MathML, which browsers draw by themselves: no script, no fonts to be fetched."""

import html
import re

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
DISPLAYED = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.S)


def on_page_content(content, page, config, files):
    content = INLINE.sub(lambda m: convert(html.unescape(m[1])), content)
    return DISPLAYED.sub(lambda m: convert(html.unescape(m[1]), display="block"), content)
