import os
import random
import threading
import time
import tomllib
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap import tokens, types
from fluxcap.errors import UsageError
from fluxcap.tokens import files

REAL = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tokenizers"
needs_files = pytest.mark.skipif(not REAL.is_dir(), reason="the real tokenizer files are not beside this checkout")
NOWHERE = tokens.Where(fetch=False)
FLUX1 = tokens.target("flux1-dev")

EXAMPLE = (
    "trigger word, A photo of, a happy, mid-twenties woman, with long blonde hair with bangs. She is standing in front of a circus. "
    "She is wearing a black business suit with white collar shirt underneath. Her mouth is open and smiling. Her blue eyes are open. "
    "front view, natural lighting"
)
ORDINARY = [
    EXAMPLE,
    "zwx, A photo of a grinning, bearded fisherman in his sixties. He is standing on the deck of a small boat. He is wearing yellow oilskins over a thick grey jumper. His eyes are open. looking at viewer, upper body, front view, overcast light",
    "mrgtrbb, an ink drawing of a girl with two short plaits. She is feeding pigeons in a square. She is wearing a polka-dot dress and white ankle socks. from above, full body",
    "A photo of sks man with a shaved head, standing in an underground car park at night. He is wearing a leather biker jacket, a white T-shirt and dark trousers. His mouth is closed. hard lighting, from below",
    "kvn teapot on a checked tablecloth beside two porcelain cups and a plate of biscuits. Steam is rising. The background is a bright window. close-up, soft lighting, shallow depth of field",
    "The picture shows a young woman with dark, curly hair who is sitting cross-legged on an unmade bed and reading a letter. She is wearing an oversized pullover and round spectacles. Morning light falls through the blinds behind her.",
    "ohwx woman laughing at a birthday party, confetti in her red hair, holding a glass of sparkling wine. Friends are clapping behind her. She is wearing a glittering silver top and long earrings. flash photography, waist-up, front view",
    "A digital painting of a warrior queen with scarred cheeks and white war paint. She is raising a spear in front of burning tents. She is wearing bronze scale armour and a wolf pelt. dramatic lighting, low angle",
    "ohwx, A photo of a man, sitting at a desk. His mouth is closed. from side, looking down, natural lighting, waist-up",
    "lmn style, a seaside village with whitewashed houses, fishing nets on the quay and three rowing boats, an old lighthouse on the cliff, clouds over the horizon, gulls in the air, and a cat asleep on a warm stone step",
    "A photo of a woman, profile view. She is speaking into a microphone at a lectern. Behind her is a blue curtain with the words 'ANNUAL MEETING'. She is wearing a grey trouser suit and pearl earrings. indoors, spotlight",
    "tok cat, stretched out on a keyboard, next to an open notebook and a half-eaten sandwich. Its green eyes are half closed. A desk lamp gives warm light from the left. from above, close-up, blurry background",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No network, no cache of this machine, nothing remembered; every test asks for what it needs."""
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda repo, file: None)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", _no_network)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", _no_network)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    for name in (tokens.ENV_FOLDER, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    tokens.forget()
    yield
    tokens.forget()


def _no_network(*args: object, **kwargs: object) -> str:
    raise AssertionError("the network was asked")


def real(name: str, text: str) -> int:
    counter = tokens.counter(tokens.encoder(name), tokens.Where(folder=REAL, fetch=False))
    assert counter is not None
    return len(counter(text))


# ---- exact counts


@needs_files
@pytest.mark.parametrize(("text", "clip", "t5"), [(EXAMPLE, 65, 70), ("", 2, 1), ("  \n ", 2, 1)])
def test_counts_of_captions_with_special_tokens(text: str, clip: int, t5: int) -> None:
    counts = tokens.count(text, FLUX1, tokens.Where(folder=REAL, fetch=False))
    assert [(c.encoder, c.tokens, c.limit, c.exact, c.truncated_at) for c in counts] == [
        ("clip", clip, 77, True, None),
        ("t5", t5, 512, True, None),
    ]


@needs_files
@pytest.mark.parametrize(
    ("trigger", "clip", "t5"),
    [("ohwx", 1, 5), ("sks", 1, 4), ("TOK", 1, 2), ("mrgtrbb", 4, 8), ("p3r5on", 5, 6), ("J3ss1caR4", 6, 8)],
)
def test_pieces_of_trigger_words(trigger: str, clip: int, t5: int) -> None:
    assert (real("clip", trigger), real("t5", trigger)) == (clip, t5)


@needs_files
def test_clip_does_not_see_case_and_reads_contractions_as_one() -> None:
    assert real("clip", "OHWX, A PHOTO") == real("clip", "ohwx, a photo")
    assert real("clip", "the cat's") == 3


@needs_files
def test_truncation_names_the_first_character_outside() -> None:
    text = EXAMPLE + ", " + ", ".join(f"tag{'abcdefghij'[i % 10]}" for i in range(40))
    clip, t5 = tokens.count(text, FLUX1, tokens.Where(folder=REAL, fetch=False))
    assert clip.truncated_at is not None
    assert not text[clip.truncated_at].isspace()
    assert real("clip", text[: clip.truncated_at]) == 75
    assert t5.truncated_at is None
    assert tokens.format_count(clip) == f"CLIP {clip.tokens} of 77, {clip.lost} lost"
    short = tokens.for_trainer(FLUX1, "onetrainer")
    t5 = tokens.count(text, short, tokens.Where(folder=REAL, fetch=False))[1]
    assert t5.truncated_at is not None
    assert real("t5", text[: t5.truncated_at]) == 76


@needs_files
@given(
    text=st.text(max_size=600)
    | st.lists(st.sampled_from(["woman", "mid-twenties", "ohwx", "😀", "é", "\n"]), max_size=150).map(" ".join)
)
def test_any_text_is_counted_and_cut_only_over_the_limit(text: str) -> None:
    for where in (tokens.Where(folder=REAL, fetch=False), NOWHERE):
        for count in tokens.count(text, tokens.for_trainer(FLUX1, "onetrainer"), where):
            assert count.tokens >= 1
            if count.truncated_at is not None:
                assert count.tokens > count.limit
                assert 0 <= count.truncated_at < len(text)
            elif text.strip() and count.tokens > count.limit:
                assert where.folder is not None  # only blanks are lost


def test_half_a_surrogate_pair_is_counted() -> None:
    assert all(count.tokens > 0 for count in tokens.count("a \ud83d b", FLUX1, NOWHERE))
    if REAL.is_dir():
        assert all(count.exact for count in tokens.count("a \ud83d b", FLUX1, tokens.Where(folder=REAL, fetch=False)))


# ---- folders


@needs_files
def test_folder_as_in_a_diffusers_model(tmp_path: Path) -> None:
    (tmp_path / "tokenizer").symlink_to(REAL / "clip")
    (tmp_path / "tokenizer_2").symlink_to(REAL / "t5")
    where = tokens.locate(tmp_path, fetch=False)
    assert [count.tokens for count in tokens.count(EXAMPLE, FLUX1, where)] == [65, 70]
    assert tokens.origin("clip", where) == "folder"


@needs_files
def test_whole_tokenizer_file_is_preferred_and_its_own_truncation_is_lifted(tmp_path: Path) -> None:
    made = files._clip(REAL / "clip")
    made.enable_truncation(10)
    made.enable_padding(length=77)
    (tmp_path / "clip").mkdir()
    made.save(str(tmp_path / "clip" / "tokenizer.json"))
    assert tokens.count(EXAMPLE, FLUX1, tokens.Where(folder=tmp_path, fetch=False))[0].tokens == 65


@needs_files
def test_another_encoders_files_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "clip").symlink_to(REAL / "t5")
    (tmp_path / "t5").symlink_to(REAL / "clip")
    assert [count.exact for count in tokens.count(EXAMPLE, FLUX1, tokens.Where(folder=tmp_path, fetch=False))] == [
        False,
        False,
    ]


def test_broken_file_is_as_good_as_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "t5").mkdir()
    (tmp_path / "t5" / "tokenizer.json").write_text("{")
    where = tokens.Where(folder=tmp_path, fetch=False)
    assert not tokens.count("a b", FLUX1, where)[1].exact
    assert "cannot be read" in caplog.text


def test_locate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tokens.locate() == tokens.Where()
    assert tokens.locate(str(tmp_path)).folder == tmp_path
    monkeypatch.setenv(tokens.ENV_FOLDER, str(tmp_path))
    assert tokens.locate(fetch=False) == tokens.Where(folder=tmp_path, fetch=False)
    with pytest.raises(UsageError, match="missing', which is not a folder"):
        tokens.locate(tmp_path / "missing")
    monkeypatch.setenv(tokens.ENV_FOLDER, str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=tokens.ENV_FOLDER):
        tokens.locate()


# ---- hub: cache, fetch, offline, stamp


class Hub:
    """Stands for huggingface_hub; keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error
        monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", self.probe)
        monkeypatch.setattr("huggingface_hub.hf_hub_download", self.download)

    def probe(self, url: str, *, token: bool, timeout: float) -> None:
        assert token is False
        assert timeout == files.FETCH_TIMEOUT
        self.asked.append(url.rpartition("/")[2])
        if self.error:
            raise self.error

    def download(self, repo: str, file: str, *, token: bool, etag_timeout: float) -> str:
        assert token is False
        self.asked.append(f"{repo}/{file}")
        return str(REAL / ("clip/vocab.json" if "clip" in repo else "t5/tokenizer.json"))


@needs_files
def test_files_are_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    for _ in range(3):
        assert [c.tokens for c in tokens.count(EXAMPLE, FLUX1, tokens.Where())] == [65, 70]
    assert hub.asked == [
        "tokenizer.json",
        "openai/clip-vit-large-patch14/tokenizer.json",
        "tokenizer.json",
        "google-t5/t5-small/tokenizer.json",
    ]
    assert tokens.origin("t5", tokens.Where()) == "hub"
    assert not files._stamp().exists()


@needs_files
def test_many_threads_load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    found: list[tuple[int, ...]] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(tuple(c.tokens for c in tokens.count(EXAMPLE, FLUX1, tokens.Where())))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(65, 70)] * 8
    assert len(hub.asked) == 4


