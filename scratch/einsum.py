"""An einsum of inputs and a kernel, such as 'abc,cd->abd', and its two gradients.

Letters are axes. An ellipsis stands for axes at the front or at the back of input and output; here
they get letters of their own.
"""

import re
import string
from typing import NamedTuple

import numpy as np

FORMS = (r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)",
         r"\.\.\.([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)",
         r"([a-zA-Z]{2,})\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\.")


class Letters(NamedTuple):
    """The letters of the axes of an input, a kernel and their product.

    Attributes:
        elided: those that an ellipsis stands for.
    """

    input: str
    kernel: str
    output: str
    elided: str

    def product(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return contracted(x, self.input, kernel, self.kernel, self.output)

    def input_gradient(self, dy: np.ndarray, kernel: np.ndarray, shape: tuple) -> np.ndarray:
        """Given the output's gradient; `shape` is that of the input."""
        # along an axis that only the input has its numbers are summed: all get the same gradient
        known = [letter in self.kernel + self.output for letter in self.input]
        found = "".join(letter for letter, there in zip(self.input, known) if there)
        dx = contracted(dy, self.output, kernel, self.kernel, found)
        kept = dx.reshape([n if there else 1 for n, there in zip(shape, known)])
        return kept if all(known) else np.array(np.broadcast_to(kept, shape))

    def kernel_gradient(self, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        return contracted(x, self.input, dy, self.output, self.kernel)


def contracted(a: np.ndarray, of_a: str, b: np.ndarray, of_b: str, result: str) -> np.ndarray:
    """einsum(a, b), by BLAS where that is possible."""
    return np.einsum(f"{of_a},{of_b}->{result}", a, b, optimize=True)


def letters(equation: str, rank: int) -> Letters:
    """The letters of an equation for inputs of so many axes.

    Raises:
        ValueError: for an equation of another form, or for inputs of another rank.
    """
    forms = [re.fullmatch(form, str(equation)) for form in FORMS]
    number = next((i for i, match in enumerate(forms) if match), None)
    if number is None:
        raise ValueError("expected an equation of the form [X],[Y]->[Z], ...[X],[Y]->...[Z], or "
                         f"[X]...,[Y]->[Z]... Received: {equation!r}")
    match = forms[number]
    assert match is not None
    source, kernel, output = match.groups()
    if any(len(set(named)) < len(named) for named in (source, kernel, output)):
        raise ValueError(f"expected each letter once in input, kernel and output. "
                         f"Received: {equation!r}")
    unknown = set(output) - set(source + kernel) or set(kernel) - set(source + output)
    if unknown:
        raise ValueError(f"expected every letter of output and kernel twice in the equation. "
                         f"Received: {equation!r}, with {''.join(sorted(unknown))!r} once")
    elided = rank - len(source)
    if elided < 0 or (elided and not number):
        raise ValueError(f"expected an input with the axes of {equation!r}. "
                         f"Received: one of {rank} axes")
    free = [c for c in string.ascii_letters if c not in source + kernel + output][:elided]
    more = "".join(free)
    if number == 2:
        return Letters(source + more, kernel, output + more, more)
    return Letters(more + source, kernel, more + output, more)


def sizes(found: Letters, input_shape: tuple, partial: tuple) -> dict[str, int | None]:
    """The size of each axis, by its letter, given the input's shape and what the output is said to
    have besides the batch; None where it is open.

    Raises:
        ValueError: if the two do not go together.
    """
    known: dict[str, int | None] = dict(zip(found.input, input_shape))
    named = [letter for letter in found.output[1:] if letter not in found.elided]
    if len(named) != len(partial):
        raise ValueError(f"expected an output_shape of {len(named)} sizes. Received: {partial}")
    for letter, size in zip(named, partial):
        if letter not in known:
            known[letter] = size
        elif size is not None and known[letter] is not None and size != known[letter]:
            raise ValueError(f"expected an output_shape that goes with the input {input_shape}. "
                             f"Received: {partial}, of which {size} is axis {letter!r}")
    return known
