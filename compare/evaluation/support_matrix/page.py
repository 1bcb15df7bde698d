"""The whole page."""

import warnings
from collections.abc import Callable
from functools import partial

from compare.evaluation import deviations
from compare.evaluation.applications import records
from compare.evaluation.applications.constructors import names as application_names
from compare.evaluation.support_matrix import layer_index, layers, models, parts, precisions
from compare.evaluation.support_matrix.markdown import links, names, table
from compare.evaluation.support_matrix.outcome import HEADERS, failed, rows
from reference.quiet import keras

INTRODUCTION = """\
# What of Keras is supported

Written by `python -m compare.evaluation.support_matrix`; do not edit. It goes by Keras {keras},
whose every layer, loss, metric, optimizer and so on is listed here, with every argument of its own.

**taken**: of the values that were tried, those that scratch reads out of Keras's config. This page
shows that it reads them; that they mean the same is what the other tests and `parity fuzz` check,
on values of their own. **refused by name**: those that Keras takes and scratch refuses with an
error that names the argument, before anything is computed. **differs**: links to the
[declared differences](#declared-differences), all that is on purpose not as in Keras. A class is in
the first table of its kind if it is supported; all others are refused by name, too. Left out are
`name`, which everything takes, and the `dtype` of losses, metrics and optimizers.
"""
KERNELS = """\
TensorFlow has two sets of CPU kernels. Those of oneDNN compute in float32, where the processor has
the features for them (AVX512 VNNI, say) or `TF_ENABLE_ONEDNN_OPTS=1` is set; everything else, and
all of float64, runs on the others. Where a difference is one of the kernels, it says so.
"""
LISTED = 20  # names of what is missing, in one cell
EXPLAINED = {"taken": "taken", "refused": "refused, by name"}


def page() -> str:
    """The page as Markdown, computed now; Keras's warnings about what is tried are not shown.

    Raises:
        AssertionError: for a value that Keras takes and scratch neither takes nor refuses by name.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sections = [INTRODUCTION.format(keras=keras.__version__), contents(),
                    layer_index.index(layers.classes(keras)), coverage(), layer_sections(),
                    precisions.section(),
                    names_section("Activations", "activation"), *part_sections(),
                    names_section("Constraints", "constraint"), model_sections(),
                    application_section(), difference_section()]
    return "\n".join(sections)


FILES = """\
Written by the Keras at hand. Of every other minor version of Keras 3, and of Keras 2.4 to 2.15, \
the tests hold files that these versions made. Of Keras 2 `.keras`, `.h5` and `.weights.h5` are \
read as far as Keras 3 means the same: its `hard_sigmoid`, and operations of TensorFlow between \
layers other than `+ - * /`, maximum and minimum, are refused, by name. So is the folder of a \
SavedModel, with the way to a `.keras` file. Layers, activations and Lambdas of somebody's own \
take part with [`custom_objects`](FILES.md#classes-of-your-own); a subclassed Keras model does as \
the graph of layers that its `call` puts together.
"""

HEADINGS = ("Find a layer", "Coverage", "Layers", "Precisions", "Activations", *parts.PARTS,
            "Constraints", "Models", "Methods", "Callbacks", "Files",
            "Networks that Keras brings", "Declared differences")


def contents() -> str:
    return " · ".join(f"[{heading}](#{slug(heading)})" for heading in HEADINGS) + "\n"


def slug(heading: str) -> str:
    """The place that GitHub gives a heading."""
    return heading.lower().replace(",", "").replace(".", "").replace(" ", "-")


def coverage() -> str:
    """How many of Keras's classes of each kind are supported, and which are not."""
    all_layers = [cls for classes in layers.classes(keras).values() for cls in classes]
    counted = [counts("Layers", all_layers, layers.is_supported)]
    counted += [counts(heading, parts.classes(keras, part), partial(parts.is_taken, part))
                for heading, part in parts.PARTS.items()]
    taken, refused = parts.named(keras, "constraint")
    return "\n".join([
        "## Coverage\n", table(["kind", "supported", "of Keras's", "not supported"], counted),
        f"Constraints by name: {len(taken)} of {len(taken) + len(refused)}.\n"])


def counts(heading: str, classes: list, supported: Callable[[type], bool]) -> list[str]:
    """A row of that table; what is missing is named unless it is too long a list."""
    missing = [cls.__name__ for cls in classes if not supported(cls)]
    place = f"[{heading}](#{slug(heading)})"
    said = names(missing) if len(missing) <= LISTED else "[listed there]" \
        "(#layers-that-are-refused-by-name)"
    return [place, str(len(classes) - len(missing)), str(len(classes)), said]


def checked(outcomes: list) -> list:
    """The same, if nothing of it failed."""
    wrong = failed(outcomes)
    if wrong:
        raise AssertionError(f"neither taken nor refused by name: {'; '.join(wrong)}")
    return outcomes


