import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.report import (
    CellRow,
    CoverageRows,
    IssueRow,
    PictureRow,
    PlanRow,
    Report,
    Segment,
    Thumb,
    TraitRow,
    WishRow,
    render,
    segments,
)
from fluxcap.types import Span

EVIL = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}&amp;"
TEXT = "ohwx, A photo of, a happy woman, with long hair. front view"


def spans() -> tuple[Span, ...]:
    return tuple(
        Span(slot=slot, start=TEXT.index(word), end=TEXT.index(word) + len(word))
        for slot, word in [("view", "front view"), ("hair", "with long hair")]
    )


def picture(path: str = "a.jpg", **more: object) -> PictureRow:
    values: dict[str, object] = {
        "path": path,
        "thumbnail": b"\xff\xd8jpeg",
        "segments": segments(TEXT, spans()),
        "author": "fluxcap",
        "kept": False,
    }
    return PictureRow(**(values | more))  # type: ignore[arg-type]


def report(**more: object) -> Report:
    values: dict[str, object] = {
        "title": "anna",
        "created": "2026-08-30 12:00",
        "summary": [("Pictures", "2"), ("Trigger word", "ohwx")],
        "plan": [
            PlanRow(slot="hair", decision="bound", value="long blonde hair", by="set", reason="the same in 9 of 10")
        ],
        "set_issues": [],
        "pictures": [picture()],
    }
    return Report(**(values | more))  # type: ignore[arg-type]


def wish(name: str = "close-ups facing left", **more: object) -> WishRow:
    values: dict[str, object] = {
        "group": "close-ups",
        "name": name,
        "have": 1,
        "want": 2,
        "missing": 1,
        "over": 0,
        "perhaps": 0,
        "told": True,
    }
    return WishRow(**(values | more))  # type: ignore[arg-type]


def coverage(**more: object) -> CoverageRows:
    cells = [
        CellRow(column="front", count=5, wanted=False, thumbs=[Thumb("a.jpg", b"tiny"), Thumb("gone.jpg", b"tiny")]),
        CellRow(column="profile left", count=0, wanted=True),
        CellRow(column="profile right", count=2, wanted=True),
    ]
    values: dict[str, object] = {
        "said": "7 pictures",
        "lists": [("Shopping list", ["take 1 close-up facing left"])],
        "matrix": [("close-up", cells)],
        "wishes": [wish()],
    }
    return CoverageRows(**(values | more))  # type: ignore[arg-type]


