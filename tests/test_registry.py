import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from fluxcap import check, registry
from fluxcap.checks import CheckInput
from fluxcap.errors import FluxcapError, UsageError


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points to be filled by the test, in place of what is installed."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints(points).select(group=group))
    _forget()
    yield points
    _forget()


def _forget() -> None:
    registry._plugins.cache_clear()
    check.checks.cache_clear()


def _point(name: str, value: str, seam: str = "check") -> EntryPoint:
    return EntryPoint(name=name, value=value, group=f"fluxcap.{seam}")


@pytest.mark.parametrize("seam", registry.BUILT_IN)
def test_what_comes_with_fluxcap_loads(seam: str) -> None:
    for name in registry.BUILT_IN[seam]:
        loaded = registry.load(seam, name)
        assert (loaded.kind if seam == "vlm" else loaded.name) == name


def test_seams() -> None:
    assert list(registry.BUILT_IN) == ["measurement", "tagger", "vlm", "check", "exporter", "scorer"]


def test_unknown_name_lists_the_known(plug: list[EntryPoint]) -> None:
    plug.append(_point("mine", "mine:Mine", "measurement"))
    with pytest.raises(UsageError, match="measurement 'embeded' is not known") as caught:
        registry.load("measurement", "embeded")
    assert caught.value.hint == "known: embedded, mine"


def test_unknown_name_where_nothing_is_known(plug: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "scorer", {})
    with pytest.raises(UsageError, match="there is none yet"):
        registry.load("scorer", "x")


def test_unknown_seam() -> None:
    with pytest.raises(UsageError, match="seam 'checks' is not known; known: measurement, tagger, vlm, check"):
        registry.names("checks")


def test_plugins_come_after_and_shadow_nothing(plug: list[EntryPoint]) -> None:
    plug += [_point("z", "z:Z"), _point("a", "collections:Counter"), _point("missing-trigger", "evil:Check")]
    assert registry.names("check") == (*registry.BUILT_IN["check"], "a", "z")
    assert registry.load("check", "missing-trigger").__module__ == "fluxcap.checks.missing_trigger"
    assert registry.load("check", "a").__name__ == "Counter"


def test_two_plugins_of_one_name(plug: list[EntryPoint]) -> None:
    for order in (["collections:Counter", "collections:deque"], ["collections:deque", "collections:Counter"]):
        plug[:] = [_point("twice", value) for value in order]
        registry._plugins.cache_clear()
        assert registry.names("check").count("twice") == 1
        assert registry.load("check", "twice").__name__ == "Counter"


@pytest.mark.parametrize("value", ["not_installed_xyz:Check", "collections:NotThere"])
def test_a_broken_plugin_is_named(plug: list[EntryPoint], value: str) -> None:
    plug.append(_point("broken", value))
    with pytest.raises(FluxcapError, match=r"check 'broken' of the package \w+ does not load: ") as caught:
        registry.load("check", "broken")
    assert not isinstance(caught.value, UsageError)
    assert caught.value.__cause__ is not None


def test_a_plugged_check_runs(plug: list[EntryPoint]) -> None:
    plug.append(_point("line-break", "fluxcap.checks.line_break_in_caption:LineBreakInCaption"))
    item = CheckInput(image_id="1", path="1.png", text="a\nb")
    assert [issue.code for issue in check.check_caption(item, ["CAP009"])] == ["CAP009", "CAP009"]


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from fluxcap import registry; registry.names('check'); registry.names('measurement'); "
        "print([m for m in sys.modules if m.startswith(('fluxcap.checks', 'fluxcap.measure', 'cv2', 'numpy'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
