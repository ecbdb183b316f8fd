"""Checks of one caption, one file a promise. They are found by ``fluxcap.registry`` and run by ``fluxcap.check``."""

from fluxcap.checks.around import Around, Sibling
from fluxcap.checks.types import Check, CheckInput, issue, sibling

__all__ = ["Around", "Check", "CheckInput", "Sibling", "issue", "sibling"]
