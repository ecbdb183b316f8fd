import inspect
import re
import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap import registry
from fluxcap.check import SEVERITY_ORDER, check_caption, checks, refuses
from fluxcap.checks import Check, CheckInput
from fluxcap.checks.wording import find
from fluxcap.errors import UsageError
from fluxcap.tokens import Count
from fluxcap.types import Binding, Issue, Severity, Span, Trait
from fluxcap.vocabulary import Mention, read

OURS = [registry.load("check", name)() for name in registry.BUILT_IN["check"]]
VALID = [pytest.param(check, item, id=f"{check.name}-{n}") for check in OURS for n, item in enumerate(check.valid)]
INVALID = [pytest.param(check, item, id=f"{check.name}-{n}") for check in OURS for n, item in enumerate(check.invalid)]
HEADINGS = ["What it does:", "Why is this bad:", "Example:", "Use instead:"]

WORDS = st.text(string.ascii_letters + string.digits + "_éß", min_size=1, max_size=6)
SIGNS = st.text(" ,.;:!?()'\"-/\n", min_size=1, max_size=3)


def caption(text: str, **more: object) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", **{"text": text, "trigger": "ohwx", "class_word": "woman", **more})  # type: ignore[arg-type]


def found(item: CheckInput, name: str) -> list[Issue]:
    return check_caption(item, [name])


def trait(slot: str, value: str, tags: tuple[str, ...], sources: tuple[str, ...], confidence: float = 0.9) -> Trait:
    return Trait(image_id="1", slot=slot, value=value, tags=tags, confidence=confidence, sources=sources)


def count(encoder: str, tokens: int, limit: int, severity: Severity, **more: object) -> Count:
    fields = {"name": encoder.upper(), "exact": True, "truncated_at": None, **more}
    return Count(encoder=encoder, tokens=tokens, limit=limit, severity=severity, **fields)  # type: ignore[arg-type]


# ---- every check ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("check", "item"), VALID)
def test_valid_examples(check: Check, item: CheckInput) -> None:
    assert list(check.check(item)) == []


@pytest.mark.parametrize(("check", "item"), INVALID)
def test_invalid_examples(check: Check, item: CheckInput) -> None:
    issues = list(check.check(item))
    assert issues
    for issue in issues:
        assert (issue.code, issue.image_id, issue.path) == (check.code, item.image_id, item.path)
        assert SEVERITY_ORDER[issue.severity] >= SEVERITY_ORDER[check.severity]
        assert issue.message.isprintable()
        assert issue.message[0].islower()
        if issue.span is not None:
            assert 0 <= issue.span[0] < issue.span[1] <= len(item.text)
        if issue.fix is not None:
            assert list(check.check(replace(item, text=issue.fix, mentions=read(issue.fix)))) == []


@pytest.mark.parametrize("check", OURS, ids=lambda check: check.code)
def test_a_check_explains_itself(check: Check) -> None:
    text = inspect.getdoc(type(check)) or ""
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)
    assert check.valid
    assert check.invalid
    assert registry.load("check", check.name) is type(check)


def test_codes() -> None:
    codes = [check.code for check in OURS]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"CAP\d{3}", code) for code in codes)
    assert [check.code for check in checks()] == sorted(check.code for check in checks())


@settings(deadline=None)  # the first text waits for the word lists
@given(st.text(max_size=60), st.text(max_size=8), st.text(max_size=8))
def test_no_text_breaks_a_check(text: str, trigger: str, class_word: str) -> None:
    issues = check_caption(
        caption(
            text,
            trigger=trigger,
            class_word=class_word,
            mentions=read(text),
            to_say=frozenset({"setting"}),
            counts=(count("t5", 9, 5, "error", truncated_at=min(3, len(text))),),
        )
    )
    for issue in issues:
        assert issue.message.isprintable()
        assert issue.span is None or 0 <= issue.span[0] < issue.span[1] <= len(text)


# ---- running --------------------------------------------------------------------------------------------------------


