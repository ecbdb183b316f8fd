"""Exporters: golden files, known keys, and the traps of each trainer."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from typing import Any

import pytest
from export_sets import CAPTIONS, GOLDEN, RENEW, a_set, all_files, exporter, served
from hypothesis import given as for_all
from hypothesis import strategies as st
from ruamel.yaml import YAML

from fluxcap import registry, tokens
from fluxcap.comfyui import tables as comfyui
from fluxcap.exporters import Rendered, keys, one_line, prompt_for_trainer, unknown_keys
from fluxcap.exporters.formats import number, toml, yaml
from fluxcap.project import RecipeSettings
from fluxcap.types import SamplePrompt

TRAINERS = tuple(registry.BUILT_IN["exporter"])
GOLDEN_SETS = [
    *((name, "flux1-dev") for name in TRAINERS if (name, "flux1-dev") in served()),
    *(
        (name, "flux2-klein-9b")
        for name in TRAINERS
        if (name, "flux2-klein-9b") in served() and not exporter(name).neutral
    ),
]
NASTY = SamplePrompt(
    name="nasty", text='# ohwx --w 64 --d 7 ${HOME} [name] [trigger] "quoted" \\ C:\\x, 100 % {a|b}', about="every sign"
)


def loaded(path: str, text: str) -> Any:
    """As a trainer would read it; YAML 1.1, as PyYAML does."""
    if path.endswith(".toml"):
        return tomllib.loads(text)
    if path.endswith(".json"):
        return json.loads(text)
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)  # type: ignore[assignment]
    return reader.load(text)


def config(name: str, target: str, path: str, **options: Any) -> Any:
    return loaded(path, exporter(name).render(a_set(target, **options)).files[path])


def arguments(name: str, target: str = "flux1-dev", place: int = -1, **options: Any) -> dict[str, str]:
    """The options of a command, by name."""
    argv = exporter(name).render(a_set(target, **options)).commands[place].argv
    return {word.partition("=")[0]: word.partition("=")[2] for word in argv if word.startswith("--")}


# ---- all of them


@pytest.mark.parametrize(("name", "target"), GOLDEN_SETS, ids="/".join)
def test_golden_files(name: str, target: str) -> None:
    made, _ = all_files(name, a_set(target))
    home = GOLDEN / name / target
    if RENEW:
        for path, text in made.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(text.encode())
    found = {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert found == {path: text.encode() for path, text in made.items()}


def test_no_golden_file_is_left_over() -> None:
    assert {(path.parent.name, path.name) for path in GOLDEN.glob("*/*")} == set(GOLDEN_SETS)


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
@pytest.mark.parametrize("preset", ["person", "style"])
def test_configs_use_only_keys_that_the_trainer_knows(name: str, target: str, preset: str) -> None:
    for settings in (None, RecipeSettings(dim=16, steps=300, resolutions=(1024,), learning_rate=0.00001)):
        rendered = exporter(name).render(a_set(target, preset=preset, settings=settings))
        assert unknown_keys(name, rendered) == []


@pytest.mark.parametrize("name", [name for name in TRAINERS if not exporter(name).neutral and name != "fluxgym"])
def test_every_trainer_has_a_table_of_keys(name: str) -> None:
    assert keys.known(name)


def test_misspelt_keys_are_found() -> None:
    text = exporter("ai-toolkit").render(a_set()).files["ai-toolkit.yaml"]
    spoilt = text.replace("linear_alpha:", "linear_alhpa:").replace("save_every:", "saveevery:")
    assert unknown_keys("ai-toolkit", Rendered(files={"ai-toolkit.yaml": spoilt})) == [
        "ai-toolkit.yaml: config.process.*.network.linear_alhpa",
        "ai-toolkit.yaml: config.process.*.save.saveevery",
    ]


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_the_same_set_gives_the_same_bytes(name: str, target: str) -> None:
    assert all_files(name, a_set(target)) == all_files(name, a_set(target))


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_windows_paths(name: str, target: str) -> None:
    given = a_set(target, export='C:/Users/Zoë B/my "exports"', models="D:/models, all")
    made, rendered = all_files(name, given)
    assert not any("\\\\" in text and "C:\\\\" in text for text in made.values())
    for path, text in rendered.files.items():
        if path.endswith((".toml", ".json", ".yaml")):
            assert loaded(path, text)  # quotes and signs are escaped
    for command in rendered.commands:
        assert shlex.split(shlex.join(command.argv)) == list(command.argv)


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_captions_are_one_line_without_bom_or_final_newline(name: str, target: str) -> None:
    texts = exporter(name).texts(a_set(target).images, tokens.target(target))
    sidecars = [text for path, text in texts.items() if path.endswith(".txt")]
    for text in sidecars:
        assert text
        assert "\n" not in text
        assert not text.startswith("\ufeff")
        assert "ohwx" in text
    assert sidecars or any("ohwx" in text for text in texts.values())


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_seeds_are_fixed_so_that_samples_can_be_compared(name: str, target: str) -> None:
    if exporter(name).neutral:
        return
    made, _ = all_files(name, a_set(target, settings=RecipeSettings(seed=4711)))
    top = "\n".join(text for path, text in made.items() if path != "README.md")
    assert "4711" in top or name == "diffusion-pipe"  # it has neither samples nor a seed
    assert "4711" in made["README.md"]


LOGS = {
    "ai-toolkit": "use_ui_logger: true",
    "kohya": "--log_with=tensorboard",
    "fluxgym": "--log_with=tensorboard",
    "musubi": "--log_with=tensorboard",
    "onetrainer": '"tensorboard": true',
    "simpletuner": '"report_to": "simpletuner"',
    "diffusers": "--report_to=tensorboard",
    "diffusion-pipe": "steps_per_print = 1",  # it always writes TensorBoard
}


@pytest.mark.parametrize(("name", "target"), [one for one in served() if not exporter(one[0]).neutral], ids="/".join)
def test_the_loss_is_logged(name: str, target: str) -> None:
    made, _ = all_files(name, a_set(target))
    assert LOGS[name] in "\n".join(made.values())


@pytest.mark.parametrize(("name", "target"), [one for one in served() if not exporter(one[0]).neutral], ids="/".join)
def test_no_checkpoint_is_deleted(name: str, target: str) -> None:
    """ai-toolkit and SimpleTuner keep five by default; the others keep all unless they are told."""
    made, _ = all_files(name, a_set(target))
    text = "\n".join(made.values())
    limits = re.findall(r"(?:max_step_saves_to_keep|checkpoints_total_limit)\W+(\d+)", text)
    assert limits == (["1000"] if name in ("ai-toolkit", "simpletuner") else [])
    assert "save_last" not in text
    assert "rolling_backup" not in text


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_numbers_are_written_without_exponent(name: str, target: str) -> None:
    made, _ = all_files(name, a_set(target, settings=RecipeSettings(learning_rate=0.00001)))
    if name in ("plain", "diffusion-pipe", "onetrainer", "simpletuner"):  # JSON and TOML have numbers with exponents
        return
    assert not re.search(r"\d[eE]-\d", "\n".join(made.values()))


@pytest.mark.parametrize(("name", "target"), served(), ids="/".join)
def test_signs_in_sample_prompts_that_trainers_take_for_their_own(name: str, target: str) -> None:
    """``--``, ``${``, ``[name]`` and ``[trigger]``, a leading '#'."""
    if exporter(name).neutral:
        return
    rendered = exporter(name).render(a_set(target, samples=(NASTY,)))
    for path, text in rendered.files.items():
        assert "${" not in text, path
        assert "[trigger]" not in text.replace("only for [trigger] in captions", ""), path
    lines = [line for path, text in rendered.files.items() for line in text.splitlines() if "quoted" in line]
    for line in lines:
        assert " --w 64" not in line
        assert not line.startswith("#")


# ---- one by one


def test_ai_toolkit_gets_tight_commas_for_flux2_and_puts_the_blanks_in_itself() -> None:
    """It splits at commas and joins with ', ' without stripping: two blanks are other tokens to Qwen and Mistral."""
    for target in ("flux2-dev", "flux2-klein-4b", "flux2-klein-9b"):
        texts = exporter("ai-toolkit").texts(a_set(target).images, tokens.target(target))
        encoded = [", ".join(text.split(",")) for text in texts.values()]
        assert encoded == list(CAPTIONS)
    assert list(exporter("ai-toolkit").texts(a_set().images, tokens.target("flux1-dev")).values()) == list(CAPTIONS)


def test_ai_toolkit_tells_commas_that_it_spoils() -> None:
    notes = exporter("ai-toolkit").render(a_set(captions=("ohwx, a sign that reads 1,000.",))).notes
    assert any("1,000" in note for note in notes)
    assert not any("1,000" in note for note in exporter("ai-toolkit").render(a_set()).notes)


def test_ai_toolkit_keeps_all_checkpoints_and_logs_the_loss() -> None:
    process = config("ai-toolkit", "flux1-dev", "ai-toolkit.yaml")["config"]["process"][0]
    assert process["save"]["max_step_saves_to_keep"] >= 1000
    assert process["logging"] == {"log_every": 1, "use_ui_logger": True}
    assert process["sample"]["walk_seed"] is False
    assert process["datasets"][0]["shuffle_tokens"] is False
    assert process["train"]["lr"] == 0.0001
    assert isinstance(process["train"]["lr"], float)


def test_ai_toolkit_says_schnell_with_its_adapter_and_kontext_without_samples() -> None:
    schnell = config("ai-toolkit", "flux1-schnell", "ai-toolkit.yaml")["config"]["process"][0]
    assert schnell["model"]["assistant_lora_path"]
    assert schnell["sample"]["sample_steps"] == 4
    kontext = config("ai-toolkit", "flux1-kontext", "ai-toolkit.yaml")["config"]["process"][0]
    assert kontext["train"]["disable_sampling"] is True
    assert "sample" not in kontext


def test_kohya_reads_txt_not_caption_and_shuffles_nothing() -> None:
    dataset = config("kohya", "flux1-dev", "dataset.toml")
    assert dataset["general"] == {"caption_extension": ".txt", "shuffle_caption": False}
    assert [block["resolution"] for block in dataset["datasets"]] == [512, 768, 1024]
    for block in dataset["datasets"]:
        assert block["enable_bucket"] is True
        assert block["bucket_reso_steps"] % 64 == 0
        assert "class_tokens" not in block["subsets"][0]  # a trigger of the folder is not used where texts lie


def test_kohya_trains_by_flux_values_not_by_its_defaults() -> None:
    given = arguments("kohya")
    assert given["--network_alpha"] == given["--network_dim"] == "64"
    assert given["--guidance_scale"] == "1.0"
    assert given["--timestep_sampling"] == "flux_shift"
    assert given["--model_prediction_type"] == "raw"
    assert given["--t5xxl_max_token_length"] == "512"
    assert arguments("kohya", "flux1-schnell")["--t5xxl_max_token_length"] == "256"
    assert given["--learning_rate"] == "0.0001"
    assert "--log_with" in given


def test_kohya_keeps_no_encoded_captions_on_the_disk() -> None:
    """``<stem>_flux_te.npz`` is never compared with its caption again."""
    given = arguments("kohya")
    assert "--cache_text_encoder_outputs" in given
    assert "--cache_text_encoder_outputs_to_disk" not in given


def test_kohya_prompts_carry_their_options() -> None:
    lines = exporter("kohya").render(a_set()).files["sample_prompts.txt"].splitlines()
    assert next(line for line in lines if not line.startswith("#")).endswith(
        "--w 1024 --h 1024 --d 42 --s 20 --l 1.0 --g 3.5"
    )


def test_kohya_tells_that_captions_travel_in_the_file() -> None:
    assert any("--no_metadata" in note for note in exporter("kohya").render(a_set()).notes)


# ---- targets


def test_targets_name_exporters_and_every_trainer_serves_one() -> None:
    named = {name for target in tokens.targets().values() for name in target.trainers}
    assert named == {name for name in TRAINERS if not exporter(name).neutral}


@pytest.mark.parametrize("target", tokens.targets().values(), ids=lambda target: target.id)
def test_a_target_has_all_that_exports_and_workflows_need(target: tokens.Target) -> None:
    assert target.files["transformer"]
    assert target.files["vae"]
    assert target.id in comfyui.targets()
    if target.trainers:
        assert target.hub.startswith("black-forest-labs/")
        assert target.params_per_dim > 1_000_000
    assert target.style == ("sentences-tags" if target.family == "flux1" else "sentences")


# ---- texts


@for_all(st.text())
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "\ufeff" not in line
    assert one_line(line) == line
    line.encode("utf-8")


@for_all(st.text())
def test_prompts_hold_nothing_that_a_trainer_takes_for_its_own(text: str) -> None:
    prompt = prompt_for_trainer(text)
    assert "--" not in prompt
    assert "${" not in prompt
    assert "[name]" not in prompt
    assert "[trigger]" not in prompt
    assert not prompt.startswith("#")


@for_all(
    st.dictionaries(
        st.from_regex(r"key[a-z]{0,5}", fullmatch=True), st.one_of(st.text(), st.booleans(), st.integers(0, 9))
    )
)
def test_yaml_and_toml_say_what_they_are_told(value: dict[str, Any]) -> None:
    plain = {key: one_line(item) if isinstance(item, str) else item for key, item in value.items()}
    assert loaded("a.yaml", yaml({"a": plain})) == {"a": plain}
    assert tomllib.loads(toml({"a": plain})) == {"a": plain}


@pytest.mark.parametrize("name", TRAINERS)
@for_all(text=st.text(max_size=60), trigger=st.text(min_size=1, max_size=9), path=st.text(max_size=20))
def test_strange_texts_and_paths_come_through_whole(name: str, text: str, trigger: str, path: str) -> None:
    """Whatever is said, every config is read by its library, and every command is what it was."""
    target = "flux2-klein-4b" if name == "musubi" else "flux1-dev"
    said = one_line(text) or "x"
    given = a_set(
        target,
        captions=(said,),
        samples=(SamplePrompt(name="plain", text=text, about=""),),
        trigger=one_line(trigger) or "x",
        export="/data/" + one_line(path),
    )
    made, rendered = all_files(name, given)
    for file, content in made.items():
        if file.endswith((".toml", ".json", ".yaml")):
            assert loaded(file, content) is not None
        content.encode("utf-8")
    assert unknown_keys(name, rendered) == []


@for_all(st.floats(1e-7, 1))
def test_small_numbers_are_numbers_to_every_yaml_reader(value: float) -> None:
    text = yaml({"lr": value})
    assert "e" not in text
    assert loaded("a.yaml", text)["lr"] == pytest.approx(value, abs=1e-11)
    assert float(number(value)) == pytest.approx(value, abs=1e-9)


def test_a_comment_for_a_key_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="b"):
        toml({"a": 1}, {"b": "?"})


# ---- the others, one by one


def test_musubi_encodes_first_and_keeps_a_cache_for_each_resolution() -> None:
    rendered = exporter("musubi").render(a_set("flux2-klein-9b"))
    assert [command.argv[-1 if command.argv[0] == "accelerate" else 1] for command in rendered.commands][:2] == [
        "src/musubi_tuner/flux_2_cache_latents.py",
        "src/musubi_tuner/flux_2_cache_text_encoder_outputs.py",
    ]
    blocks = tomllib.loads(rendered.files["dataset.toml"])["datasets"]
    assert len({block["cache_directory"] for block in blocks}) == 3
    assert all(block["cache_directory"].startswith(block["image_directory"]) for block in blocks)
    assert arguments("musubi", "flux2-klein-9b")["--network_alpha"] == "64"


@pytest.mark.parametrize("target", ["flux2-klein-4b", "flux2-klein-9b"])
def test_klein_is_trained_on_the_undistilled_base(target: str) -> None:
    assert "base" in tokens.target(target).hub
    assert "base" in arguments("musubi", target)["--model_version"]


def test_onetrainer_reads_512_t5_tokens_not_77_and_alpha_is_not_1() -> None:
    given = config("onetrainer", "flux1-dev", "onetrainer.json")
    assert given["text_encoder_2_sequence_length"] == 512
    assert (given["lora_rank"], given["lora_alpha"]) == (64, 64.0)
    assert given["learning_rate_warmup_steps"] == 0
    assert given["clear_cache_before_training"] is True
    assert config("onetrainer", "flux2-klein-9b", "onetrainer.json")["text_encoder_sequence_length"] == 512


def test_onetrainer_has_the_version_that_spares_its_migrations() -> None:
    given = config("onetrainer", "flux1-dev", "onetrainer.json")
    assert given["__version"] == 11
    assert given["concepts"][0]["__version"] == 2


def test_onetrainer_counts_epochs_from_steps() -> None:
    captions = CAPTIONS * 9
    given = config("onetrainer", "flux1-dev", "onetrainer.json", captions=captions[:25])
    assert given["epochs"] == 80
    assert given["concepts"][0]["balancing_strategy"] == "REPEATS"
    many = config("onetrainer", "flux1-dev", "onetrainer.json", settings=RecipeSettings(steps=2))
    assert many["epochs"] == 1
    assert (many["concepts"][0]["balancing_strategy"], many["concepts"][0]["balancing"]) == ("SAMPLES", 2.0)


def test_onetrainer_caches_each_picture_at_all_resolutions_saves_and_logs() -> None:
    given = config("onetrainer", "flux1-dev", "onetrainer.json")
    assert given["concepts"][0]["image_variations"] == 3
    assert (given["save_every"], given["save_every_unit"]) == (250, "STEP")
    assert given["tensorboard"] is True
    assert given["concepts"][0]["text"]["enable_tag_shuffling"] is False
    assert all(sample["random_seed"] is False for sample in given["samples"])


def test_simpletuner_defaults_are_overridden() -> None:
    """Flavour krea, five checkpoints, a caption dropout of 0.1, a warm-up, no log."""
    given = config("simpletuner", "flux1-dev", "config/config.json")
    assert given["model_flavour"] == "dev"
    assert given["checkpoints_total_limit"] >= 1000
    assert given["caption_dropout_probability"] == 0.05
    assert given["lr_warmup_steps"] == 0
    assert given["validation_seed"] == 42
    assert given["report_to"] == "simpletuner"
    assert given["num_train_epochs"] == 0


def test_simpletuner_keeps_a_caption_whole_and_caches_outside_of_the_pictures() -> None:
    *pictures, texts = config("simpletuner", "flux1-dev", "config/multidatabackend.json")
    assert [backend["resolution"] for backend in pictures] == [512, 768, 1024]
    for backend in pictures:
        assert backend["caption_strategy"] == "textfile"
        assert backend["disable_multiline_split"] is True
        assert backend["crop"] is False
        assert not backend["cache_dir_vae"].startswith(backend["instance_data_dir"])
    assert texts["default"] is True


def test_simpletuner_names_of_prompts_hold_no_underscore() -> None:
    """It parts step, name and number of a sample's file by underscores."""
    names = config("simpletuner", "flux1-dev", "config/user_prompt_library.json")
    assert not [name for name in names if "_" in name]


def test_diffusion_pipe_stops_at_alpha_and_at_four_resolutions() -> None:
    train = config("diffusion-pipe", "flux1-dev", "train.toml", settings=RecipeSettings(alpha=16))
    assert "alpha" not in train["adapter"]
    assert any(
        "Alpha is 64" in note
        for note in exporter("diffusion-pipe").render(a_set(settings=RecipeSettings(alpha=16))).notes
    )
    assert len(config("diffusion-pipe", "flux1-dev", "dataset.toml")["resolutions"]) <= 3
    assert train["model"]["transformer_dtype"] == "float8"
    assert "save_every_n_steps" in train


@pytest.mark.parametrize("pictures", [1, 3, 300])
def test_diffusion_pipe_has_epochs_enough_for_the_steps(pictures: int) -> None:
    captions = tuple(CAPTIONS[0] for _ in range(pictures))
    train = config("diffusion-pipe", "flux1-dev", "train.toml", captions=captions)
    dataset = config("diffusion-pipe", "flux1-dev", "dataset.toml", captions=captions)
    epoch = pictures * 3 * dataset["directory"][0]["num_repeats"]
    assert train["epochs"] * epoch > train["max_steps"]


@pytest.mark.parametrize("name", ["diffusers", "imagefolder"])
def test_folder_hygiene_no_text_files_beside_metadata(name: str) -> None:
    """With text files in the folder ``datasets`` loads texts; an image that metadata.jsonl does not name is dropped."""
    texts = exporter(name).texts(a_set().images, tokens.target("flux1-dev"))
    assert list(texts) == ["metadata.jsonl"]
    rows = [json.loads(line) for line in texts["metadata.jsonl"].splitlines()]
    assert [row["file_name"] for row in rows] == [image.file for image in a_set().images]
    assert [row["text"] for row in rows] == list(CAPTIONS)


def test_diffusers_defaults_are_overridden() -> None:
    """Rank and alpha 4, warm-up 500, guidance 3.5."""
    given = arguments("diffusers")
    assert (given["--rank"], given["--lora_alpha"]) == ("64", "64")
    assert given["--lr_warmup_steps"] == "0"
    assert given["--guidance_scale"] == "1"
    assert given["--max_sequence_length"] == "512"
    assert arguments("diffusers", "flux1-schnell")["--max_sequence_length"] == "256"
    assert given["--report_to"] == "tensorboard"


def test_diffusers_klein_reads_the_layers_that_everybody_else_reads() -> None:
    argv = exporter("diffusers").render(a_set("flux2-klein-9b")).commands[0].argv
    place = argv.index("--text_encoder_out_layers")
    assert argv[place + 1 : place + 4] == ("9", "18", "27")
    assert "--use_aspect_ratio_buckets" in argv


def test_fluxgym_has_buckets_alpha_and_no_encoded_captions_on_the_disk() -> None:
    """What its page makes has one square bucket, alpha 1 and captions that are never looked at again."""
    given = arguments("fluxgym")
    assert given["--network_alpha"] == "64"
    assert "--cache_text_encoder_outputs_to_disk" not in given
    assert all(block["enable_bucket"] for block in config("fluxgym", "flux1-dev", "dataset.toml")["datasets"])


def test_commands_in_scripts_go_where_they_belong() -> None:
    made, _ = all_files("simpletuner", a_set(export="/data/my exports/ohwx"))
    assert "cd '/data/my exports/ohwx'\nsimpletuner" in made["train.sh"]
    assert 'cd /d "/data/my exports/ohwx"' in made["train.bat"]
    assert "%%" in all_files("diffusers", a_set(samples=(NASTY,)))[0]["train.bat"]
