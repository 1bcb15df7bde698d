"""What `parity support` answers: sections for a terminal, a dictionary for a file."""

from dataclasses import dataclass, field

import scratch
from compare.document.sections import Section, Table, as_text
from compare.document.text import Text, bad, good, line
from compare.evaluation.support_matrix.of_model import Verdict
from scratch.layers import LAYERS

SCHEMA = "keras-parity support 1"
HEADERS = ["argument", "default", "taken", "refused by name"]


@dataclass
class OfModel:
    """The verdicts on the layers of a model, on what it is compiled with, and on the whole.

    Attributes:
        title: which model.
    """

    title: str
    verdicts: list[Verdict]

    @property
    def refused(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.reason]

    def sections(self) -> list[Section]:
        layers = [verdict for verdict in self.verdicts if verdict.kind == "layer"]
        taken = sum(not verdict.reason for verdict in layers)
        said = f"{taken} of {len(layers)} layers are supported."
        others = [f"{verdict.kind} {verdict.class_name}" for verdict in self.refused
                  if verdict.kind != "layer"]
        if others:
            said += f" Not supported besides: {', '.join(others)}."
        found = [Section(self.title, [line((bad if self.refused else good)(said))])]
        if self.refused:
            found.append(Section("What is not supported, and why", table=Table(
                ["name", "class", "why"],
                [[verdict.name, verdict.class_name, verdict.reason] for verdict in self.refused]),
                after=[line("A layer that is missing can take part all the same, as one of your "
                            "own: see compare.wrap in the guide DEBUGGING.md.")]))
        return found

    def as_dict(self) -> dict:
        return {"schema": SCHEMA, "model": self.title, "supported": not self.refused,
                "verdicts": [verdict._asdict() for verdict in self.verdicts]}


@dataclass
class OfClasses:
    """The arguments of classes of Keras, each with the values that are taken and refused.

    Attributes:
        classes: by name, a row [argument, default, taken, refused by name] for each argument.
    """

    classes: dict[str, list[list[str]]]

    def sections(self) -> list[Section]:
        return [Section(name, [] if rows else [line("It is supported, and has no arguments of its "
                                                    "own.")],
                        table=Table(HEADERS, rows) if rows else None)
                for name, rows in self.classes.items()]

    def as_dict(self) -> dict:
        keys = ("argument", "default", "taken", "refused")
        return {"schema": SCHEMA, "classes": {
            name: [dict(zip(keys, row)) for row in rows] for name, rows in self.classes.items()}}


@dataclass
class Overview:
    """The names of all that is supported, by kind."""

    names: dict[str, list[str]] = field(default_factory=lambda: everything())

    def sections(self) -> list[Section]:
        return [*(Section(f"{kind} ({len(names)})", [line(", ".join(names))])
                  for kind, names in self.names.items()),
                Section("More", [line("parity support NAME tells which arguments of a class are "
                                      "supported, parity support --model FILE which layers of a "
                                      "model. The guide SUPPORT.md holds all of it.")])]

    def as_dict(self) -> dict:
        return {"schema": SCHEMA, "names": self.names}


def everything() -> dict[str, list[str]]:
    """What scratch has, by kind."""
    return {"Layers": sorted(["InputLayer", *LAYERS]),
            "Activations": sorted(scratch.activations.ACTIVATIONS),
            "Losses": sorted(scratch.losses.CLASSES),
            "Metrics": sorted(scratch.metrics.CLASSES),
            "Optimizers": sorted(cls.__name__ for cls in scratch.optimizers.CLASSES.values()),
            "Schedules": sorted(scratch.optimizers.schedules.CLASSES),
            "Initializers": sorted(scratch.initializers.CLASSES),
            "Regularizers": sorted(scratch.regularizers.CLASSES)}


def render(answer: OfModel | OfClasses | Overview, tablefmt: str = "simple") -> Text:
    """The answer as text."""
    return as_text(answer.sections(), tablefmt)
