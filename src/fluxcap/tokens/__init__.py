"""How many tokens a caption has for each text encoder, and where it is cut.

Counts are exact when the encoder's tokenizer file is at hand: in a given folder, in the hub's cache on this machine, or
fetched once. Else they are estimates, marked as such. Nothing here raises because a file or the network is missing.
The limits, and what lies where, are in ``data/limits.toml``; the targets in ``data/targets.toml``.
"""

from fluxcap.tokens.counting import Count, count, format_count, units
from fluxcap.tokens.files import ENV_FOLDER, Counter, Origin, Where, counter, forget, locate, origin
from fluxcap.tokens.tables import Encoder, Limit, Sampling, Target, TrainerLimit, encoder, for_trainer, target, targets
from fluxcap.tokens.unknown import unknown_words

__all__ = [
    "ENV_FOLDER",
    "Count",
    "Counter",
    "Encoder",
    "Limit",
    "Origin",
    "Sampling",
    "Target",
    "TrainerLimit",
    "Where",
    "count",
    "counter",
    "encoder",
    "for_trainer",
    "forget",
    "format_count",
    "locate",
    "origin",
    "target",
    "targets",
    "units",
    "unknown_words",
]
