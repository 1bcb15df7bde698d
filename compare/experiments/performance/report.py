"""A measurement of speed as text, for the terminal or as Markdown."""

from compare.document.sections import Section, as_markdown, as_text
from compare.document.text import Text, line, warning
from compare.experiments.performance import tables
from compare.experiments.performance.cases import AXES, CHANNEL_BATCH, LAYER_PARTS, SIDE_BATCH
from compare.experiments.performance.check_cost import CHECK_AXES, CheckCase
from compare.experiments.performance.results import NAMES, Row, Speed
from compare.experiments.performance.running import PAUSE

HELD = {"batch": "images of 28x28x1", "side": f"one channel, batch {SIDE_BATCH}",
        "channels": f"images of 28x28, batch {CHANNEL_BATCH}"}


def sections(result: Speed) -> list[Section]:
    """The whole report, in reading order; parts for which there are no figures are left out."""
    parts = [opening(result)]
    if result.part("training"):
        parts += two_tables(result, "training", "Training")
    if result.part("predict"):
        images = result.settings.predict_images
        parts += two_tables(result, "predict", f"predict over {images:,} images")
    for part, heading in LAYER_PARTS.items():
        if result.part(part):
            parts.append(Section(f"Single layers, {heading}: time per sample",
                                 [LAYERS] if part == "forward" else [],
                                 tables.layers(result, part)))
    for axis, name in AXES.items():
        if result.part("scaling", axis):
            parts.append(Section(f"Time per training step over {name} ({HELD[axis]})",
                                 table=tables.scaling(result, axis)))
            ratios = tables.scaling_ratios(result, axis)
            if ratios:
                parts.append(Section(f"Times as long, over {name}", table=ratios))
    if any(result.part("scaling", axis) for axis in AXES):
        parts.append(Section("How the time grows", [SLOPES], tables.slopes(result)))
    if result.checks:
        parts += of_checks(result)
    if result.memory:
        parts.append(Section("Peak memory", [memory_sentence(result)], tables.memory(result)))
    parts.append(Section("How it was run", how_it_was_run(result)))
    return parts


LAYERS = ("Each layer by itself, on images of 28x28 with 32 channels (Conv1D on as many pixels in "
          "a row, Dense on 1,152 numbers), in float32. Keras's are in a tf.function; scratch's get "
          "their input in memory as the layer before would leave it.")
SLOPES = ("Slopes on log-log paper. Linear growth is a time that goes with the arithmetic to the "
          "power of 1; less than 1 where a fixed cost per step is shared by more work. The upper "
          "half are the points from the middle of the axis on, where that cost weighs least.")


def of_checks(result: Speed) -> list[Section]:
    """A table for each axis, and how the time grows along it."""
    held = CheckCase()
    said = ("What `compare.check` takes, start of TensorFlow aside, for networks that repeat a "
            "convolution of 3x3, a batch normalization and a ReLU, and end in global pooling and a "
            f"softmax. Where nothing else is said they have {held.layers} layers, images of "
            f"{held.side}x{held.side}, {held.channels} channels, and the batch is {held.batch}.")
    found: list[Section] = []
    for axis, name in CHECK_AXES.items():
        if not result.check_curve(axis):
            continue
        power = tables.check_slope(result, axis)
        grows = [] if power is None else [
            f"In the upper half its processor time grows with the {name} to the power of "
            f"{power:.2f}."]
        found.append(Section(f"The time of a check over {name}", [] if found else [said],
                             tables.checks(result, axis), after=grows))
    failed = [cost.case for cost in result.checks.values() if not cost.holds]
    if failed:
        found[-1].after.append(f"Parity does not hold for {', '.join(map(str, failed))}.")
    return found


def opening(result: Speed) -> Section:
    """The title, and what has to be known before any figure is read."""
    said: list[str] = []
    if result.partial:
        said.append(line(warning("PARTIAL"),
                         f": {result.stopped}. Rows show the pairs that were finished."))
    for name in result.settings.competitors:
        if has_turns(result) and name not in result.settings.present:
            said.append(f"{NAMES[name]} is not installed here, so it has no column.")
    if has_turns(result):
        said.append("Medians of turns that are interleaved, ± half the distance of their quartiles:"
                    f" {result.settings.pairs} turns per row ({result.settings.scaling_pairs} in "
                    f"the scaling curves), each of at least about {result.settings.stretch:g} s. "
                    "Ratios are taken pair by pair, so that a slow phase of the machine meets both "
                    "sides.")
    return Section(result.title, said)


def two_tables(result: Speed, part: str, heading: str) -> list[Section]:
    """Times and ratios of one part."""
    rows = result.part(part)
    work = "; ".join(dict.fromkeys(f"{row.case.network} {row.multiply_adds:,}" for row in rows))
    tried = [text for row in rows for text in trials(row)]
    return [Section(f"{heading}: time per sample", table=tables.times(result, part)),
            Section(f"{heading}: times as long", table=tables.ratios(result, part),
                    after=[f"Multiply-adds per sample: {work}.", *tried])]


def trials(row: Row) -> list[str]:
    """What was tried before a row was measured, as 'Keras fit, batch 32: ...'."""
    return [f"Tried first, {row.case.network}, batch {row.case.batch}, {NAMES[name]}: {how}."
            for name, how in row.how.items() if how]


def memory_sentence(result: Speed) -> str:
    use = next(iter(result.memory.values()))
    return (f"Peak of a whole process of its own that holds {use.images:,} images of 28x28 as "
            f"bytes and trains the benchmark network at batch {use.batch}.")


def has_turns(result: Speed) -> bool:
    """Whether competitors took turns, or were to; checks have none."""
    return bool(result.rows) or not result.checks


def how_it_was_run(result: Speed) -> list[str]:
    said = how_turns_were_taken(result) if has_turns(result) else []
    said.append("; ".join(f"{name}: {text}" for name, text in result.environment.items()) + ".")
    return said


def how_turns_were_taken(result: Speed) -> list[str]:
    said = [f"{NAMES[name]}: {ready.how}" for name, ready in result.ready.items()]
    said.append(
        "Every competitor has a process of its own, started before the first turn; one computes at "
        f"a time, {PAUSE * 1000:.0f} ms after the one before, and who goes first alternates. "
        "Building, tracing, compiling, trials and a calibration of at least one run, which warms "
        "everything up, come before the first turn of each row and are not timed.")
    resting = [f"{NAMES[name]} {share:.1%}" for name, share in resting_shares(result).items()]
    if resting:
        said.append("Processor time that the processes used while they waited for their turns, of "
                    f"one core: {', '.join(resting)}. More than a few per cent would mean that "
                    "they disturb one another.")
    said.append("The images are random bytes / 255 - 0.5, the labels random: speed does not depend "
                "on them, as long as no number is denormal, and none is, since the learning rate "
                "is so small (1e-6) that the weights stay near their initial values.")
    said.append("Multiply-adds are those of convolutions (padding included) and dense layers, "
                "forward and backward, without the input gradient of the first of them.")
    return said


def resting_shares(result: Speed) -> dict[str, float]:
    """Of one core, by competitor."""
    found = {name: result.resting(name) for name in result.ready}
    return {name: used / waited for name, (used, waited) in
            ((name, sums) for name, sums in found.items() if sums) if waited}


def render(result: Speed, tablefmt: str = "simple") -> Text:
    """The report for a terminal, tables in any of tabulate's formats."""
    return as_text(sections(result), tablefmt)


def markdown(result: Speed, pictures: dict[str, str]) -> str:
    """The report as Markdown, with pictures (captions by file name) at the end."""
    return as_markdown(sections(result), pictures)
