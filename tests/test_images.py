"""Opening pictures: every kind that a folder may hold is read rightly or refused in one line."""

from __future__ import annotations

import io
import os
import struct
import sys
import tempfile
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from fluxcap import images
from fluxcap.errors import FluxcapError, ImageError
from fluxcap.images import Picture, pixels

DATA = Path(__file__).parent / "data"
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230)


def quadrants(width: int = 64, height: int = 48) -> Image.Image:
    """Red and green above, blue and white below: every turn and mirroring shows."""
    array = np.empty((height, width, 3), np.uint8)
    array[: height // 2, : width // 2], array[: height // 2, width // 2 :] = RED, GREEN
    array[height // 2 :, : width // 2], array[height // 2 :, width // 2 :] = BLUE, WHITE
    return Image.fromarray(array)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    with io.BytesIO() as buffer:
        image.save(buffer, kind, **options)
        return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


@pytest.fixture
def opened(tmp_path: Path):
    def open_it(data: bytes, name: str = "picture.jpg", **options: object) -> Picture:
        path = tmp_path / name
        path.write_bytes(data)
        return images.read(path, name=name, **options)  # type: ignore[arg-type]

    return open_it


@pytest.fixture
def refused(opened):
    def refuse(data: bytes, name: str = "picture.jpg") -> ImageError:
        with pytest.raises(ImageError) as caught:
            opened(data, name)
        assert name in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
        assert caught.value.hint
        return caught.value

    return refuse


def corners(picture: Picture) -> list[tuple[int, ...]]:
    rgb = picture.rgb
    return [tuple(int(v) for v in rgb[y, x]) for y in (2, -3) for x in (2, -3)]


def assert_quadrants(picture: Picture, tolerance: int = 12) -> None:
    rgb = picture.rgb
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert rgb.shape == (picture.ref.height, picture.ref.width, 3)
    np.testing.assert_allclose(corners(picture), [RED, GREEN, BLUE, WHITE], atol=tolerance)


STILLS = {
    "jpeg": lambda: encoded(quadrants(), "JPEG", quality=95),
    "progressive jpeg": lambda: encoded(quadrants(), "JPEG", quality=95, progressive=True),
    "mpo": lambda: encoded(quadrants(), "MPO", save_all=True, append_images=[quadrants(32, 24)], quality=95),
    "png": lambda: encoded(quadrants(), "PNG"),
    "interlaced palette png": lambda: encoded(quadrants().quantize(16), "PNG"),
    "webp": lambda: encoded(quadrants(), "WEBP", quality=95),
    "lossless webp": lambda: encoded(quadrants(), "WEBP", lossless=True),
    "avif": lambda: encoded(quadrants(), "AVIF", quality=90),
    "gif": lambda: encoded(quadrants().quantize(16), "GIF"),
    "bmp": lambda: encoded(quadrants(), "BMP"),
    "palette bmp": lambda: encoded(quadrants().quantize(16), "BMP"),
    "tiff": lambda: encoded(quadrants(), "TIFF"),
    "lzw tiff": lambda: encoded(quadrants(), "TIFF", compression="tiff_lzw"),
    "jpeg tiff": lambda: encoded(quadrants(), "TIFF", compression="jpeg", quality=95),
    "ycbcr tiff": lambda: encoded(quadrants().convert("YCbCr"), "TIFF"),
    "opaque rgba png": lambda: encoded(quadrants().convert("RGBA"), "PNG"),
    "heic": lambda: (DATA / "quadrants.heic").read_bytes(),
}


# ------------------------------------------------------------------------------------------------------ what is opened


@pytest.mark.parametrize("kind", STILLS)
def test_every_kind_is_opened_by_its_content(kind, opened) -> None:
    picture = opened(STILLS[kind](), "picture.jpg")
    assert_quadrants(picture)
    assert picture.issues == ()
    assert picture.ref.path == "picture.jpg"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_orientation_is_applied(kind, orientation, opened) -> None:
    back = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }.get(orientation, [])
    stored = quadrants()
    for turn in back:
        stored = stored.transpose(turn)
    options = {"quality": 95} if kind not in ("PNG", "TIFF") else {}
    picture = opened(encoded(stored, kind, exif=exif(orientation), **options))
    assert (picture.ref.width, picture.ref.height) == (64, 48)
    assert_quadrants(picture)


def test_heic_orientation_is_applied_once(opened) -> None:
    picture = opened((DATA / "quadrants_turned.heic").read_bytes(), "phone.heic")
    assert (picture.ref.width, picture.ref.height) == (32, 48)
    np.testing.assert_allclose(corners(picture), [BLUE, RED, WHITE, GREEN], atol=12)


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_impossible_orientation_counts_as_upright(value, opened) -> None:
    assert_quadrants(opened(encoded(quadrants(), "JPEG", exif=exif(value), quality=95)))


def test_broken_exif_costs_nothing_and_warns_nobody(opened) -> None:
    tags = bytearray(exif(6))
    for cut in range(8, len(tags)):
        picture = opened(encoded(quadrants(), "JPEG", exif=bytes(tags[:cut]), quality=95))
        assert sorted(picture.rgb.shape) == [3, 48, 64]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_looks_as_rgb(kind, opened) -> None:
    expected = np.asarray(quadrants().convert("CMYK").convert("RGB"))
    picture = opened(encoded(quadrants().convert("CMYK"), kind, **({"quality": 95} if kind == "JPEG" else {})))
    np.testing.assert_allclose(picture.rgb[4, 4], expected[4, 4], atol=12)
    np.testing.assert_allclose(picture.rgb[-4, -4], expected[-4, -4], atol=12)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_grey_becomes_three_equal_channels(kind, opened) -> None:
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    picture = opened(encoded(Image.new("L", (20, 10), 77), kind, **options))
    assert picture.rgb.shape == (10, 20, 3)
    assert abs(picture.rgb.astype(int) - 77).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit(kind, opened) -> None:
    image = Image.new("1", (16, 8), 1)
    image.paste(0, (0, 0, 8, 8))
    picture = opened(encoded(image, kind))
    assert picture.rgb[4, 2].tolist() == [0, 0, 0]
    assert picture.rgb[4, 12].tolist() == [255, 255, 255]


def test_sixteen_bits_are_scaled_not_clipped(opened) -> None:
    values = np.linspace(0, 65535, 64).astype(">u2")
    grey = opened(png(64, 2, 16, 0, (b"\0" + values.tobytes()) * 2))
    rgb = opened(png(64, 2, 16, 2, (b"\0" + np.repeat(values, 3).tobytes()) * 2))
    tiff = opened(encoded(Image.fromarray(np.tile(values.astype(np.uint16), (2, 1))), "TIFF"))
    for picture in (grey, rgb, tiff):
        assert abs(picture.rgb[0, :, 1].astype(float) - values / 257.0).max() <= 1
        assert [issue.code for issue in picture.issues] == ["IMG010"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-3.0, 12.5), (0.0, 60000.0)])
