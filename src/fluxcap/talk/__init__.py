"""What stands in a text and describes no picture: refusals, talk, hedges, denials, loops, other languages, broken signs.

Used where captions are checked and where vision models' answers are heard. The words are data: ``data/talk.toml``,
``languages.toml`` and ``garbled.toml``.
"""

from fluxcap.talk.garbled import folded, garbled, ungarbled
from fluxcap.talk.known import is_english
from fluxcap.talk.languages import foreign, is_foreign, language_name
from fluxcap.talk.loops import repeats, runs
from fluxcap.talk.rules import talk
from fluxcap.talk.speech import CALL, led, preambles, refusals, refuses, writer
from fluxcap.talk.text import HIDDEN, Place, cut, first_of, plain, sentences, within, words

__all__ = [
    "CALL",
    "HIDDEN",
    "Place",
    "cut",
    "first_of",
    "folded",
    "foreign",
    "garbled",
    "is_english",
    "is_foreign",
    "language_name",
    "led",
    "plain",
    "preambles",
    "refusals",
    "refuses",
    "repeats",
    "runs",
    "sentences",
    "talk",
    "ungarbled",
    "within",
    "words",
    "writer",
]