def test_order_and_select() -> None:
    item = caption("In a park, ohwx\nand ohwx", counts=(count("t5", 600, 512, "error"),))
    assert [issue.code for issue in check_caption(item)] == ["CAP002", "CAP003", "CAP007", "CAP009", "CAP024"]
    assert [issue.code for issue in check_caption(item, ["line-break-in-caption", "CAP002"])] == ["CAP002", "CAP009"]
    assert check_caption(item, []) == []


def test_unknown_check() -> None:
    with pytest.raises(UsageError, match="'CAP999' is not known") as caught:
        check_caption(caption("ohwx"), ["CAP999"])
    assert "CAP001 missing-trigger" in caught.value.hint


def test_refuses() -> None:
    assert refuses(check_caption(caption("A photo of a woman.")))
    assert not refuses(check_caption(caption("A photo of ohwx.")))
    assert not refuses([])


@pytest.mark.parametrize("text", ["", "  \n", ",,, -", "\ufeff"])
def test_an_empty_caption_is_one_issue(text: str) -> None:
    item = caption(text, to_say=frozenset({"setting"}))
    assert [issue.code for issue in check_caption(item)] == ["CAP008"]


# ---- trigger word ---------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(WORDS, st.lists(st.tuples(WORDS, SIGNS), max_size=5))
def test_the_trigger_is_a_word(trigger: str, parts: list[tuple[str, str]]) -> None:
    text = "".join(word + sign for word, sign in parts)
    words = [word for word, _ in parts]
    places = find(text, trigger)
    assert len(places) == words.count(trigger)
    assert all(text[start:end] == trigger for start, end in places)
    missing = check_caption(caption(text, trigger=trigger), ["missing-trigger", "misspelt-trigger"])
    if trigger in words:
        assert all(issue.code == "CAP012" for issue in missing)
    else:
        assert len({issue.code for issue in missing}) == bool(words), "one of the two tells"


@given(WORDS, WORDS, WORDS)
def test_the_trigger_is_not_a_part_of_a_word(before: str, trigger: str, after: str) -> None:
    for text in (before + trigger, trigger + after, before + trigger + after):
        assert (find(text, trigger) != []) == (text == trigger)
        assert found(caption(text, trigger=trigger), "repeated-trigger") == []


@given(st.lists(WORDS, min_size=2, max_size=3), SIGNS, SIGNS)
def test_a_trigger_of_several_words(parts: list[str], before: str, after: str) -> None:
    trigger = " ".join(parts)
    text = before + " \n ".join(parts) + after
    assert len(find(text, trigger)) == 1
    assert found(caption(text, trigger=trigger), "missing-trigger") == []
    assert found(caption(text, trigger=trigger), "trigger-not-first") == []
    assert find("".join(parts), trigger) == []


@pytest.mark.parametrize("text", ["ohwx's hat", "ohwx-woman", "(ohwx)", "a\nohwx."])
def test_signs_do_not_make_another_word(text: str) -> None:
    assert found(caption(text), "missing-trigger") == []


@pytest.mark.parametrize("text", ["ohwxy", "ohwx2", "xohwx", "ohwx_2", "ohwx\u0301"])
def test_letters_do(text: str) -> None:
    assert found(caption(text), "misspelt-trigger")
    assert found(caption(text), "missing-trigger") == []


def test_a_trigger_of_signs() -> None:
    assert found(caption("<ohwx>, a photo.", trigger="<ohwx>"), "missing-trigger") == []
    assert found(caption("ohwx, a photo.", trigger="<ohwx>"), "misspelt-trigger")


def test_missing_trigger_is_mended() -> None:
    (issue,) = found(caption(" A photo of a woman."), "missing-trigger")
    assert issue.severity == "error"
    assert issue.message == 'does not say the trigger word "ohwx": put it at the start'
    assert issue.fix == "ohwx, A photo of a woman."


