from __future__ import annotations

import codecs
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project import FILE, Known, Plan, Project, change_plan_text, load, new_text, write_new
from fluxcap.project.loading import decode

SLOTS = ("hair", "eye_color", "eyewear", "clothing", "makeup")
KNOWN = Known(presets=("person", "character"), styles=("natural", "tags"), targets=("flux1-dev",), slots=SLOTS)


def settings(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, known=KNOWN) == Project()


def test_file_and_command_line_come_together(tmp_path: Path) -> None:
    settings(
        tmp_path, 'trigger = " zx "\nsubject = "woman"\n[plan]\nbound = ["hair", "hair"]\nusual = {hair = "red hair"}'
    )
    overrides = {"trigger": None, "subject": "cat", "plan.free": ("hair",), "plan.usual": {"makeup": "bare face"}}
    assert load(tmp_path, overrides, KNOWN) == Project(
        trigger="zx", subject="cat", plan=Plan(free=("hair",), usual={"hair": "red hair", "makeup": "bare face"})
    )


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_utf8_with_or_without_bom(tmp_path: Path, bom: bytes) -> None:
    (tmp_path / FILE).write_bytes(bom + 'trigger = "zü"\r\n'.encode())
    assert load(tmp_path).trigger == "zü"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('trigger = ""', "fluxcap.toml: trigger is empty; write the trigger word, or leave the line out"),
        ('trigger = "a\\nb"', "fluxcap.toml: trigger holds a line break or another invisible sign; write it on one line"),
        ('trigger = "a, b"', "fluxcap.toml: trigger holds a comma, which ends it in a caption; write it without"),
        ('subject = "  "', "fluxcap.toml: subject is empty; write the subject word, or leave the line out"),
        ('preset = "persn"', 'fluxcap.toml: "persn" is not a preset; did you mean person? known: person, character'),
        ('style = "x"', 'fluxcap.toml: "x" is not a style; known: natural, tags'),
        ('target = "sdxl"', 'fluxcap.toml: "sdxl" is not a target; known: flux1-dev'),
        ('background = "white"', 'fluxcap.toml: background is "white", not a colour; write it like "#ffffff"'),
        ('pronouns = "she"', 'fluxcap.toml: pronouns is "she", but may only be "she/her" or "he/him" or "they/them" or "it/its"; did you mean "she/her"?'),
        ('captions = ""', "fluxcap.toml: captions is empty; name a folder, or leave the line out"),
        ('[plan]\nbound = ["hair"]\nfree = ["hair"]', "fluxcap.toml: hair is in plan.bound and in plan.free; keep it in one of them"),
        ('[plan]\nfree = ["hiar"]', 'fluxcap.toml: plan.free: "hiar" is not a slot; did you mean hair? known: hair, eye_color, eyewear, clothing, makeup'),
        ('[plan.usual]\nhair = ""', "fluxcap.toml: plan.usual.hair is empty; write the usual value, or leave the line out"),
        ('[plan]\nbuond = ["hair"]', "fluxcap.toml: plan.buond is not a setting; did you mean plan.bound?"),
        ('tokenizer = "x"', "fluxcap.toml: tokenizer is not a setting; did you mean tokenizers?"),
    ],
)  # fmt: skip
def test_nonsense_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(settings(tmp_path, text), known=KNOWN)
    assert str(caught.value) == said


@pytest.mark.parametrize("key", ["api_key", "openai_api_key", "apikey", "hf_token", "password", "plan.secret"])
def test_secrets_are_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="keys come from the environment") as caught:
        load(settings(tmp_path, f'{key} = "sk-123"'))
    assert "sk-123" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"trigger": ""}, "command line: trigger is empty"),
        ({"preset": "x"}, 'command line: "x" is not a preset'),
        ({"plan.bound": ["hair"], "plan.free": ["hair"]}, "command line: hair is in plan.bound"),
        ({"nonsense": 1}, "command line: nonsense is not a setting"),
        ({"recursive": "yes"}, "command line: recursive must be true or false"),
    ],
)
def test_the_command_line_is_checked_too(tmp_path: Path, overrides: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=f"^{said}"):
        load(tmp_path, overrides, KNOWN)


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes('trigger = "x"'.encode("utf-16"))
    with pytest.raises(UsageError, match="not UTF-8 text; save it as UTF-8"):
        load(tmp_path)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(FluxcapError, match="cannot be read"):
        load(tmp_path)


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=","), min_size=1)


@given(
    st.builds(
        Project,
        trigger=st.none() | words,
        subject=st.none() | words,
        phrasing=st.sampled_from(["fixed", "varied"]),
        pronouns=st.sampled_from([None, "she/her", "it/its"]),
        recursive=st.booleans(),
        captions=st.none() | words,
        plan=st.builds(
            Plan, bound=st.sampled_from([(), ("hair", "makeup")]), usual=st.dictionaries(st.sampled_from(SLOTS), words)
        ),
    )
)
def test_a_new_file_reads_back_as_the_same_project(project: Project) -> None:
    from fluxcap.codec import decode_toml

    assert decode_toml(new_text(project), Project, "x") == project


def test_write_new_writes_once(tmp_path: Path) -> None:
    write_new(tmp_path, Project(trigger="zx"))
    assert load(tmp_path, known=KNOWN) == Project(trigger="zx")
    with pytest.raises(UsageError, match="is there already"):
        write_new(tmp_path, Project())
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


