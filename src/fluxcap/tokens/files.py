"""Finding the encoders' tokenizer files: in a folder, in the hub's cache on this machine, or on the hub, once.

Nothing here raises because a file or the network is missing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fluxcap.errors import UsageError
from fluxcap.tokens.tables import Encoder, encoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

ENV_FOLDER = "FLUXCAP_TOKENIZERS"
"""Names a folder with tokenizer files, where the settings name none."""

FETCH_TIMEOUT = 3.0
"""Seconds until the hub must have answered the first question."""

DOWNLOAD_TIMEOUT = 30.0
"""Seconds until a tokenizer file (about 2 MB) must be here."""

RETRY_AFTER = 24 * 3600.0
"""Seconds for which a failed fetch is not tried again."""

Origin = Literal["folder", "cache", "hub", "estimate"]
"""Where a count comes from."""

Counter = Callable[[str], list[tuple[int, int]]]
"""Text -> the place (start, end) of each of its tokens, without special tokens."""

_TRUE = {"1", "on", "yes", "true"}
_CLIP_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where tokenizer files are looked for: ``folder``, else the hub's cache, else (``fetch``) the hub. See :func:`locate`."""

    folder: Path | None = None
    fetch: bool = True


def locate(folder: str | Path | None = None, *, fetch: bool = True) -> Where:
    """Where to look: the folder of the settings, else the one ``FLUXCAP_TOKENIZERS`` names. A folder that is not there is an error."""
    named, by = folder, "tokenizers"
    if not named:
        named, by = os.environ.get(ENV_FOLDER, ""), ENV_FOLDER
    if not named:
        return Where(fetch=fetch)
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise UsageError(
            f"{by} names '{path}', which is not a folder",
            "it should hold clip/ and t5/, or tokenizer/ and tokenizer_2/",
        )
    return Where(folder=path, fetch=fetch)


def origin(encoder_id: str, where: Where) -> Origin:
    """Where this encoder's counts come from now; may fetch, as :func:`count` does."""
    return _load(encoder(encoder_id), where)[1]


def counter(encoder: Encoder, where: Where) -> Counter | None:
    """The real tokenizer as a function from text to token places; None where its file cannot be had."""
    return _load(encoder, where)[0]


def forget() -> None:
    """Forgets loaded tokenizers, and which could not be loaded (after a setting has changed)."""
    with _lock:
        _loaded.clear()


_lock = threading.Lock()
_loaded: dict[tuple[str, Where], tuple[Counter | None, Origin]] = {}


def _load(tool: Encoder, where: Where) -> tuple[Counter | None, Origin]:
    key = (tool.id, where)
    found = _loaded.get(key)
    if found is None:
        with _lock:  # one thread loads (or fetches), the others wait for it
            found = _loaded.get(key)
            if found is None:
                found = _loaded[key] = _find(tool, where)
    return found


def _find(tool: Encoder, where: Where) -> tuple[Counter | None, Origin]:
    if where.folder is not None:
        for folder in (*(where.folder / name for name in tool.folders), where.folder):
            if (real := _read(folder, tool)) is not None:
                return real, "folder"
    for repo, file, _ in tool.files:
        if (path := _cached(repo, file)) is not None and (real := _read(path.parent, tool)) is not None:
            return real, "cache"
    if where.fetch and not _offline() and not _failed_lately():
        for repo, file, fetch in tool.files:
            if fetch and (path := _fetch(repo, file)) is not None and (real := _read(path.parent, tool)) is not None:
                return real, "hub"
    return None, "estimate"


def _read(folder: Path, tool: Encoder) -> Counter | None:
    """The tokenizer in this folder, if there is one and it is this encoder's."""
    try:
        whole = folder / "tokenizer.json"
        if whole.is_file():
            from tokenizers import Tokenizer

            made = Tokenizer.from_file(str(whole))
        elif tool.id == "clip" and (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
            made = _clip(folder)
        else:
            return None
        if made.token_to_id(tool.mark) is None:
            return None
        made.no_truncation()
        made.no_padding()
    except Exception as error:  # whatever a broken file makes the library say: it is as good as missing
        logger.warning("the tokenizer in '%s' cannot be read: %s", folder, error)
        return None

    def places(text: str) -> list[tuple[int, int]]:
        return made.encode(text, add_special_tokens=False).offsets

    return places


def _clip(folder: Path) -> Tokenizer:
    """CLIP's tokenizer from its vocabulary and merges, as the original code splits text."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    made = Tokenizer(
        models.BPE.from_file(
            str(folder / "vocab.json"),
            str(folder / "merges.txt"),
            unk_token="<|endoftext|>",
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
        )
    )
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_SPLIT), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    return made


def _cached(repo: str, file: str) -> Path | None:
    try:
        import huggingface_hub

        path = huggingface_hub.try_to_load_from_cache(repo, file)
    except Exception as error:  # a damaged cache is no reason to stop
        logger.info("the hub's cache cannot be read: %s", error)
        return None
    return Path(path) if isinstance(path, str) else None


def _offline() -> bool:
    return any(os.environ.get(name, "").lower() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def _fetch(repo: str, file: str) -> Path | None:
    """Fetches a file into the hub's cache; no token is sent. A failure is remembered for a day, on disk.

    The first question goes without the library's retries (they take 20 s where there is no network), and the download
    runs in a thread of its own, which is left alone when it takes too long.
    """
    result: list[str] = []
    trouble: list[str] = []

    def work() -> None:
        try:
            import huggingface_hub

            url = huggingface_hub.hf_hub_url(repo, file)
            huggingface_hub.get_hf_file_metadata(url, token=False, timeout=FETCH_TIMEOUT)
            result.append(huggingface_hub.hf_hub_download(repo, file, token=False, etag_timeout=FETCH_TIMEOUT))
        except Exception as error:  # no network, no such file, no space: all the same here
            trouble.append(str(error).partition("\n")[0])

    logger.info("fetching %s of %s, once, for exact token counts", file, repo)
    thread = threading.Thread(target=work, name="fluxcap-tokenizer", daemon=True)
    thread.start()
    thread.join(FETCH_TIMEOUT + DOWNLOAD_TIMEOUT)
    stamp = _stamp()
    if result:
        with suppress(OSError):
            stamp.unlink(missing_ok=True)
        return Path(result[0])
    reason = trouble[0] if trouble else "no answer in time"
    logger.info("%s of %s could not be fetched (%s); token counts are estimates", file, repo, reason)
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(f"{repo}/{file}: {reason}\n", encoding="utf-8")
    except OSError as error:
        logger.info("'%s' cannot be written: %s", stamp, error)
    return None


def _stamp() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("fluxcap") / "tokenizer-fetch-failed"


def _failed_lately() -> bool:
    try:
        age = time.time() - _stamp().stat().st_mtime
    except OSError:
        return False
    return 0 <= age < RETRY_AFTER