def test_wrong_case() -> None:
    (issue,) = found(caption("OHWX in a park."), "misspelt-trigger")
    assert issue.message.startswith('says "OHWX" where the trigger word is "ohwx"')
    assert issue.span == (0, 4)
    assert issue.fix == "ohwx in a park."
    text = "A photo with a mark on it."
    assert found(caption(text, trigger="Mark"), "misspelt-trigger") == [], "this is another word"
    (issue,) = found(caption(text, trigger="Mark"), "missing-trigger")
    assert issue.fix == f"Mark, {text}"


def test_trigger_not_first() -> None:
    (issue,) = found(caption("A photo of ohwx woman, ohwx."), "trigger-not-first")
    assert issue.span == (11, 15)


def test_repeated_trigger() -> None:
    (issue,) = found(caption("ohwx, ohwx and ohwx."), "repeated-trigger")
    assert issue.message.startswith('says the trigger word "ohwx" 3 times')
    assert '"the woman" or a pronoun' in issue.message
    assert issue.span == (6, 10)


# ---- facts and plan -------------------------------------------------------------------------------------------------

HAIR = {
    "hair": Binding(
        slot="hair",
        decision="bound",
        value="long blonde hair",
        tags=("long_hair", "blonde_hair"),
        reason="the same in 19 of 20 pictures",
        by="set",
    )
}


def test_bound_trait_in_a_real_text() -> None:
    text = "ohwx, a photo of a woman with long blonde hair in a park."
    (issue,) = found(caption(text, mentions=read(text), bindings=HAIR), "captioned-bound-trait")
    assert issue.span is not None
    assert "blonde hair" in text[slice(*issue.span)]
    assert "but hair is bound to the trigger word (the same in 19 of 20 pictures)" in issue.message
    assert issue.message.endswith("leave it out, or set hair free in the plan")


def test_a_free_trait_may_be_said() -> None:
    text = "ohwx, a photo of a woman with long blonde hair."
    free = {"hair": replace(HAIR["hair"], decision="free")}
    assert found(caption(text, mentions=read(text), bindings=free), "captioned-bound-trait") == []


def test_a_bound_trait_without_a_usual_value_is_not_to_be_said_at_all() -> None:
    text = "ohwx, a photo of a woman with long blonde hair."
    unknown = {"hair": replace(HAIR["hair"], value=None, tags=())}
    assert len(found(caption(text, mentions=read(text), bindings=unknown), "captioned-bound-trait")) == 1


def test_the_class_word_and_the_trigger_do_not_count() -> None:
    said = Mention(slot="medium", value="anime", tags=("anime_coloring",), start=0, end=5)
    bound = {
        "medium": Binding(slot="medium", decision="bound", value="anime", tags=said.tags, reason="style", by="preset")
    }
    item = caption("anime girl on a swing", mentions=(said,), bindings=bound)
    assert found(item, "captioned-bound-trait")
    assert found(replace(item, class_word="Anime girl"), "captioned-bound-trait") == []
    assert found(replace(item, trigger="anime girl"), "captioned-bound-trait") == []


def test_quoted_text_is_not_said() -> None:
    text = 'ohwx with a sign "from behind".'
    said = Mention(slot="view", value="back", tags=("from_behind",), start=18, end=29)
    facts = {"view": trait("view", "front", ("straight-on",), ("human",))}
    item = caption(text, mentions=(said,), traits=facts)
    assert found(item, "contradicted-fact") == []
    assert found(replace(item, spans=(Span(slot="text", start=12, end=30),)), "contradicted-fact") == []
    assert found(replace(item, text=text.replace('"', " ")), "contradicted-fact")


