"""Traces in files: a `.npz` archive of plain arrays and one JSON header, no pickles.

Each distinct array is stored once, under the SHA-256 of its contents; the header says which tensor
is which array. So an output that is the next layer's input costs nothing twice. The file ends in
the SHA-256 of all that stands before it (the archive's comment, as zip sees it), so that any
altered byte is noticed when the file is read.
"""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from compare.tracing import stored_arrays
from compare.tracing.types import Weights
from scratch.errors import shortened
from scratch.files import description
from scratch.files.atomic import replacing
from scratch.several import Several, each

FORMAT = "keras-parity trace"
VERSION = 2
AT_INFERENCE = 3  # of a pass outside of training, which readers of the others would misread
SEVERAL = 4  # of several inputs or outputs, likewise
READABLE = (1, 2, 3, 4)  # the first knows no graphs, noise, weights of samples and inference
ARRAYS = ("x", "y", "loss", "loss_gradient", "sample_weight", "inference")
PLAIN: dict[str, Any] = {"producer": str, "dtype": str, "config": dict,
                         "compile_config": (dict, type(None)), "fused": (bool, list, tuple)}
PART_PLAIN = ("layer", "part", "class_name")  # texts
TIED = "tied_to"  # another one, of further calls of a layer alone
PART_ARRAYS = ("input", "output", "output_gradient", "input_gradient", "noise", "inference")
PART_DICTS = ("weights", "weight_gradients", "updated")
SEAL = 64  # hexadecimal digits of a SHA-256


