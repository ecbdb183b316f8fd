"""Writes a FLUX.1 of a few thousand numbers, all random, with tokenizers of single letters: ``python tiny_flux.py OUT``.

Runs in a trainer's environment (torch, transformers, diffusers). It learns nothing, but the real scripts load and train it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
START, END = "<|startoftext|>", "<|endoftext|>"
OUT = Path(sys.argv[1])


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


vocabulary = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), START, END]
write_json(OUT / "tokenizer" / "vocab.json", {word: place for place, word in enumerate(vocabulary)})
(OUT / "tokenizer" / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
write_json(
    OUT / "tokenizer" / "tokenizer_config.json",
    {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
    },
)

pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((chr(sign), -3.0) for sign in range(33, 127))]
t5 = Tokenizer(models.Unigram(pieces, unk_id=2))
t5.pre_tokenizer = pre_tokenizers.Metaspace()
t5.decoder = decoders.Metaspace()
t5.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
(OUT / "tokenizer_2").mkdir()
t5.save(str(OUT / "tokenizer_2" / "tokenizer.json"))
write_json(
    OUT / "tokenizer_2" / "tokenizer_config.json",
    {
        "tokenizer_class": "T5TokenizerFast",
        "model_max_length": 512,
        "extra_ids": 0,
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    },
)

torch.manual_seed(0)
size = {"num_hidden_layers": 1, "num_attention_heads": 2}
clip = CLIPTextConfig(
    hidden_size=32,
    intermediate_size=32,
    projection_dim=32,
    vocab_size=len(vocabulary),
    eos_token_id=len(vocabulary) - 1,
    **size,
)
parts = {
    "text_encoder": CLIPTextModel(clip),
    "text_encoder_2": T5EncoderModel(T5Config(d_model=32, d_ff=32, d_kv=16, num_layers=1, num_heads=2, vocab_size=128)),
    "transformer": FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    ),
    "vae": AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=16,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ),
    "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
}
for name, part in parts.items():
    part.save_pretrained(OUT / name)
index = {name: ["transformers" if "text" in name else "diffusers", type(part).__name__] for name, part in parts.items()}
index |= {"tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "T5TokenizerFast"]}
write_json(OUT / "model_index.json", {"_class_name": "FluxPipeline", "_diffusers_version": "0.40.0", **index})
