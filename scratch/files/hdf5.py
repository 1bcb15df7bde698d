"""What is taken out of an HDF5 file: groups and arrays of its own, found and measured before read.

A file may link to others, ask for buffers larger than it is, and hold things that are no numbers.
"""

import math

from scratch.errors import shortened
from scratch.files import half_precision
from scratch.files.limits import RefusedFile

SIGNATURE = b"\x89HDF\r\n\x1a\n"  # what such a file begins with
LEAST_BUFFER = 1 << 20  # bytes of a chunk of any array


def is_one(path) -> bool:
    """Whether a file is an HDF5 file, by its first bytes."""
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def require_own(place, name: str, kind, path: str) -> None:
    """That something in the file is of that kind, and no link out of the file or to elsewhere."""
    import h5py

    link = place.get(name, getclass=True, getlink=True)
    if link is not h5py.HardLink or not isinstance(place[name], kind):
        raise RefusedFile(f"expected {name!r} in {path} to be a {kind.__name__.lower()} of the "
                          f"file. Received: {link.__name__} to {place.get(name)!r:.100}")


def array(place, name: str, path: str):
    """The dataset of numbers of that name in a group, which is not read yet."""
    import h5py

    require_own(place, name, h5py.Dataset, path)
    dataset = place[name]
    known = dataset.dtype.kind in "fiu" or half_precision.is_bfloat16(dataset)
    if dataset.external or dataset.is_virtual or not known:
        raise RefusedFile(f"expected arrays of numbers in {path}. "
                          f"Received: {name!r} of {dataset.dtype}, or in another file")
    size = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if size > max(dataset.nbytes, LEAST_BUFFER):
        raise RefusedFile(f"expected {name!r} in {path} in pieces no larger than itself. "
                          f"Received: {dataset.chunks} of an array {dataset.shape}")
    return dataset


def array_at(place, inside: str, path: str):
    """The same, at the end of a path of groups: 'dense/kernel:0'."""
    import h5py

    *groups, name = inside.split("/")
    for group in groups:
        if group not in place:
            raise RefusedFile(f"expected {shortened(inside, 200)!r} in {path}. Received none")
        require_own(place, group, h5py.Group, path)
        place, path = place[group], f"{path}/{group}"[-200:]
    if name not in place:
        raise RefusedFile(f"expected {shortened(inside, 200)!r} in {path}. Received none")
    return array(place, name, path)


def text(place, name: str) -> str:
    """A text among what is said of a group or the file, '' if nothing is of that name."""
    value = place.attrs.get(name, "")
    return value.decode() if isinstance(value, bytes) else str(value)


def names(place, name: str, most: int, path: str) -> list[str]:
    """A list of names among what is said of a group; a long one is kept in pieces: name0, name1 ...

    Raises:
        RefusedFile: if there is none, or it has more than `most`.
    """
    pieces = [name] if name in place.attrs else []
    while not pieces[:1] == [name] and f"{name}{len(pieces)}" in place.attrs:
        pieces.append(f"{name}{len(pieces)}")
    size = sum(math.prod(place.attrs.get_id(piece).shape or ()) for piece in pieces)
    if not pieces or size > most:
        raise RefusedFile(f"expected at most {most} {name} in {path}. "
                          f"Received: {size if pieces else 'none'}")
    return [each.decode() if isinstance(each, bytes) else str(each)
            for piece in pieces for each in list(place.attrs[piece])]
