"""What a file is, by its first bytes."""

from __future__ import annotations

import re

from fluxcap.errors import ImageError
from fluxcap.images.told import shown, unsupported

HEAD_BYTES = 4096
"""How much of a file is needed to know it."""

_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", "jpeg"),
        (rb"\x89PNG\r\n\x1a\n", "png"),
        (rb"RIFF....WEBP", "webp"),
        (rb"GIF8[79]a", "gif"),
        (rb"....ftyp(?:avi[fs]|mi[fa][f1].{4,60}?avif|msf1.{4,60}?avi[fs])", "avif"),
        (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1|mif2)", "heif"),
        (rb"II[*+]\0|MM\0[*+]", "tiff"),
        (rb"BM.{8}....[\x0c-\x80]\0\0\0", "bmp"),
    )
)

_PICTURES_NOT_OPENED: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for pattern, what in (
        (rb"8BPS", "a Photoshop file"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL"),
        (rb"\0\0\0\x0cjP|\xff\x4f\xff\x51", "JPEG 2000"),
        (rb"\0\0[\x01\x02]\0", "a Windows icon"),
        (rb"v/1\x01", "OpenEXR"),
        (rb"#\?RADIANCE", "Radiance HDR"),
        (rb"P[1-7]\s", "a PNM picture"),
        (rb"FUJIFILMCCD-RAW|....ftypcrx", "a camera's raw file"),
        (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,400})?<svg", "an SVG drawing"),
        (rb"gimp xcf", "a GIMP file"),
    )
)

_NO_PICTURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for pattern, what in (
        (rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<!--.{0,400}-->\s*)?<(?:!doctype html|html|head|body)", "a web page"),
        (rb"PK\x03\x04|PK\x05\x06", "a ZIP archive"),
        (rb"%PDF", "a PDF document"),
        (rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ", "an archive"),
        (rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI |\x00\x00\x01\xba", "a video"),
        (rb"\x00\x05\x16[\x00\x07]", "macOS metadata"),
        (rb"(?:\xef\xbb\xbf)?\s*<\?xml", "an XML file"),
        (rb"(?:\xef\xbb\xbf)?\s*[\[{]\s*[\"\]}\[{]", "a JSON file"),
        (rb"MZ|\x7fELF", "a program"),
        (rb"version https://git-lfs", "a Git LFS pointer"),
    )
)


def kind_of(head: bytes, name: str) -> str:
    """The kind of picture (a key of ``pixels``'s openers), or an error that says what the file seems to be."""
    for pattern, kind in _KINDS:
        if pattern.match(head):
            return kind
    for pattern, what in _PICTURES_NOT_OPENED:
        if pattern.match(head):
            raise unsupported(name, what)
    what = next((f"it seems to be {what}" for pattern, what in _NO_PICTURES if pattern.match(head)), "")
    if not what:
        is_text = re.fullmatch(rb"[\t\r\n\x20-\x7e\x80-\xff]+", head) and _is_utf8(head)
        what = "it seems to be a text file" if is_text else "its content is of no known kind"
    raise ImageError(
        f"{shown(name)} is not a picture ({what})",
        "download the picture itself, or take the file out of the folder",
        code="IMG003",
    )


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= HEAD_BYTES - 3  # the last letter was cut
    return True
