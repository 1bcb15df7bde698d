"""What a batch cannot see: classes of mistakes that would leave every compared number as it is.

A check is worth what its probe can tell apart. Each function here looks for one kind of blindness
in a reference trace and says, in a sentence, which mistakes would go unnoticed. Weights and batches
are taken as they are; the whole-number probes, whose numbers are drawn for the purpose, see what is
named here of single layers.
"""

import numpy as np

from compare.checks.gate import Gate
from compare.checks.kink_coverage import unseen
from compare.checks.later_updates import LATER
from compare.checks.probing import probe_of
from compare.checks.row import Row
from compare.oracle.base import Oracle
from compare.oracle.expected import known_oracle_of
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Config
from scratch.several import each


class CoverageGap(str):
    """A sentence on mistakes that a batch hides.

    Attributes:
        seen_by: the gate whose own numbers show them all the same, '' for none.
    """

    seen_by: str

    def __new__(cls, sentence: str, seen_by: str) -> "CoverageGap":
        spot = super().__new__(cls, sentence)
        spot.seen_by = seen_by
        return spot

    def __reduce__(self) -> tuple[type["CoverageGap"], tuple[str, str]]:
        return CoverageGap, (str(self), self.seen_by)  # so that it can be sent to another process


def coverage_gaps(trace: Trace) -> list[CoverageGap]:
    """One for each class of mistakes that this trace's batch and weights would hide."""
    said = [CoverageGap(sentence, "") for sentence in _batch(trace)]
    for part in trace.parts:
        oracle = known_oracle_of(trace, part)
        found = [*_sizes(part), *_kernel(part), *_bias(part), *_image(part, oracle), *_dense(part),
                 *_ties(part, oracle), *_noise(part), *_statistics(part), *_gradient(part)]
        found += [CoverageGap(*spot) for spot in unseen(part, oracle)]
        said += [spot if isinstance(spot, CoverageGap) else CoverageGap(spot, Gate.WHOLE_NUMBERS)
                 for spot in found]
    return said


def unreturned(candidate: Trace, reference: Trace) -> list[CoverageGap]:
    """Layers at the candidate's input that return no gradient of it."""
    return [CoverageGap(f"{ours.name}: it returns no gradient of its input, which the first layer "
                        "of a network need not; whether it could is not known", "")
            for ours, theirs, sources in zip(candidate.parts, reference.parts, candidate.sources)
            if ours.input_gradient is None and theirs.input_gradient is not None
            and all(source < 0 for source in sources)]


def forgetful(rows: list[Row], trace: Trace) -> list[CoverageGap]:
    """What a single step of the optimizer cannot show, if no others were made."""
    optimizer = trace.compile_config.get("optimizer")
    remembered = isinstance(optimizer, dict) and memory(optimizer["class_name"],
                                                        optimizer["config"])
    if not remembered or any(row.gate is Gate.LOCKSTEP or row.layer == LATER
                             for row in rows):
        return []
    return [CoverageGap("a single step: what the optimizer remembers from one step to the next "
                        f"({remembered}) has not come into play", Gate.LOCKSTEP)]


def memory(class_name: str, config: Config) -> str:
    """What an optimizer remembers between steps, '' for nothing."""
    kept = {"Adam": "moments", "AdamW": "moments", "RMSprop": "mean squares",
            "Adagrad": "sums of squares", "Ftrl": "sums", "Adadelta": "mean squares",
            "Adamax": "moments", "Nadam": "moments", "Lion": "momentum", "Lamb": "moments",
            "Adafactor": "mean squares", "Muon": "momentum",
            "ScheduleFreeAdamW": "moments and the steps' own sequence"}.get(class_name)
    averages = "moving averages" if config.get("use_ema") else None
    gathered = "gathered gradients" if config.get("gradient_accumulation_steps") else None
    momentum = "momentum" if config.get("momentum") and class_name != "Muon" else None
    schedule = "its schedule" if isinstance(config.get("learning_rate"), dict) else None
    return ", ".join(filter(None, (kept, momentum, schedule, averages, gathered)))


def _batch(trace: Trace) -> list[str]:
    said = []
    if len(trace.x) == 1:
        said.append("batch of 1: a sum in place of a mean over the batch, or a missing 1/N, gives "
                    "the same numbers, and samples cannot be mixed up")
    elif all(np.array_equal(x, np.broadcast_to(x[:1], x.shape)) for x in each(trace.x)):
        said.append("all samples are equal: mixing them up changes nothing")
    labels = [y for y in each(trace.y) if y is not None]
    if labels and len(trace.x) > 1 and all(np.unique(y, axis=0).shape[0] == 1 for y in labels):
        said.append("all labels are equal: labels shuffled apart from their images go unnoticed")
    return said


