"""Vision models in this process: what goes into one batch, what a batch gives, what does not load.

How questions are gathered is tested with a model made of plain Python, and always runs. The rest runs a tiny model with
random weights (tests/tiny_vlm.py) and needs the extra ``local``: pip install "fluxcap[local]", then
``pytest tests/test_vlm_local.py``; torch built for CPU suffices, and torchvision is not needed.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fluxcap.errors import FluxcapError, ImageError, UsageError
from fluxcap.vlms import local, local_model
from fluxcap.vlms.local import LocalServer
from fluxcap.vlms.local_answers import Answers, Prepared
from fluxcap.vlms.local_model import Opened
from fluxcap.vlms.types import Down, FormRefused, NoVision, Question, Reply, TooLarge, UnknownModel

MISSING = [package for package in ("torch", "transformers") if find_spec(package) is None]
needs_local = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (the extra local)")


def jpeg(seed: int, width: int = 90, height: int = 60) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=90)
    return out.getvalue()


PICTURES = [jpeg(n, 60 + 70 * n, 200 - 30 * n) for n in range(5)]


def ask(text: str = "What is seen?", tokens: int = 12, temperature: float = 0.1, system: str = "You look.") -> Question:
    return Question(system=system, text=text, schema=None, max_tokens=tokens, temperature=temperature)


def one_line(error: FluxcapError) -> str:
    assert "\n" not in str(error)
    assert error.hint
    return str(error)


# -------------------------------------------------------------------------------------------- what goes into one batch


class Plain:
    """Answers with the picture's width and the question; keeps the batches that it got. Works while its gate is open."""

    def __init__(self, *_args, **_named) -> None:
        self.batches: list[list[str]] = []
        self.prepared = 0
        self.room = 99
        self.busy = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def prepare(self, questions, pictures):
        if any(question.text == "too large" for question in questions):
            raise TooLarge("too many tokens", "send a smaller picture")
        self.prepared += 1
        return Prepared(inputs=[picture.width for picture in pictures], questions=tuple(questions), seconds=0)

    def generate(self, prepared):
        self.busy.set()
        assert self.gate.wait(20)
        self.busy.clear()
        if len(prepared.questions) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        self.batches.append([question.text for question in prepared.questions])
        return [
            Reply(text=f"{width} {question.text}", finish="stop", prompt_tokens=1, answer_tokens=1, seconds=0)
            for width, question in zip(prepared.inputs, prepared.questions, strict=True)
        ]


async def until(true, what: str) -> None:
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"waited in vain: {what}")


@pytest.fixture
def plain(monkeypatch):
    """(server, model): a server of batches of 4 around the plain model."""
    model = Plain()
    opened = Opened(model=None, processor=None, device="cpu", card="", dtype="float32", batch=4, notices=())
    monkeypatch.setattr(local, "open_model", lambda *_a, **_n: opened)
    monkeypatch.setattr(local, "Answers", lambda *_a, **_n: model)
    return LocalServer("models/plain"), model


def run(server, *questions, close=True, gathered=False):
    """The answers to the questions, asked at once; errors in place of those that failed.

    ``gathered``: while the model is busy with another question, "first", so that all of them wait together.
    """

    async def go():
        first = []
        if gathered:
            server._answers.gate.clear()
            first.append(asyncio.create_task(server.reply(ask("first"), PICTURES[0], "text")))
            await until(server._answers.busy.is_set, "the first batch")
        asked = (server.reply(question, jpeg(n, 20 + n, 20), "text") for n, question in enumerate(questions))
        tasks = [asyncio.create_task(one) for one in asked]
        if gathered:
            # those of a full batch are taken out while the model is busy
            await until(lambda: len(server._under_way) == len(questions) + 1, "all that wait")
            server._answers.gate.set()
        answers = await asyncio.wait_for(asyncio.gather(*tasks, *first, return_exceptions=True), 30)
        if close:
            await server.close()
        return answers[: len(questions)]

    return asyncio.run(go())


def test_each_gets_its_own_answer_in_few_batches(plain):
    server, model = plain
    answers = run(server, *(ask(f"q{n}") for n in range(10)), gathered=True)
    assert [answer.text for answer in answers] == [f"{20 + n} q{n}" for n in range(10)]
    assert list(map(len, model.batches)) == [1, 4, 4, 2]


def test_a_lone_question_does_not_wait_for_others(plain):
    server, model = plain
    start = time.perf_counter()
    run(server, ask("alone"))
    assert time.perf_counter() - start < 1
    assert model.batches == [["alone"]]


