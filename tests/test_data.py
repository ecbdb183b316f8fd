"""The data files fit each other: slots.toml, phrases.toml, styles.toml, words.toml, reading.toml."""

import re
import tomllib
from importlib import resources
from itertools import pairwise

import pytest

from fluxcap.compose import Wording, compose, styles
from fluxcap.compose.template import parse
from fluxcap.resolve import thinking
from fluxcap.vocabulary import canonical, is_silent, presets, rule_for, rules, slot, slots


def data(name):
    return tomllib.loads(resources.files("fluxcap").joinpath("data", name).read_text(encoding="utf-8"))


LISTED = [(row.id, value.id) for row in slots().values() for value in row.value]
STRANGE = "zq strange thing"
TABLE = {
    "opening": "trigger medium mood age subject body skin hair facial_hair features",
    "scene": "pose action holding setting background people text time",
    "worn": "clothing headwear eyewear jewelry footwear makeup",
    "face": "expression mouth eyes eye_color",
    "tail": "gaze framing view camera_height lighting depth_of_field defects",
}


def test_the_table_is_the_designs():
    found = {}
    for row in slots().values():
        found.setdefault(row.place, []).append(row.id)
    assert {place: " ".join(ids) for place, ids in found.items()} == TABLE
    assert list(found) == list(TABLE)


def test_listed_values_are_the_designs():
    assert [v.id for v in slot("view").value] == [
        "front", "three-quarter left", "three-quarter right", "profile left", "profile right", "back",
    ]  # fmt: skip
    assert [v.id for v in slot("framing").value] == [
        "close-up", "head-and-shoulders", "waist-up", "knee-up", "full body",
    ]  # fmt: skip
    assert [v.id for v in slot("gaze").value] == ["camera", "side", "up", "down"]
    assert [v.id for v in slot("mouth").value] == ["closed", "parted", "open"]
    assert [v.id for v in slot("eyes").value] == ["open", "closed", "one closed"]
    assert [v.id for v in slot("camera_height").value] == ["eye level", "from above", "from below"]


def test_presets():
    assert presets() == ("person", "character", "object", "style", "likeness", "everything")
    for row in slots().values():
        assert set(row.default) <= {*presets(), "any"}
        for preset in presets():
            assert row.default_for(preset) in ("bound", "free", "auto")


def test_likeness_and_everything():
    assert {row.id for row in slots().values() if row.default_for("likeness") == "free"} == {"trigger", "subject"}
    assert all(row.default_for("everything") == "free" for row in slots().values())


def test_every_slot_has_rules_and_no_other_has():
    assert list(rules()) == [s for s in slots() if s in rules()]
    assert set(rules()) == set(slots())


@pytest.mark.parametrize("slot_id", slots())
def test_the_last_rule_fits_anything(slot_id):
    for value in (STRANGE, "x", "a, b and c", "line\nbreak", "ünï", "(?", "{value}"):
        rule, _ = rule_for(slot_id, value)
        assert rule.forms["natural"]


@pytest.mark.parametrize(("slot_id", "value"), LISTED)
def test_a_rules_listed_values_are_in_the_table(slot_id, value):
    rule, _ = rule_for(slot_id, value)
    assert rule.forms
    for one in rules()[slot_id]:
        for named in one.value:
            if slot_id != "action":
                assert named in {v.id for v in slot(slot_id).value}


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize(("slot_id", "value"), [*LISTED, *((s, STRANGE) for s in slots() if s != "trigger")])
def test_every_slot_is_said_in_every_style(style, slot_id, value):
    wording = Wording(trigger="ohwx", class_word="woman", style=style)
    caption = compose({slot_id: value}, wording)
    said = {span.slot for span in caption.spans}
    assert (slot_id in said) is not is_silent(slot_id, value)
    assert "trigger" in said


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize("slot_id", [s for s in slots() if s not in ("trigger", "subject")])
def test_every_slot_is_said_without_a_class_word(style, slot_id):
    caption = compose({slot_id: STRANGE}, Wording(trigger="ohwx", style=style))
    assert slot_id in {span.slot for span in caption.spans}
    assert caption.text.startswith("ohwx")


