"""The IDX parser, against files written here by hand with `struct`."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.inputs.datasets.idx import DataError, check_labels, parse
from tests.draws import draws

SHAPE = (3, 5, 4)
VALUES = np.random.default_rng(1).integers(0, 256, SHAPE, dtype=np.uint8)


def idx(sizes, payload, kind=0x08):
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes) + payload


GOOD = gzip.compress(idx(SHAPE, VALUES.tobytes()), mtime=0)


def test_images_come_out_as_they_went_in():
    images = parse(GOOD, SHAPE, "images")
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, VALUES)
    # Spelt out once without NumPy: row 2, column 3 of image 1 is 1*20 + 2*4 + 3 bytes in.
    assert images[1, 2, 3] == gzip.decompress(GOOD)[16 + 31]


def test_labels_come_out_as_they_went_in():
    packed = gzip.compress(idx((4,), bytes([9, 0, 3, 9])))
    assert parse(packed, (4,), "labels").tolist() == [9, 0, 3, 9]


@pytest.mark.parametrize(
    ("unpacked", "expected", "received"),
    [
        pytest.param(b"", "16 bytes", "0 bytes", id="empty"),
        pytest.param(idx(SHAPE, b"")[:15], "16 bytes", "15 bytes", id="header cut short"),
        pytest.param(idx((3, 20), bytes(60)), "0x00000803", "0x00000802", id="dimensions"),
        pytest.param(idx(SHAPE, bytes(60), 0x0D), "0x00000803", "0x00000d03", id="floats"),
        pytest.param(b"\x01" + idx(SHAPE, bytes(60))[1:], "0x00000803", "0x01000803", id="magic"),
        pytest.param(idx((2, 5, 4), bytes(40)), "(3, 5, 4)", "(2, 5, 4)", id="count"),
        pytest.param(idx((3, 4, 5), bytes(60)), "(3, 5, 4)", "(3, 4, 5)", id="height and width"),
        pytest.param(
            idx((2**32 - 1,) * 3, bytes(60)), "(3, 5, 4)", "(4294967295, 4294967295", id="huge"
        ),
        pytest.param(idx(SHAPE, bytes(59)), "60 values", "59", id="a value too few"),
        pytest.param(idx(SHAPE, bytes(61)), "60 values", "61", id="a value too many"),
    ],
)
def test_a_malformed_file_is_refused_with_what_was_expected(unpacked, expected, received):
    with pytest.raises(DataError) as caught:
        parse(gzip.compress(unpacked), SHAPE, "some/file.gz")
    message = str(caught.value)
    assert message.startswith("some/file.gz ")
    assert expected in message.split("Expected: ")[1].split("Received: ")[0]
    assert message.split("Received: ")[1].startswith(received)


def test_a_gzip_file_cut_short_anywhere_is_refused():
    for length in range(len(GOOD)):
        with pytest.raises(DataError, match="Expected: .* Received: "):
            parse(GOOD[:length], SHAPE, f"the first {length} bytes")


def test_a_file_that_is_no_gzip_is_refused():
    with pytest.raises(DataError, match="Expected: a complete gzip file. Received: 76 bytes"):
        parse(gzip.decompress(GOOD), SHAPE, "plain")


def test_bytes_after_the_gzip_stream_are_refused():
    with pytest.raises(DataError, match="Expected: a complete gzip file"):
        parse(GOOD + b"more", SHAPE, "longer")


@settings(deadline=None, max_examples=draws(300), derandomize=True)
@given(position=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_never_changes_an_image_unnoticed(position, bit):
    damaged = bytearray(GOOD)
    damaged[position] ^= 1 << bit
    try:
        images = parse(bytes(damaged), SHAPE, "damaged")
    except DataError:
        return
    # A few bits of gzip's own header (its time stamp, say) mean nothing for the contents.
    np.testing.assert_array_equal(images, VALUES)


def test_a_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)


def test_labels_that_stand_for_no_class_are_refused():
    with pytest.raises(DataError, match=r"Expected: 0 to 9. Received: 10 at position 2 \(2 such"):
        check_labels(np.array([0, 9, 10, 255], np.uint8), 10, "labels")


def test_labels_of_every_class_are_fine():
    check_labels(np.arange(10, dtype=np.uint8), 10, "labels")