def test_pictures_are_made_ready_while_the_model_is_busy(plain):
    server, model = plain
    model.gate.clear()

    async def go():
        tasks = [asyncio.create_task(server.reply(ask(), PICTURES[0], "text")) for _ in range(12)]
        await until(lambda: model.busy.is_set() and model.prepared == 2, "the second batch made ready behind the first")
        assert model.batches == []
        model.gate.set()
        await asyncio.gather(*tasks)
        await server.close()

    asyncio.run(go())
    assert sum(map(len, model.batches)) == 12


def test_what_comes_while_the_model_is_busy_is_gathered(plain):
    server, model = plain
    model.gate.clear()

    async def go():
        tasks = [asyncio.create_task(server.reply(ask("first"), PICTURES[0], "text"))]
        await until(model.busy.is_set, "the first batch")
        for n in range(3):  # further apart than a model that is free would wait
            tasks.append(asyncio.create_task(server.reply(ask(f"{n}"), PICTURES[0], "text")))
            await until(lambda: len(server._waiting) == n + 1, "a question that waits")  # noqa: B023
            await asyncio.sleep(2 * local.WAIT)
        model.gate.set()
        await asyncio.gather(*tasks)
        await server.close()

    asyncio.run(go())
    assert model.batches == [["first"], ["0", "1", "2"]]


def test_only_questions_alike_share_a_batch(plain):
    server, model = plain
    run(server, ask("a", tokens=10), ask("b", tokens=20), ask("a", tokens=10), ask("c", temperature=0.7), gathered=True)
    assert sorted(model.batches) == [["a", "a"], ["b"], ["c"], ["first"]]


def test_too_little_memory_halves_the_batch(plain):
    server, model = plain
    model.room = 1
    answers = run(server, *(ask(f"q{n}") for n in range(4)), close=False, gathered=True)
    assert [answer.text for answer in answers] == [f"{20 + n} q{n}" for n in range(4)]
    assert server.batch == 1
    assert "1 pictures at once" in server.describe()
    run(server, *(ask("later") for _ in range(3)))
    assert model.batches[-3:] == [["later"]] * 3


def test_memory_for_not_even_one(plain):
    server, model = plain
    model.room = 0
    (answer,) = run(server, ask())
    assert isinstance(answer, Down)
    assert "memory" in one_line(answer)


def test_one_that_fails_spoils_no_other(plain):
    server, _ = plain
    answers = run(server, ask("a"), ask("too large"), ask("b"), ask("c"), gathered=True)
    assert isinstance(answers[1], TooLarge)
    assert [answers[n].text for n in (0, 2, 3)] == ["20 a", "22 b", "23 c"]
    assert server.batch == 4


def test_bytes_that_are_no_picture(plain):
    server, model = plain
    with pytest.raises(ImageError, match="cannot be read"):
        asyncio.run(server.reply(ask(), b"nonsense", "text"))
    assert model.batches == []


@pytest.mark.parametrize("form", ["json_schema", "json_object"])
def test_forms_are_refused(plain, form):
    server, _ = plain
    with pytest.raises(FormRefused) as told:
        asyncio.run(server.reply(ask(), PICTURES[0], form))
    one_line(told.value)


def test_one_who_gave_up_is_not_asked_about(plain):
    server, model = plain
    model.gate.clear()

    async def go():
        first = asyncio.create_task(server.reply(ask("first"), PICTURES[0], "text"))
        await until(model.busy.is_set, "the first batch")
        gone = asyncio.create_task(server.reply(ask("gone"), PICTURES[0], "text"))
        stays = asyncio.create_task(server.reply(ask("stays"), PICTURES[0], "text"))
        await until(lambda: len(server._waiting) == 2, "two that wait")
        gone.cancel()
        await asyncio.sleep(0)
        model.gate.set()
        assert (await stays).text.endswith("stays")
        await first
        await server.close()

    asyncio.run(go())
    assert model.batches == [["first"], ["stays"]]


def test_closing_ends_what_is_under_way(plain):
    server, model = plain
    model.gate.clear()

    async def go():
        tasks = [asyncio.create_task(server.reply(ask(), PICTURES[0], "text")) for _ in range(9)]
        await until(lambda: len(server._under_way) == 9 and model.busy.is_set(), "all nine")
        closing = asyncio.create_task(server.close())
        answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert [type(answer) for answer in answers] == [Down] * 9
        with pytest.raises(Down, match="closed"):
            await server.reply(ask(), PICTURES[0], "text")
        model.gate.set()  # what runs on a card cannot be stopped, so closing waits for it
        await closing
        await server.close()
        assert server.opened.model is None

    asyncio.run(go())