def _sizes(part: Part) -> list[str]:
    kernel = part.weights.get("kernel")
    if kernel is None or kernel.shape[0] == 1 or kernel.shape[0] != kernel.shape[1]:
        return []
    x = part.inputs[0]
    if kernel.ndim == 4 and x.shape[1] == x.shape[2]:
        return [f"{part.layer}: square images and a square kernel, so a swap of rows and columns "
                "changes no shape; only the numbers show it"]
    if kernel.ndim == 2:
        return [f"{part.layer}: a square kernel, so a transposed one has the same shape; only the "
                "numbers show it"]
    return []


def _kernel(part: Part) -> list[str]:
    kernel = part.weights.get("kernel")
    if kernel is None or kernel.ndim != 4:
        return []
    said = []
    if kernel.shape[:2] != (1, 1) and np.array_equal(kernel, kernel[::-1, ::-1]):
        said.append(f"{part.layer}: the kernel is symmetric, so a flipped one (convolution for "
                    "correlation) gives the same output")
    rows, columns = kernel.shape[:2]
    if rows == columns > 1:
        if np.array_equal(kernel, kernel.swapaxes(0, 1)):
            said.append(f"{part.layer}: the kernel equals its transpose, so rows and columns of it "
                        "can be swapped unnoticed")
    if kernel.shape[2] == kernel.shape[3] > 1 and np.array_equal(kernel, kernel.swapaxes(2, 3)):
        said.append(f"{part.layer}: swapping the kernel's input and output channels changes "
                    "nothing")
    return said


def _bias(part: Part) -> list[str]:
    bias = part.weights.get("bias")
    if bias is None or bias.any():
        return []
    return [f"{part.layer}: the bias is all zero, so forgetting it changes no output"]


def _image(part: Part, oracle: Oracle | None) -> list[CoverageGap]:
    if oracle is None or not oracle.window or part.inputs[0].ndim != 4:
        return []
    x = oracle.layout.image(part.inputs[0])  # (N, H, W, C)
    if x[0, ..., 0].size == 1:
        return []
    if np.array_equal(x, np.broadcast_to(x[:, :1, :1], x.shape)):
        return [CoverageGap(f"{part.layer}: each channel of the input is constant, so shifted "
                            "windows see the same numbers, away from the border", probe_of(oracle))]
    if x.shape[1] == x.shape[2] and np.array_equal(x, x.swapaxes(1, 2)):
        return [CoverageGap(f"{part.layer}: the input equals its transpose, so height and width "
                            "can be swapped unnoticed", probe_of(oracle))]
    return []


def _dense(part: Part) -> list[str]:
    kernel = part.weights.get("kernel")
    if kernel is None or kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.size == 1:
        return []
    if np.array_equal(kernel, kernel.T):
        return [f"{part.layer}: the kernel is symmetric, so a transposed one gives the same output"]
    return []


def _ties(part: Part, oracle: Oracle | None) -> list[CoverageGap]:
    if oracle is None or not oracle.ties or part.output_gradient is None:
        return []
    x = part.inputs[0]
    if np.unique(x).size == x.size:
        return [CoverageGap(f"{part.name}: no two inputs are equal, so it does not show where a "
                            "tie sends its gradient", probe_of(oracle))]
    return []


def _noise(part: Part) -> list[str]:
    noise = part.noise
    if noise is None or np.ptp(noise) > 0:
        return []
    return [CoverageGap(f"{part.name}: the noise is the same everywhere, so it does not show where "
                        "the layer uses it", Gate.WHOLE_NUMBERS)]


def _statistics(part: Part) -> list[str]:
    if "moving_mean" not in part.weights:
        return []
    if part.weights["moving_mean"].any() or (part.weights["moving_variance"] != 1).any():
        return []
    return [CoverageGap(f"{part.name}: the moving statistics are still those it was made with, 0 "
                        "and 1, so at inference it does not show whether they are used",
                        Gate.FEW_TERMS)]


def _gradient(part: Part) -> list[str]:
    dy = part.output_gradient
    if dy is None or dy.size == 1:
        return []
    if not dy.any():
        return [f"{part.name}: the gradient that comes in is all zero, so nothing can be wrong in "
                "the gradients that go out"]
    said = []
    if np.ptp(dy) == 0:
        said.append(f"{part.name}: the gradient that comes in is the same everywhere, so no "
                    "permutation of it shows")
    if "bias" in part.weights:
        axes = tuple(range(dy.ndim - 1))
        total, size = np.abs(dy.sum(axis=axes)), np.abs(dy).sum(axis=axes)
        if (total <= dy.size * np.finfo(dy.dtype).eps * size).all():
            said.append(f"{part.name}: the gradients that come in sum to zero, so a bias gradient "
                        "that is missing looks right")
    return said