def test_unsaid_traits_are_one_issue() -> None:
    traits = {
        "setting": trait("setting", "in a park", ("park",), ("vision:x",)),
        "gaze": trait("gaze", "camera", ("looking_at_viewer",), ("measure:embedded",)),
        "mouth": trait("mouth", "open", ("open_mouth",), ("measure:embedded",)),
        "people": trait("people", "alone", ("solo",), ("vision:x",)),
    }
    item = caption(
        "ohwx, her mouth is open.",
        mentions=(Mention(slot="mouth", value="open", tags=("open_mouth",), start=6, end=23),),
        traits=traits,
        to_say=frozenset({*traits, "trigger", "subject"}),
        silent=frozenset({"people"}),
        class_word="person",
    )
    (issue,) = found(item, "unsaid-free-trait")
    assert issue.severity == "note"
    assert issue.message.startswith('does not say setting ("in a park"), gaze ("camera") and class word: add it')
    (issue,) = found(replace(item, spans=(Span(slot="gaze", start=0, end=4),)), "unsaid-free-trait")
    assert issue.severity == "warning"
    assert "gaze" not in issue.message


def test_a_contradiction_names_both_sides() -> None:
    text = "ohwx, a photo of a woman, from behind"
    facts = {"view": trait("view", "front", ("straight-on",), ("measure:embedded", "vision:x"))}
    (issue,) = found(caption(text, mentions=read(text), traits=facts), "contradicted-fact")
    assert issue.message.startswith('says "from behind", but measure:embedded and vision:x saw front (view): ')
    assert issue.span == (26, 37)
    assert issue.severity == "warning"
    for sure, times in ((0.6, 1), (0.59, 0)):
        facts = {"view": trait("view", "front", ("straight-on",), ("human",), sure)}
        issues = found(caption(text, mentions=read(text), traits=facts), "contradicted-fact")
        assert len(issues) == times
        assert all("but a person said front" in issue.message for issue in issues)


# ---- form -----------------------------------------------------------------------------------------------------------


def test_tokens() -> None:
    text = "ohwx, a photo of a well-known woman in a park at night."
    inside = text.index("known") + 2
    item = caption(
        text,
        counts=(
            count("clip", 80, 77, "note", truncated_at=inside),
            count("t5", 513, 512, "error", truncated_at=inside),
            count("t5", 530, 512, "error", truncated_at=inside, exact=False),
            count("t5", 512, 512, "error"),
            count("t5", 600, 512, "error"),
        ),
    )
    clip, exact, estimate, unknown = found(item, "too-many-tokens")
    assert [issue.severity for issue in (clip, exact, estimate, unknown)] == ["note", "error", "warning", "error"]
    assert exact.span == (text.index("well-known"), len(text))
    assert exact.message == (
        "has 513 T5 tokens, 1 more than the 512 that are read; "
        'lost from "well-known woman in a" on: say it in fewer words'
    )
    assert "FLUX.1 takes only a summary" in clip.message
    assert estimate.message.startswith("has ≈ 530 T5 tokens, ≈ 18 more")
    assert unknown.span is None
    assert "lost from" not in unknown.message


def test_a_message_shows_only_the_beginning_of_a_long_text() -> None:
    text = "ohwx\x1b[31m" + "字" * 500
    (issue,) = found(caption(text, counts=(count("t5", 600, 512, "error", truncated_at=9),)), "too-many-tokens")
    assert issue.message.isprintable()
    assert len(issue.message) < 200


@given(st.lists(st.from_regex(r"[a-z]+[.,]?", fullmatch=True), min_size=1), st.data())
def test_joining_lines_keeps_the_words(words: list[str], data: st.DataObject) -> None:
    gaps = st.sampled_from([" ", "\n", "\r\n", "\n\n", " \n ", "\u2028"])
    text = "".join(data.draw(gaps) + word for word in words) + "\n"
    issues = found(caption(text), "line-break-in-caption")
    assert bool(issues) == (re.search(r"[\r\n\u2028]", text.rstrip()) is not None)
    for issue in issues:
        assert issue.fix is not None
        assert issue.fix.split() == words
        assert len(issue.fix.splitlines()) == 1
        assert issue.span is not None
        assert text[slice(*issue.span)] in ("\n", "\r\n", "\u2028")