def test_gathering_that_fails_is_told(plain, monkeypatch):
    async def fails(_self):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(LocalServer, "_next_batch", fails)
    (answer,) = run(plain[0], ask())
    assert isinstance(answer, Down)
    assert "a bug" in one_line(answer)


@pytest.mark.parametrize("batch", [1, 4])
def test_one_loop_after_another(plain, batch):
    server, _ = plain
    server.batch = batch
    for close in (False, False, True):
        assert [answer.text for answer in run(server, ask("a"), ask("b"), close=close)] == ["20 a", "21 b"]


def test_static_shapes_on_a_cpu_are_told(plain, monkeypatch):
    assert LocalServer("x", static=True).notices == (
        "static shapes pay on CUDA only; the vision model runs without them",
    )
    assert plain[0].notices == ()
    assert plain[0].describe() == "plain on cpu, float32, 4 pictures at once"
    assert asyncio.run(plain[0].models()) == ["models/plain"]


def test_the_extra_is_missing(monkeypatch):
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)
    with pytest.raises(FluxcapError) as told:
        LocalServer("some/model")
    assert one_line(told.value).endswith('not installed; pip install "fluxcap[local]"')


# ------------------------------------------------------------------------------------------------------ the tiny model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> dict[str, Path]:
    """The folders of tiny models by their kind."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    maker = _maker()
    base = tmp_path_factory.mktemp("tiny")
    return {
        "idefics3": maker.make(base / "idefics3"),
        "llava": maker.make(base / "llava", kind="llava"),
        "plain": maker.make(base / "plain", kind="llava", template=maker.PLAIN_TEMPLATE),
        "short": maker.make(base / "short", reads=60),
    }


def _maker():
    spec = importlib.util.spec_from_file_location("tiny_vlm", Path(__file__).with_name("tiny_vlm.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(server: LocalServer, questions: list[Question], *, together: bool, pictures=PICTURES) -> list[Reply]:
    async def go():
        pairs = list(zip(questions, pictures, strict=True))
        if together:
            return await asyncio.gather(*(server.reply(q, p, "text") for q, p in pairs))
        return [await server.reply(q, p, "text") for q, p in pairs]

    return asyncio.run(go())


@needs_local
@pytest.mark.parametrize("kind", ["idefics3", "llava", "plain"])
def test_a_batch_answers_as_one_at_a_time(tiny, kind):
    """Pictures of other sizes (Idefics3: prompts of other lengths, so padded) and questions of other lengths."""
    server = LocalServer(str(tiny[kind]), device="cpu", batch=5)
    questions = [ask("What is seen?" + " Look well." * n, tokens=16) for n in range(5)]
    single = answers(server, questions, together=False)
    sizes = []
    generate = server._answers.generate
    server._answers.generate = lambda prepared: (sizes.append(len(prepared.questions)), generate(prepared))[1]
    batch = answers(server, questions, together=True)
    asyncio.run(server.close())
    assert max(sizes) >= 2
    told = [(reply.text, reply.finish, reply.prompt_tokens, reply.answer_tokens) for reply in single]
    assert [(reply.text, reply.finish, reply.prompt_tokens, reply.answer_tokens) for reply in batch] == told
    assert len({reply.text for reply in single}) == 5, "the pictures make no difference, so this would prove nothing"
    assert all(reply.seconds > 0 for reply in (*single, *batch))


@needs_local
def test_a_batch_of_qwen(tiny):
    """Qwen3-VL, whose pictures keep their shape and whose tokens have places in the picture."""
    model, processor = _maker().qwen(_maker().QWEN_TINY)
    opened = Opened(model=model, processor=processor, device="cpu", card="", dtype="float32", batch=5, notices=())
    server = LocalServer("qwen", opened=opened)
    questions = [ask("What?" * (n + 1)) for n in range(5)]
    single = answers(server, questions, together=False)
    batch = answers(server, questions, together=True)
    assert len({reply.prompt_tokens for reply in single}) > 1
    assert len({reply.text for reply in single}) > 3
    for one, other in zip(single, batch, strict=True):
        assert (one.text, one.prompt_tokens, one.finish) == (other.text, other.prompt_tokens, other.finish)


@needs_local
def test_the_picture_counts_and_not_the_words_only(tiny):
    server = LocalServer(str(tiny["llava"]), device="cpu")
    replies = answers(server, [ask()] * 5, together=False)
    assert len({reply.text for reply in replies}) == 5
    again = answers(server, [ask()] * 5, together=False)
    assert [reply.text for reply in again] == [reply.text for reply in replies]


@needs_local
def test_why_each_row_ended(tiny):
    """One row meets its end, the others go on to the limit; what follows an end is not read."""
    server = LocalServer(str(tiny["llava"]), device="cpu", batch=5)
    model = server.opened.model
    whole = answers(server, [ask(tokens=12)] * 5, together=True)
    assert {(reply.finish, reply.answer_tokens) for reply in whole} == {("length", 12)}
    prepared = server._answers.prepare([ask(tokens=12)] * 5, [local._decode(one) for one in PICTURES])
    rows = model.generate(**prepared.inputs, max_new_tokens=12, do_sample=False)
    rows = rows[:, prepared.inputs["input_ids"].shape[1] :].tolist()
    rare = next(
        token for row in rows for token in row[2:9] if 1 <= sum(token in other for other in rows) < 5 and token > 50
    )
    places = [row.index(rare) + 1 if rare in row else None for row in rows]
    model.generation_config.eos_token_id = [rare]
    replies = Answers(server.opened, "tiny").generate(prepared)
    for reply, place, before in zip(replies, places, whole, strict=True):
        if place is None:
            assert (reply.finish, reply.answer_tokens, reply.text) == ("length", 12, before.text)
        else:
            assert (reply.finish, reply.answer_tokens) == ("stop", place)
            assert len(reply.text) < len(before.text)


@needs_local
def test_sampling_only_above_the_low_temperature(tiny):
    import torch

    server = LocalServer(str(tiny["llava"]), device="cpu")
    server.opened.model.generation_config.update(do_sample=True, temperature=0.9, top_k=20, top_p=0.8)

    def texts(temperature: float) -> list[str]:
        found = []
        for seed in (1, 2, 3):
            torch.manual_seed(seed)
            found += [
                r.text for r in answers(server, [ask(temperature=temperature)], together=True, pictures=[jpeg(1)])
            ]
        return found

    assert len(set(texts(0.1))) == 1
    assert len(set(texts(3.0))) > 1


@needs_local
def test_more_tokens_than_the_model_reads(tiny):
    server = LocalServer(str(tiny["short"]), device="cpu", batch=4)
    questions = [ask("short", system=""), ask("long " * 12), ask("short", system="")]
    with pytest.raises(TooLarge, match=r"reads 60; send a smaller picture"):
        answers(server, questions[1:2], together=False, pictures=PICTURES[:1])

    async def go():
        tasks = (server.reply(q, PICTURES[0], "text") for q in questions)
        return await asyncio.gather(*tasks, return_exceptions=True)

    kinds = [type(one) for one in asyncio.run(go())]
    assert kinds == [Reply, TooLarge, Reply]


@needs_local
def test_how_messages_are_put(tiny):
    """Parts and a system message where the template takes them; else plain text, the system's words before the question."""
    modern = LocalServer(str(tiny["idefics3"]), device="cpu")._answers._shape
    assert modern.messages("Look.", "What?") == [
        {"role": "system", "content": [{"type": "text", "text": "Look."}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]},
    ]
    assert len(modern.messages("", "What?")) == 1
    old = LocalServer(str(tiny["plain"]), device="cpu")._answers._shape
    assert old.messages("Look.", "What?") == [{"role": "user", "content": "<image>\nLook.\n\nWhat?"}]


