"""What explains the rows of a network of which only the whole can be run.

A mistake in one op shows in all that is computed from it. So each hypothesis about one tensor of
one op is evaluated on the reference's numbers, put in that tensor's place, and carried on along the
graph by the oracles. It is named if that gives every tensor that the network showed, to within the
bounds: those that are wrong, and those that are right.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from compare.checks.gate import Gate
from compare.checks.one_class import NETWORK, Made, Right, ends_in_logits
from compare.checks.row import Row, distance, share
from compare.diagnosis.computation import LayerComputation, LossComputation
from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.hypothesis import Variant
from compare.diagnosis.observation import CANNOT
from compare.diagnosis.search import SAME
from compare.diagnosis.suspected import Suspected
from compare.diagnosis.told_by_row import missing_or_reshaped, told, unexplained
from compare.oracle.network import along_the_graph
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.trace import Part, Trace
from scratch.several import each

SECONDS = 20.0
FORWARD = ((NETWORK, "output"), (NETWORK, "logits"))
Key = tuple[str, str]


class WholeDiagnosis:
    """Explains the rows of a report on a network in one class.

    Args:
        trace: of the reference.
        right: what it should have made.
        made: what the candidate showed.

    Attributes:
        of_whole_numbers: that of the rows on whole numbers, None where there are none.
    """

    def __init__(self, trace: Trace, right: Right, made: Made) -> None:
        self.trace, self.right, self.made = trace, right, made
        self.known: dict[Key, Finding] = {}
        self.of_whole_numbers: WholeDiagnosis | None = None

    def findings(self, rows: list[Row]) -> list[Finding]:
        """On the first row that failed."""
        first = self.first(rows)
        return [] if first is None else [first]

    def first(self, rows: list[Row]) -> Finding | None:
        """The finding on what failed first: on its way forward, or, if that holds, back."""
        failed = [row for row in rows if not row.passed]
        own = [row for row in failed if row.gate is not Gate.WHOLE_NUMBERS]
        if self.of_whole_numbers is not None and failed and not own:
            return self.of_whole_numbers.first([replace(row, gate=Gate.WHOLE_NETWORK)
                                                for row in failed])
        failed = own
        if not failed:
            return None
        key = failed[0].layer, failed[0].tensor
        if key not in self.known:
            self.known[key] = (told(failed[0]) or self._searched(failed)
                               or missing_or_reshaped(failed[0], "") or unexplained(failed[0]))
        return self.known[key]

    def _searched(self, failed: list[Row]) -> Finding | None:
        wrong = {(row.layer, row.tensor) for row in failed}
        seen = self._seen(wrong)
        if not any(key in wrong for key in seen):
            return None
        if (NETWORK, "output") in wrong and self._gives_logits():
            return Finding(NETWORK, "output", "candidate", (Cause(
                "logits-returned", "of the whole network"),), before=failed[0].used)
        return self._first_that_explains(seen, wrong, failed[0])

    def _gives_logits(self) -> bool:
        return self.right.holds("logits", np.asarray(self.made.tensors[NETWORK, "output"]))

    def _seen(self, wrong: set[Key]) -> list[Key]:
        """Of which tensors a hypothesis has to give what the network showed: those of its way
        forward, where these are wrong, or else all gradients."""
        shown = [key for key in self.made.tensors if key in self.right.exact]
        forward = [key for key in shown if key in FORWARD]
        if any(key in wrong for key in forward):
            return forward
        return [key for key in shown if key[1].endswith("_gradient")]

    def _first_that_explains(self, seen: list[Key], wrong: set[Key], row: Row) -> Finding | None:
        deadline = time.thread_time() + SECONDS
        found: list[tuple[Suspected, Variant, str, dict[Key, Bounded]]] = []
        for suspected in self._suspects(seen, wrong):
            named: set[str] = {variant.identifier for _, variant, *_ in found}
            for variant in suspected.variants():
                if time.thread_time() > deadline:
                    break
                if variant.identifier in named:
                    continue
                carried = self._carried([(suspected, variant), *suspected.along(variant)])
                if carried is not None and self._explains(carried, seen, wrong):
                    found.append((suspected, variant, suspected.detail(variant), carried))
                    named.add(variant.identifier)
            if found:
                break
        if not found:
            return None
        suspected, variant, detail, carried = found[0]
        others = tuple((Cause(other.identifier, said),) for _, other, said, _ in found[1:])
        return Finding(suspected.layer, suspected.tensor, "candidate",
                       (Cause(variant.identifier, detail),), others,
                       all(_alike(carried, each[-1], seen) for each in found), before=row.used,
                       after=max(self._residual(carried, key) for key in seen))

    def _suspects(self, seen: list[Key], wrong: set[Key]) -> Iterator[Suspected]:
        """Results that may be mistaken, those nearest to what failed first."""
        parts = self.trace.parts
        if any(key in FORWARD for key in seen):
            end = len(parts) - ends_in_logits(self.trace) if (NETWORK, "logits") in seen \
                else len(parts)
            for i in range(end):
                shown = self.made.tensors.get(seen[0]) if i == end - 1 else None
                fits = shown is not None and np.shape(shown) == parts[i].output.shape
                yield self._of_op(i, "output", (i, "output"), shown if fits else parts[i].output)
            return
        for i, part in enumerate(parts):
            title = part.tied_to or part.layer
            for name in part.weight_gradients:
                if {(title, f"{name}_gradient")} == wrong & set(seen):
                    made = self.made.tensors[title, f"{name}_gradient"]
                    yield self._of_op(i, f"{name}_gradient", (i, f"{name}_gradient"), made)
        if self.trace.y is not None:
            yield self._of_loss(wrong)
        factor = self._factor(seen, wrong)
        for i in reversed(range(len(parts))):
            sent = list(self._sent_back(i, factor))
            yield from sent
            if len(sent) > 1:
                yield replace(sent[0], beside=tuple(sent[1:]))

    def _sent_back(self, i: int, factor: float) -> Iterator[Suspected]:
        """An op's input gradients, where they are not shown by `factor` too large."""
        given = self.trace.parts[i].input_gradient
        for k, dx in enumerate(given if isinstance(given, tuple) else [given]):
            if isinstance(dx, np.ndarray):
                shown = self._shown(i, k, dx.shape)
                name = f"input_gradient_{k + 1}" if isinstance(given, tuple) else "input_gradient"
                yield self._of_op(i, name, (i, f"input_gradient_{k}"),
                                  dx * factor if shown is None else shown)

    def _shown(self, i: int, k: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """The gradient of an op's input k as the network showed it, where what lies before it does
        no more than give the numbers another shape."""
        trace = self.trace
        sources = list(itertools.chain(*trace.sources))
        source = trace.sources[i][k]
        while sources.count(source) == 1 and source >= 0 and len(trace.sources[source]) == 1 and \
                _only_reshapes(trace.parts[source]):
            (source,) = trace.sources[source]
        if source >= 0 or sources.count(source) > 1:
            return None
        made = self.made.tensors.get((NETWORK, "input_gradient" if len(each(trace.x)) == 1
                                      else f"input_gradient_{-source}"))
        return None if made is None or made.size != np.prod(shape, dtype=int) else \
            np.asarray(made).reshape(shape)

    def _factor(self, seen: list[Key], wrong: set[Key]) -> float:
        """By how much everything that is wrong is too large, 1 where that is no single factor."""
        found = []
        for key in seen:
            if key in wrong:
                exact = self.right.exact[key].value
                made = np.asarray(self.made.tensors[key], np.float64)
                if made.shape != exact.shape or not np.vdot(exact, exact):
                    return 1.0
                found.append(float(np.vdot(made, exact) / np.vdot(exact, exact)))
        return found[0] if found and np.allclose(found, found[0], rtol=1e-4) else 1.0

    def _of_op(self, i: int, tensor: str, key: tuple, made: Any) -> Suspected:
        part: Part = self.trace.parts[i]
        dy = part.output_gradient
        if dy is None:
            dy = np.zeros_like(part.output)
        right = LayerComputation(
            Rounding.of(self.trace.dtype), class_name=part.class_name,
            config=layer_config(self.trace, part.layer), part=part.part, tensor=tensor,
            x=part.input, weights=part.given, dy=dy, training=self.trace.training,
            context=self._context(i))
        return Suspected(part.name, tensor, key, right, np.asarray(made))

    def _of_loss(self, wrong: set[Key]) -> Suspected:
        trace = self.trace
        last = trace.parts[trace.sources[-1][0]] if trace.fused else trace.parts[-1]
        right = LossComputation(
            Rounding.of(trace.dtype), loss=trace.compile_config["loss"], tensor="gradient",
            y=trace.y, output=last.output, fused=bool(trace.fused),
            sample_weight=trace.sample_weight, dtype=trace.dtype)
        assert trace.loss_gradient is not None
        factor = self._factor([key for key in wrong if key[1].endswith("_gradient")], wrong)
        return Suspected("loss", "gradient", ("loss", "gradient_0"), right,
                         trace.loss_gradient * factor)

    def _context(self, i: int) -> dict:
        source = self.trace.sources[i][0]
        before = self.trace.parts[source] if source >= 0 else None
        flattens = before is not None and before.class_name == "Flatten"
        return {"image": before.inputs[0].shape[1:]} if before is not None and flattens else {}

    def _carried(self, changes: list[tuple[Suspected, Variant]]) -> dict[Key, Bounded] | None:
        """All tensors of the network with a mistake; None where it changes nothing, or cannot be
        made."""
        mistaken: dict[tuple[Any, ...], Bounded] = {}
        try:
            for suspected, variant in changes:
                right = suspected.right.evaluate()
                result = variant.change(suspected.right, suspected.made).evaluate()
                if result.shape != right.shape or not np.isfinite(result.value).all() or \
                        np.allclose(result.value, right.value, rtol=1e-6, atol=0):
                    return None
                mistaken[suspected.key] = result
        except CANNOT:
            return None
        logits: dict[Key, Bounded] = {}
        last = self.trace.sources[-1][0], "output"

        def settled(key: tuple[Any, ...], result: Bounded) -> Bounded:
            if key in mistaken and result.shape == mistaken[key].shape:
                result = mistaken[key]
            if key == last:
                logits.setdefault((NETWORK, "logits"), result)
            return result

        try:
            return along_the_graph(self.trace, settled) | logits
        except CANNOT:
            return None

    def _residual(self, carried: dict[Key, Bounded], key: Key) -> float:
        """How far what the network showed lies from a tensor, in units of the bounds."""
        result, right = carried[key], self.right.exact[key]
        made = np.asarray(self.made.tensors[key], np.float64)
        if made.shape != result.shape:
            return np.inf
        # of what is larger than what is right, what comes in rounded is larger, too
        larger = max(1.0, np.abs(result.value).max(initial=0)
                     / max(np.abs(right.value).max(initial=0), np.finfo(float).tiny))
        bound = result.bound + larger * right.bound + self.made.slack.get(key, 0.0)
        with np.errstate(all="ignore"):
            return float(share(distance(made, result.value), bound).max(initial=0.0))

    def _explains(self, carried: dict[Key, Bounded], seen: list[Key], wrong: set[Key]) -> bool:
        """Whether it gives all that is seen, and its bounds tell it from what is right."""
        if not all(self._residual(carried, key) <= 1 for key in seen):
            return False
        for key in seen:
            if key in wrong:
                apart = np.abs(carried[key].value - self.right.exact[key].value)
                if (apart > carried[key].bound + self.right.exact[key].bound).any():
                    return True
        return False


def _alike(one: dict[Key, Bounded], other: dict[Key, Bounded], seen: list[Key]) -> bool:
    """Whether two mistakes give the same tensors."""
    return all(np.allclose(one[key].value, other[key].value, rtol=SAME,
                           atol=SAME * np.abs(one[key].value).max(initial=0)) for key in seen)


def _only_reshapes(part: Any) -> bool:
    """Whether a part of the network has given the same numbers another shape."""
    return isinstance(part.input, np.ndarray) and np.array_equal(part.input.reshape(-1),
                                                                 part.output.reshape(-1))
