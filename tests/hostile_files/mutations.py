"""Ways to spoil a file: bytes, structure, and archives whose checksums are right again."""

import copy
import hashlib
import io
import json
import random
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np

from tests.hostile_files.samples import BATCH

SEAL = 64  # hexadecimal digits of a SHA-256, at the end of a trace
WEIGHTS = "model.weights.h5"

OBJECTS = [
    {"module": "os", "class_name": "system", "config": "touch owned", "registered_name": None},
    {"module": "builtins", "class_name": "function", "config": "eval",
     "registered_name": "function"},
    {"module": "keras.layers", "class_name": "Lambda", "registered_name": None, "config": {
        "name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}}},
    {"module": "keras.layers", "class_name": "Embedding", "registered_name": None,
     "config": {"input_dim": 10**6, "output_dim": 400}},
    {"module": "hostile_module", "class_name": "Evil", "registered_name": "x>Evil", "config": {}}]
VALUES = [None, True, False, 0, -1, 1, 3, 10**6, 10**9, 10**15, 2**63, 10**400, 0.5, 1e308,
          float("nan"), float("inf"), "", "relu", "a" * 100_000, "\x1b[2J\n::stop-commands::\u202e",
          "../../etc/passwd", "float64", "float16", [], [1], [None, 10**6], [10**6] * 4,
          [0] * 100_000, {}, {"class_name": "x"}, {"name": "float32"}, *OBJECTS]


def spoiled(path: Path, rng: random.Random, canary: Path) -> bytes:
    """The contents of a good file after one or more ways of spoiling it."""
    content = path.read_bytes()
    ways = {".keras": [flipped, cut, config_changed, config_changed, variables_changed,
                       variables_flipped, archive_changed],
            ".h5": [flipped, cut, hdf5_changed, hdf5_changed],
            ".npz": [flipped, resealed_bytes, header_changed, header_changed, arrays_changed]}
    plain = [flipped, cut, arrays_changed, arrays_changed]  # no header, no seal
    for _ in range(rng.choice([1, 1, 1, 2])):
        way = rng.choice(plain if path.name == BATCH else ways[path.suffix])
        try:
            content = way(content, rng, canary)
        except Exception:  # what the first way spoiled, the next cannot always be used on
            content = flipped(content, rng, canary)
    return content


def flipped(content: bytes, rng, canary=None) -> bytes:
    """A few bytes changed."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= rng.randint(1, 255)
    return bytes(changed)


def cut(content: bytes, rng, canary=None) -> bytes:
    """A piece left out, put in twice, or everything behind a place gone."""
    start, end = sorted(rng.sample(range(len(content)), 2))
    return rng.choice([content[:start], content[:start] + content[end:],
                       content[:end] + content[start:]])


# .keras


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED, comment=b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


def config_changed(content: bytes, rng, canary) -> bytes:
    members = members_of(content)
    text = json.loads(members["config.json"])
    members["config.json"] = text_changed(text, rng)
    return packed(members, rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]))


def text_changed(value, rng) -> bytes:
    """JSON with some values, keys or brackets changed."""
    if rng.random() < 0.1:
        depth = rng.choice([50, 100, 10_000, 300_000])
        return b"[" * depth + json.dumps(value).encode() + b"]" * depth
    for _ in range(rng.randint(1, 3)):
        place, key = rng.choice(list(places(value)))
        change = rng.randrange(5)
        if change < 3:
            place[key] = copy.deepcopy(rng.choice(VALUES))
        elif change == 3 and isinstance(place, dict):
            place[rng.choice(["extra", "module", "registered_name", "config"])] = \
                copy.deepcopy(rng.choice(VALUES))
        elif isinstance(place, list):
            place *= rng.choice([0, 2, 300]) if len(place) < 300 else 0
        else:
            del place[key]
        if not isinstance(value, (dict, list)) or not list(places(value)):
            break
    return json.dumps(value).encode()


def places(value):
    """(what holds it, under which key) of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in list(items):
        yield value, key
        if isinstance(held, (dict, list)):
            yield from places(held)


def variables_changed(content: bytes, rng, canary) -> bytes:
    members = members_of(content)
    members[WEIGHTS] = hdf5_changed(members[WEIGHTS], rng, canary)
    return packed(members)


def variables_flipped(content: bytes, rng, canary) -> bytes:
    members = members_of(content)
    members[WEIGHTS] = rng.choice([flipped, cut])(members[WEIGHTS], rng)
    return packed(members)


def archive_changed(content: bytes, rng, canary) -> bytes:
    """More members, a member that unpacks to a great deal, other methods, sizes that are not so."""
    members = members_of(content)
    change = rng.randrange(5)
    if change == 0:
        members[rng.choice(["assets/a", "../../owned", "/tmp/owned", "assets/" + "d/" * 500])] = \
            bytes(50_000_000)
    elif change == 1:
        members[rng.choice(list(members))] = bytes(rng.choice([0, 10**6, 10**8]))
    elif change == 2:
        return packed(members, rng.choice([zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
    elif change == 3:
        del members[rng.choice(list(members))]
    else:  # of one member, in the directory of the archive
        made = bytearray(packed(members))
        place = made.rfind(b"PK\x01\x02")
        made[place + 20:place + 28] = struct.pack("<II", rng.randrange(2**32), rng.randrange(2**32))
        return bytes(made)
    return packed(members)


# HDF5


def hdf5_changed(content: bytes, rng, canary) -> bytes:
    """One array or group replaced by one that is not what it should be."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as store:
        names: list[str] = []
        store.visititems(lambda name, thing: names.append(name))
        arrays = [name for name in names if isinstance(store[name], h5py.Dataset)]
        if "model_config" in store.attrs and rng.random() < 0.6:
            said_changed(store, [name for name in names if name not in arrays], rng)
            return file.getvalue()
        name = rng.choice(arrays)
        shape, dtype = store[name].shape, store[name].dtype
        if rng.random() < 0.2:
            extra = f"{name.rsplit('/', 1)[0]}/{rng.choice(['99', '7', 'x' * 500])}"
            store.create_dataset(extra, (10**5, 10**5), "f4", chunks=(1000, 1000),
                                 compression="gzip")
        elif rng.random() < 0.1:
            store.attrs["layer_names"] = ["a"]
        else:
            del store[name]
            rng.choice(REPLACEMENTS)(store, name, shape, dtype, rng, canary)
    return file.getvalue()


def said_changed(store, groups, rng) -> None:
    """What an older file says of itself changed: its config, or the names that a group lists."""
    if rng.random() < 0.7:
        key = rng.choice(["model_config", "model_config", "training_config"])
        store.attrs[key] = text_changed(json.loads(store.attrs[key]), rng)
        return
    attributes = store[rng.choice(groups)].attrs
    key = rng.choice(["weight_names", "layer_names", "keras_version"])
    attributes[key] = rng.choice([["/"], ["../a", ""], ["."] * 3, 5, "a", [b"\xff"], ["a" * 1000],
                                  np.arange(3.0), ["kernel:0"] * 500])


def vast(store, name, shape, dtype, rng, canary):
    size = tuple(10**rng.choice([3, 6, 9]) for _ in shape) or (10**9,)
    store.create_dataset(name, size, dtype, chunks=(1,) * len(size))


def squeezed(store, name, shape, dtype, rng, canary):
    store.create_dataset(name, shape or (1,), dtype, chunks=(10**rng.choice([1, 4, 7]),)
                         + (1,) * (max(len(shape), 1) - 1), compression="gzip",
                         maxshape=(None,) * max(len(shape), 1))


def linked(store, name, shape, dtype, rng, canary):
    store[name] = h5py.ExternalLink(str(canary), "/")


def outside(store, name, shape, dtype, rng, canary):
    store.create_dataset(name, shape or (1,), dtype,
                         external=[(str(canary), 0, h5py.h5f.UNLIMITED)])


def circular(store, name, shape, dtype, rng, canary):
    store[name] = h5py.SoftLink(rng.choice(["/", f"/{name}", "/layers"]))


def worded(store, name, shape, dtype, rng, canary):
    store[name] = np.full(shape, b"text")


def odd(store, name, shape, dtype, rng, canary):
    store[name] = np.full(shape, rng.choice([-5, 0, 2**62])).astype(
        rng.choice(["i1", "i8", "u8", "f2", "f8", "c16", "?"]))


def unreal(store, name, shape, dtype, rng, canary):
    store[name] = np.full(shape, rng.choice([np.nan, np.inf, -np.inf, 1e30]), "f4")


def empty(store, name, shape, dtype, rng, canary):
    store[name] = h5py.Empty("f4")


def grouped(store, name, shape, dtype, rng, canary):
    store.create_group(name)


REPLACEMENTS = [vast, squeezed, linked, outside, circular, worded, odd, unreal, empty, grouped,
                lambda *everything: None]


# Golden traces


def sealed(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    """An archive that ends in the SHA-256 of all before it, as that of a good trace does."""
    content = packed(members, method, bytes(SEAL))[:-SEAL]
    return content + hashlib.sha256(content).hexdigest().encode()


def resealed_bytes(content: bytes, rng, canary) -> bytes:
    """Bytes changed anywhere, or in a member that gets its checksum; the seal is right."""
    if rng.random() < 0.5:
        changed = flipped(content[:-SEAL], rng)
        return changed + hashlib.sha256(changed).hexdigest().encode()
    members = members_of(content)
    name = rng.choice(list(members))
    members[name] = rng.choice([flipped, cut])(members[name], rng)
    return sealed(members)


def header_changed(content: bytes, rng, canary) -> bytes:
    members = members_of(content)
    header = json.loads(str(np.load(io.BytesIO(members["header.npy"]))))
    file = io.BytesIO()
    np.save(file, np.array(text_changed(header, rng).decode()))
    members["header.npy"] = file.getvalue()
    return sealed(members)


def arrays_changed(content: bytes, rng, canary) -> bytes:
    """An array of another shape or kind, one of which only the shape is there, packed zeros."""
    members = members_of(content)
    name = rng.choice(list(members))
    file = io.BytesIO()
    change = rng.randrange(4)
    if change == 0:
        np.lib.format.write_array_header_1_0(file, {
            "descr": rng.choice(["<f4", "|O", "<U1000000", "|V8"]), "fortran_order": False,
            "shape": rng.choice([(10**6, 10**6), (), (10**9,), (-1,), (0, 10**12)])})
        file.write(bytes(50))
    elif change == 1:
        np.save(file, np.zeros(rng.choice([(10**7,), (1,), (2, 3, 4), ()]), "f4"))
    elif change == 2:
        np.save(file, np.load(io.BytesIO(members[name])).astype("S8"))
    else:
        file.write(members[rng.choice(list(members))])
    members[name] = file.getvalue()
    return sealed(members)