class Page(HTMLParser):
    """The page as elements: (tag, attributes), and the text of the elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def tags(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def everything_evil() -> Report:
    return report(
        title=EVIL,
        created=EVIL,
        summary=[(EVIL, EVIL)],
        plan=[PlanRow(slot=EVIL, decision="free", value=EVIL, by=EVIL, reason=EVIL)],
        set_issues=[IssueRow(code=EVIL, severity="error", message=EVIL)],
        pictures=[
            picture(
                EVIL,
                segments=[Segment(EVIL), Segment(EVIL, EVIL), Segment(EVIL, "hair")],
                traits=[
                    TraitRow(
                        slot=EVIL,
                        value=EVIL,
                        confidence=0.5,
                        sources=[EVIL],
                        conflict=[EVIL],
                        decision="free",
                        reason=EVIL,
                    )
                ],
                issues=[IssueRow(code=EVIL, severity="note", message=EVIL)],
                tokens=[EVIL],
            )
        ],
        coverage=CoverageRows(
            said=EVIL,
            lists=[(EVIL, [EVIL])],
            matrix=[(EVIL, [CellRow(column=EVIL, count=3, wanted=True, thumbs=[Thumb(EVIL, b"tiny")])])],
            wishes=[wish(EVIL, group=EVIL)],
        ),
    )


def test_text_from_outside_is_harmless() -> None:
    html = render(everything_evil())
    plain, page = Page(render(report())), Page(html)
    assert page.open == []
    assert len(page.tags("script")) == 1
    assert page.text["script"] == plain.text["script"]
    assert page.text["style"] == plain.text["style"]
    assert [image["src"][:23] for image in page.tags("img") if image["src"]] == ["data:image/jpeg;base64,"] * 2
    assert page.tags("img")[0]["alt"] == EVIL
    assert page.text["title"] == [EVIL]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "49" not in html.replace(page.tags("meta")[1]["content"] or "", "")


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = render(everything_evil())
    page = Page(html)
    assert "://" not in html
    assert not page.tags("link")
    assert not re.search(r"url\(|@import", "".join(page.text["style"]))
    for _, attributes in page.elements:
        assert re.fullmatch(r"#p\d+", attributes.get("href") or "#p1"), "a link within the page"
        assert "style" not in attributes
        assert (attributes.get("src") or "data:").startswith("data:")


def test_content_policy_names_the_script_and_the_style() -> None:
    page = Page(render(report()))
    policy = next(meta["content"] for meta in page.tags("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256("".join(page.text[tag]).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_caption_is_coloured_by_place_and_says_the_trait() -> None:
    html = render(report())
    assert (
        '<span class="said opening" title="hair">with long hair</span>. <span class="said tail" title="view">front view</span></p>'
        in html
    )
    assert '<p class="caption">ohwx, A photo of, a happy woman, <span' in html


def test_pictures_with_issues_come_first_worst_first() -> None:
    def issues(*severities: str) -> list[IssueRow]:
        return [IssueRow(code="CAP001", severity=severity, message="m") for severity in severities]  # type: ignore[arg-type]

    rows = [
        picture("fine"),
        picture("noted", issues=issues("note")),
        picture("bad", issues=issues("note", "error")),
        picture("odd", issues=issues("warning")),
    ]
    html = render(report(pictures=rows, set_issues=issues("warning")))
    assert re.findall(r'<h3 id="p\d+">(\w+)</h3>', html) == ["bad", "odd", "noted", "fine"]
    assert html.count("data-issues aria") == 3
    assert "4 pictures, 3 with issues" in html
    for words in ("1 error<", "2 warnings<", "2 notes<"):
        assert words in html
    bad = html[html.index(">bad<") : html.index(">odd<")]
    assert bad.index("✖ error") < bad.index("● note")


def test_trait_table_tells_value_source_dispute_and_decision() -> None:
    trait = TraitRow(
        slot="camera_height",
        value="eye level",
        confidence=0.876,
        sources=["measure:pose", "vision:x"],
        conflict=["from above"],
        decision="free",
        reason="always said",
    )
    html = render(report(pictures=[picture(traits=[trait], tokens=["CLIP 65 of 77", "T5 ≈ 70 of 512"])]))
    for words in (
        "camera height",
        "eye level",
        "88 %",
        "measure:pose, vision:x",
        "against it: from above",
        "always said",
        "1 disputed",
        "T5 ≈ 70 of 512",
    ):
        assert words in html


def test_coverage_matrix_shows_few_pictures_and_marks_what_is_missing() -> None:
    html = render(report(pictures=[picture("b.jpg"), picture("a.jpg")], coverage=coverage()))
    page = Page(html)
    assert [link["href"] for link in page.tags("a")] == ["#p2"], "a picture that is not on the page has no link"
    assert [image["alt"] for image in page.tags("img")][:2] == ["a.jpg", "gone.jpg"]
    assert '<span class="more">+3</span>' in html
    assert html.count('<td class="lacks">') == 2
    assert page.text["span"].count("wanted") == 1
    assert page.text["span"].count("more wanted") == 1
    assert "What the shopping list asks for" in html
    assert "take 1 close-up facing left" in page.text["li"]


def test_coverage_without_thumbnails_counts() -> None:
    html = render(report(coverage=coverage(matrix=[("close-up", [CellRow(column="front", count=5, wanted=False)])])))
    assert '<span class="more">5</span>' in html
    assert "What the shopping list asks for" not in html


def test_wishes_tell_how_they_stand() -> None:
    rows = [wish(), wish(told=False), wish(missing=0), wish(missing=0, over=4), wish(group="face", want=0, missing=0)]
    html = render(report(coverage=coverage(wishes=rows)))
    for words in ("1 missing<", ">cannot be told<", ">✓<", ">4 too many<", "5 wishes, 3 filled", ">face<"):
        assert words in html
    assert html.count('scope="colgroup"') == 2


def test_a_set_without_coverage_has_no_such_section() -> None:
    assert 'id="coverage"' not in render(report())
    assert 'class="matrix"' not in render(report(coverage=coverage(matrix=[])))


def test_empty_set_and_missing_parts() -> None:
    html = render(report(pictures=[], plan=[], summary=[]))
    assert "0 pictures" in html
    assert "Nothing to look at" in html
    assert 'class="bar"' not in html
    html = render(report(pictures=[picture(thumbnail=b"", segments=[], author="person", kept=True)], omitted=1))
    assert "no preview" in html
    assert "No caption." in html
    assert "by a person" in html
    assert "kept as it is" in html
    assert "1 more picture is left out" in html


def test_every_control_and_picture_has_a_name() -> None:
    page = Page(render(report(coverage=coverage())))
    assert all(image["alt"] for image in page.tags("img"))
    assert page.tags("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(
        attributes["aria-labelledby"] in ids for _, attributes in page.elements if "aria-labelledby" in attributes
    )


def test_hundreds_of_pictures() -> None:
    rows = [
        picture(f"{i}.jpg", traits=[TraitRow(slot="hair", value="x", confidence=1, sources=["human"])] * 30)
        for i in range(500)
    ]
    page = Page(render(report(pictures=rows)))
    assert len(page.tags("article")) == 500
    assert not any("open" in details for details in page.tags("details"))


@pytest.mark.parametrize(
    ("dark", "back"),
    [(False, "opening"), (False, "scene"), (False, "worn"), (False, "face"), (False, "tail"), (False, "other")]
    + [(True, name) for name in ("opening", "scene", "worn", "face", "tail", "other", "card", "paper")],
)
def test_text_has_contrast(dark: bool, back: str) -> None:
    colours = palette(dark)
    assert contrast(colours["ink"], colours[back]) >= 7


@pytest.mark.parametrize("dark", [False, True])
def test_small_text_has_contrast(dark: bool) -> None:
    colours = palette(dark)
    for ink, back in [
        ("soft", "card"),
        ("soft", "paper"),
        ("accent", "card"),
        ("warning", "card"),
        ("scene-line", "card"),
    ]:
        assert contrast(colours[ink], colours[back]) >= 4.5, (ink, back)
    for back in ("warning-back", "card"):
        assert contrast(colours["soft"], colours[back]) >= 4.5, "the columns' names on a phone"
    for severity in ("error", "warning", "note"):
        assert contrast(colours[severity], colours[f"{severity}-back"]) >= 4.5


def palette(dark: bool) -> dict[str, str]:
    style = "".join(Page(render(report())).text["style"])
    light, _, rest = style.partition("@media (prefers-color-scheme: dark)")
    return dict(re.findall(r"--([\w-]+): (#\w+)", rest if dark else light))


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# ---- segments


def test_segments() -> None:
    assert segments(TEXT, spans()) == (
        Segment("ohwx, A photo of, a happy woman, "),
        Segment("with long hair", "hair"),
        Segment(". "),
        Segment("front view", "view"),
    )
    assert segments("", ()) == ()


@given(text=st.text(max_size=40), places=st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=8))
def test_segments_lose_nothing(text: str, places: list[tuple[int, int]]) -> None:
    pieces = segments(text, [Span(slot="hair", start=start, end=end) for start, end in places])
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