def save(fields: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a trace beside `path`, then rename it into place.

    Args:
        fields: the trace's attributes by name, its parts likewise.

    Raises:
        OSError: if the folder cannot be written to.
    """
    store: dict[str, Any] = {}  # arrays
    several = any(isinstance(fields[name], Several) for name in ARRAYS) or len(fields["ends"]) > 1
    version = SEVERAL if several else VERSION if fields["training"] else AT_INFERENCE
    more = {"training": fields["training"], "ends": fields["ends"],
            "terms": [_put(store, np.asarray(term)) for term in fields["terms"]]}
    header = {
        "format": FORMAT, "version": version, **(more if several else {}),
        **{name: fields[name] for name in PLAIN},
        "sources": fields["sources"],
        **{name: _put(store, fields[name]) for name in ARRAYS},
        "parts": [_put_part(store, part) for part in fields["parts"]],
    }
    file = io.BytesIO()
    np.savez_compressed(file, header=np.array(json.dumps(header, default=_plain)), **store)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = bytes(SEAL)  # room for the seal
    contents = file.getvalue()[:-SEAL]
    with replacing(path) as beside:
        beside.write_bytes(contents + _seal(contents))


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and verify a trace: what was handed to `save`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is truncated, altered, of another version, or no trace at all.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a recorded trace. Received: {path}, which is no file")
    contents = path.read_bytes()
    if _seal(contents[:-SEAL]) != contents[-SEAL:]:
        raise ValueError(f"{path}: expected a whole file written by `parity record` or Trace.save. "
                         "Received one that does not end in the SHA-256 of its contents: it is no "
                         "trace, or was cut short or altered")
    try:
        arrays: dict[str, Any] = stored_arrays.read(contents, "the arrays of a trace")
        header = description.parse(str(arrays.pop("header")).encode(), "its header")
        found = header["format"], header["version"]
        if found[0] == FORMAT and type(found[1]) is int and found[1] in READABLE:
            fields = _fields(header if found[1] > 1 else _first_version(header), arrays)
            training = found[1] != AT_INFERENCE
            if found[1] == SEVERAL:
                training = header["training"] is True
                fields.update(_of_several(header, arrays, fields))
            if not training:
                _require_alone(fields)
            return {**fields, "training": training}
    except Exception as error:  # a seal can be forged: numpy, zipfile and zlib raise all sorts then
        raise ValueError(f"{path}: expected a trace with every array that its header names. "
                         "Received a file that cannot be read as one: "
                         f"{shortened(error)}") from None
    raise ValueError(f"{path}: expected {FORMAT!r}, version {VERSION}, {AT_INFERENCE} or "
                     f"{SEVERAL}. Received: {found[0]!r:.80}, version {found[1]!r:.80}")


def _first_version(header: dict[str, Any]) -> dict[str, Any]:
    """The header of a file of version 1, with what came later filled in."""
    parts = [{**part, "noise": None, "inference": None} for part in header["parts"]]
    return {**header, "sources": None, "sample_weight": None, "inference": None, "parts": parts}


def _fields(header: dict[str, Any], arrays: Weights) -> dict[str, Any]:
    parts = [_get_part(arrays, entry) for entry in header["parts"]]
    _require_tied(parts)
    values = {name: _get(arrays, header[name]) for name in ARRAYS}
    if not isinstance(values["x"], (np.ndarray, Several)) or any(
            array is None for array in each(values["x"])):
        raise ValueError(f"x is {header['x']!r:.80}")
    for name, kinds in PLAIN.items():
        if not isinstance(header[name], kinds):
            raise ValueError(f"{name} is {header[name]!r:.80}")
    if values["loss"] is not None:
        values["loss"] = values["loss"][()]
    sources = header["sources"]
    if sources is not None:
        sources = [tuple(read) for read in sources]
        inputs = len(each(values["x"]))
        if len(sources) != len(parts) or any(not -inputs <= s < i for i, read in enumerate(sources)
                                             for s in read):
            raise ValueError(f"sources {sources} are not those of {len(parts)} parts")
    return {**{name: header[name] for name in PLAIN}, "parts": parts, "sources": sources, **values}


def _of_several(header: dict[str, Any], arrays: Weights, fields: dict[str, Any]) -> dict[str, Any]:
    """What a trace of several inputs or outputs has besides."""
    ends, fused = header["ends"], fields["fused"]
    if not isinstance(ends, list) or not all(type(end) is int and 0 <= end < len(fields["parts"])
                                             for end in ends):
        raise ValueError(f"ends {ends!r:.80} are not those of {len(fields['parts'])} parts")
    if isinstance(fused, list) and len(fused) != len(ends):
        raise ValueError(f"fused is {fused!r:.80} for {len(ends)} outputs")
    for name in ("y", "loss_gradient", "inference"):
        if len(ends) > 1 and fields[name] is not None and len(each(fields[name])) != len(ends):
            raise ValueError(f"{name} is not of {len(ends)} outputs")
    return {"ends": ends, "fused": tuple(fused) if isinstance(fused, list) else fused,
            "terms": tuple(arrays[name][()] for name in header["terms"])}


def _put_part(store: Weights, part: dict[str, Any]) -> dict[str, Any]:
    return {**{name: part[name] for name in PART_PLAIN},
            **({} if part["tied_to"] is None else {TIED: part["tied_to"]}),
            **{name: _put(store, part[name]) for name in PART_ARRAYS},
            **{name: {key: _put(store, array) for key, array in part[name].items()}
               for name in PART_DICTS}}


def _get_part(arrays: Weights, entry: dict[str, Any]) -> dict[str, Any]:
    if entry.keys() - {TIED} != {*PART_PLAIN, *PART_ARRAYS, *PART_DICTS}:
        raise ValueError(f"a part has the entries {', '.join(map(str, entry))}")
    if not all(isinstance(entry.get(name, ""), str) for name in (*PART_PLAIN, TIED)):
        raise ValueError(f"a part is called {[entry.get(name) for name in (*PART_PLAIN, TIED)]}")
    return {**{name: entry[name] for name in PART_PLAIN}, TIED: entry.get(TIED),
            **{name: _get(arrays, _one(entry, name)) for name in PART_ARRAYS},
            **{name: {key: arrays[ref] for key, ref in entry[name].items()}
               for name in PART_DICTS}}


def _require_alone(fields: dict[str, Any]) -> None:
    """That a pass outside of training has nothing but its way forward."""
    left = [name for name in ("y", "loss", "loss_gradient", "sample_weight", "inference")
            if fields[name] is not None]
    left += [name for part in fields["parts"] for name in
             ("output_gradient", "input_gradient", "noise", "inference", *PART_DICTS[1:])
             if part[name] is not None and (name not in PART_DICTS or part[name])]
    if left:
        raise ValueError(f"a pass outside of training has {', '.join(dict.fromkeys(left))}")


def _require_tied(parts: list[dict[str, Any]]) -> None:
    """That each further call of a layer names an earlier one with the same weights."""
    first: dict[str, dict[str, Any]] = {}
    for part in parts:
        shapes = {name: np.shape(weight) for name, weight in part["weights"].items()}
        if part[TIED] is None:
            first.setdefault(part["layer"], shapes)
        elif part["weights"] and shapes != first.get(part[TIED]):
            raise ValueError(f"{part['layer']!r:.80} has the weights {shapes}, not those of "
                             f"{part[TIED]!r:.80}, whose call it is")


def _one(entry: dict[str, Any], name: str) -> str | list[str] | None:
    """What a part calls an array: only inputs may be several, and only results may be missing."""
    found: str | list[str] | None = entry[name]
    if found is None and name in ("input", "output") \
            or isinstance(found, list) and (name not in ("input", "input_gradient")
                                            or name == "input" and None in found):
        raise ValueError(f"the {name} of a part is {found!r:.80}")
    return found


def _put(store: Weights, array: Any) -> str | list[Any] | dict[str, Any] | None:
    if array is None:
        return None
    if isinstance(array, Several):
        return {"several": [_put(store, one) for one in array.arrays]}
    if isinstance(array, tuple):
        return [_put(store, one) for one in array]
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    name = _digest(array)
    store[name] = array
    return name


def _get(arrays: Weights, name: str | list[str] | dict[str, Any] | None) -> Any:
    if isinstance(name, dict):
        return Several([None if one is None else arrays[one] for one in name["several"]])
    if isinstance(name, list) and name:
        return tuple(None if one is None else arrays[one] for one in name)
    return None if name is None else arrays[name]  # type: ignore[index]


def _seal(contents: bytes) -> bytes:
    return hashlib.sha256(contents).hexdigest().encode()


def _digest(array: np.ndarray) -> str:
    kind = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(kind + np.ascontiguousarray(array).tobytes()).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Expected plain JSON values in a config. Received: {value!r}")
