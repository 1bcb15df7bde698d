"""Which of a module's calls stands for which of Keras's layers.

Keras's graph leads: each layer gets a call that reads what the calls of the layers before it made,
of a kind that may stand for it. Where several do, the name decides, then the kernel's shape, then
the order in which they ran.
"""

from dataclasses import dataclass, field

import numpy as np

from compare.adapters.pytorch.kinds import ELEMENTWISE, OF_LAYER, ORDERED, PLACES, stands_for
from compare.adapters.pytorch.recording import Call, Recording

SKIPPED = ("identity", "moved")  # may run where Keras has no layer for them


@dataclass
class Place:
    """What of Keras's is to get a partner: a layer, or the activation inside one.

    Attributes:
        position: of the layer.
        name, kind: the layer's name and class; 'Activation' for one inside a layer.
        sources: which places it reads; -1 is the network's input.
        shapes: of its weights, by name.
        inner: whether it is the activation inside a layer.
        is_softmax: whether it is one.
    """

    position: int
    name: str
    kind: str
    sources: tuple[int, ...]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    inner: bool = False
    is_softmax: bool = False

    def __str__(self) -> str:
        return f"the activation inside {self.name!r}" if self.inner else f"{self.name!r} " \
            f"({self.kind})"


@dataclass
class Pairs:
    """What was found.

    Attributes:
        partners: for each place the position of the call that stands for it; None where nothing of
            the module's does.
        padded: for the place of each layer that pads with zeros, where no call does that alone, the
            place behind it, whose module is to do it.
    """

    partners: list[int | None] = field(default_factory=list)
    padded: dict[int, int] = field(default_factory=dict)


