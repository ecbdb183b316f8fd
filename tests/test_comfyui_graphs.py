"""Workflows for ComfyUI: escaping, graphs for the server and for the browser, names, what a server offers, keys of LoRAs."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from comfy_server import RECORDED
from hypothesis import example, given
from hypothesis import strategies as st

from fluxcap.comfyui.asking import prompts
from fluxcap.comfyui.browser import workflow
from fluxcap.comfyui.faults import breakdown, refusal
from fluxcap.comfyui.graphs import Picture, Prompt, api
from fluxcap.comfyui.loras import fit, header, other_model
from fluxcap.comfyui.offers import fitted, missing, near, offers, spelling
from fluxcap.comfyui.planning import grid, renders, slug
from fluxcap.comfyui.tables import tables, targets
from fluxcap.comfyui.wording import escape, escape_for_browser
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.tokens import targets as known_targets

GOLDEN = Path(__file__).parent / "data" / "comfyui"
PROMPT = Prompt(
    clip="ohwx woman, photo, red coat (wool), beach",
    t5="ohwx woman, a photo of a woman. She is on a beach {really}. She is wearing a red coat (wool).",
    name="beach",
)
THERE = offers(RECORDED["object_info"])
SIGNS = st.text(alphabet=st.sampled_from("ab (){}|\\/*:1.embdig\n\t,é"), max_size=40) | st.text(max_size=60)


def picture(target: str = "flux1-dev", **how: object) -> Picture:
    return Picture(target=target, prompt=PROMPT, lora="ohwx_000001750.safetensors", **how)  # type: ignore[arg-type]


# ---- escaping. What ComfyUI's tokenizer and its page do with a text, told again as in comfy/sd1_clip.py and formatUtil.ts


def weighted(text: str) -> list[tuple[str, float]]:
    """The text as the tokenizer parts it into weights."""
    text = text.replace("\\)", "\0\1").replace("\\(", "\0\2")

    def parts(one: str) -> list[str]:
        found, current, depth = [], "", 0
        for sign in one:
            if sign == "(":
                if depth == 0:
                    found += [current] if current else []
                    current = "("
                else:
                    current += sign
                depth += 1
            elif sign == ")":
                depth -= 1
                if depth == 0:
                    found.append(current + ")")
                    current = ""
                else:
                    current += sign
            else:
                current += sign
        return [*found, current] if current else found

    found = []
    for part in parts(text):
        weight = 1.1 if len(part) > 1 and part[0] == "(" and part[-1] == ")" else 1.0
        found.append((part.replace("\0\1", ")").replace("\0\2", "("), weight))
    return found


def opened_in_browser(text: str) -> str:
    """The text that the page sends on when the workflow is queued."""
    text = re.sub(r"/\*[\s\S]*?\*/|//.*", "", text)
    result, place = "", 0
    while place < len(text):
        sign = text[place]
        place += 1
        if sign == "\\":
            assert place < len(text), "a backslash at the end takes nothing along"
            result += "\\" + text[place]
            place += 1
        else:
            assert sign != "{", "the page would choose"
            result += sign
    return re.sub(r"\\([{}|])", r"\1", result)


@given(SIGNS)
@example("(happy:1.4)")
@example("\\(")
@example("a\\")
def test_no_sign_of_a_caption_is_a_weight(text):
    seen = weighted(escape(text))
    assert all(weight == 1.0 for _, weight in seen)
    plain = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).strip()
    assert "".join(part for part, _ in seen) == re.sub(r"(?i)(?<!\S)embedding:", "embedding :", plain)


@given(SIGNS)
@example("a {b|c} d")
@example("http://x /* y */")
@example("\\{a\\")
@example("(a) \\\\")
def test_the_browser_sends_on_what_the_server_would_have_got(text):
    sent = opened_in_browser(escape_for_browser(text))
    assert all(weight == 1.0 for _, weight in weighted(sent))
    if "\\" not in text and "/" not in text:
        assert sent == escape(text)
    letters = re.sub(r"[^\w(){}|]", "", text)
    assert re.sub(r"[^\w(){}|]", "", sent) == letters


def test_an_embedding_is_not_called():
    assert escape("embedding:ohwx on a beach") == "embedding :ohwx on a beach"
    assert escape("my_embedding:x") == "my_embedding:x"


# ---- graphs


def test_there_is_a_graph_for_every_target_of_the_captions():
    assert set(known_targets()) <= set(targets())


@pytest.mark.parametrize("target", targets())
def test_a_graph_is_what_the_recorded_nodes_take(target):
    """Every input is known and every required one is there; choices and types agree with /object_info."""
    graph = api(picture(target))
    for node in graph.values():
        info = RECORDED["object_info"][node["class_type"]]
        known = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        assert set(info["input"].get("required", {})) <= set(node["inputs"]) <= set(known), node["class_type"]
        for key, value in node["inputs"].items():
            if isinstance(value, list):
                source = RECORDED["object_info"][graph[value[0]]["class_type"]]
                assert source["output"][value[1]] == known[key][0]
            elif known[key][0] in ("INT", "FLOAT"):
                assert known[key][1]["min"] <= value <= known[key][1]["max"]


@pytest.mark.parametrize("name", tables().node)
def test_the_table_of_nodes_is_as_recorded(name):
    """Widgets in the order of the declaration, links with their types, outputs."""
    info, node = RECORDED["object_info"][name], tables().node[name]
    specs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
    order = [key for group in ("required", "optional") for key in info["input_order"].get(group, ())]
    widgets: list[str] = []
    for key in order:
        kind, about = specs[key][0], specs[key][1] if len(specs[key]) > 1 else {}
        if isinstance(kind, list) or kind in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"):
            widgets += [key, *(["+fixed"] if about.get("control_after_generate") else [])]
    assert list(node.widgets) == widgets
    assert dict(node.links) == {key: specs[key][0] for key in order if key not in widgets}
    assert list(node.outputs) == ([] if info["output_node"] else info["output"])


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("form", ["api", "ui"])
def test_golden_workflows(target, form):
    """The files hold what was taken by a real ComfyUI (docs/comfyui.md); a change of them has to be tried there again."""
    made = api(picture(target)) if form == "api" else workflow(picture(target))
    assert made == json.loads((GOLDEN / f"{target}_{form}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("target", targets())
def test_the_workflow_for_the_browser_is_the_graph(target):
    """Links and values, put together again by place as the page does it, give the graph for the server."""
    one = replace(picture(target), prompt=Prompt(clip="tags", t5="sentences"))
    made, graph = workflow(one), api(one)
    by_id = {node["id"]: node for node in made["nodes"]}
    names = dict(zip(by_id, graph, strict=True))
    links = {link[0]: link for link in made["links"]}
    assert made["last_node_id"] == len(by_id)
    assert made["last_link_id"] == len(links)
    for number, node in by_id.items():
        known = tables().node[node["type"]]
        inputs = {
            key: value for key, value in zip(known.widgets, node["widgets_values"], strict=True) if key != "+fixed"
        }
        for slot, entry in enumerate(node["inputs"]):
            _, source, output, target_id, target_slot, kind = links[entry["link"]]
            assert (target_id, target_slot, kind) == (number, slot, entry["type"])
            assert entry["link"] in by_id[source]["outputs"][output]["links"]
            inputs[entry["name"]] = [names[source], output]
        assert inputs == graph[names[number]]["inputs"]
    assert len({tuple(node["pos"]) for node in made["nodes"]}) == len(made["nodes"])


def test_clip_and_t5_read_different_texts_in_flux1_and_one_in_flux2():
    text = api(picture())["text"]["inputs"]
    assert text["clip_l"] == "ohwx woman, photo, red coat \\(wool\\), beach"
    assert text["t5xxl"].startswith("ohwx woman, a photo of a woman.")
    sigmas = api(picture())["sigmas"]["inputs"]
    assert (sigmas["steps"], api(picture())["sampler"]["inputs"]["sampler_name"]) == (40, "euler")  # P23
    assert api(picture("flux2-dev"))["text"]["inputs"]["text"].startswith("ohwx woman, a photo")
    assert api(picture("flux2-klein-4b"))["negative"]["inputs"]["text"] == ""


def test_without_a_lora_its_node_is_gone():
    graph = api(replace(picture(), lora=""))
    assert "lora" not in graph
    assert graph["guider"]["inputs"]["model"] == ["unet", 0]
    assert graph["sigmas"]["inputs"]["model"] == ["unet", 0]
    assert all(node["type"] != "LoraLoaderModelOnly" for node in workflow(replace(picture(), lora=""))["nodes"])


@pytest.mark.parametrize(
    "how",
    [
        {"width": 1000},
        {"height": 0},
        {"seed": -1},
        {"seed": 2**64},
        {"steps": 0},
        {"guidance": 101.0},
        {"strength": 101.0},
        {"target": "flux9"},
    ],
    ids=str,
)
def test_numbers_that_comfyui_refuses_or_rounds_are_refused(how):
    with pytest.raises(UsageError):
        api(replace(picture(), **how))


# ---- planning


def test_a_grid_holds_each_picture_once_with_a_name_that_tells():
    base = replace(picture(), lora="")
    texts = [PROMPT, Prompt(clip="a", t5="a", name="Ça va? / 2"), replace(PROMPT, t5="b"), replace(PROMPT, name="same")]
    made = renders(grid(base, prompts=texts, loras=["", "a/ohwx.safetensors", "b\\ohwx.safetensors"], seeds=[1, 2]))
    assert len(made) == len({one.name.lower() for one in made}) == len({one.key for one in made}) == 18
    assert made[0].name == "no-lora__beach__seed1"
    assert made[2].name == "no-lora__Ca-va-2__seed1"
    assert "ohwx__beach__seed1-2" in {one.name for one in made}
    assert [one.picture.lora for one in made] == sorted(one.picture.lora for one in made), "each LoRA is loaded once"


@given(st.text(max_size=200))
def test_a_slug_is_a_file_name_everywhere(text):
    assert re.fullmatch(r"[A-Za-z0-9_-]{0,60}", slug(text))


def test_prompts_from_texts_and_files(tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_text('{"clip": "ohwx, beach", "t5": "ohwx on a beach", "name": "beach"}\n\nohwx in a park\n', "utf-8")
    found = prompts(["one"], None, None, file)
    assert [(one.name, one.clip, one.t5) for one in found] == [
        ("p01", "one", "one"),
        ("beach", "ohwx, beach", "ohwx on a beach"),
        ("p03", "ohwx in a park", "ohwx in a park"),
    ]
    for bad in ('{"clip": 1}', "{", '{"name": "x"}'):
        file.write_text(bad, "utf-8")
        with pytest.raises(UsageError, match=r"prompts\.txt, line 1"):
            prompts(file=file)
    for call in ({}, {"clip": "a"}, {"texts": [" "]}, {"file": tmp_path / "none"}):
        with pytest.raises(UsageError):
            prompts(**call)
    with pytest.raises(UsageError, match="minor"):
        prompts(["a 12 year old, nude"])


# ---- what a server offers


@pytest.mark.parametrize("shape", ["lists", "options"])
def test_both_shapes_of_choices(shape):
    spec = [["a", "b"], {}] if shape == "lists" else ["COMBO", {"options": ["a", "b"]}]
    found = offers({"Node": {"input": {"required": {"x": spec, "y": ["INT", {}]}}}})["Node"]
    assert found.choices == {"x": ("a", "b")}
    assert found.required == {"x", "y"}


def test_what_is_missing_is_told_with_near_names():
    graph = api(picture())
    assert missing(graph, THERE) == ()
    graph["lora"]["inputs"]["lora_name"] = "ohwx_1750.safetensors"
    graph["unet"]["inputs"]["unet_name"] = "other.safetensors"
    told = "\n".join(missing(graph, THERE))
    assert "LoRA ohwx_1750.safetensors is not in models/loras (near: ohwx_000001750.safetensors" in told
    assert "base model other.safetensors is not in models/diffusion_models (there: flux-2-klein" in told
    assert "--lora names another" in told
    old = {name: offer for name, offer in THERE.items() if name != "Flux2Scheduler"}
    assert missing(api(picture("flux2-dev", files={"unet": "flux2_dev_fp8mixed.safetensors"})), old, "0.8.0") == (
        "there is no node Flux2Scheduler: this ComfyUI is too old, it has to be 0.8.0 or newer",
    )
    assert "knows no type 'flux3': this ComfyUI is too old" in "\n".join(
        missing(api(picture("flux3-klein")), THERE, "0.41.0")
    )


def test_a_newer_node_that_wants_more_is_told():
    newer = dict(THERE)
    newer["VAEDecode"] = replace(newer["VAEDecode"], required=newer["VAEDecode"].required | {"tile"})
    assert missing(api(picture()), newer) == (
        "the node VAEDecode wants tile, which fluxcap does not know: this ComfyUI is newer",
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ohwx.safetensors", "ohwx.safetensors"),
        ("ohwx", "ohwx.safetensors"),
        ("sub/b.safetensors", "sub\\b.safetensors"),
        ("b", "sub\\b.safetensors"),
        ("twice", None),
        ("absent", None),
    ],
)
def test_names_are_spelled_as_the_server_does(name, found):
    known = ["ohwx.safetensors", "sub\\b.safetensors", "x/twice.safetensors", "y/twice.safetensors"]
    assert spelling(name, known) == found


def test_of_the_usual_files_the_first_that_is_there_is_taken():
    there = dict(THERE)
    dual = there["DualCLIPLoader"]
    listed = ("clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors")
    there["DualCLIPLoader"] = replace(dual, choices={**dual.choices, "clip_name1": listed, "clip_name2": listed})
    found, told = fitted(picture(), there)
    assert found.files["t5"] == "t5xxl_fp8_e4m3fn.safetensors"
    assert told == ("t5xxl_fp16.safetensors is not there, t5xxl_fp8_e4m3fn.safetensors is taken in its place",)
    named, told = fitted(picture(files={"t5": "mine"}), there)
    assert named.files["t5"] == "mine", "what a person named is not replaced"
    assert told == ()


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=5))
def test_near_names_of_strange_ones(name, known):
    assert set(near(name, known)) <= set(known)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["input", "required", "error", "node_errors", "errors", "status", "messages", "status_str"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_strange_answers_are_told_in_one_line(answer):
    assert "\n" not in refusal(answer)
    if isinstance(answer, dict):
        offers(answer)
        offers({"Node": answer})
        assert "\n" not in breakdown({"status": {"status_str": "error", "messages": answer}})
        breakdown(answer)


# ---- LoRAs


def keys(*names: str, shape: tuple[int, ...] = (4, 3072)) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(names, shape)


@pytest.mark.parametrize(
    "key",
    [
        "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight",  # kohya, fluxgym, musubi-tuner
        "transformer.single_transformer_blocks.37.proj_out.lora_A.weight",  # ai-toolkit, diffusers, SimpleTuner
        "diffusion_model.double_blocks.18.txt_mlp.2.lora_B.weight",  # diffusion-pipe, ai-toolkit's FLUX.2
        "lora_transformer_transformer_blocks_3_attn_to_k.lora_up.weight",  # OneTrainer
        "lycoris_transformer_blocks_3_ff_net_0_proj.lokr_w1",  # SimpleTuner, LyCORIS
        "transformer_blocks.0.attn.to_q.lora_A.default.weight",  # DiffSynth
        "lora_unet_final_layer_linear.alpha",
    ],
)
def test_keys_that_comfyui_knows(key):
    assert fit(keys(key), "flux1-dev").known == 1


@pytest.mark.parametrize(
    "key",
    [
        "lora_unet_input_blocks_4_1_proj_in.lora_up.weight",  # SDXL
        "base_model.model.transformer_blocks.0.attn.to_q.lora_A.weight",  # PEFT's own
        "transformer.transformer_blocks.19.attn.to_q.lora_A.weight",  # FLUX.1 has 19 of them, from 0 on
        "unet.down_blocks.0.attn.lora_A.weight",
        "lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha",
        "",
    ],
)
def test_keys_that_match_nothing(key):
    found = fit(keys(key), "flux1-dev")
    assert found.known == 0
    assert found.useless
    assert "would change nothing" in found.told("x.safetensors", "flux1-dev")


def test_a_lora_for_another_flux_is_told_by_its_width_and_blocks():
    qkv = "lora_unet_double_blocks_7_img_attn_qkv.lora_down.weight"
    assert fit(keys(qkv), "flux2-dev").told("x", "flux2-dev") == (
        "x is for another model: its layers are 3072 wide, those of flux2-dev 6144"
    )
    assert not fit(keys(qkv, shape=(4, 6144)), "flux2-dev").useless
    some = keys(
        "transformer.transformer_blocks.0.attn.to_q.lora_A.weight",
        "transformer.transformer_blocks.5.attn.to_q.lora_A.weight",
    )
    assert fit(some, "flux2-klein-4b").told("x", "flux2-klein-4b") == "1 of 2 keys of x do not belong to flux2-klein-4b"
    assert fit(some, "flux1-dev").told("x", "flux1-dev") == ""
    te = keys("lora_te1_text_model.alpha", "lora_unet_img_in.alpha", shape=())
    assert "are of text encoders and are not loaded" in fit(te, "flux1-dev").told("x", "flux1-dev")


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl_base_v1-0"),
        ({"modelspec.architecture": "flux-1-dev/lora"}, ""),
        ({"ss_base_model_version": "flux1"}, ""),
        ({"modelspec.architecture": "flux2-klein-4b/lora"}, "flux2-klein-4b/lora"),
        ({"name": "ohwx"}, ""),
        ({}, ""),
    ],
)
def test_metadata_of_another_model(said, other):
    assert other_model(said, "flux1-dev") == other


def lora_file(path: Path, tensors: dict[str, list[int]], metadata: dict[str, str] | None = None) -> Path:
    data: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for key, shape in tensors.items():
        data[key] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at]}
    text = json.dumps(data).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    return path


def test_the_header_of_a_file(tmp_path):
    file = lora_file(tmp_path / "a.safetensors", {"lora_unet_img_in.alpha": [], "x": [4, 3072]}, {"name": "ohwx"})
    assert header(file) == ({"lora_unet_img_in.alpha": (), "x": (4, 3072)}, {"name": "ohwx"})


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 16, b"\x05\0\0\0\0\0\0\0{}", struct.pack("<Q", 4) + b"[[1]"])
def test_a_file_that_is_none(tmp_path, data):
    file = tmp_path / "a.safetensors"
    file.write_bytes(data)
    with pytest.raises(FluxcapError, match="is no safetensors file"):
        header(file)
    with pytest.raises(FluxcapError, match="cannot be read"):
        header(tmp_path / "none.safetensors")


@given(st.dictionaries(st.text(max_size=40), st.lists(st.integers(0, 9999), max_size=3).map(tuple), max_size=6))
def test_any_keys(shapes):
    found = fit(shapes, "flux1-dev")
    assert 0 <= found.known <= found.keys
    assert "\n" not in found.told("x", "flux1-dev")
