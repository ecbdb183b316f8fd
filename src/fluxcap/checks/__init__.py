"""Checks of one caption, one file a promise. They are found by ``fluxcap.registry`` and run by ``fluxcap.check``."""

from fluxcap.checks.types import Check, CheckInput, issue

__all__ = ["Check", "CheckInput", "issue"]