class Pairing:
    """The search.

    Args:
        places: Keras's, in the order of computation.
        recording: the module's calls.
        names: modules' names that were told, by those of Keras's layers.

    Raises:
        ValueError: for a name that is not there.
    """

    def __init__(self, places: list[Place], recording: Recording, names: dict[str, str]):
        self.places, self.calls, self.end = places, recording.calls, recording.end
        self.names = names
        self.used: set[int] = set()
        self.made: list[int] = []  # for each place the call whose output is that place's
        self.pairs = Pairs()
        for key, given, known in (("Keras layers", names, {place.name for place in places}),
                                  ("modules", names.values(), {call.title for call in self.calls})):
            unknown = [name for name in given if name not in known]
            if unknown:
                raise ValueError(f"Expected names of {key}: {', '.join(sorted(known))}. "
                                 f"Received: {', '.join(unknown)}")

    def run(self) -> Pairs:
        """All places with their partners.

        Raises:
            ValueError: if one finds none, or a call is left over, by name.
        """
        for k, place in enumerate(self.places):
            read = tuple(self.made[source] if source >= 0 else -1 for source in place.sources)
            found = self._partner(place, read)
            if found is None and self._may_do_without(k, place, read):
                self.pairs.partners.append(None)
                self.made.append(read[0])
                continue
            if found is None:
                raise ValueError(self._without_partner(place, read))
            self.used.update(found)
            self.pairs.partners.append(found[-1])
            self.made.append(found[-1])
            for source in place.sources:
                if source >= 0 and self.places[source].kind.startswith("ZeroPadding") and \
                        self.pairs.partners[source] is None:
                    self.pairs.padded.setdefault(source, k)
        self._require_all_used()
        return self.pairs

    def _partner(self, place: Place, read: tuple[int, ...]) -> list[int] | None:
        """The call that stands for a place that reads these calls, the last of a list, and before
        it those that only lay out numbers anew; None for none."""
        best, chosen = (-1, -1, -1), None
        for i, call in enumerate(self.calls):
            told = self.names.get(place.name) if not place.inner else None
            if i in self.used or not stands_for(call.kind, place.kind) or \
                    (told is not None and call.title != told) or \
                    (told is None and call.title in self.names.values()):
                continue
            passed = self._leading(call, read, place)
            if passed is None:
                continue
            same = call.title.replace(".", "_") == place.name or \
                call.title.split(".")[-1] == place.name
            score = (int(same), int(self._weights_fit(call, place)), -i)
            if chosen is None or score > best:
                best, chosen = score, [*passed, i]
        return chosen

    def _leading(self, call: Call, read: tuple[int, ...], place: Place) -> list[int] | None:
        """Calls that only lay out numbers anew between `read` and a call; None if it reads others.
        """
        if len(call.sources) != len(read):
            return None
        if len(read) > 1:
            theirs = [self._before(source)[0] for source in call.sources]
            ours = [self._before(source)[0] for source in read]
            alike = theirs == ours if place.kind in ORDERED else sorted(theirs) == sorted(ours)
            return [] if alike else None
        source, passed = self._before(call.sources[0], read[0])
        return passed if source == read[0] else None

    def _before(self, source: int, until: int | None = None) -> tuple[int, list[int]]:
        """(the call behind those that only lay out numbers anew, these)."""
        passed: list[int] = []
        while source >= 0 and source != until and source not in self.used and \
                (self.calls[source].kind in SKIPPED or self._flattens_nothing(source)):
            passed.insert(0, source)
            source = self.calls[source].sources[0]
        return source, passed

    def _flattens_nothing(self, i: int) -> bool:
        """Whether a call flattens images of one pixel, or what is flat."""
        call = self.calls[i]
        return call.kind == "flatten" and int(np.prod(call.read[2:])) == 1

    def _weights_fit(self, call: Call, place: Place) -> bool:
        for name, shape in place.shapes.items():
            held = getattr(call.module, PLACES.get(name, name), None)
            if held is None or sorted(n for n in held.shape if n != 1) != \
                    sorted(n for n in shape if n != 1):
                return False
        return True

    def _may_do_without(self, k: int, place: Place, read: tuple[int, ...]) -> bool:
        """Whether the module may leave it to others: to its loss, or to the module behind."""
        last = k == len(self.places) - 1
        return (place.kind.startswith("ZeroPadding") or place.kind == "Identity"
                or (place.kind == "Flatten" and read[0] >= 0
                    and len(self.calls[read[0]].made) == 2)
                or (last and place.is_softmax and self._before(self.end, read[0])[0] == read[0]))

    def _require_all_used(self) -> None:
        """No call may be left over.

        Raises:
            ValueError: naming those that are.
        """
        left = [str(call) for i, call in enumerate(self.calls) if i not in self.used
                and call.kind not in SKIPPED and not self._flattens_nothing(i)
                and self._leads_to_the_end(i)]
        if left:
            raise ValueError("Expected a Keras layer for each module. Received without a partner: "
                             f"{', '.join(left)}")

    def _leads_to_the_end(self, i: int) -> bool:
        """Whether the output depends on a call."""
        needed, due = set(), [self.end]
        while due:
            each = due.pop()
            if each >= 0 and each not in needed:
                needed.add(each)
                due += self.calls[each].sources
        return i in needed

    def _without_partner(self, place: Place, read: tuple[int, ...]) -> str:
        behind = [str(call) for i, call in enumerate(self.calls) if i not in self.used
                  and any(self._before(source, read[0])[0] in read for source in call.sources)]
        told = self.names.get(place.name)
        there = f"{told!r}, which does not read what {place.name!r} reads" if told else (
            " and ".join(behind) or "nothing")
        wanted = OF_LAYER.get(place.kind)
        hint = "" if wanted else (f" {place.kind} can be compared only where one module stands for "
                                  "it: put what computes it into a module of its own")
        return (f"Expected a module, or a function, that stands for {place} in Keras. Received at "
                f"that place: {there}.{hint}")


def flattened(recording: Recording, places: list[Place], pairs: Pairs,
              shapes: list[tuple]) -> list[tuple[int, ...] | None]:
    """For each place (H, W, C) if what it reads are images that the module has flattened channel by
    channel, where Keras has them pixel by pixel; else None.

    Args:
        shapes: of what each place reads in Keras, without the batch.
    """
    after: list[tuple[int, ...] | None] = []
    found = []
    for k, place in enumerate(places):
        read = after[place.sources[0]] if place.sources[0] >= 0 else None
        found.append(read)
        position = pairs.partners[k]
        call = None if position is None else recording.calls[position]
        if call is not None and (call.kind == "flatten" or place.kind == "Flatten"):
            sizes = shapes[k]
            moved = len(sizes) > 1 and int(np.prod(sizes[:-1])) > 1 and \
                tuple(call.read[1:]) == (sizes[-1], *sizes[:-1])
            after.append(tuple(sizes) if moved else None)
        elif call is None or call.kind in (*ELEMENTWISE, "batch_norm"):
            after.append(read)
        else:
            after.append(None)
    return found