def test_float_tiff_is_scaled_by_its_range(low, high, opened) -> None:
    values = np.tile(np.linspace(low, high, 64, dtype=np.float32), (4, 1))
    picture = opened(encoded(Image.fromarray(values), "TIFF"))
    low_is, high_is = int(picture.rgb.min()), int(picture.rgb.max())
    assert low_is == 0
    assert high_is == (255 if high != 60000 else round(60000 / 257))


def test_float_tiff_with_nan(opened) -> None:
    values = np.full((8, 8), 0.5, np.float32)
    values[0, 0] = np.nan
    assert opened(encoded(Image.fromarray(values), "TIFF")).rgb[4, 4].tolist() == [128, 128, 128]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
@pytest.mark.parametrize(("background", "expected"), [("#ffffff", 255), ("#000000", 0), ("#808080", 128)])
def test_transparency_lies_on_the_background(mode, background, expected, opened) -> None:
    image = Image.new("RGBA", (16, 8), (100, 100, 100, 255))
    image.paste((10, 10, 10, 0), (0, 0, 8, 8))  # what lies hidden below must not show
    kind = "TIFF" if mode == "PA" else "PNG"
    if mode == "P":
        data = encoded(image.quantize(8), "PNG")
    else:
        data = encoded(image.convert("LA") if mode in ("LA", "PA") else image, kind)
    picture = opened(data, "logo.png", background=background)
    assert picture.rgb[4, 2].tolist() == [expected] * 3
    assert picture.rgb[4, 12].tolist() == [100] * 3
    assert [issue.code for issue in picture.issues] == ["IMG011"]


