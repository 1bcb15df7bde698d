"""What the dropouts of a recurrent layer leave of features and states, and the way back past them.

All gates read the same, or with a recurrent dropout each its own. What is dropped is an exact 0.
"""


from collections.abc import Iterable

from compare.oracle.layers.noise import product
from compare.oracle.recurrence import added, beside, collected, columns, turned
from compare.oracle.running_error import Bounded, bilinear
from compare.tracing.types import Config


class Dropping:
    """The noise of one pass, parted.

    Args:
        noise: (batch, 1, ...), of the features and behind it of the states; None for none.
        config: the layer's.
        features, units, gates: how many there are.

    Attributes:
        of_input, of_state: for each gate the noise (batch, 1, features) or (batch, units), a single
            one for all of them; [None] where nothing is dropped. Noise drawn wrongly, for each step
            anew, is (batch, steps, features).
        t: the step that is looked at.
    """

    def __init__(self, noise: Bounded | None, config: Config, features: int, units: int,
                 gates: int) -> None:
        self.units, self.gates, self.t = units, gates, 0
        self.of_input: list[Bounded | None] = [None]
        self.of_state: list[Bounded | None] = [None]
        if noise is None:
            return
        own = gates if config.get("recurrent_dropout") else 1
        flat = noise.rearranged(lambda a: a[:, 0])
        at = 0
        if config.get("dropout"):
            self.of_input = [_places(noise, k * features, (k + 1) * features) for k in range(own)]
            at = own * features
        if config.get("recurrent_dropout"):
            self.of_state = [columns(flat, at + k * units, at + (k + 1) * units)
                             for k in range(own)]

    def read(self, x: Bounded, gate: int) -> Bounded:
        """What a gate reads of one step (batch, features)."""
        return _left(x, self._now(self.of_input[gate % len(self.of_input)]))

    def _now(self, noise: Bounded | None) -> Bounded | None:
        """A gate's noise at the step that is looked at."""
        if noise is None or len(noise.shape) == 2:
            return noise
        return noise.rearranged(lambda a: a[:, self.t if a.shape[1] > 1 else 0])

    def left(self, before: Bounded, gate: int) -> Bounded:
        """What a gate reads of the state before, (batch, units)."""
        return _left(before, self.of_state[gate % len(self.of_state)])

    def _apart(self, count: int) -> list[tuple[int, int]]:
        """(the first gate, the one behind the last) of those that read the same."""
        if len(self.of_input) == len(self.of_state) == 1:
            return [(0, count)]
        return [(k, k + 1) for k in range(count)]

    def _cut(self, a: Bounded, first: int, behind: int) -> Bounded:
        return a.rearranged(lambda a: a[..., first * self.units:behind * self.units])

    def sums(self, x: Bounded, before: Bounded, kernel: Bounded, recurrent: Bounded,
             terms: list[Bounded], gates: int | None = None) -> Bounded:
        """x @ kernel + before @ recurrent + terms of the first gates, terms of their width."""
        found = []
        for first, behind in self._apart(gates or self.gates):
            x_read, left = self.read(x, first), self.left(before, first)
            found.append(collected([(x_read, self._cut(kernel, first, behind)),
                                    (left, self._cut(recurrent, first, behind))],
                                   [self._cut(term, first, behind) for term in terms]))
        return beside(found, 1)

    def sent_back(self, dz: Bounded, kernel: Bounded, noise: list[Bounded | None],
                  terms: list[Bounded] | None = None, gates: int | None = None) -> Bounded:
        """dz @ kernel^T, of the first gates' columns, past their noise; with more terms."""
        count = gates or self.gates
        if noise == [None]:
            return collected([(dz, turned(self._cut(kernel, 0, count)))], terms or [])
        apart = [(0, count)] if len(noise) == 1 else [(k, k + 1) for k in range(count)]
        found = [product(collected([(self._cut(dz, *each), turned(self._cut(kernel, *each)))]),
                         _given(self._now(noise[each[0]]))) for each in apart]
        return added([*found, *(terms or [])])

    def kernel_gradient(self, inputs: list[Bounded], dz: Bounded, order: Iterable[int]) -> Bounded:
        """Of the kernel, given what was read at each step, in that order, and dz of all steps, one
        behind another."""
        read: list[list[Bounded]] = [[] for _ in self.of_input]
        for self.t, x in zip(order, inputs):
            for k, of_gate in enumerate(read):
                of_gate.append(self.read(x, k))
        return self._gradient(read, dz)

    def recurrent_gradient(self, states: list[Bounded], dz: Bounded) -> Bounded:
        """Of the columns of the recurrent kernel that dz has, given the states before each step."""
        return self._gradient([[self.left(state, k) for state in states]
                               for k in range(len(self.of_state))], dz)

    def _gradient(self, read: list[list[Bounded]], dz: Bounded) -> Bounded:
        count = dz.shape[1] // self.units
        if len(read) == 1:
            return bilinear(lambda a, b: a.T @ b, beside(read[0], 0), dz)
        return beside([bilinear(lambda a, b: a.T @ b, beside(read[k], 0),
                                self._cut(dz, k, k + 1)) for k in range(count)], 1)


def _left(x: Bounded, noise: Bounded | None) -> Bounded:
    return x if noise is None else product(x, noise)


def _places(noise: Bounded, start: int, stop: int) -> Bounded:
    return noise.rearranged(lambda a: a[:, :, start:stop])


def _given(noise: Bounded | None) -> Bounded:
    assert noise is not None
    return noise
