"""What stands in a text and describes no picture: refusals, talk, hedges, denials, loops, other languages, broken signs.

Used where captions are checked and where vision models' answers are heard. The words are data: ``data/talk.toml``,
``languages.toml`` and ``garbled.toml``.
"""

from fluxcap.talk.garbled import folded, garbled, ungarbled
from fluxcap.talk.known import is_english
from fluxcap.talk.languages import foreign, language_name
from fluxcap.talk.loops import repeats
from fluxcap.talk.rules import talk
from fluxcap.talk.text import cut, plain, sentences, words

__all__ = [
    "cut",
    "folded",
    "foreign",
    "garbled",
    "is_english",
    "language_name",
    "plain",
    "repeats",
    "sentences",
    "talk",
    "ungarbled",
    "words",
]
