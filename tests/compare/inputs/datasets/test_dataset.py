"""What the loader hands out: pixels as floats, subsets, titles; and the digits."""

import subprocess
import sys

import numpy as np
import pytest

from compare.inputs import datasets
from compare.inputs.datasets.dataset import Dataset, describe
from compare.inputs.datasets.pixels import Pixels, pixel_table

RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 256, (7, 5, 4, 1), dtype=np.uint8)


def small_dataset(**changes):
    arguments = {
        "name": "small",
        "title": describe("Small", IMAGES, IMAGES[:3]),
        "source": "this file",
        "x_train": IMAGES,
        "y_train": np.array([0, 1, 2, 0, 1, 2, 0]),
        "x_test": IMAGES[:3],
        "y_test": np.array([2, 1, 0]),
        "class_names": ("a", "b", "c"),
    }
    return Dataset(**{**arguments, **changes})


INDICES = [
    pytest.param(np.s_[2], id="int"),
    pytest.param(np.s_[-1], id="from the end"),
    pytest.param(np.s_[1:6:2], id="slice"),
    pytest.param(np.s_[::-1], id="backwards"),
    pytest.param(np.s_[:0], id="nothing"),
    pytest.param(np.array([5, 0, 0, 6]), id="indices"),
    pytest.param([5, 0], id="list"),
    pytest.param(np.arange(7) % 2 == 0, id="mask"),
    pytest.param(np.s_[...], id="everything"),
    pytest.param(np.s_[1:3, 0, 2], id="several axes"),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("index", INDICES)
def test_pixels_are_the_plain_formula_bit_for_bit(index, dtype):
    pixels = small_dataset().pixels(IMAGES, dtype)
    expected = IMAGES.astype(dtype) / np.array(255, dtype) - np.array(0.5, dtype)
    assert expected.dtype == dtype
    received = pixels[index]
    assert received.dtype == dtype
    np.testing.assert_array_equal(received, expected[index], strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_table_covers_every_byte(dtype):
    table = small_dataset().table(dtype)
    assert table.shape == (256,)
    assert table.dtype == dtype
    assert (table[0], table[255]) == (-0.5, 0.5)
    # Python's floats are float64, and NumPy's float32 scalars do the same sum in float32.
    scalar = np.dtype(dtype).type
    for byte in range(256):
        assert table[byte] == scalar(byte) / scalar(255) - scalar(0.5), f"byte {byte}"


def test_pixels_look_like_an_array():
    pixels = Pixels(IMAGES, pixel_table(255, np.float32))
    assert pixels.shape == (7, 5, 4, 1)
    assert pixels.ndim == 4
    assert pixels.dtype == np.float32
    assert len(pixels) == 7
    assert sum(1 for _ in pixels) == 7
    np.testing.assert_array_equal(np.asarray(pixels), pixels[:], strict=True)
    assert np.asarray(pixels, "float64").dtype == np.float64
    with pytest.raises(IndexError):
        pixels[7]
    with pytest.raises(ValueError, match="copy"):
        np.array(pixels, copy=False)


def test_pixels_of_images_that_are_not_contiguous():
    images = np.asfortranarray(IMAGES)[::-2, :, ::-1]
    received = Pixels(images, pixel_table(16, "float32"))[:]
    expected = np.ascontiguousarray(images).astype("float32") / np.float32(16) - np.float32(0.5)
    np.testing.assert_array_equal(received, expected, strict=True)


def test_pixels_neither_change_the_images_nor_share_memory_with_them():
    images = IMAGES.copy()
    pixels = Pixels(images, pixel_table(255, "float32"))
    pixels[:][...] = 9.0
    np.testing.assert_array_equal(images, IMAGES)
    assert pixels[:].max() <= 0.5


@pytest.mark.parametrize("dtype", ["int32", "uint8", "complex64", "no such dtype", None, object])
def test_pixels_refuse_a_dtype_that_is_no_float(dtype):
    with pytest.raises(ValueError, match="Expected: a NumPy float dtype.*Received: dtype="):
        small_dataset().pixels(IMAGES, dtype)


@pytest.mark.parametrize("images", [IMAGES.astype("float32"), IMAGES.tolist(), None])
def test_pixels_refuse_images_that_are_not_bytes(images):
    with pytest.raises(TypeError, match="Expected: images as an array of uint8. Received: "):
        small_dataset().pixels(images, "float32")


def test_a_dataset_says_what_it_holds():
    dataset = small_dataset()
    assert dataset.title == "Small (7 + 3 images of 5x4)"
    assert dataset.input_shape == (5, 4, 1)
    assert dataset.classes == 3
    assert dataset.fallback_reason is None
    assert "Small" in repr(dataset)
    assert "array" not in repr(dataset)


def test_nobody_can_write_into_a_dataset_and_it_leaves_its_arguments_writeable():
    images = IMAGES.copy()
    dataset = small_dataset(x_train=images)
    for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    images[0] = 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": IMAGES.astype("float32")}, "x_train as uint8.*Received: float32"),
        ({"x_train": IMAGES[..., 0]}, r"x_train as uint8.*Received: uint8 of shape \(7, 5, 4\)"),
        ({"x_test": IMAGES[:3, 1:]}, r"those of x_train. Received: uint8 of shape \(3, 4, 4, 1\)"),
        ({"y_train": np.arange(6)}, r"shape \(7,\), a label per image.*Received: .*\(6,\)"),
        ({"y_test": np.arange(3, dtype=np.uint8)}, "y_test as int64.*Received: uint8"),
    ],
)
def test_a_dataset_refuses_arrays_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        small_dataset(**changes)