def test_templates_parse_and_name_parts():
    found = data("styles.toml")
    for style in found["styles"].values():
        parts = found["parts"] | style.get("parts", {})
        for name in style["sentences"]:
            assert name in parts
        for said in [*parts.values(), style["tail"]]:
            for text in [said] if isinstance(said, str) else said:
                parse(text, tuple(slots()))
                assert all(name in parts for name in re.findall(r"\{@(\w+)\}", text))


@pytest.mark.parametrize("text", ["[a", "a]", "<a|b", "{nothing.say}", "{and:nothing}", "a|b"])
def test_malformed_templates_are_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse(text, tuple(slots()))


def test_words_in_wordings_are_known():
    known = {"value", "np", "Np", "is", "a"} | set(data("words.toml")["forms"]["she"])
    for slot_id, rows in rules().items():
        for rule in rows:
            for forms in rule.forms.values():
                for said in (w for ws in forms.values() for w in ws):
                    for hole in re.findall(r"\{(\w+)\}", said):
                        word = hole.rstrip("0123456789")
                        if word != hole:
                            assert rule.match, slot_id
                            assert int(hole.removeprefix(word)) <= rule.match.groups
                        if word:
                            hole = word
                            assert hole in known or hole.lower() in known, (slot_id, said)


def test_styles_of_wordings_are_known():
    for rows in rules().values():
        for rule in rows:
            assert set(rule.forms) <= set(styles())


def test_pronouns_exist_in_all_forms():
    forms = data("words.toml")["forms"]
    assert set(forms) == {"she", "he", "they", "it"}
    assert len({frozenset(words) for words in forms.values()}) == 1
    table = data("words.toml")["pronouns"]
    assert set(table["other"]) == set(presets()) == set(table["unnamed"])
    assert set(table["other"].values()) <= set(forms)


def test_no_class_word_has_two_pronouns():
    table = data("words.toml")["pronouns"]
    said = [word for pronoun in ("she", "he", "they") for word in table[pronoun]]
    assert len(said) == len(set(said))


def test_reading_patterns():
    for row in data("reading.toml")["pattern"]:
        assert row["slot"] in slots()
        text = re.sub(r"\{[a-z]\w*\}", "x", row["match"])
        groups = re.compile(text).groups
        assert groups == 1 or row.get("value", "").format("", *["x"] * groups), row


def test_neighbours_are_listed_values():
    for slot_id, pairs in data("words.toml")["neighbours"].items():
        ids = {value.id for value in slot(slot_id).value}
        assert all(set(pair) <= ids for pair in pairs)


def test_no_wording_means_two_values():
    for slot_id in slots():
        seen = {}
        for rule in rules()[slot_id]:
            for value in rule.value:
                for wording in rule.read:
                    assert seen.setdefault(wording.lower(), value) == value, (slot_id, wording)
                    assert canonical(slot_id, wording)[0] == value


def test_tags_tell_listed_values_apart():
    """No two values of a listed slot have the same tags."""
    for row in slots().values():
        if row.listed:
            tags = [value.tags for value in row.value]
            assert len(tags) == len(set(tags)), row.id


def test_positive_wording_only():
    for slot_id, rows in rules().items():
        for rule in rows:
            for forms in rule.forms.values():
                for said in (w for ws in forms.values() for w in ws):
                    assert not re.search(r"\b(?:no|not|without|never|none)\b|n't\b", said), (slot_id, said)
    found = data("styles.toml")
    for said in [*found["parts"].values(), *(t for s in found["styles"].values() for t in s.get("parts", {}).values())]:
        assert not re.search(r"\b(?:no|not|without|never)\b", str(said))


def test_questions_name_nothing_absent():
    assert all(row.question for row in slots().values() if row.id != "trigger")


def test_limits():
    limit = thinking()
    assert 0 < limit.assert_from <= limit.conflict_from <= limit.deviation_from < 1
    assert (limit.auto_share, limit.auto_known) == (0.8, 4)


def test_order_of_places():
    order = list(TABLE)
    assert all(order.index(a.place) <= order.index(b.place) for a, b in pairwise(slots().values()))