def layer_sections() -> str:
    found = layers.classes(keras)
    wrong = layers.unnamed(keras)
    if wrong:
        raise AssertionError(f"neither supported nor refused by name: {', '.join(wrong)}")
    common = rows(checked(layers.common_outcomes(keras)), "every layer")
    families = [f"[{layers.FAMILIES[family]}](#{slug(layers.FAMILIES[family])})"
                for family in found if family in layers.FAMILIES]
    text = ["## Layers\n", " · ".join(families) + "\n", table(HEADERS, common)]
    for family, classes in found.items():
        heading = layers.FAMILIES.get(family, "Other")
        supported = [cls for cls in classes if layers.is_supported(cls)]
        if supported:
            text += [f"### {heading}\n", layer_table(supported)]
    return "\n".join([*text, layer_index.refused(found)])


def layer_table(supported: list) -> str:
    made = layer_index.marked(layer_rows(supported), [cls.__name__ for cls in supported])
    return table(HEADERS, made)


def layer_rows(supported: list) -> list[list[str]]:
    """Layers with arguments, then those without any, together."""
    outcomes = [outcome for cls in supported for outcome in layers.outcomes(keras, cls)]
    return rows(checked(outcomes), "each that has it") + without_any(supported, outcomes)


def without_any(supported: list, outcomes: list) -> list[list[str]]:
    """One row for the classes that have no arguments of their own."""
    owners = {outcome.owner for outcome in outcomes}
    bare = [f"**{cls.__name__}**" for cls in supported if cls.__name__ not in owners]
    return [[", ".join(bare), "none", "", "", "", ""]] if bare else []


def names_section(heading: str, of: str) -> str:
    taken, refused = parts.named(keras, of)
    lines = [f"## {heading}\n"]
    if taken:
        apart = [name for name in taken if deviations.concerning(name)]
        lines += [f"Taken, by name: {names(taken)}.\n"]
        lines += [f"Of these {names(apart)} differ: "
                  f"{links(dict.fromkeys(e for n in apart for e in deviations.concerning(n)))}.\n"]
    return "\n".join([*lines, f"Refused by name: {names(refused)}.\n"])


def part_sections() -> list[str]:
    text = []
    for heading, part in parts.PARTS.items():
        found = parts.classes(keras, part)
        supported = [cls for cls in found if parts.is_taken(part, cls)]
        others = [cls.__name__ for cls in found if cls not in supported]
        outcomes = [o for cls in supported for o in parts.outcomes(keras, part, cls)]
        made = rows(checked(outcomes), "each that has it") + without_any(supported, outcomes)
        text.append(f"## {heading}\n\n" + table(HEADERS, made)
                    + (f"\nRefused by name: {names(others)}.\n" if others else ""))
    return text


def model_sections() -> str:
    told = EXPLAINED
    kinds = [[kind, told[seen]] for kind, seen in models.kinds_of_model(keras)]
    methods = [[f"`{name}`", names(taken), names(unknown), links(dict.fromkeys(
        entry for argument in taken for entry in deviations.concerning(f"{name}.{argument}")))]
        for name, taken, unknown in models.methods(keras)]
    watchers = [[f"**{name}**", *(("", "the whole callback") if taken is None
                                  else (names(taken), names(unknown))),
                 links(deviations.concerning(name))]
                for name, taken, unknown in models.callbacks(keras)]
    files = [[file, told[read], told[wrote]] for file, read, wrote in models.formats(keras)]
    return "\n".join([
        "## Models\n", table(["kind of model", "its config is"], kinds),
        "## Methods\n", "An argument that is not known is refused by Python, by name.\n",
        table(["method", "arguments taken", "not known", "differs"], methods),
        "## Callbacks\n", table(["callback", "arguments taken", "not known", "differs"], watchers),
        "## Files\n", FILES, table(["file", "of Keras, read by scratch",
                                     "of scratch, read by Keras"], files)])


def application_section() -> str:
    """What `python -m compare.evaluation.applications` measured."""
    found = records.kept()
    return "\n".join([
        "## Networks that Keras brings\n",
        "Each constructor of keras.applications at the smallest images that it takes, with new "
        "weights, saved by Keras and loaded by scratch; measured by `python -m "
        "compare.evaluation.applications`, since the whole check of a large network takes minutes "
        "and gigabytes. *Predictions apart*: the largest difference between the two predictions, "
        "probabilities. *Rows*: tensors that a check judged. *A step*: of training in lockstep. "
        "*Check*: seconds until its verdict, on two cores that other processes used as well, in "
        "part ten of them; *processors*: the seconds that it worked in that time. '-': not "
        "measured.\n",
        table(records.HEADERS, [records.row(found[name]) for name in sorted(found)]),
        f"{records.summary(found, len(application_names()))}\n"])


def difference_section() -> str:
    """A list, not a table: there are sentences in it."""
    text = ["## Declared differences\n", "What is not listed here is meant to be as in Keras.\n",
            KERNELS]
    for entry in deviations.ALL.values():
        kernels = f"- Kernels: {entry.kernels}.\n" if entry.kernels else ""
        text.append(f"### {entry.name}\n\n- Where: {entry.where}.\n- Keras: {entry.keras}.\n"
                    f"- scratch: {entry.ours}.\n{kernels}- Why: {entry.why}\n"
                    f"- Checks: {entry.checks}\n")
    return "\n".join(text)