def test_transparent_colour_of_rgb_png(opened) -> None:
    picture = opened(encoded(quadrants(), "PNG", transparency=RED))
    np.testing.assert_array_equal(picture.rgb[2, 2], [255, 255, 255])
    np.testing.assert_array_equal(picture.rgb[2, -3], GREEN)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_several_frames_the_first_is_taken(kind, opened) -> None:
    later = [quadrants().transpose(Image.Transpose.ROTATE_180)] * 2
    options = {"quality": 95} if kind in ("WEBP", "AVIF") else {}
    picture = opened(encoded(quadrants(), kind, save_all=True, append_images=later, **options), "moving.gif")
    assert_quadrants(picture, tolerance=20)
    assert [(issue.code, issue.severity, issue.path) for issue in picture.issues] == [
        ("IMG007", "warning", "moving.gif")
    ]
    assert picture.issues[0].message.startswith("moving.gif ")
    assert picture.issues[0].image_id == picture.ref.id


# --------------------------------------------------------------------------------------------------------- the colours


def swapped_profile() -> bytes:
    """A profile in which red and green are exchanged: whoever applies it, shows it."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"swapped\0" + bytes(79)
    red, green, blue = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971), xyz(0.1431, 0.0606, 0.7141)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    tags |= {b"rXYZ": green, b"gXYZ": red, b"bXYZ": blue, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_embedded_profile_is_brought_to_srgb(kind, opened) -> None:
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    data = encoded(quadrants(), kind, icc_profile=swapped_profile(), **options)
    np.testing.assert_allclose(corners(opened(data))[0], (30, 220, 30), atol=16)


def test_srgb_broken_and_foreign_profiles_change_nothing(opened) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, srgb[:200], b"nonsense", swapped_profile()[:150]):
        assert_quadrants(opened(encoded(quadrants(), "JPEG", quality=95, icc_profile=profile)))
    grey = opened(encoded(Image.new("L", (9, 9), 77), "PNG", icc_profile=swapped_profile()))
    assert grey.rgb.min() == grey.rgb.max() == 77


def test_lab_tiff(opened) -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    assert_quadrants(opened(encoded(ImageCms.applyTransform(quadrants(), to_lab), "TIFF")), tolerance=16)


# ------------------------------------------------------------------------------------------------------------ the size


@pytest.mark.parametrize("size", [(64, 48), (1024, 700), (1025, 700), (1500, 3000), (4100, 30), (9000, 40), (3000, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_long_side_is_bounded_and_never_enlarged(kind, size, opened) -> None:
    picture = opened(encoded(quadrants(*size) if size[1] > 1 else Image.new("RGB", size), kind))
    width, height = size
    scale = min(1, 1024 / max(size))
    assert (picture.ref.width, picture.ref.height) == size
    assert picture.rgb.shape == (max(1, round(height * scale)), max(1, round(width * scale)), 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(2600, 1800), (1800, 2600), (1791, 60), (900, 700), (511, 300), (256, 100), (90, 64)])
def test_not_exact_leaves_the_last_step_to_the_caller(kind, size, opened) -> None:
    picture = opened(encoded(quadrants(*size), kind), long_side=256, exact=False)
    longest = max(picture.rgb.shape)
    assert min(256, *sorted(size)[1:]) <= longest < 512
    assert (picture.ref.width, picture.ref.height) == size
    assert picture.rgb.shape[1] / picture.rgb.shape[0] == pytest.approx(size[0] / size[1], rel=0.15)
    for corner, colour in zip(corners(picture), (RED, GREEN, BLUE, WHITE), strict=True):
        assert np.abs(np.subtract(corner, colour)).max() <= 12


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1"])
def test_strips_give_what_the_whole_gives(mode, opened, monkeypatch) -> None:
    rng = np.random.default_rng(1)
    noisy = quadrants(700, 500).convert("RGBA")
    noisy.putalpha(Image.fromarray(rng.integers(0, 256, (500, 700), np.uint8)))
    image = noisy if mode == "RGBA" else noisy.convert("RGB").quantize(8) if mode == "P" else noisy.convert(mode)
    data = encoded(image, "TIFF")
    whole = opened(data, long_side=128)
    monkeypatch.setattr(pixels, "STRIP_PIXELS", 7000)
    assert abs(opened(data, long_side=128).rgb.astype(int) - whole.rgb.astype(int)).max() <= 1


def test_reduction_keeps_colours_in_place(opened) -> None:
    for kind in ("JPEG", "PNG"):
        picture = opened(encoded(quadrants(2600, 1800), kind), long_side=512)
        np.testing.assert_allclose(corners(picture), [RED, GREEN, BLUE, WHITE], atol=8)
        assert picture.rgb.shape == (354, 512, 3)


def test_id_is_the_sha256_of_the_file(tmp_path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(quadrants(), "PNG"))
    assert images.identify(path) == images.read(path, name="a.png").ref.id
    assert len(images.identify(path)) == 64
    assert images.read(path, name="a.png", digest="known").ref.id == "known"


# ------------------------------------------------------------------------------------------------------ what is refused

REFUSED = {
    "nothing": (b"", "IMG002", "empty"),
    "html": (b"<!doctype html><html><body>404 Not Found</body></html>" * 40, "IMG003", "a web page"),
    "zip": (b"PK\x03\x04" + os.urandom(6000), "IMG003", "a ZIP archive"),
    "json": (b'{"prompt": "a photo"}' * 200, "IMG003", "a JSON file"),
    "pdf": (b"%PDF-1.7\n" + os.urandom(5000), "IMG003", "a PDF document"),
    "text": ("Über den Wolken\n".encode() * 500, "IMG003", "a text file"),
    "noise": (bytes(range(255, 0, -1)) * 200, "IMG003", "no known kind"),
    "one byte": (b"\xff", "IMG003", "no known kind"),
    "video": (b"\0\0\0\x20ftypisom" + bytes(400), "IMG003", "a video"),
    "apple double": (b"\0\5\x16\7" + bytes(400), "IMG003", "macOS metadata"),
    "psd": (b"8BPS" + bytes(400), "IMG008", "Photoshop"),
    "jpeg xl": (b"\xff\x0a" + bytes(400), "IMG008", "JPEG XL"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "IMG008", "SVG"),
    "jpeg head": (b"\xff\xd8\xff\xe0", "IMG004", "damaged or cut off"),
    "png head": (b"\x89PNG\r\n\x1a\n", "IMG004", "damaged or cut off"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_is_refused(kind, refused) -> None:
    data, code, words = REFUSED[kind]
    error = refused(data)
    assert error.code == code
    assert words in error.message


def patched_jpeg(**options: object) -> bytes:
    data = encoded(quadrants(), "JPEG", **options)
    return data.replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 60000, 60000))


def test_bombs_are_refused_by_their_header(refused) -> None:
    gif = bytearray(encoded(quadrants().quantize(4), "GIF"))
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    bmp = bytearray(encoded(quadrants(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60000, 60000)
    for data in (
        png(60000, 60000, 8, 2, b""),
        png(60000, 60000, 1, 0, b""),
        patched_jpeg(),
        patched_jpeg(progressive=True),
        bytes(gif),
        bytes(bmp),
    ):
        error = refused(data, "bomb.png")
        assert error.code == "IMG005"
        assert "megapixels" in error.message


def test_limits_are_those_of_the_data_file(refused, opened, monkeypatch) -> None:
    monkeypatch.setattr(pixels, "_limits", lambda: (0.004, 0.003))
    assert opened(encoded(quadrants(), "JPEG"), long_side=32).rgb.shape == (24, 32, 3)
    assert refused(encoded(quadrants(), "JPEG")).code == "IMG005"  # nothing to reduce: all of it would be decoded
    assert refused(encoded(quadrants(), "PNG")).code == "IMG005"


def test_running_out_of_memory_is_told(refused, monkeypatch) -> None:
    def fail(*_args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "decode", fail)
    assert refused(encoded(quadrants(), "PNG")).code == "IMG005"


def test_heic_without_its_decoder(refused, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    error = refused((DATA / "quadrants.heic").read_bytes(), "phone.heic")
    assert error.code == "IMG008"
    assert "pi-heif" in str(error)


def test_what_is_no_file_is_refused(tmp_path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    names = ["folder.jpg", "dangling.jpg", "circle.jpg", "gone.jpg", "x" * 3000 + ".jpg", "nul\0.jpg"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        names.append("pipe.jpg")
    for name in names:
        for look in (lambda path, name: images.read(path, name=name), lambda path, _name: images.identify(path)):
            with pytest.raises(ImageError) as caught:
                look(tmp_path / name, name)
            assert caught.value.code == "IMG006"
            assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(quadrants(), "JPEG"))

    def deny(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # root may read everything
    with pytest.raises(ImageError, match=r"a\.jpg cannot be read \(Permission denied\); check") as caught:
        images.read(tmp_path / "a.jpg", name="a.jpg")
    assert caught.value.code == "IMG006"


@pytest.mark.parametrize("name", ["Überblick – 写真 🎪.jpg", "n" * 240 + ".jpg", "a b 'c' \"d\" %s {x}.jpg"])
def test_odd_names(name, opened, refused) -> None:
    assert opened(encoded(quadrants(), "JPEG"), name).ref.path == name
    refused(b"nothing", name)


@pytest.mark.skipif(os.name == "nt", reason="such names do not exist there")
def test_names_that_would_break_the_line(tmp_path) -> None:
    for raw in (b"two\nlines\x1b[31m.jpg", b"latin1-\xe9.jpg"):
        name = os.fsdecode(raw)
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(ImageError) as caught:
            images.read(tmp_path / name, name=name)
        text = str(caught.value)
        assert text.isprintable()
        text.encode()


# ----------------------------------------------------------------------------------------------- whatever the bytes are


def look(data: bytes) -> Picture | None:
    """A picture of the right shape or an ImageError of one line; anything else fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        path.write_bytes(data)
        try:
            picture = images.read(path, name="a.jpg", long_side=32)
        except ImageError as error:
            told = str(error)
            picture = None
    if picture is None:
        assert "a.jpg" in told
        assert told.isprintable()
        return None
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    assert picture.rgb.ndim == 3
    assert picture.rgb.shape[2] == 3
    assert 1 <= max(picture.rgb.shape[:2]) <= 32
    return picture


