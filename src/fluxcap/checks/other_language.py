"""CAP023."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted
from fluxcap.talk import foreign, language_name
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class OtherLanguage:
    """Caption with a stretch that is not English.

    What it does:
        Looks for other alphabets, and for small words of other languages that stand close together. Names of places, foreign
        words that English has taken in and quoted text are let be. The words are in ``data/languages.toml``.
    Why is this bad:
        The text encoders of FLUX.1 know English; CLIP reads hardly anything else. The words teach nothing, or something by
        chance.
    Example:
        ohwx, a photo of a woman. Sie trägt ein rotes Kleid und steht im Park.
    Use instead:
        ohwx, a photo of a woman. She is wearing a red dress and standing in a park.
    """

    code: ClassVar[str] = "CAP023"
    name: ClassVar[str] = "other-language"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx in a café on the Place de la Concorde, wearing a saree, with a pain au chocolat and a π on a mug."),
        _item('ohwx under a sign that reads "Salida de emergencia", text saying 東京'),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman. Sie trägt ein rotes Kleid und steht im Park."),
        _item("ohwx, una foto de una mujer con el pelo largo, looking at viewer"),
        _item("ohwx, a photo of a woman, 長い髪の女性"),
        _item("ohwx, kadın siyah bir elbise giyiyor"),
        _item("ohwx, naine kannab punast kleiti ja seisab"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each stretch."""
        if not has_words(item):
            return
        for start, end, language in foreign(judged(item)):
            said = quoted(item.text, start, end)
            yield issue(
                self, item, f"is not all English ({language_name(language)}: {said}): translate it", span=(start, end)
            )
