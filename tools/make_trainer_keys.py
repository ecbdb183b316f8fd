"""Makes ``src/fluxcap/data/trainer_keys.toml`` from the trainers' sources: which keys each section of their configs knows.

    python tools/make_trainer_keys.py FOLDER

FOLDER holds a checkout of each trainer under its repository's name (ai-toolkit, sd-scripts, musubi-tuner, OneTrainer,
SimpleTuner, diffusion-pipe, diffusers). A trainer whose checkout is missing keeps its old table. Only names are taken.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import tomlkit

TABLE = Path(__file__).resolve().parents[1] / "src" / "fluxcap" / "data" / "trainer_keys.toml"
HEAD = """\
# Which keys the configs of each trainer know, section by section, made by tools/make_trainer_keys.py from their sources.
# Many of them accept a misspelt key without a word, so exporters.keys compares what we write with this.
#
#   path of a section: '' the whole file, 'a.b' a table in a table, '*' any item of a list; "any" admits whatever stands there
#   options: what a command's options may be called, by its script
"""
Sections = dict[str, set[str]]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def classes(paths: Iterable[Path]) -> dict[str, ast.ClassDef]:
    return {node.name: node for path in paths for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)}


def first_texts(node: ast.AST, called: str) -> set[str]:
    """The first argument, where it is a text, of every call of ``called`` ('kwargs.get', 'get_conf')."""
    owner, _, name = called.rpartition(".")
    found = set()
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Constant):
            continue
        at = call.func
        fits = isinstance(at, ast.Attribute) and at.attr == name
        if fits and owner:
            fits = isinstance(at.value, ast.Name) and at.value.id == owner  # type: ignore[attr-defined]
        if fits and isinstance(call.args[0].value, str):
            found.add(call.args[0].value)
    return found


def options(paths: Iterable[Path]) -> set[str]:
    """The long options that argparse is told in these files."""
    return {
        argument.value[2:]
        for path in paths
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for argument in call.args
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("--")
    }


def used_keys(paths: Iterable[Path], names: Iterable[str]) -> set[str]:
    """Keys of a dict by the names it has in the source: ``x['key']``, ``x.get('key')``, ``'key' in x``, ``x.setdefault('key'``."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    found = set()
    for name in names:
        found |= set(re.findall(rf"\b{name}\[['\"](\w+)['\"]\]", text))
        found |= set(re.findall(rf"\b{name}\.(?:get|pop|setdefault)\(['\"](\w+)['\"]", text))
        found |= set(re.findall(rf"['\"](\w+)['\"] (?:not )?in {name}\b", text))
    return found


def ai_toolkit(home: Path) -> Sections:
    known = classes([home / "toolkit/config_modules.py"])
    jobs = home / "jobs"
    process_files = [jobs / f"process/{name}.py" for name in ("BaseProcess", "BaseTrainProcess", "BaseSDTrainProcess")]
    process = set().union(*(first_texts(tree(path), "get_conf") for path in process_files))
    at = "config.process.*"
    sections = {
        "": {"job", "config", "meta"},
        "config": {"name", "process"} | first_texts(tree(jobs / "BaseJob.py"), "get_conf"),
        at: process | {"type", "device"},
        "meta": {"any"},
    }
    tables = {
        "network": "NetworkConfig", "save": "SaveConfig", "datasets.*": "DatasetConfig", "train": "TrainConfig",
        "logging": "LoggingConfig", "model": "ModelConfig", "sample": "SampleConfig", "train.ema_config": "EMAConfig",
    }  # fmt: skip
    sections |= {f"{at}.{path}": first_texts(known[name], "kwargs.get") for path, name in tables.items()}
    return sections | {f"{at}.model.model_kwargs": {"any"}}


def schema_keys(path: Path, owner: str) -> dict[str, set[str]]:
    """The keys of the dicts that a class of voluptuous schemas holds, by their names."""
    found: dict[str, set[str]] = {}
    for node in classes([path])[owner].body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and isinstance(node.targets[0], ast.Name):
            keys = (key.args[0] if isinstance(key, ast.Call) else key for key in node.value.keys)
            found[node.targets[0].id] = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


def kohya(home: Path) -> Sections:
    rows = schema_keys(home / "library/config_util.py", "ConfigSanitizer")
    shared = (
        rows["SUBSET_ASCENDABLE_SCHEMA"] | rows["DB_SUBSET_ASCENDABLE_SCHEMA"] | rows["DO_SUBSET_ASCENDABLE_SCHEMA"]
    )
    files = [
        *(home / f"library/{name}.py" for name in ("train_util", "flux_train_utils", "config_util", "deepspeed_utils", "sai_model_spec", "custom_train_functions", "utils", "strategy_base")),
        home / "train_network.py",
        home / "flux_train_network.py",
    ]  # fmt: skip
    return {
        "dataset.": {"general", "datasets"},
        "dataset.general": shared | rows["DATASET_ASCENDABLE_SCHEMA"],
        "dataset.datasets.*": shared | rows["DATASET_ASCENDABLE_SCHEMA"] | {"subsets"},
        "dataset.datasets.*.subsets.*": shared | rows["DB_SUBSET_DISTINCT_SCHEMA"],
        "options.flux_train_network.py": options(path for path in files if path.exists()),
    }


def musubi(home: Path) -> Sections:
    code = home / "src/musubi_tuner"
    rows = schema_keys(code / "dataset/config_utils.py", "ConfigSanitizer")
    images = rows["DATASET_ASCENDABLE_SCHEMA"] | rows["IMAGE_DATASET_DISTINCT_SCHEMA"]
    version = code / "flux_2/flux2_utils.py"
    training = [
        *sorted((code / "training").glob("*.py")),
        code / "hv_train_network.py",
        code / "flux_2_train_network.py",
    ]
    return {
        "dataset.": {"general", "datasets"},
        "dataset.general": rows["DATASET_ASCENDABLE_SCHEMA"],
        "dataset.datasets.*": images,
        "options.flux_2_cache_latents.py": options(
            [code / "cache_latents.py", code / "flux_2_cache_latents.py", version]
        ),
        "options.flux_2_cache_text_encoder_outputs.py": options(
            [code / "cache_text_encoder_outputs.py", code / "flux_2_cache_text_encoder_outputs.py", version]
        ),
        "options.flux_2_train_network.py": options([*(path for path in training if path.exists()), version]),
    }


def appended(node: ast.AST) -> set[str]:
    """The first text of each tuple in ``data.append((...))``."""
    return {
        str(call.args[0].elts[0].value)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append"
        and call.args and isinstance(call.args[0], ast.Tuple) and isinstance(call.args[0].elts[0], ast.Constant)
    }  # fmt: skip


def onetrainer(home: Path) -> Sections:
    known = classes(sorted((home / "modules/util/config").glob("*.py")))
    rows = {
        "": "TrainConfig", "optimizer": "TrainOptimizerConfig", "concepts.*": "ConceptConfig", "samples.*": "SampleConfig",
        "concepts.*.image": "ConceptImageConfig", "concepts.*.text": "ConceptTextConfig", "quantization": "QuantizationConfig",
        **dict.fromkeys(("transformer", "text_encoder", "text_encoder_2", "vae"), "TrainModelPartConfig"),
    }  # fmt: skip
    sections = {path: appended(known[name]) | {"__version"} for path, name in rows.items()}
    return sections | {"options.train.py": options([home / "modules/util/args/TrainArgs.py"])}


def simpletuner(home: Path) -> Sections:
    registries = [
        *sorted((home / "simpletuner/simpletuner_sdk/server/services/field_registry").rglob("*.py")),
        *sorted((home / "simpletuner/helpers/models/field_registry").glob("flux*.py")),
    ]
    named = {
        str(word.value.value).removeprefix("--")
        for path in registries
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg in ("arg_name", "name")
        and isinstance(word.value, ast.Constant)
        and isinstance(word.value.value, str)
    }
    parser = sorted((home / "simpletuner/helpers/configuration").rglob("*.py"))
    data = [home / f"simpletuner/helpers/data_backend/config/{name}.py" for name in ("base", "image", "text_embed")]
    fields = {
        node.target.id
        for path in data
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    backends = fields | used_keys(
        [*data, *sorted((home / "simpletuner/helpers/data_backend").rglob("*.py"))], ("backend", "backend_dict", "backend_config")
    )  # fmt: skip
    return {"config.": named | options(parser), "backends.*": backends, "prompts.": {"any"}}


def diffusion_pipe(home: Path) -> Sections:
    train, data = home / "train.py", home / "utils/dataset.py"
    models = [home / f"models/{name}.py" for name in ("base", "flux", "flux2")]
    text_encoder = {"path", "paths", "type"} & used_keys(models, ("te_config",))
    return {
        "train.": used_keys([train], ("config",)),
        "train.model": used_keys([train, *models], ("model_config", r"config\['model'\]")),
        "train.model.text_encoders.*": text_encoder,
        "train.adapter": used_keys([train, *models], ("adapter_config",)) - {"alpha"},  # it stops at alpha
        "train.optimizer": used_keys([train], ("optim_config",)) | {"lr", "weight_decay", "eps"},
        "dataset.": used_keys([data], ("dataset_config",)),
        "dataset.directory.*": used_keys([data], ("directory_config",)),
        "options.train.py": options([train]) | {"deepspeed"},  # deepspeed adds its own
    }


def diffusers(home: Path) -> Sections:
    scripts = home / "examples/dreambooth"
    names = ("flux", "flux_kontext", "flux2", "flux2_klein")
    files = [scripts / f"train_dreambooth_lora_{name}.py" for name in names]
    return {f"options.{path.name}": options([path]) for path in files}


TRAINERS = {
    "ai-toolkit": ("ai-toolkit", ai_toolkit),
    "kohya": ("sd-scripts", kohya),
    "musubi": ("musubi-tuner", musubi),
    "onetrainer": ("OneTrainer", onetrainer),
    "simpletuner": ("SimpleTuner", simpletuner),
    "diffusion-pipe": ("diffusion-pipe", diffusion_pipe),
    "diffusers": ("diffusers", diffusers),
}


def commit(home: Path) -> str:
    """The commit of a checkout, or of the file COMMIT in a bare copy."""
    if (home / "COMMIT").is_file():
        return (home / "COMMIT").read_text(encoding="utf-8").strip()
    done = subprocess.run(["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def tables(folder: Path) -> Iterator[tuple[str, str, Sections]]:
    for trainer, (repository, read) in TRAINERS.items():
        if (folder / repository).is_dir():
            yield trainer, commit(folder / repository), read(folder / repository)
        else:
            print(f"{repository} is not in {folder}: its table stays", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    for trainer, at, sections in tables(parser.parse_args().folder):
        empty = [path for path, keys in sections.items() if not keys]
        if empty or not at:
            sys.exit(f"{trainer}: nothing found for {empty or 'its commit'}; its source has changed")
        rows[trainer] = {"commit": at, "sections": {path: sorted(keys) for path, keys in sections.items()}}
    document = tomlkit.document()
    for line in HEAD.splitlines():
        document.add(tomlkit.comment(line.removeprefix("#").strip()) if line != "#" else tomlkit.comment(""))
    for trainer, row in rows.items():
        document.add(tomlkit.nl())
        table = tomlkit.table()
        table.add("commit", row["commit"])
        inner = tomlkit.table()
        for path, keys in row["sections"].items():
            inner.add(path, " ".join(keys) if isinstance(keys, list) else keys)
        table.add("sections", inner)
        document.add(trainer, table)
    TABLE.write_text(tomlkit.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
