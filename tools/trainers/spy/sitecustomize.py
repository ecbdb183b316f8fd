"""Python runs this when it starts and finds it on PYTHONPATH: it notes what a trainer gives to its tokenizers.

``FLUXCAP_SPY`` names the file of notes: one JSON line a call, with the texts and the numbers of their tokens.
``FLUXCAP_STAND_INS`` names packages that cannot be had here and that the run does not need. Nothing else is changed.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import json
import os
import sys
from pathlib import Path

WATCHED = "transformers.tokenization_utils_base"


def watch(module) -> None:
    """Wrap the one call that all tokenizers of transformers are used by."""
    tokenizer = module.PreTrainedTokenizerBase
    plain = tokenizer.__call__

    @functools.wraps(plain)
    def noted(self, text=None, *arguments, **options):
        made = plain(self, text, *arguments, **options)
        ids = made["input_ids"]
        line = {
            "tokenizer": type(self).__name__,
            "texts": [text] if isinstance(text, str) else list(text or []),
            "ids": ids.tolist() if hasattr(ids, "tolist") else ids,
            "pad": self.pad_token_id,
        }
        with Path(os.environ["FLUXCAP_SPY"]).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(line) + "\n")
        return made

    tokenizer.__call__ = noted


class Watch(importlib.abc.MetaPathFinder):
    """Lets the module load as ever, and wraps the call then."""

    def find_spec(self, name, path=None, target=None):
        if name != WATCHED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            watch(module)

        spec.loader.exec_module = exec_module
        return spec


if os.environ.get("FLUXCAP_SPY"):
    sys.meta_path.insert(0, Watch())
if os.environ.get("FLUXCAP_STAND_INS"):
    at = Path(__file__).resolve().parents[1] / "stand_ins.py"
    made = importlib.util.spec_from_file_location("fluxcap_stand_ins", at)
    stand_ins = importlib.util.module_from_spec(made)
    made.loader.exec_module(stand_ins)
    stand_ins.install(os.environ["FLUXCAP_STAND_INS"].split(","))