OLD = """\
# my set
preset = "person"  # of me

[plan]   # decided in March
bound = [
  "hair",  # always the same
  "eye_color",
]
free = ["eyewear"]
usual = { hair = "red hair" }  # dyed

# the end
"""


def test_the_plan_changes_and_all_else_stays() -> None:
    text = change_plan_text(OLD, SLOTS, free=["hair"], auto=["eyewear"], usual={"eye_color": "green eyes"})
    plan = tomllib.loads(text)["plan"]
    assert plan["bound"] == ["eye_color"]
    assert plan["free"] == ["hair"]
    assert plan["auto"] == ["eyewear"]
    assert plan["usual"] == {"hair": "red hair", "eye_color": "green eyes"}
    for comment in ("# my set\n", "# of me\n", "# decided in March\n", "# dyed\n", "# the end\n"):
        assert comment in text


def test_changing_nothing_changes_nothing() -> None:
    assert change_plan_text(OLD, SLOTS) == OLD.replace("\r\n", "\n")
    assert change_plan_text(OLD, SLOTS, bound=["hair"], usual={"hair": "red hair"}).count('"hair"') == 1


@pytest.mark.parametrize(
    "old",
    [
        "",
        "\ufeff# a BOM\r\ntrigger = 'zx'\r\n",
        'trigger = "zx"',
        "plan.bound = ['hair']\n",
        "plan = { bound = ['hair'], free = [] }\n",
        "[plan]\n",
        "[plan.usual]\nhair = 'x'\n",
        "[plan]\nbound = ['hair', 'hair']\n\n[plan.usual]\nhair = 'x'\n",
    ],
)
def test_every_way_to_write_a_plan_can_be_changed(old: str) -> None:
    text = change_plan_text(old, SLOTS, free=["hair"], bound=["makeup"], usual={"makeup": "bare face"})
    plan = tomllib.loads(text)["plan"]
    assert "hair" not in plan["bound"]
    assert plan["free"] == ["hair"]
    assert plan["bound"] == ["makeup"]
    assert plan["usual"]["makeup"] == "bare face"
    without = tomllib.loads(change_plan_text(text, SLOTS, usual={"makeup": None}))
    assert "makeup" not in without["plan"]["usual"]


lists = st.lists(st.sampled_from(SLOTS), unique=True)


@given(st.permutations(SLOTS), st.integers(0, 5), st.integers(0, 5), lists, st.sampled_from(["bound", "free", "auto"]))
def test_a_moved_slot_is_in_one_list_once(slots: list[str], one: int, two: int, moved: list[str], target: str) -> None:
    first, second = sorted((one, two))
    before = Plan(bound=tuple(slots[:first]), free=tuple(slots[first:second]), auto=tuple(slots[second:]))
    text = change_plan_text(new_text(Project(plan=before)), SLOTS, **{target: moved})
    plan = tomllib.loads(text).get("plan", {})
    everything = [slot for name in ("bound", "free", "auto") for slot in plan.get(name, [])]
    assert sorted(everything) == sorted(SLOTS)
    assert set(moved) <= set(plan.get(target, []))


@pytest.mark.parametrize(
    ("old", "moves", "said"),
    [
        ("", {"bound": ["hiar"]}, 'plan: "hiar" is not a slot; did you mean hair? known: hair, '),
        ("", {"usual": {"x": "y"}}, 'plan: "x" is not a slot; known: hair, '),
        ("", {"bound": ["hair"], "free": ["hair"]}, "plan: hair is in plan.bound and in plan.free"),
        ("[plan", {"bound": ["hair"]}, "fluxcap.toml is not valid TOML"),
        ("[plan]\nbuond = []", {"bound": ["hair"]}, "fluxcap.toml: plan.buond is not a setting"),
    ],
)
def test_a_change_that_means_nothing_is_refused(old: str, moves: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        change_plan_text(old, SLOTS, **moves)  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("entry", ["hair", "hair.color", "makeup=red lipstick", " makeup = red lipstick "])
def test_entries_of_the_plan(tmp_path: Path, entry: str) -> None:
    known = Known(slots=("hair", "makeup", "hair.color"))
    project = load(tmp_path, {"plan.bound": [entry]}, known)
    assert project.plan.bound in (("hair",), ("hair.color",), ("makeup=red lipstick",))
    text = change_plan_text("", known.slots, bound=[entry])
    assert decode(text, FILE).plan.bound == project.plan.bound
    assert decode(change_plan_text(text, known.slots, free=[entry]), FILE).plan.bound == ()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("hair.weight", "is not a slot"),
        ("makeup=", "names no value"),
        ("hair.color=red", "names no value"),
        ("=red", "is not a slot"),
    ],
)
def test_entries_that_are_none(tmp_path: Path, entry: str, told: str) -> None:
    known = Known(slots=("hair", "makeup", "hair.color"))
    with pytest.raises(UsageError, match=told):
        load(tmp_path, {"plan.bound": [entry]}, known)
    with pytest.raises(UsageError, match=told):
        change_plan_text("", known.slots, bound=[entry])


def test_a_usual_value_is_of_a_whole_trait(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a slot"):
        load(tmp_path, {"plan.usual": {"hair.color": "red"}}, Known(slots=("hair", "hair.color")))
