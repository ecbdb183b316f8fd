"""CAP020."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, quoted, whole
from fluxcap.talk import garbled, ungarbled
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Mojibake:
    """Caption with signs that an encoding broke.

    What it does:
        Looks for UTF-8 that was read as something else ('cafÃ©'), lost signs, HTML entities, escapes ('\\\\u00e9'), invisible
        signs, and words whose letters only look Latin. The tables are in ``data/garbled.toml``.
    Why is this bad:
        A text encoder reads the signs, not what they were: one broken word becomes five pieces that mean nothing.
    Example:
        ohwx, a photo of a woman in a cafÃ©, itâ€™s raining.
    Use instead:
        ohwx, a photo of a woman in a café, it is raining.
    """

    code: ClassVar[str] = "CAP020"
    name: ClassVar[str] = "mojibake"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in a café in São Paulo, “naïve” façade, black & white"),
        _item("ohwx, 長い髪, длинные волосы, fate_\\(series\\), :d"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx in a cafÃ©, the womanâ€™s hat"),
        _item("ohwx in a cafÃƒÂ©"),
        _item("ohwx in a caf\ufffd"),
        _item("ohwx &amp; a dog, the woman&#39;s hat&nbsp;"),
        _item("ohwx in a caf\\u00e9, \\n smiling"),
        _item("ohwx, a photo of a wo\u200bman\u202e"),
        _item("ohwx, a photo of a w\u043eman"),
        _item("ohwx, ａ ｐｈｏｔｏ"),
        _item("ohwx, don?t smile"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend undoes what can be undone, and there is none where signs are lost."""
        found = garbled(item.text) if has_words(item) else ()
        if not found:
            return
        fix = whole(re.sub(r" {2,}", " ", ungarbled(item.text)), item, garbled)
        for one in found:
            shown = quoted(item.text, max(0, one.start - 8), min(len(item.text), one.end + 8))
            how = "type the word anew" if one.lost else "write the sign itself"
            yield issue(self, item, f"holds {one.what} ({shown}): {how}", span=(one.start, one.end), fix=fix)
