"""What the drawn networks contained: for each layer, argument and value, in how many networks."""

from collections import Counter

from compare.document.sections import Table
from compare.document.tables import NONE
from compare.evaluation.fuzzing import loss_grammar
from compare.evaluation.fuzzing.generator import seen
from compare.evaluation.fuzzing.grammar import label
from compare.evaluation.fuzzing.layer_grammar import LAYERS
from compare.evaluation.fuzzing.specification import Specification


def count(specifications: list[Specification]) -> Counter:
    """In how many of the networks each 'layer|argument|value' occurs."""
    found: Counter[str] = Counter()
    for specification in specifications:
        found.update(set(seen(specification)))
    return found


def known() -> dict[str, dict[str, list[str]]]:
    """Every value that can be drawn: labels by argument, by the name of layer or loss or so."""
    names = {name: {argument: [label(value) for value in values]
                    for argument, values in entry.arguments.items()}
             for name, entry in LAYERS.items()}
    for name, (_, arguments) in loss_grammar.LOSSES.items():
        names[name] = {argument: [str(value) for value in values]
                       for argument, values in arguments.items()}
        if name in loss_grammar.FROM_LOGITS:
            names[name]["from_logits"] = ["False", "True"]
        names[name]["sample_weight"] = ["False", "True"]
    for name, arguments in loss_grammar.OPTIMIZERS.items():
        names[name] = {argument: [str(value) for value in values]
                       for argument, values in arguments.items()}
        names[name]["learning_rate"] = [label(value) for value in loss_grammar.RATES]
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
        rarest = min(counts, key=counts.__getitem__) if counts else ""
        rows.append([name, str(found[f"{name}||"]),
                     f"{seen_values} of {len(counts)}" if counts else NONE,
                     rarest or NONE, str(counts[rarest]) if counts else NONE])
    return Table(["layer, loss or\noptimizer", "networks", "values\nseen", "rarest value",
                  "in how\nmany"], rows)