@pytest.mark.parametrize("kind", STILLS)
def test_cut_off_anywhere(kind) -> None:
    data = STILLS[kind]()
    results = [look(data[: len(data) * n // 40]) for n in range(40)]
    assert results[0] is None
    assert results[4] is None


def test_a_cut_photograph_is_refused(refused) -> None:
    rng = np.random.default_rng(2)
    photo = Image.fromarray(rng.integers(0, 256, (300, 400, 3), np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"):
        data = encoded(photo, kind)
        for share in (0.3, 0.6, 0.9):
            assert refused(data[: int(len(data) * share)]).code == "IMG004"


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([kind for kind in STILLS if "tiff" not in kind]),  # libtiff writes to the terminal itself
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["set", "cut", "put"]), st.binary(min_size=1, max_size=8))
    ),
)
def test_mutilated_anywhere(kind, edits) -> None:
    data = bytearray(STILLS[kind]())
    for place, how, piece in edits:
        start = int(place * len(data))
        data[start : start + (0 if how == "put" else len(piece))] = b"" if how == "cut" else piece
    look(bytes(data))


@settings(max_examples=100, deadline=None)
@given(head=st.sampled_from([data[:16] for data, _, _ in REFUSED.values()] + [b"II*\0", b"GIF89a"]), rest=st.binary())
def test_any_bytes(head, rest) -> None:
    assert look(head + rest) is None or head.startswith((b"GIF", b"II"))


def test_threads(tmp_path) -> None:
    paths = []
    for number, (_kind, make) in enumerate(STILLS.items()):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(make())
    once = [images.read(path, name=path.name).rgb for path in paths]
    start = threading.Barrier(4)

    def work(_: int) -> list[np.ndarray]:
        start.wait()
        return [images.read(path, name=path.name).rgb for path in paths * 3]

    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(work, range(4)):
            assert all(np.array_equal(a, b) for a, b in zip(result, once * 3, strict=True))


# ---------------------------------------------------------------------------------------------------------- the folder


def touched(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(folder: Path, recursive: bool = True) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in images.find(folder, recursive)]


def test_find_takes_pictures_in_natural_order(tmp_path) -> None:
    touched(
        tmp_path, "img10.jpg", "img2.JPG", "IMG1.png", "b.heic", "a.TIFF", "sub/x.webp", "Ä.jpg", "z.avif", "007.gif"
    )
    touched(
        tmp_path, "a.txt", "notes.md", "Thumbs.db", ".hidden.jpg", "._img2.JPG", ".fluxcap/thumb.jpg", "desktop.ini"
    )
    top = ["007.gif", "a.TIFF", "b.heic", "IMG1.png", "img2.JPG", "img10.jpg"]
    assert found(tmp_path, recursive=False) == [*top, "z.avif", "Ä.jpg"]
    assert found(tmp_path) == [*top, "sub/x.webp", "z.avif", "Ä.jpg"]


def test_find_order_depends_on_the_names_only() -> None:
    names = [
        "a.jpg",
        "A.jpg",
        "a1.jpg",
        "a01.jpg",
        "a/b.jpg",
        "1/2.jpg",
        "é.jpg",
        "e\u0301.jpg",
        "²3.jpg",
        "1.jpg",
        "a.png",
    ]
    assert len({images.natural_key(name) for name in names}) == len(names)  # no two are equal: no order but one


def test_find_walks_links_once(tmp_path) -> None:
    touched(tmp_path, "set/a.jpg", "set/deep/b.jpg", "elsewhere/c.jpg")
    root = tmp_path / "set"
    (root / "deep" / "up").symlink_to(root)
    (root / "again").symlink_to(root / "deep")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "out2").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    (root / "ring").symlink_to("ring")
    (root / "dangling.jpg").symlink_to("nowhere")
    names = found(root)
    assert [name for name in names if not name.startswith("out")] == ["a.jpg", "dangling.jpg", "deep/b.jpg"]
    assert len([name for name in names if name.startswith("out")]) == 1