def test_failed_fetch_is_remembered_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch, OSError("no route\nmore"))
    assert not any(count.exact for count in tokens.count("a b", FLUX1, tokens.Where()))
    assert len(hub.asked) == 1  # the second encoder is not tried any more
    assert files._stamp().read_text(encoding="utf-8").endswith(": no route\n")
    tokens.forget()  # as in the next run
    tokens.count("a b", FLUX1, tokens.Where())
    assert len(hub.asked) == 1
    tokens.forget()
    old = time.time() - files.RETRY_AFTER - 1
    os.utime(files._stamp(), (old, old))
    tokens.count("a b", FLUX1, tokens.Where())
    assert len(hub.asked) == 2


@needs_files
def test_success_after_a_failure_takes_the_stamp_away(monkeypatch: pytest.MonkeyPatch) -> None:
    Hub(monkeypatch, OSError("no route"))
    tokens.count("a b", FLUX1, tokens.Where())
    old = time.time() - files.RETRY_AFTER - 1
    os.utime(files._stamp(), (old, old))
    tokens.forget()
    Hub(monkeypatch)
    assert all(count.exact for count in tokens.count("a b", FLUX1, tokens.Where()))
    assert not files._stamp().exists()


def test_slow_hub_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    gate = threading.Event()
    monkeypatch.setattr(hub, "download", None)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: gate.wait(10) and "")
    monkeypatch.setattr(files, "FETCH_TIMEOUT", 0.05)
    monkeypatch.setattr(files, "DOWNLOAD_TIMEOUT", 0.05)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda *a, **k: None)
    started = time.monotonic()
    assert tokens.origin("t5", tokens.Where()) == "estimate"
    assert time.monotonic() - started < 5
    assert "no answer in time" in files._stamp().read_text(encoding="utf-8")
    gate.set()


