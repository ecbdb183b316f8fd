"""Writes a tiny FLUX.1 with random weights (17 MB): the real architecture, one layer of each kind, the real tokenizers.

    python tools/trainers/tiny_flux.py TOKENIZERS OUT

TOKENIZERS holds ``clip/`` (vocab.json, merges.txt) and ``t5/`` (tokenizer.json). Needs torch, transformers and diffusers.
It learns nothing sensible, but trainers load it, encode with it, train it and sample from it as they do with the large one.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

WIDTH = 32


def write_tokenizers(source: Path, out: Path) -> None:
    for name, folder in (("tokenizer", "clip"), ("tokenizer_2", "t5")):
        shutil.copytree(source / folder, out / name, copy_function=shutil.copyfile)
    clip = {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
    }  # fmt: skip
    t5 = {
        "tokenizer_class": "T5TokenizerFast", "model_max_length": 512, "extra_ids": 100, "eos_token": "</s>",
        "unk_token": "<unk>", "pad_token": "<pad>",
    }  # fmt: skip
    for name, settings in (("tokenizer", clip), ("tokenizer_2", t5)):
        (out / name / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def write_model(out: Path) -> None:
    torch.manual_seed(0)
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2}
    clip = CLIPTextConfig(
        hidden_size=WIDTH, intermediate_size=WIDTH, projection_dim=WIDTH, vocab_size=49408, eos_token_id=49407, **layers
    )
    t5 = T5Config(d_model=WIDTH, d_ff=WIDTH, d_kv=16, num_layers=1, num_heads=2, vocab_size=32128)
    parts = {
        "text_encoder": CLIPTextModel(clip),
        "text_encoder_2": T5EncoderModel(t5),
        "transformer": FluxTransformer2DModel(
            in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=WIDTH, pooled_projection_dim=WIDTH, axes_dims_rope=(4, 4, 8), guidance_embeds=True,
        ),
        "vae": AutoencoderKL(
            block_out_channels=(4, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4, norm_num_groups=4,
            up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159,
            use_quant_conv=False, use_post_quant_conv=False, sample_size=256,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    }  # fmt: skip
    for name, part in parts.items():
        part.save_pretrained(out / name)
    library = {"text_encoder": "transformers", "text_encoder_2": "transformers"}
    index = {name: [library.get(name, "diffusers"), type(part).__name__] for name, part in parts.items()}
    index |= {"tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "T5TokenizerFast"]}
    index |= {"_class_name": "FluxPipeline", "_diffusers_version": "0.36.0"}  # type: ignore[dict-item]
    (out / "model_index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


if __name__ == "__main__":
    tokenizers, made = Path(sys.argv[1]), Path(sys.argv[2])
    write_tokenizers(tokenizers, made)
    write_model(made)
