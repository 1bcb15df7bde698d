"""What became of the values of one argument, and the rows of a table about it."""

import inspect
from collections import defaultdict
from dataclasses import dataclass

import scratch
from compare.evaluation.deviations import concerning
from compare.evaluation.support_matrix.markdown import code, links
from compare.evaluation.support_matrix.trial import FAILED, REFUSED, TAKEN
from compare.evaluation.support_matrix.values import kind

HEADERS = ["", "argument", "default", "taken", "refused by name", "differs"]
SHARED = 3  # from so many classes on, what is the same for all of them is told once


@dataclass(frozen=True)
class Outcome:
    """One argument of one class: its default, and the values by what became of them."""

    owner: str
    argument: str
    default: object
    verdicts: tuple  # of (value, verdict)
    subject: str = ""  # of declared differences; the owner's name if empty

    def values(self, of: str) -> list:
        return [value for value, verdict in self.verdicts if verdict == of]

    @property
    def told(self) -> tuple:
        """What a table says of it, to the right of the argument's name."""
        default = ("required" if self.default is inspect.Parameter.empty else code(self.default))
        taken, refused = self.values(TAKEN), self.values(REFUSED)
        of = kind(self.argument)
        if of and len(self.verdicts) > 1:
            return default, *in_kind(of, taken, refused)
        return default, ", ".join(map(code, taken)), ", ".join(map(code, refused))

    @property
    def differs(self) -> str:
        return links(concerning(f"{self.subject or self.owner}.{self.argument}"))


def in_kind(of: str, taken, refused) -> tuple[str, str]:
    """Activations and the like, of which a section of their own tells."""
    if not [value for value in taken if value is not None]:
        return ", ".join(map(code, taken)), f"every {of}"
    others = [value for value in refused if value is not None]
    if any(known(of, value) for value in others) or not all(known(of, value) for value in taken):
        return ", ".join(map(code, taken)), ", ".join(map(code, refused))
    told = [f"[the others](#{of}s)"] * bool(others) + [code(None)] * (None in refused)
    return f"[the {of}s taken](#{of}s)", ", ".join(told)


def known(of: str, value) -> bool:
    """Whether scratch knows an activation, an initializer or a regularizer of that name."""
    module = getattr(scratch, f"{of}s")
    return value is None or value in module.ALIASES or value in getattr(module, "ACTIVATIONS", ())


def failed(outcomes) -> list[str]:
    """What Keras takes and scratch neither takes nor refuses by name: mistakes, one line each."""
    return [f"{outcome.owner}({outcome.argument}={value!r})"
            for outcome in outcomes for value in outcome.values(FAILED)]


def rows(outcomes, everyone: str) -> list[list[str]]:
    """A table's rows: first what many classes share, called `everyone`, then class by class."""
    by_argument = defaultdict(list)
    for outcome in outcomes:
        by_argument[outcome.argument].append(outcome)
    shared = {argument: same[0] for argument, same in by_argument.items()
              if len(same) >= SHARED and len({(o.told, o.differs) for o in same}) == 1}
    table = [[everyone, f"`{argument}`", *outcome.told, outcome.differs]
             for argument, outcome in shared.items()]
    plain = []
    for owner in dict.fromkeys(outcome.owner for outcome in outcomes):
        own = own_rows(owner, [o for o in outcomes
                               if o.owner == owner and o.argument not in shared])
        table += own
        plain += [] if own else [f"**{owner}**"]
    return once(table + ([[", ".join(plain), "no others", "", "", "", ""]] if plain else []))


def own_rows(owner: str, outcomes) -> list[list[str]]:
    about = links(concerning(owner))
    found = [[f"**{owner}**", f"`{o.argument}`", *o.told,
              ", ".join(filter(None, [about * (i == 0), o.differs]))]
             for i, o in enumerate(outcomes)]
    return found or ([[f"**{owner}**", "no others", "", "", "", about]] if about else [])


def once(table) -> list[list[str]]:
    """Each first cell only where it changes."""
    return [[row[0] if i == 0 or table[i - 1][0] != row[0] else "", *row[1:]]
            for i, row in enumerate(table)]
