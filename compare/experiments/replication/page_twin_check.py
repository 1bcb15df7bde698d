"""The check of the twins as a benchmark's JSON keeps it: rows and layers, but no pictures."""

from dataclasses import fields

from compare.checks.row import Row
from compare.document.html.page import Part
from compare.document.markup import element
from compare.report.page_network import drawing
from compare.report.page_rows import table
from compare.report.report import describe
from compare.tracing.topology import Layer

NUMBERS = ("nan", "inf", "-inf")  # as JSON has them


def twins(record: dict, seed: int) -> list[Part]:
    """The sections on the check before a run; none if it was not recorded.

    Args:
        record: a run, see the schema 'benchmark'.
        seed: of that run.
    """
    check = record.get("check") or {}
    rows = [row_of(values) for values in check.get("rows", {}).get("rows", ())]
    if not rows:
        return []
    said = element("p", "Before each pair of runs the two were checked to be the same function. "
                   f"This is the check of seed {seed}.", class_="quiet")
    return [Part("network", "The network", [said, drawing(layers_of(record), rows)]),
            Part("rows-of-tensors", "Tensor by tensor", [table(rows, describe)])]


def layers_of(record: dict) -> list[Layer]:
    """The layers and what they read; an input is not one to be judged. Where nothing is said of
    what is read, it is the layer before."""
    network = record["network"]
    inputs = sum(layer["class_name"].startswith("Input") for layer in network)
    return [Layer(layer["name"], layer["class_name"], tuple(layer["output_shape"]),
                  tuple(k - inputs if k >= inputs else -1 - k
                        for k in layer.get("sources") or (inputs + i - 1,)),
                  layer["parameters"]) for i, layer in enumerate(network[inputs:])]


def row_of(values: dict) -> Row:
    """A row from its plain values."""
    known = {each.name for each in fields(Row)}
    return Row(**{key: plainly(value) for key, value in values.items() if key in known})


def plainly(value):
    """Tuples for lists, and numbers for the texts that stand for what JSON does not know."""
    if isinstance(value, list):
        return tuple(value)
    return float(value) if value in NUMBERS else value
