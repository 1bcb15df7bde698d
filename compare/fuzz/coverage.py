"""What the drawn networks contained: for each layer, argument and value, in how many networks."""

from collections import Counter

from compare.fuzz import ends
from compare.fuzz.drawing import seen
from compare.fuzz.layers import LAYERS
from compare.fuzz.specification import Specification
from compare.fuzz.vocabulary import label
from compare.prose import Table
from compare.tabular import NONE


def count(specifications: list[Specification]) -> Counter:
    """In how many of the networks each 'layer|argument|value' occurs."""
    found = Counter()
    for specification in specifications:
        found.update(set(seen(specification)))
    return found


def known() -> dict[str, dict[str, list[str]]]:
    """Every value that can be drawn: labels by argument, by the name of layer or loss or so."""
    names = {name: {argument: [label(value) for value in values]
                    for argument, values in entry.arguments.items()}
             for name, entry in LAYERS.items()}
    for name, (_, arguments) in ends.LOSSES.items():
        names[name] = {argument: [str(value) for value in values]
                       for argument, values in arguments.items()}
        if name in ends.FROM_LOGITS:
            names[name]["from_logits"] = ["False", "True"]
        names[name]["sample_weight"] = ["False", "True"]
    for name, arguments in ends.OPTIMIZERS.items():
        names[name] = {argument: [str(value) for value in values]
                       for argument, values in arguments.items()}
        names[name]["learning_rate"] = [label(value) for value in ends.RATES]
    return names


def missing(found: Counter) -> list[str]:
    """What was never drawn, as 'layer argument=value'."""
    return [f"{name} {argument}={text}" for name, arguments in known().items()
            for argument, texts in arguments.items() for text in texts
            if not found[f"{name}|{argument}|{text}"]]


def table(found: Counter) -> Table:
    """A row for each layer, loss and optimizer: networks, values seen of those known, and the
    rarest of these with the number of networks that have it."""
    rows = []
    for name, arguments in known().items():
        counts = {f"{argument}={text}": found[f"{name}|{argument}|{text}"]
                  for argument, texts in arguments.items() for text in texts}
        seen_values = sum(1 for number in counts.values() if number)
        rarest = min(counts, key=counts.get) if counts else ""
        rows.append([name, str(found[f"{name}||"]),
                     f"{seen_values} of {len(counts)}" if counts else NONE,
                     rarest or NONE, str(counts[rarest]) if counts else NONE])
    return Table(["layer, loss or\noptimizer", "networks", "values\nseen", "rarest value",
                  "in how\nmany"], rows)
