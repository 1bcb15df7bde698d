"""Which tensor of another runtime's graph is the output of which of Keras's layers.

Keras's graph leads. What a layer makes of the other side's own input of it is looked for among the
tensors that depend on that input; a tensor that agrees is its output, whatever it is called. Only
where none agrees do names and kinds of operations decide, so that the layer that is wrong gets the
tensor that was meant for it. Nothing is taken on trust: each pair is judged afterwards, and the
last tensor has to be the network's result.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from compare.checks.array_layout import as_in_keras
from compare.runtimes import kinds
from compare.runtimes.by_kind import by_kind, kind_of
from compare.runtimes.graph import Ran
from compare.runtimes.tensor_names import borne, told
from compare.tracing.trace import Trace

AGREES = 1e-5  # as a share of the largest number
NEAR = 0.05
LOOKED_AT = 100  # tensors behind a layer's input
TOGETHER = 3  # layers that may be computed as one

Makes = Callable[[int, tuple[np.ndarray, ...]], np.ndarray]  # a layer's output from its inputs


@dataclass
class Pairs:
    """What was found.

    Attributes:
        tensors: by the names of the trace's parts, those of the tensors.
        arrays: the tensors' arrays, for `compare.check_outputs`.
        without: layers of which the graph has nothing: what they read stands for what they give.
        misshapen: layers whose tensor has a shape that fits in no order of axes.
        turned: how arrays were turned that lie otherwise than in Keras.
    """

    tensors: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    misshapen: dict[str, np.ndarray] = field(default_factory=dict)
    turned: dict[str, str] = field(default_factory=dict)


@dataclass
class Held:
    """A layer's output on the other side: the number in Keras's layout, from where on to look for
    what reads it, and how it was turned."""

    array: np.ndarray
    seen: tuple[str, ...]
    turned: bool = False


class Pairing:
    """The search.

    Args:
        trace: the reference's, a part for each layer.
        ran: the other side.
        makes: what a layer makes of inputs.
        names: tensors or nodes that were told, by the layers' names.
        data_format: how the tensors lie, None for whichever fits.

    Raises:
        ValueError: for a name that is not there.
    """

    def __init__(self, trace: Trace, ran: Ran, makes: Makes, names: dict[str, str],
                 data_format: str | None):
        self.trace, self.ran, self.makes, self.data_format = trace, ran, makes, data_format
        self.parts = trace.parts
        self.readers = [[k for k, sources in enumerate(trace.sources) if i in sources]
                        for i in range(len(trace.parts))]
        self.told = told(ran, trace.parts, names)
        self.held: dict[int, Held] = {-1: Held(trace.x, ran.inputs)}
        self.pairs = Pairs()
        self.by_name = borne(ran, trace.parts)

    def run(self) -> Pairs:
        """All layers."""
        for i in range(len(self.parts)):
            if i not in self.held:
                self._place(i)
        return self.pairs

    def _place(self, i: int) -> None:
        """Find the tensor of a layer, or of those behind it that are computed together with it."""
        sources = self._sources(i)
        told = self.told.get(self.parts[i].name)
        expected = self._expected(i)
        if told is not None:
            self._take(i, told, expected)
            return
        best = self._nearest(i, expected, sources)
        if best is not None and best[0] <= AGREES:
            self._take(i, self._instead_of_nothing(i, best[1], sources, expected), expected)
            return
        chain = self._chain(i)
        carried = expected
        for k in chain[1:]:
            carried = self.makes(k, (carried,))
            found = self._nearest(k, carried, sources)
            if found is not None and found[0] <= AGREES:
                self._leave_out(chain[:chain.index(k)], expected)
                self._take(k, found[1], carried)
                return
        read = self._read_by_the_next(i, expected, sources)
        if read is not None:
            self._take(i, read, expected)
            return
        meant = self._meant(i, sources)
        last = self._computed_last(chain, meant)
        if meant is not None and last != i:
            carried = expected
            for k in chain[1:chain.index(last) + 1]:
                carried = self.makes(k, (carried,))
            self._leave_out(chain[:chain.index(last)], expected)
            self._take(last, meant, carried)
        elif meant is not None:
            self._take(i, meant, expected)
        elif best is not None and best[0] <= NEAR:
            self._take(i, best[1], expected)
        elif self.parts[i].class_name in kinds.PADDED:
            self._leave_out([i], expected)
        else:
            self._without(i, expected)

    def _read_by_the_next(self, i: int, expected: np.ndarray, sources: tuple[str, ...]
                          ) -> str | None:
        """The tensor of which the next layer's output is made, if that is there: what the next one
        reads is what this one gives, be it right or wrong."""
        for name in self.ran.behind(sources, LOOKED_AT):
            turned, how = self._turned(i, name, expected)
            if turned is None or not np.isfinite(turned).all():
                continue
            self.held[i] = Held(turned.astype(expected.dtype), (name,), bool(how))
            read = self._is_read(i, name)
            del self.held[i]
            if read:
                return name
        return None

    def _is_read(self, i: int, name: str) -> bool:
        """Whether what the next layer makes of the tensor that is held for a layer is there, behind
        that tensor; or the one after it, where the next one changes nothing."""
        carried, k = self.held[i].array, i
        for _ in range(TOGETHER):
            if len(self.readers[k]) != 1:
                return False
            k = self.readers[k][0]
            if len(self.trace.sources[k]) != 1 or k in self.told:
                return False
            made = self.makes(k, (carried,))
            if not np.array_equal(made, carried):
                found = self._nearest(k, made, (name,))
                return found is not None and found[0] <= AGREES and found[1] != name
            carried = made
        return False

    def _instead_of_nothing(self, i: int, name: str, sources: tuple[str, ...],
                            expected: np.ndarray) -> str:
        """Another tensor, where one is the layer's own input, which happens to be what it gives (a
        ReLU of what is positive), but something is there that may stand for the layer."""
        if name not in sources or i == len(self.parts) - 1:
            return name
        meant = by_kind(self.ran, self.parts[i], sources)
        fits = meant is not None and self._turned(i, meant, expected)[0] is not None
        return str(meant) if fits else name

    def _sources(self, i: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for source in self.trace.sources[i]
                                   for name in self.held[source].seen))

    def _expected(self, i: int) -> np.ndarray:
        return self.makes(i, tuple(self.held[source].array for source in self.trace.sources[i]))

    def _chain(self, i: int) -> list[int]:
        """A layer, and those behind it that an exporter may compute together with it."""
        chain = [i]
        while len(chain) <= TOGETHER and len(self.readers[chain[-1]]) == 1:
            following = self.readers[chain[-1]][0]
            pads = self.parts[chain[-1]].class_name in kinds.PADDED
            if len(self.trace.sources[following]) > 1 or not (
                    pads or kind_of(self.parts[following]) in kinds.FOLDED):
                break
            chain.append(following)
        return chain

    def _nearest(self, i: int, expected: np.ndarray, sources: tuple[str, ...]
                 ) -> tuple[float, str] | None:
        """(how far off as a share of the largest number, the tensor) of the nearest one; the first
        that agrees. The layer's own input is the last to be asked: it is right where the layer does
        nothing at inference."""
        best: tuple[float, str] | None = None
        last = i == len(self.parts) - 1
        tensors = [self.ran.output] if last else \
            [*self.ran.behind(sources, LOOKED_AT), *sources[:1]]
        size = float(np.abs(expected).max(initial=0.0))
        for name in tensors:
            turned, _ = self._turned(i, name, expected)
            if turned is None:
                continue
            off = float(np.abs(turned - expected.astype(np.float64)).max(initial=0.0))
            far = off / size if size > 0 else (0.0 if off == 0 else np.inf)
            if best is None or far < best[0]:
                best = far, name
            if far <= AGREES:
                break
        return best

    def _turned(self, i: int, name: str, expected: np.ndarray) -> tuple[np.ndarray | None, str]:
        """(a tensor as Keras lays the layer's output out, how it was turned); None where its shape
        cannot be that."""
        array = self.ran.arrays[name]
        shape = expected.shape
        fitting = {shape, (shape[0], shape[-1], *shape[1:-1]), (shape[0], *shape[2:], shape[1])} \
            if len(shape) > 2 else {shape}
        if array.shape not in fitting:
            return None, ""
        try:
            return as_in_keras(array, self.parts[i], expected, self.data_format,
                               self._was_turned(i))
        except ValueError:
            return None, ""

    def _was_turned(self, i: int) -> bool:
        return any(self.held[source].turned for source in self.trace.sources[i]
                   if source in self.held)

    def _meant(self, i: int, sources: tuple[str, ...]) -> str | None:
        """The tensor that was meant to be a layer's output, by its name or by what computes it."""
        if i == len(self.parts) - 1:
            return self.ran.output
        behind = self.ran.behind(sources, LOOKED_AT)
        expected = self._expected(i)
        named = [name for name in behind if self.by_name.get(name) == self.parts[i].layer
                 and self._turned(i, name, expected)[0] is not None]
        if named:
            return named[-1]
        return by_kind(self.ran, self.parts[i], sources)

    def _computed_last(self, chain: list[int], meant: str | None) -> int:
        """The last layer of a chain that is computed together with its first: no operation behind
        the tensor may begin it."""
        if meant is None:
            return chain[0]
        called = self.by_name.get(meant)
        named = [k for k in chain if self.parts[k].layer == called]
        if named:
            return named[-1]
        last = chain[0]
        for k in chain[1:]:
            pads = self.parts[last].class_name in kinds.PADDED
            if not pads and by_kind(self.ran, self.parts[k], (meant,)) is not None:
                break
            if not pads and kind_of(self.parts[chain[0]]) not in kinds.BEGINS:
                break
            last = k
        return last

    def _take(self, i: int, name: str, expected: np.ndarray) -> None:
        part = self.parts[i]
        self.pairs.tensors[part.name] = name
        turned, how = self._turned(i, name, expected)
        if turned is None:
            self.pairs.misshapen[part.name] = self.ran.arrays[name]
            self.held[i] = Held(expected, (name,))
            return
        self.pairs.arrays[part.name] = self.ran.arrays[name]
        if how:
            self.pairs.turned[part.name] = how
        finite = bool(np.isfinite(turned).all())
        self.held[i] = Held(turned.astype(expected.dtype) if finite else expected, (name,),
                            bool(how))

    def _leave_out(self, positions: list[int], expected: np.ndarray) -> None:
        """Layers that are computed together with those behind them."""
        for n, i in enumerate(positions):
            if n:
                expected = self.makes(i, (expected,))
            self.held[i] = Held(expected, self._sources(i))

    def _without(self, i: int, expected: np.ndarray) -> None:
        """A layer of which nothing was found: its input stands for what it gives, if it may."""
        part, source = self.parts[i], self._sources(i)[:1]
        self.pairs.without.append(part.name)
        self.held[i] = Held(expected, self._sources(i))
        if len(self.trace.sources[i]) == 1 and source and \
                self._turned(i, source[0], expected)[0] is not None:
            self._take(i, source[0], expected)
