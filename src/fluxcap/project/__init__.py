"""The settings of one folder: ``fluxcap.toml`` -> ``Project``, and back into its text."""

from fluxcap.project.loading import FILE, load
from fluxcap.project.settings import (
    Known,
    Length,
    Phrasing,
    Plan,
    Project,
    Pronouns,
    RecipeSettings,
    TaggerSettings,
    Tags,
    VlmSettings,
)
from fluxcap.project.text import change_plan_text, new_text, write_new

__all__ = [
    "FILE",
    "Known",
    "Length",
    "Phrasing",
    "Plan",
    "Project",
    "Pronouns",
    "RecipeSettings",
    "TaggerSettings",
    "Tags",
    "VlmSettings",
    "change_plan_text",
    "load",
    "new_text",
    "write_new",
]
