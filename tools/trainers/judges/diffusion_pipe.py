"""diffusion-pipe: ``set_config_defaults`` out of ``train.py``, and its dataset's description of pictures and captions."""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job, NotRun

STAND_INS = ("deepspeed", "comfy", "comfy_api", "wandb", "imageio", "av")


def load(source: Path) -> Any:
    sys.path.insert(0, str(source))
    import toml
    from utils import common, dataset

    tree = ast.parse((source / "train.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "set_config_defaults"]
    if not functions:
        raise NotRun("train.py has no set_config_defaults any more")
    names = {"DTYPE_MAP": common.DTYPE_MAP}
    exec(compile(ast.Module(functions, []), "train.py", "exec"), names)
    dataset.is_main_process = common.is_main_process = lambda: True  # it asks deepspeed
    dataset.NUM_PROC = None  # in this process
    return SimpleNamespace(defaults=names["set_config_defaults"], dataset=dataset, toml=toml, options=options(tree))


def options(tree: ast.Module) -> argparse.ArgumentParser:
    """The parser of ``train.py``, which it makes on import, where deepspeed has to be there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--deepspeed", action="store_true")  # deepspeed.add_config_arguments
    calls = [
        node.value for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "parser.add_argument"
    ]  # fmt: skip
    for call in calls:
        exec(compile(ast.Expression(call), "train.py", "eval"), {"parser": parser, "Path": Path})
    return parser


def judge(code: Any, job: Job) -> Found:
    args = code.options.parse_args(job.arguments()[1])
    config = code.toml.load(args.config)
    code.defaults(config)
    given = code.toml.load(config["dataset"])
    found = Found(
        ran=["the options of train.py", "set_config_defaults", "DirectoryDataset (checks, pictures, captions)"],
        captions={},
    )
    for directory in given["directory"]:
        made = code.dataset.DirectoryDataset(directory, given, "flux", framerate=1, round_to_multiple=16)
        for row in made._get_ungrouped_metadata(regenerate_cache=True):
            (caption,) = row["caption"]
            found.captions[Path(row["image_spec"][1]).name] = caption
    return found
