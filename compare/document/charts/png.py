"""PNG pictures from numbers that point into a palette, as data URIs. Needs zlib alone."""

import base64
import struct
import zlib

import numpy as np


def png(pixels: np.ndarray, palette: np.ndarray) -> bytes:
    """A picture with a palette.

    Args:
        pixels: (height, width) uint8, positions in the palette.
        palette: (up to 256, 4) uint8: red, green, blue, opacity. Of it, the picture keeps what it
            shows: hundreds of small pictures on a page would else be palettes for the most part.

    Source: the PNG specification, third edition, sections 5 and 11.
    """
    height, width = pixels.shape
    shown, places = np.unique(pixels, return_inverse=True)
    order = np.argsort(palette[shown, 3] == 255, kind="stable")  # opacities of 255 may be left out
    palette, pixels = palette[shown[order]], np.argsort(order)[places].reshape(height, width)
    opacities = palette[palette[:, 3] < 255, 3]
    # each row starts with its filter's number; 0 is none
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.astype(np.uint8)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", palette[:, :3].astype(np.uint8).tobytes()),
             (b"tRNS", opacities.astype(np.uint8).tobytes()),
             (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts
                                          if data or name == b"IEND")


def chunk(name: bytes, data: bytes) -> bytes:
    """Length, name, data and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def data_uri(picture: bytes) -> str:
    """A PNG as an address that carries it."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
