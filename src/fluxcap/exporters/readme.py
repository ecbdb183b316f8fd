"""The README of an export: what lies there, what to replace, which command starts the training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from fluxcap.exporters.formats import number, shell
from fluxcap.exporters.types import Exporter, ExportSet, Rendered


def readme(exporter: Exporter, given: ExportSet, rendered: Rendered, renamed: Mapping[str, str]) -> str:
    """Markdown; ``renamed`` goes from the file in the export to the picture's name in the set."""
    made = given.recipe
    dataset = PurePosixPath(given.places.dataset).name
    lines = [
        f"# {given.trigger or given.name} for {exporter.title}",
        "",
        f"Written by fluxcap: {len(given.images)} pictures with their captions in `{dataset}/`, for {given.target.name}.",
        "The name of that folder goes by its content: changed captions get a new folder, so that no trainer finds what it",
        "encoded of the old ones. Older folders may be deleted when no training uses them. Captions are changed beside the",
        "pictures in your set, not here; then export again.",
        "",
    ]
    if rendered.placeholders:
        lines += ["## Replace first", ""]
        lines += [
            f"- `{one}`: the folder with the model's files (`--models FOLDER` writes it for you)."
            for one in rendered.placeholders
        ]
        lines.append("")
    if rendered.commands:
        lines += ["## Train", "", f"In {exporter.home}, with its environment active:", "", "```sh"]
        lines += [shell(command) for command in rendered.commands]
        lines += ["```", "", "`train.sh` and `train.bat` hold the same.", ""]
    if not exporter.neutral:
        lines += [
            "## Recipe",
            "",
            f"- {made.steps} steps: {made.passes:.0f} passes over each of {made.images} pictures ({made.length})",
            f"- learning rate {number(made.learning_rate)}, dim {made.dim}, alpha {made.alpha}, batch {made.batch}",
            f"- resolutions {', '.join(map(str, made.resolutions))}, seed {made.seed}",
            f"- a checkpoint and the samples every {made.save_every} steps; worth a look from {made.save_first} on",
            "",
        ]
    if rendered.notes:
        lines += ["## Good to know", "", *(f"- {note}" for note in rendered.notes), ""]
    if renamed:
        lines += [f"Pictures with another name here: {len(renamed)}; `manifest.json` says which.", ""]
    return "\n".join(lines).rstrip() + "\n"
