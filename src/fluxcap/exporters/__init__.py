"""One trainer a file: from a set to that trainer's own texts. They are found by ``fluxcap.registry``, seam ``exporter``."""

from fluxcap.exporters.formats import scripts, shell
from fluxcap.exporters.keys import unknown_keys
from fluxcap.exporters.texts import file_name, one_line, placeholders, prompt_for_trainer
from fluxcap.exporters.types import Command, Exporter, ExportImage, ExportSet, Places, Rendered

__all__ = [
    "Command",
    "ExportImage",
    "ExportSet",
    "Exporter",
    "Places",
    "Rendered",
    "file_name",
    "one_line",
    "placeholders",
    "prompt_for_trainer",
    "scripts",
    "shell",
    "unknown_keys",
]