def test_stamp_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "file" / name)
    Hub(monkeypatch, OSError("no route"))
    assert tokens.origin("clip", tokens.Where()) == "estimate"


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_asks_nobody_and_leaves_no_stamp(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    hub = Hub(monkeypatch)
    monkeypatch.setenv(name, "1")
    assert tokens.origin("clip", tokens.Where()) == "estimate"
    assert hub.asked == []
    assert not files._stamp().exists()
    assert tokens.origin("clip", NOWHERE) == "estimate"


@needs_files
def test_hubs_cache_is_used_also_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        ("black-forest-labs/FLUX.1-dev", "tokenizer/vocab.json"): str(REAL / "clip" / "vocab.json"),
        ("google-t5/t5-small", "tokenizer.json"): str(REAL / "t5" / "tokenizer.json"),
    }
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda repo, file: held.get((repo, file)))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert [c.tokens for c in tokens.count(EXAMPLE, FLUX1, tokens.Where())] == [65, 70]
    assert tokens.origin("clip", tokens.Where()) == "cache"


def test_damaged_cache_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(repo: str, file: str) -> None:
        raise ValueError("bad cache")

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", broken)
    assert tokens.origin("clip", NOWHERE) == "estimate"


# ---- estimate


def test_estimate_is_marked() -> None:
    clip, t5 = tokens.count(EXAMPLE, FLUX1, NOWHERE)
    assert (clip.exact, t5.exact) == (False, False)
    assert tokens.format_count(t5) == f"T5 ≈ {t5.tokens} of 512"


