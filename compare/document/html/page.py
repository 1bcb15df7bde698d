"""The frame of every page: head, style, script, title, verdict, contents, sections, footer.

A page is one file: style and script stand in it, pictures are data URIs, and a policy in its head
forbids it to load anything.
"""

from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from compare.document.charts.drawing import Drawing, gradients, style
from compare.document.markup import Html, element, join

POLICY = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'")
ICON = "data:image/png;base64,iVBORw0KGgo="  # so that no browser asks a server for one


@dataclass
class Part:
    """A section of a page: it is in the contents by its heading."""

    name: str  # its anchor
    heading: str
    content: list[Any] = field(default_factory=list)


def page(title: str, passed: bool | None, verdict: str, parts: list[Part], facts: dict[str, str],
         lead: object = None) -> str:
    """A whole page.

    Args:
        passed: what the verdict is; None where it is neither good nor bad.
        verdict: one sentence.
        parts: the sections, in reading order.
        facts: machine, versions, command: by name, for the last section.
        lead: what stands below the verdict.
    """
    parts = [*parts, Part("environment", "Environment and command", [fact_list(facts)])]
    head = element("head", element("meta", charset="utf-8"),
                   element("meta", http_equiv="Content-Security-Policy", content=POLICY),
                   element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                   element("meta", name="color-scheme", content="light dark"),
                   element("meta", name="generator", content="keras-parity"),
                   element("link", rel="icon", href=ICON),
                   element("title", f"{mark(passed)[1]} {title}".strip()),
                   element("style", Html(style() + asset("page.css"))),
                   element("noscript", element("style", Html(
                       ".detail[hidden]{display:table-row!important}.controls,#theme"
                       "{display:none!important}"))))
    body = element("body",
                   element("a", "Skip to the content", class_="skip", href="#content"),
                   element("header", element("div", element("p", "keras-parity", class_="brand"),
                                             element("button", "Dark", id="theme", type="button",
                                                     aria_pressed="false"), class_="bar"),
                           element("h1", title), banner(passed, verdict), lead),
                   contents(parts),
                   element("svg", gradients(), class_="unseen", aria_hidden="true"),
                   element("main", [section(part) for part in parts], id="content", tabindex="-1"),
                   element("p", "", id="status", role="status", class_="unseen"),
                   element("script", Html(asset("page.js"))))
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def banner(passed: bool | None, verdict: str) -> Html:
    """The verdict: a mark, and a sentence."""
    kind, sign, word = mark(passed)
    return element("p", element("span", sign, class_="sign", role="img", aria_label=word)
                   if sign else None, element("span", verdict), class_=f"verdict {kind}")


def mark(passed: bool | None) -> tuple[str, str, str]:
    """(a class of the style sheet, a sign, the sign in a word)."""
    if passed is None:
        return "neutral", "", ""
    return ("good", "✓", "holds") if passed else ("bad", "✗", "does not hold")


def contents(parts: list[Part]) -> Html:
    """Links to all sections."""
    return element("nav", element("ul", [element("li", element("a", part.heading,
                                                               href=f"#{part.name}"))
                                         for part in parts]), aria_label="Contents")


def section(part: Part) -> Html:
    return element("section", element("h2", part.heading, id=f"{part.name}-heading"), part.content,
                   id=part.name, aria_labelledby=f"{part.name}-heading")


def panels(drawings: list[Drawing], size: str = "large") -> Html:
    """Charts under their headings, as many beside one another as there is room for.

    Args:
        size: 'large' or 'small'.
    """
    heading = "h3" if size == "large" else "h4"
    return element("div", [element("div", element(heading, drawing.heading) if drawing.heading
                                   else None, drawing.svg()) for drawing in drawings],
                   class_="multiples large" if size == "large" else "multiples")


def fact_list(facts: dict[str, str]) -> Html:
    """Names and what they stand for; a command in type for code."""
    shown = {name: element("code", text) if name == "command" else text
             for name, text in facts.items() if text}
    return element("dl", [join([element("dt", name), element("dd", text)])
                          for name, text in shown.items()], class_="facts")


def asset(name: str) -> str:
    """The style sheet or the script, which come with the package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