def test_find_tells_what_it_cannot_list(tmp_path, monkeypatch) -> None:
    touched(tmp_path, "a.jpg", "closed/b.jpg")
    scan = os.scandir

    def guarded(path: Path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    issues: list = []
    assert [path.name for path in images.find(tmp_path, True, issues)] == ["a.jpg"]
    assert [(issue.code, issue.severity, issue.path) for issue in issues] == [("IMG006", "error", "closed")]
    with pytest.raises(ImageError, match="closed cannot be read"):
        images.find(tmp_path, True)
    for wrong in (tmp_path / "absent", tmp_path / "a.jpg", tmp_path / "closed"):
        with pytest.raises(FluxcapError, match="cannot be read"):
            images.find(wrong, False)


def test_pictures_that_would_share_a_caption_file() -> None:
    paths = ["a.jpg", "a.png", "B.jpg", "b.JPG", "sub/a.jpg", "caf\u00e9.jpg", "cafe\u0301.png", "c.jpg", "c.x.jpg"]
    issues = images.sidecar_clashes(Path(path) for path in paths)
    assert [(issue.code, issue.severity) for issue in issues] == [("IMG009", "error")] * 3
    assert "a.jpg and a.png" in issues[0].message
    assert "rename" in issues[0].message
    assert "B.jpg and b.JPG" in issues[1].message
    assert images.sidecar_clashes([Path("a.jpg"), Path("b.png")]) == []


@pytest.mark.parametrize("size", [(3000, 2000), (1500, 2600), (2501, 1667), (900, 700), (1, 5000)])
def test_shrinking_later_gives_what_reading_exactly_gives(tmp_path, size):
    """With a tagger the picture is read once for both; measuring must see the same pixels as without one."""
    rng = np.random.default_rng(size[0])
    Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(tmp_path / "a.png")
    exactly = images.read(tmp_path / "a.png", name="a.png").rgb
    later = images.shrunk(images.read(tmp_path / "a.png", name="a.png", exact=False), 1024)
    assert np.array_equal(exactly, later)