@needs_local
def test_a_prompt_begins_once(tiny):
    server = LocalServer(str(tiny["plain"]), device="cpu")
    tokenizer = server.opened.processor.tokenizer
    prepared = server._answers.prepare([ask()], [Image.new("RGB", (30, 30))])
    assert prepared.inputs["input_ids"][0].tolist().count(tokenizer.bos_token_id) == 1


@needs_local
def test_devices_and_formats(tiny, monkeypatch):
    import torch

    folder = str(tiny["llava"])
    with pytest.raises(UsageError, match="'tpu' is not known"):
        LocalServer(folder, device="tpu")
    with pytest.raises(UsageError, match="'int3' is not known"):
        LocalServer(folder, dtype="int3")
    with pytest.raises(UsageError, match="batch of 0"):
        LocalServer(folder, batch=0)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="cannot run on 'cuda' here; it can on: auto, "):
            LocalServer(folder, device="cuda")
        monkeypatch.setattr(local_model.shutil, "which", lambda _name: "/usr/bin/nvidia-smi")
        if not torch.backends.mps.is_available():
            (notice,) = LocalServer(folder).notices
            assert "runs on the CPU although there is an NVIDIA card" in notice
        assert LocalServer(folder, device="cpu").notices == ()
    server = LocalServer(folder, device="cpu", dtype="bfloat16")
    assert server.describe() == "llava on cpu, bfloat16, 4 pictures at once"
    (reply,) = answers(server, [ask(tokens=3)], together=True, pictures=[jpeg(1)])
    assert reply.answer_tokens == 3


