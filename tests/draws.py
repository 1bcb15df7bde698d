"""How much is drawn: the examples of a property, and the cases of a long table."""

import collections
import zlib
from collections.abc import Callable, Iterable, Iterator

from hypothesis import settings

FULL = 100  # examples of a test that names no number, when all are drawn


def draws(full: int) -> int:
    """`full` with the long draws (`.ci/run`), else a quarter: the first of the same examples."""
    return max(1, full * settings.default.max_examples // FULL)


def left_out(items: Iterable) -> Iterator:
    """Those of pytest's items that only the long draws try: of a table that is marked
    `sampled(every, of=kind)`, all but one in `every` of each kind, and at least one of each.

    A kind is a parameter's name, or what a function makes of the parameters (a dict by name);
    without it all are of one kind. Which ones stay is drawn by their names: the same in every
    run, and a new case takes the place of one at most.
    """
    tables = collections.defaultdict(list)
    for item in items:
        marker = item.get_closest_marker("sampled")
        if marker is not None:
            kind = _kind(item.callspec.params, **marker.kwargs)
            tables[item.nodeid.partition("[")[0], kind, *marker.args].append(item)
    for (_, _, every), cases in tables.items():
        cases.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))
        yield from cases[-(-len(cases) // every):]


def _kind(params: dict, of: str | Callable = lambda params: None) -> str:
    return str(params[of] if isinstance(of, str) else of(params))
