"""The commands about prompting: ``fluxcap prompt`` and ``fluxcap comfyui``. Parse, call one stage, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fluxcap.cli.options import FOLDER, JSON

if TYPE_CHECKING:
    from fluxcap.comfyui.graphs import Picture
    from fluxcap.comfyui.record import Entry

_PICTURE = (
    click.option("--target", default="flux1-dev", metavar="NAME", help="The base model: flux1-dev, flux2-dev ..."),
    click.option("--strength", default=1.0, metavar="N", help="How strongly the LoRA acts (1.0)."),
    click.option("--clip", metavar="TEXT", help="What CLIP reads: trigger word and tags."),
    click.option("--t5", metavar="TEXT", help="What T5 reads: the sentences."),
    click.option("--steps", type=int, metavar="N", help="Sampling steps (FLUX.1: 40)."),
    click.option("--guidance", type=float, metavar="N", help="FLUX guidance, or the strength of the prompt (cfg)."),
    click.option("--sampler", metavar="NAME", help="The sampler (euler)."),
    click.option("--width", default=1024, metavar="PIXELS", help="Width of the picture (1024)."),
    click.option("--height", default=1024, metavar="PIXELS", help="Height of the picture (1024)."),
    click.option("--model", metavar="FILE", help="The base model's file in ComfyUI."),
    click.option("--clip-model", metavar="FILE", help="The text encoder's file (FLUX.1: CLIP)."),
    click.option("--t5-model", metavar="FILE", help="The T5 text encoder's file (FLUX.1)."),
    click.option("--vae", metavar="FILE", help="The VAE's file."),
)


def _picture(command: Any) -> Any:
    """The options that tell how a picture is made."""
    for option in reversed(_PICTURE):
        command = option(command)
    return command


@click.group()
def comfyui() -> None:
    """Workflows for ComfyUI, and pictures made on it."""


@comfyui.command()
@_picture
@click.option("--prompt", metavar="TEXT", help="One text for all encoders.")
@click.option("--lora", default="", metavar="FILE", help="The LoRA's file in ComfyUI.")
@click.option("--seed", default=42, metavar="N", help="The seed (42).")
@click.option(
    "--format",
    "form",
    default="ui",
    type=click.Choice(["ui", "api"]),
    help="ui: to open in the browser; api: for POST /prompt.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write; else it is printed.")
def workflow(
    prompt: str | None, lora: str, seed: int, form: str, out: Path | None, clip: str | None, t5: str | None, **how: Any
) -> None:
    """Write a workflow that ComfyUI opens: a text for CLIP and one for T5, the LoRA, Euler, the usual steps."""
    import json

    from fluxcap.comfyui.asking import prompts
    from fluxcap.comfyui.browser import workflow as ui
    from fluxcap.comfyui.graphs import api
    from fluxcap.comfyui.planning import slug

    asked = prompts([prompt] if prompt is not None else [], clip, t5)[-1]
    picture = _base(asked, lora, seed, **how)
    prefix = f"fluxcap/{slug(lora.rpartition('.')[0] or lora) or 'picture'}"
    made = api(picture, prefix) if form == "api" else ui(picture, prefix)
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    from fluxcap.textfiles import write_atomic

    write_atomic(out, text)
    click.echo(f"wrote {out}")


@comfyui.command()
@_picture
@click.option("--url", default="http://127.0.0.1:8188", metavar="URL", help="ComfyUI's address.")
@click.option("--prompt", "texts", multiple=True, metavar="TEXT", help="One text for all encoders; may come again.")
@click.option(
    "--prompts",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="One prompt a line: text, or JSON of fluxcap prompt.",
)
@click.option("--lora", "loras", multiple=True, metavar="FILE", help="A LoRA of ComfyUI, or its file; may come again.")
@click.option("--without", is_flag=True, help="Make each picture without a LoRA too.")
@click.option("--seed", "seeds", multiple=True, type=int, metavar="N", help="A seed (42); may come again.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("renders"), metavar="DIR", help="Where they go.")
@JSON
def render(
    url: str,
    texts: tuple[str, ...],
    file: Path | None,
    loras: tuple[str, ...],
    without: bool,
    seeds: tuple[int, ...],
    out: Path,
    as_json: bool,
    clip: str | None,
    t5: str | None,
    **how: Any,
) -> None:
    """Make pictures on a running ComfyUI: every LoRA with every prompt and seed. The same command goes on after a stop."""
    from fluxcap import screen
    from fluxcap.comfyui.asking import prompts
    from fluxcap.comfyui.planning import grid
    from fluxcap.comfyui.running import run

    asked = prompts(texts, clip, t5, file)
    here = {Path(name).name: Path(name) for name in loras if Path(name).is_file()}
    names = [Path(name).name if Path(name).name in here else name for name in loras]
    wanted = grid(
        _base(asked[0], "", 42, **how),
        prompts=asked,
        loras=([""] if without or not names else []) + names,
        seeds=seeds or (42,),
    )
    with _watch(screen.tell) as watch:
        done = run(url, out, wanted, files=here, watch=watch)
    failed = [entry for entry in done.entries if entry.state != "done"]
    if as_json:
        screen.json_out({"out": str(out), "pictures": list(done.entries), "notices": list(done.notices)})
    else:
        _told(out, done.entries)
    if failed:
        sys.exit(1)


def _base(prompt: Any, lora: str, seed: int, **how: Any) -> Picture:
    from fluxcap.comfyui.graphs import Picture

    roles = {"unet": "model", "clip": "clip_model", "t5": "t5_model", "vae": "vae"}
    files = {role: name for role, option in roles.items() if (name := how.pop(option))}
    return Picture(prompt=prompt, lora=lora, seed=seed, files=files, **how)


def _told(out: Path, entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        if entry.state == "done":
            click.echo(f"{out / entry.file}{'  (cached)' if entry.cached else ''}")
    made = sum(entry.state == "done" for entry in entries)
    click.echo(f"{made} of {len(entries)} pictures are in {out}")


def _watch(tell: Any) -> Any:
    """Lines and a progress bar on standard error; no bar where nobody watches."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fluxcap.comfyui.rendering import Watch

    @contextmanager
    def watching() -> Any:
        console = Console(stderr=True)
        if not console.is_terminal:
            yield Watch(say=tell)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("pictures", total=None)

            def at(name: str, done: int, total: int, step: int, steps: int) -> None:
                # a picture counts by its steps, so that the time left is known before the first is done
                part = step / steps if steps else 0.0
                told = f"{name} step {step}/{steps}" if steps else name
                bar.update(task, total=total, completed=done + part, description=told)

            yield Watch(say=lambda text: console.print(text, markup=False, highlight=False), at=at)

    return watching()


@click.command()
@FOLDER
@click.argument("wish", metavar="WISH")
@click.option("--target", metavar="NAME", help="The base model that is prompted: flux1-dev, flux2-dev ...")
@click.option("--name", default="", metavar="WORD", help="A short name for the pictures of this prompt.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print machine-readable JSON, as comfyui render --prompts reads it."
)
def prompt(folder: Path, wish: str, target: str | None, name: str, as_json: bool) -> None:
    """Write a prompt for the LoRA of DIR in its captions' order and words; WISH says what the picture shows."""
    from fluxcap import screen
    from fluxcap.codec import to_builtins
    from fluxcap.wishing import prompt as write

    done = write(folder, wish, target=target)
    if as_json:
        return screen.json_out({"name": name, **to_builtins(done), "told": list(done.told)})
    click.echo(f"CLIP: {done.clip}\n\nT5:   {done.t5}\n")
    for line in done.told:
        click.echo(line)
    return None


COMMANDS = (prompt, comfyui)
"""For the command line, which adds them to its own."""
