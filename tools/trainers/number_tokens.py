"""Numbers texts with the tokenizers of a model in diffusers' layout, as the trainer's own environment has them.

    python number_tokens.py MODEL LENGTH < texts.json

Prints what the spy notes: one JSON line for each tokenizer and text. LENGTH is what T5 reads.
"""

from __future__ import annotations

import json
import sys

from transformers import CLIPTokenizer, T5TokenizerFast

model, length = sys.argv[1], int(sys.argv[2])
tokenizers = [
    (CLIPTokenizer.from_pretrained(model, subfolder="tokenizer"), 77),
    (T5TokenizerFast.from_pretrained(model, subfolder="tokenizer_2"), length),
]
for text in json.load(sys.stdin):
    for tokenizer, limit in tokenizers:
        ids = tokenizer(text, max_length=limit, truncation=True)["input_ids"]
        line = {"tokenizer": type(tokenizer).__name__, "texts": [text], "ids": ids, "pad": tokenizer.pad_token_id}
        print(json.dumps(line))