# ----------------------------------------------------------------------------------------------------- what does not load


def copy(source: Path, target: Path, **changed) -> Path:
    """The model's folder with some files changed: ``config={...}`` alters config.json, ``leave=(...)`` leaves files out."""
    target.mkdir()
    for path in source.iterdir():
        if path.name not in changed.get("leave", ()):
            (target / path.name).write_bytes(path.read_bytes())
    if "config" in changed:
        config = json.loads((target / "config.json").read_text(encoding="utf-8"))
        (target / "config.json").write_text(json.dumps({**config, **changed["config"]}), encoding="utf-8")
    return target


def refused(name: Path | str, kind: type[FluxcapError] = FluxcapError) -> str:
    with pytest.raises(kind) as told:
        LocalServer(str(name), device="cpu")
    return one_line(told.value)


@needs_local
def test_folders_that_are_no_model(tiny, tmp_path):
    assert "there is no folder" in refused(tmp_path / "nowhere", UnknownModel)
    assert "has no config.json" in refused(tmp_path, UnknownModel)
    assert "neither a folder here nor to be had" in refused("nobody/nothing", UnknownModel)


@needs_local
def test_pickled_weights_are_not_read(tiny, tmp_path):
    import torch

    folder = copy(tiny["llava"], tmp_path / "pickled", leave=("model.safetensors",))
    torch.save({}, folder / "pytorch_model.bin")
    assert "no weights as .safetensors" in refused(folder)
    assert not any(name.endswith((".bin", ".pt", ".py")) for name in local_model.FILES)


@needs_local
def test_code_of_the_model_is_not_run(tiny, tmp_path):
    """A kind that transformers does not know, with code beside it that would tell that it ran."""
    ran = tmp_path / "ran"
    names = {"AutoConfig": "own.Own", "AutoModelForImageTextToText": "own.Own", "AutoProcessor": "own.Own"}
    folder = copy(tiny["llava"], tmp_path / "own", config={"model_type": "own", "auto_map": names})
    for file in ("processor_config.json", "tokenizer_config.json"):
        (folder / file).write_text(json.dumps({"auto_map": names, "processor_class": "Own"}), encoding="utf-8")
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Own: pass\n", encoding="utf-8")
    assert "needs code of its own, which fluxcap does not run" in refused(folder)
    assert not ran.exists()


@needs_local
def test_models_without_eyes(tiny, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path / "blind"
    LlamaForCausalLM(
        LlamaConfig(vocab_size=99, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    ).save_pretrained(folder)
    _maker().tokenizer().save_pretrained(folder)
    assert "takes no pictures" in refused(folder, NoVision)


@needs_local
def test_models_that_cannot_be_asked(tiny, tmp_path):
    left = ("chat_template.jinja", "chat_template.json")
    folder = copy(tiny["llava"], tmp_path / "base", leave=left)
    for path in folder.glob("*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        told.pop("chat_template", None)
        path.write_text(json.dumps(told), encoding="utf-8")
    assert "no chat template" in refused(folder)
    deaf = copy(tiny["llava"], tmp_path / "deaf", leave=left)
    (deaf / "chat_template.jinja").write_text("Hello.", encoding="utf-8")
    assert "does not take a picture and a question" in refused(deaf, NoVision)


@needs_local
def test_broken_weights(tiny, tmp_path):
    folder = copy(tiny["llava"], tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"\x00" * 99)
    assert "does not load" in refused(folder)
    unknown = copy(tiny["llava"], tmp_path / "new", config={"model_type": "not_yet_there"})
    assert "pip install -U transformers" in refused(unknown)
