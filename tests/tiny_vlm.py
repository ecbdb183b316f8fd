"""A tiny vision language model of a real architecture (Idefics3, LLaVA), with random weights and a tokenizer made here.

It says nothing sensible, but takes pictures and questions as the large ones do. Needs torch and transformers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIDE, PATCH = 56, 14
WORDS = ("<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ raise_exception('no system') }}{% endif %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""As some older models have it: no system message, content as plain text, the picture's mark in the text."""


def tokenizer(template: str = TEMPLATE) -> Any:
    """Bytes as tokens, the marks of chat and pictures besides: 279 tokens and the places of Idefics3's tiles."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<pad>", "<s>", "</s>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", *WORDS]
    marks += [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    vocabulary = {word: number for number, word in enumerate([*marks, *letters])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(  # as Llama's: text begins with <s> unless told otherwise
        single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=[mark for mark in marks if mark not in {"<pad>", "<s>", "</s>"}],
    )
    fast.chat_template = template
    return fast


def make(folder: Path, *, kind: str = "idefics3", template: str = TEMPLATE, seed: int = 0, reads: int = 8192) -> Path:
    """Writes the model into ``folder`` (config, tokenizer, processor, safetensors); ``reads``: tokens it can read."""
    import torch

    torch.manual_seed(seed)
    words = tokenizer(template)
    text = {
        "vocab_size": len(words),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": reads,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "initializer_range": 0.3,  # large, so that answers vary with the picture
    }
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
        "initializer_range": 0.3,
    }
    model, processor = (_idefics3 if kind == "idefics3" else _llava)(words, text, vision)
    model.generation_config.pad_token_id = words.pad_token_id
    model.generation_config.eos_token_id = words.eos_token_id
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _idefics3(words: Any, text: dict[str, Any], vision: dict[str, Any]) -> tuple[Any, Any]:
    """Pictures become tiles, as many as their size asks for, so prompts differ in length."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    scale = 2
    config = Idefics3Config(
        vision_config=vision,
        text_config={"model_type": "llama", **text},
        scale_factor=scale,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )
    pixels = Idefics3ImageProcessorPil(size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE})
    processor = Idefics3Processor(
        pixels, words, image_seq_len=(SIDE // PATCH // scale) ** 2, chat_template=words.chat_template
    )
    return Idefics3ForConditionalGeneration(config), processor


def _llava(words: Any, text: dict[str, Any], vision: dict[str, Any]) -> tuple[Any, Any]:
    """Every picture is squashed to one square."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "projection_dim": 32, **vision},
        text_config={"model_type": "llama", **text},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    pixels = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE}, do_center_crop=False
    )
    processor = LlavaProcessor(
        pixels,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=words.chat_template,
    )
    return LlavaForConditionalGeneration(config), processor


QWEN_TEMPLATE = TEMPLATE.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")
QWEN_WORDS = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
QWEN_4B: dict[str, dict[str, Any]] = {
    "text": {
        "vocab_size": 151_936,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "max_position_embeddings": 262_144,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000,
            "mrope_section": [24, 20, 20],
            "mrope_interleaved": True,
        },
    },
    "vision": {
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_heads": 16,
        "out_hidden_size": 2560,
        "deepstack_visual_indexes": [5, 11, 17],
    },
}
"""The sizes of Qwen3-VL-4B (its config.json)."""
QWEN_TINY: dict[str, dict[str, Any]] = {
    "text": {
        "vocab_size": 400,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 8192,
        "rope_parameters": {"rope_type": "default", "mrope_section": [4, 2, 2], "mrope_interleaved": True},
        "initializer_range": 0.3,
    },
    "vision": {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 64,
        "deepstack_visual_indexes": [0, 1],
        "initializer_range": 0.3,
    },
}


def qwen(sizes: dict[str, dict[str, Any]], *, device: str = "cpu", dtype: str = "float32", seed: int = 0) -> Any:
    """(model, processor) of Qwen3-VL's architecture in memory, with random weights; no torchvision is needed.

    Its processor reads videos too, for which transformers wants torchvision; here it is left without that part, so it can
    not be written to a folder.
    """
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    class Pictures(Qwen3VLProcessor):
        def check_argument_for_proper_class(self, *_arguments: Any) -> Any:
            return None

    words = tokenizer(QWEN_TEMPLATE)
    words.add_special_tokens({"additional_special_tokens": list(QWEN_WORDS)})
    number = words.convert_tokens_to_ids
    config = Qwen3VLConfig(
        text_config=sizes["text"],
        vision_config=sizes["vision"],
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        torch.manual_seed(seed)
        with torch.device(device):
            model = Qwen3VLForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(before)
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    pixels = Qwen2VLImageProcessorPil(patch_size=16, temporal_patch_size=2, merge_size=2)
    processor = Pictures(pixels, words, None, chat_template=words.chat_template)
    processor.tokenizer.padding_side = "left"
    return model, processor