@pytest.mark.parametrize("target", tokens.targets())
def test_every_target_counts_without_any_file(target: str) -> None:
    for count in tokens.count(EXAMPLE, tokens.target(target), NOWHERE):
        assert 55 < count.tokens < 110


def test_estimate_knows_where_it_cuts() -> None:
    text = "a woman in a park, " * 40
    clip = tokens.count(text, FLUX1, NOWHERE)[0]
    assert clip.truncated_at is not None
    assert text[clip.truncated_at - 1] in " ," or text[clip.truncated_at] == ","
    assert tokens.count(text[: clip.truncated_at], FLUX1, NOWHERE)[0].truncated_at is None


@needs_files
@pytest.mark.parametrize("name", ["clip", "t5"])
def test_estimate_is_near_and_errs_high(name: str) -> None:
    rng = random.Random(1)
    sentences = [sentence for text in ORDINARY for sentence in text.split(". ")]
    mixed = [". ".join(rng.sample(sentences, rng.randint(3, 7))) for _ in range(400)]
    texts = [text for text in [*ORDINARY, *mixed] if 20 <= len(text.split()) <= 100]
    assert len(texts) > 350
    here = tokens.Where(folder=REAL, fetch=False)
    ratios = []
    for text in texts:
        exact = next(c.tokens for c in tokens.count(text, FLUX1, here) if c.encoder == name)
        about = next(c.tokens for c in tokens.count(text, FLUX1, NOWHERE) if c.encoder == name)
        ratios.append(about / exact)
    near = sum(0.85 <= ratio <= 1.15 for ratio in ratios)
    assert near / len(ratios) >= 0.99
    assert min(ratios) > 0.85
    assert max(ratios) < 1.25
    assert sum(ratios) / len(ratios) > 1.0


@needs_files
def test_words_of_the_estimate_have_their_real_cost() -> None:
    for name in ("clip", "t5"):
        for word, cost in tokens.encoder(name).words.items():
            gap = " " if word[0].isalpha() else ""
            assert real(name, f"the{gap}{word}") - real(name, "the") == cost, word


# ---- what T5 cannot read


