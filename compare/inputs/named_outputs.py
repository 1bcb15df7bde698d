"""Arrays of another program's layers: read from a file, and matched with the layers of a network.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


def from_file(path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file by name, in the file's order.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such archive, or holds nothing.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"--outputs: expected a .npz file. Received: {path}, which is no "
                                "file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy, zipfile and zlib each have their own
        raise ValueError(f"--outputs: expected a .npz archive with an array for each layer. "
                         f"Received {path}, which cannot be read: {error}") from None
    if not found:
        raise ValueError(f"--outputs: expected an array for each layer. Received none in {path}")
    return found


def renamed(outputs: Mapping[str, np.ndarray], pairs: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays under the names of the layers that they belong to.

    Args:
        pairs: texts NAME=LAYER, the array's name and the layer's.

    Raises:
        ValueError: for a text that is no such pair, a name that no array has, or two arrays for
            one layer.
    """
    names = dict(map(_pair, pairs))
    for name in names:
        if name not in outputs:
            raise ValueError(f"--map: expected the name of an array: {', '.join(outputs)}. "
                             f"Received: {name}")
    made: dict[str, np.ndarray] = {}
    for name, array in outputs.items():
        layer = names.get(name, name)
        if layer in made:
            raise ValueError(f"--map: expected one array for {layer!r}. Received: two")
        made[layer] = array
    return made


def by_layer(pairs: Sequence[str]) -> dict[str, str]:
    """The names of tensors by those of the layers, from texts NAME=LAYER.

    Raises:
        ValueError: for a text that is no such pair, or two tensors for one layer.
    """
    found: dict[str, str] = {}
    for name, layer in map(_pair, pairs):
        if layer in found:
            raise ValueError(f"--map: expected one tensor for {layer!r}. Received: two")
        found[layer] = name
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, layer = text.rpartition("=")
    if not (name and equals and layer):
        raise ValueError(f"--map: expected NAME=LAYER. Received: {text}")
    return name, layer


def matched(outputs, layers: dict[str, tuple[int, ...]]) -> tuple[dict[str, np.ndarray], bool]:
    """(arrays by the layers' names, whether they were matched by order and shape).

    Args:
        outputs: arrays by name, or a list of them. Names that are all unknown count as a list.
        layers: of each layer's output the shape, in the network's order.

    Raises:
        TypeError: for what is neither, or arrays that hold no real numbers.
        ValueError: for none, for a name that no layer has beside others that one has, and for a
            list that fits in no way, or in several.
    """
    if not isinstance(outputs, (Mapping, list, tuple)):
        raise TypeError("Expected arrays by the layers' names, or a list of them. "
                        f"Received: {type(outputs).__name__}")
    by_name = outputs if isinstance(outputs, Mapping) else \
        {f"array {i + 1}": array for i, array in enumerate(outputs)}
    names = list(by_name)
    arrays = [numbers(array, name) for name, array in by_name.items()]
    if not arrays:
        raise ValueError("Expected the output of at least one layer. Received none")
    unknown = [name for name in names if name not in layers]
    if not unknown:
        return dict(zip(names, arrays)), False
    if len(unknown) < len(names):
        near = difflib.get_close_matches(str(unknown[0]), layers, 1)
        raise ValueError(f"Expected names of layers: {', '.join(layers)}. "
                         f"Received: {', '.join(map(str, unknown))}"
                         + (f" (did you mean {near[0]}?)" if near else ""))
    return dict(zip(in_order(names, arrays, layers), arrays)), True


def numbers(array, name) -> np.ndarray:
    """An array of floating-point numbers; whole ones in float64, which holds them.

    Raises:
        TypeError: for what is none.
    """
    made = np.asarray(array)
    if made.dtype.kind not in "biuf":
        raise TypeError(f"Expected an array of real numbers for {name!r}. "
                        f"Received: {type(array).__name__} of {made.dtype}")
    return made if made.dtype.kind == "f" else made.astype(np.float64)


def in_order(names: list[str], arrays: list[np.ndarray], layers: dict[str, tuple[int, ...]]
             ) -> list[str]:
    """The layers that arrays belong to, which come in the network's order, told by their shapes.

    Raises:
        ValueError: if they fit in no way, or in more than one.
    """
    titles, shapes = list(layers), list(layers.values())
    ways: list[list[int]] = [[]]
    for name, array in zip(names, arrays):
        further = [[*way, i] for way in ways for i in range(way[-1] + 1 if way else 0, len(titles))
                   if fits(array.shape, shapes[i])][:1000]
        if not further:
            raise ValueError(f"Expected arrays by the names of the layers, {', '.join(titles)}, or "
                             "one after the other in their order and shapes. Received under other "
                             f"names, of shapes that do not fit: {name} of shape {array.shape}")
        ways = further
    if len(ways) > 1:
        i = next(k for k in range(len(arrays)) if len({way[k] for way in ways}) > 1)
        some = " or ".join(dict.fromkeys(titles[way[i]] for way in ways))
        raise ValueError(f"Expected arrays by the names of the layers, {', '.join(titles)}. "
                         f"Received: {names[i]}, which may be that of {some:.200}")
    return [titles[i] for i in ways[0]]


def fits(shape: tuple[int, ...], output: tuple[int, ...]) -> bool:
    """Whether an array can be a layer's output, channels last or first."""
    if shape == output:
        return True
    return len(output) > 2 and len(shape) == len(output) and shape in (
        (output[0], output[-1], *output[1:-1]), (output[0], *output[2:], output[1]))