def test_limited_keeps_the_first_images_and_says_so():
    dataset = small_dataset()
    fewer = dataset.limited(4, 2)
    np.testing.assert_array_equal(fewer.x_train, IMAGES[:4])
    np.testing.assert_array_equal(fewer.x_test, IMAGES[:2])
    assert fewer.y_train.tolist() == [0, 1, 2, 0]
    assert fewer.y_test.tolist() == [2, 1]
    assert fewer.title == "Small (7 + 3 images of 5x4), of which only the first 4 + 2 are used"
    assert len(dataset.x_train) == 7


def test_limited_to_training_images_keeps_the_whole_test_set():
    fewer = small_dataset().limited(4)
    assert (len(fewer.x_train), len(fewer.x_test)) == (4, 3)
    assert len(small_dataset().limited(None, 1).x_train) == 7


def test_limited_to_everything_changes_nothing():
    assert small_dataset().limited(7, 3).title == "Small (7 + 3 images of 5x4)"


@pytest.mark.parametrize("counts", [(0,), (-1,), (8,), (1, 0), (1, 4)])
def test_limited_refuses_more_than_there_is_and_nothing(counts):
    with pytest.raises(ValueError, match=r"Expected: n_t.* from 1 to \d\. Received: n_t"):
        small_dataset().limited(*counts)


def test_limited_refuses_a_fraction():
    with pytest.raises(TypeError):
        small_dataset().limited(2.5)


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    digits = datasets.load("digits")
    assert digits.name == "digits"
    assert digits.title == "scikit-learn digits (1,500 + 297 images of 8x8)"
    assert digits.fallback_reason is None
    assert digits.input_shape == (8, 8, 1)
    assert digits.class_names == tuple("0123456789")

    # Every image, with its label, is in exactly one part.
    def bag(images, labels):
        rows = zip(np.asarray(images), labels, strict=True)
        return sorted((image.astype(np.uint8).tobytes(), int(label)) for image, label in rows)

    x, y = load_digits(return_X_y=True)
    parts = bag(digits.x_train, digits.y_train) + bag(digits.x_test, digits.y_test)
    assert sorted(parts) == bag(x, y)


def test_the_digits_pixels_run_from_minus_a_half_to_a_half():
    digits = datasets.load("digits")
    pixels = digits.pixels(digits.x_train, "float32")[:]
    assert (pixels.min(), pixels.max()) == (-0.5, 0.5)
    np.testing.assert_array_equal(
        pixels, digits.x_train.astype("float32") / np.float32(16) - np.float32(0.5), strict=True
    )


def test_the_digits_are_split_the_same_way_every_time_and_evenly():
    first, second = datasets.load("digits"), datasets.load("digits")
    for part in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(first, part), getattr(second, part))
    # Written down once: another version of NumPy or scikit-learn must not move a single image.
    assert first.y_train[:12].tolist() == [7, 6, 0, 7, 6, 6, 6, 7, 6, 0, 4, 3]
    assert first.y_test[:12].tolist() == [0, 7, 9, 5, 8, 1, 3, 3, 7, 0, 9, 4]
    in_test = np.bincount(first.y_test)
    assert set(in_test) <= {29, 30}
    share = in_test / (in_test + np.bincount(first.y_train))
    assert np.ptp(share) < 0.005


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="'fashion-mnist', 'digits'. Received: 'mnist'"):
        datasets.load("mnist")


def test_the_digits_refuse_a_folder(tmp_path):
    with pytest.raises(ValueError, match="Expected: data_dir=None. Received: data_dir="):
        datasets.load("digits", data_dir=tmp_path)


def test_importing_the_loader_starts_no_framework():
    code = ("import sys, compare.inputs.datasets; "
            "print({'tensorflow', 'keras', 'torch'} & set(sys.modules))")
    path = [entry for entry in sys.path if entry]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "set()"
