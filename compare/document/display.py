"""How a notebook shows a result: the result does not know, its view registers itself here.

A view is a function from a result to HTML, registered for the result's class:

    as_html.register(Trace, trace_fragment)
"""

import functools


@functools.singledispatch
def as_html(result: object) -> str | None:
    """The fragment of HTML that stands for a result; None, so that its text is shown, if no view
    has been registered for its class."""
    return None


class Displayed:
    """What a notebook shows by the view that is registered for its class."""

    def _repr_html_(self) -> str | None:
        return as_html(self)
