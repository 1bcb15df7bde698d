"""A run of random networks as text and as plain values."""

from dataclasses import asdict

from compare.document.sections import Section, as_text, wrapped
from compare.document.text import Text, bad, good, line, lines, warning
from compare.evaluation import deviations
from compare.evaluation.fuzzing import coverage
from compare.evaluation.fuzzing.low_precision import POLICIES
from compare.evaluation.fuzzing.running import Failure, Result
from compare.evaluation.fuzzing.specification import Specification

SCHEMA = 1


def sections(result: Result) -> list[Section]:
    """The verdict, the failures with their smallest networks, the coverage."""
    parts = [Section(title(result), [verdict(result)])]
    for failure in result.failures:
        parts.append(Section(f"Network {failure.number}", describe(failure, result.seed)))
    found = coverage.count(result.specifications())
    lacking = coverage.missing(found)
    low = sum(found[f"network|dtype|{policy}"] for policy in POLICIES)
    after = [f"{found['network|dtype|float64']:,} of the networks in float64, {low:,} with layers "
             f"in float16 or bfloat16, the others in float32; "
             f"{found['network|kind|functional']:,} functional, the others Sequential; "
             f"{found['network|has|models inside']:,} with models inside, "
             f"{found['network|has|shared layers']:,} with layers called again, "
             f"{found['network|has|operations']:,} with operations between layers, "
             f"{found['network|has|several inputs']:,} with two inputs, "
             f"{found['network|has|several outputs']:,} with several outputs; "
             f"{found['network|lockstep|True']:,} also trained in lockstep; "
             f"{found['network|loss|no']:,} without a loss, with a random gradient instead."]
    if lacking:
        after.append(f"Never drawn: {'; '.join(lacking[:20])}"
                     + (f" and {len(lacking) - 20} more." if len(lacking) > 20 else "."))
    after += [f"Not drawn, since Keras on a CPU has no such thing to compare with: {entry.where}; "
              f"it {entry.keras}." for entry in deviations.NOT_ON_CPU]
    parts.append(Section("What they contained", table=coverage.table(found), after=after))
    return parts


def title(result: Result) -> str:
    return f"{len(result.numbers):,} random networks, seed {result.seed}"


def verdict(result: Result) -> Text:
    """One sentence."""
    count = len(result.numbers)
    early = line(warning("Interrupted"), ": only a part was judged. ") if result.interrupted else ""
    if not count:
        return line(early, "No network was judged.")
    pace = f"{result.seconds / count:.2f} s a network"
    silent = ""
    if result.not_judged:
        silent = (f" {len(result.not_judged)} of them say nothing, as both sides overflow: numbers "
                  f"{', '.join(map(str, result.not_judged))}.")
    if not result.failures:
        whose = "all others" if silent else "every one of them"
        return line(early, good("Parity holds"), f" for {whose}: config, weights, every "
                    f"gate of the check, saved files both ways ({pace}).{silent}")
    numbers = ", ".join(str(failure.number) for failure in result.failures)
    return line(early, bad(f"{len(result.failures)} of {count:,} fail"),
                f": numbers {numbers} ({pace}).{silent}")


def describe(failure: Failure, seed: int) -> list[str]:
    """What failed, the smallest network that fails alike, and how to see it again."""
    small = failure.smallest
    return [f"Gate '{failure.outcome.gate}': {failure.outcome.message}",
            f"Smallest network that fails there: {failure.smallest_outcome.message}",
            network_text(small),
            f"See it again: parity fuzz --seed {seed} --only {failure.number}"]


def network_text(specification: Specification) -> Text:
    """A network in lines, wrapped: input, layers with their arguments, loss, optimizer."""
    said = [f"  input {tuple(specification.input_shape)}, batch {specification.batch}, "
            f"{specification.dtype}, weights from seed {specification.seed}"]
    for i, node in enumerate(specification.nodes):
        arguments = ", ".join(f"{key}={value!r}" for key, value in node.arguments.items())
        reads = "" if node.sources == [i - 1] else f"  <- {node.sources}"
        once_more = "" if node.again is None else f", the layer of {node.again} once more"
        said.append(f"  {i}: {node.class_name}({arguments}){reads}{once_more}")
    for first, stop, calls in specification.inside:
        said.append(f"  {first} to {stop - 1} stand in a model of their own"
                    + (f", called {calls} times" if calls > 1 else ""))
    for k, shape in enumerate(specification.more_inputs):
        said.insert(1 + k, f"  input {tuple(shape)}, read as {-2 - k}")
    for node, loss, weight in specification.outputs:
        said.append(f"  output of {node}, loss {loss[0] if loss else None}, weight {weight}")
    for what in (specification.loss, specification.optimizer):
        if what:
            said.append(f"  {what[0]}({', '.join(f'{k}={v!r}' for k, v in what[1].items())})")
    return wrapped(lines(said), indent=" " * 6)


def render(result: Result, tablefmt: str = "simple") -> Text:
    """The report for a terminal, tables in any of tabulate's formats."""
    return as_text(sections(result), tablefmt)


def as_dict(result: Result) -> dict:
    """The same as plain values."""
    found = coverage.count(result.specifications())
    return {
        "schema": SCHEMA, "kind": "fuzz", "seed": result.seed, "networks": len(result.numbers),
        "not_judged": result.not_judged,
        "interrupted": result.interrupted, "passed": not result.failures,
        "seconds_per_network": result.seconds / max(len(result.numbers), 1),
        "failures": [{"number": failure.number, **asdict(failure.outcome),
                      "smallest": {**asdict(failure.smallest_outcome),
                                   "network": failure.smallest.plain()}}
                     for failure in result.failures],
        "coverage": {name: {argument: {text: found[f"{name}|{argument}|{text}"]
                                       for text in texts}
                            for argument, texts in arguments.items()}
                     for name, arguments in coverage.known().items()},
        "never_drawn": coverage.missing(found),
    }
