"""Reads an SVG file that a report wrote, and checks that it stands on its own."""

import re
from xml.etree import ElementTree

NAMESPACE = "{http://www.w3.org/2000/svg}"


def read(path) -> ElementTree.Element:
    """The root of the file; an error if it is not well formed, or needs anything but itself."""
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{NAMESPACE}svg"
    assert float(root.get("width")) > 300 and float(root.get("height")) > 60
    assert root.get("aria-label")
    assert "var(" not in text and "<script" not in text, "not every viewer has them"
    assert not re.search(r"@import|url\((?!#)", text)
    for one in root.iter():
        address = one.get("href", "")
        assert address.startswith("data:image/png;base64,") or not address
    ground = root.find(f"{NAMESPACE}rect[@class='ground']")
    assert (ground.get("width"), ground.get("height")) == ("100%", "100%")
    return root


def texts(root) -> list[str]:
    """All that is written in it."""
    return [" ".join("".join(one.itertext()).split()) for one in root.iter(f"{NAMESPACE}text")]