@pytest.mark.parametrize(("text", "words"), [
    ("a photo of Zoë in a café", ("Zoë",)),
    ("naïve <home> 😀 Łódź", ("naïve", "<home>", "😀", "Łódź")),
    ("“quoted” – it’s 20 € … e\u0301 ﬁne", ()),
    ("{a|b} ~ ^ ` C:\\x", ("{a|b}", "~", "^", "`", "C:\\x")),
])  # fmt: skip
def test_words_that_t5_cannot_read(text: str, words: tuple[str, ...]) -> None:
    assert tokens.unknown_words(text, FLUX1) == words
    assert tokens.unknown_words(text, tokens.target("flux2-dev")) == ()


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert set(tokens.unknown_words(text, FLUX1)) <= set(text.split())


@needs_files
def test_the_table_of_signs_is_that_of_the_tokenizer() -> None:
    """Every assigned sign; but for two dozen that T5's own table of forms takes otherwise than NFKC."""
    import unicodedata

    from tokenizers import Tokenizer

    real_t5 = Tokenizer.from_file(str(REAL / "t5" / "tokenizer.json"))
    unknown = real_t5.token_to_id("<unk>")
    signs = [
        chr(n)
        for n in range(33, 0x20000)
        if unicodedata.category(chr(n)) not in ("Cs", "Cn", "Co", "Cc", "Zs", "Zl", "Zp")
    ]
    encoded = real_t5.encode_batch([f"a{sign}b" for sign in signs], add_special_tokens=False)
    wrong = [
        sign for sign, found in zip(signs, encoded, strict=True)
        if (unknown in found.ids) != bool(tokens.unknown_words(f"a{sign}b", FLUX1))
    ]  # fmt: skip
    assert len(wrong) <= 30
    assert not [sign for sign in wrong if sign.isalnum() and ord(sign) < 0x370]


# ---- the tables


def test_tables_hold_together() -> None:
    data = tomllib.loads(resources.files("fluxcap").joinpath("data/limits.toml").read_text(encoding="utf-8"))
    ids = [row["id"] for row in data["encoder"]]
    assert len(set(ids)) == len(ids)
    rows = tomllib.loads(resources.files("fluxcap").joinpath("data/targets.toml").read_text(encoding="utf-8"))["target"]
    assert len(tokens.targets()) == len(rows)
    for name in ids:
        tool = tokens.encoder(name)
        assert set(tool.estimate) == {"word", "long", "consonants", "digit", "mark", "margin"}
        assert all(cost >= 0 for cost in tool.estimate.values())
        assert tool.overhead > 0
        assert tool.mark
        assert tool.folders
        assert tool.files
    for target in tokens.targets().values():
        assert target.style in ("sentences-tags", "sentences")
        assert target.limits
        for limit in target.limits:
            assert limit.encoder in ids
            assert limit.limit > tokens.encoder(limit.encoder).overhead
            assert limit.severity in get_args(types.Severity)
            assert limit.source
    for row in data["trainer_limit"]:
        assert set(row["targets"]) <= set(tokens.targets())
        for target_id in row["targets"]:
            assert row["encoder"] in [limit.encoder for limit in tokens.target(target_id).limits]
            assert tokens.for_trainer(tokens.target(target_id), row["trainer"]) is not None
        assert row["source"]


def test_limits_of_the_stacks() -> None:
    def limits(target: tokens.Target) -> dict[str, tuple[int, str]]:
        return {limit.encoder: (limit.limit, limit.severity) for limit in target.limits}

    assert limits(FLUX1) == {"clip": (77, "note"), "t5": (512, "error")}
    assert limits(tokens.target("flux1-schnell"))["t5"] == (256, "error")
    assert limits(tokens.target("flux2-dev")) == {"mistral3": (512, "error")}
    assert limits(tokens.target("flux2-klein-9b")) == {"qwen3": (512, "error")}
    assert limits(tokens.for_trainer(FLUX1, "onetrainer"))["t5"] == (77, "warning")
    assert limits(tokens.for_trainer(FLUX1, "onetrainer", raised=True))["t5"] == (512, "error")
    assert tokens.for_trainer(FLUX1, "kohya") == FLUX1
    assert tokens.for_trainer(FLUX1, "no such trainer") == FLUX1


def test_unknown_target_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="flux1-dev"):
        tokens.target("sdxl")
