"""Fits the constants of the token estimate (``[[encoder]] estimate`` in ``data/limits.toml``) against real tokenizer files.

    PYTHONPATH=src python benchmarks/fit_token_estimate.py FOLDER [encoder ...] [--quantile 0.9]

FOLDER holds the files as ``clip/`` and ``t5/``. Thousands of captions are put together at random from the phrases below, in the
shape fluxcap writes them and in looser ones. The costs are fitted by least squares; the margin by which the
sum is raised makes 9 of 10 captions come out no lower than they are: an estimate that errs should err high.
The captions of ``tests/test_tokens.py`` are other ones, so the test is not the fit.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fluxcap import tokens

FEATURES = ("word", "long", "consonants", "digit", "mark")
"""The columns of the fit, in the order of :func:`features`."""

TRIGGERS = ["ohwx", "sks", "mrgtrbb", "p3r5on", "zxcvb man", "vlnt style", "Jessica", "tok", "anna", "kelvyn"]
MEDIA = [
    "A photo of",
    "A render of",
    "An oil painting of",
    "A pencil drawing of",
    "A black and white photo of",
    "An anime picture of",
]
SUBJECTS = [
  "a happy, mid-twenties woman", "a serious, elderly man", "a young girl", "a tired, middle-aged man", "a teapot", "a dog",
  "a melancholic woman in her forties", "a vintage motorcycle", "a knight", "a cheerful teenager", "a ceramic vase", "a dancer",
]  # fmt: skip
WITH = [
  "with long blonde hair with bangs", "with short curly brown hair", "with a shaved head", "with grey hair tied in a bun",
  "with dark wavy shoulder-length hair", "with pink twin tails", "with a full beard", "with a thin moustache and freckles",
  "with black braids", "with pointed ears and small horns", "with a dragon tattoo on the left arm", "with wet hair",
]  # fmt: skip
SCENES = [
  "She is standing in front of a circus.", "He is sitting on a wooden bench in a park.", "She is walking along a rainy street at night.",
  "He is leaning against a brick wall.", "It stands on a marble table next to a window.", "She is holding a cup of coffee in both hands.",
  "He is playing an acoustic guitar on a small stage.", "She is lying on a striped beach towel.", "A crowd of people is behind her.",
  "The background is plain white.", "The background shows blurred city lights and passing cars.", "The word 'OPEN' is visible on a sign.",
  "He is riding a bicycle across a bridge at sunset.", "Mountains and a lake are in the distance.", "She is cooking in a narrow kitchen.",
  "A golden retriever is lying at his feet.", "They are sitting at a table with bread, cheese and grapes.", "It is snowing.",
]  # fmt: skip
WORN = [
  "She is wearing a black business suit with white collar shirt underneath.", "He is wearing a red plaid flannel shirt and blue jeans.",
  "She is wearing a sleeveless turquoise summer dress and straw hat.", "He wears round glasses and a silver necklace.",
  "She is wearing hoop earrings, a choker and leather gloves.", "He is wearing a navy turtleneck sweater under a beige trench coat.",
  "She is wearing heavy eyeliner and dark red lipstick.", "He is wearing a hooded raincoat and rubber boots.", "She is barefoot.",
  "He is wearing an embroidered kimono with a yellow sash.", "She wears a knitted scarf and a woollen beanie.",
]  # fmt: skip
FACE = [
  "Her mouth is open and smiling.", "Her blue eyes are open.", "His lips are parted.", "His eyes are closed.", "She is laughing.",
  "He looks surprised, with raised eyebrows.", "Her mouth is closed with a slight smile.", "His green eyes are half-closed.",
]  # fmt: skip
TAGS = [
  "front view", "natural lighting", "from side", "looking at viewer", "upper body", "close-up", "three-quarter view", "eye level",
  "from below", "soft lighting", "backlighting", "blurry background", "full body", "looking to the side", "profile", "low-key lighting",
  "shallow depth of field", "cowboy shot", "rim light", "film grain", "looking_at_viewer", "depth_of_field", "35mm", "f/1.8",
]  # fmt: skip
THINGS = [
  "chandelier", "typewriter", "chess", "lighthouse", "harbor", "orchard", "butterfly", "peacock", "barrel",
  "ladder", "compass", "telescope", "courtyard", "billboard", "cactus", "palm", "bamboo", "mushroom", "pumpkin",
  "puddle", "warehouse", "surfboard", "helicopter", "tractor", "elephant", "squirrel", "astronaut", "firefighter",
  "ballerina", "samurai", "jester", "mermaid", "spaceship", "dashboard", "bucket", "trophy", "barn", "anchor",
  "clown", "postcard", "envelope", "keyboard", "monitor", "projector", "fountain", "statue", "pyramid", "pond",
  "swan", "duck", "goat", "cow", "lion", "tiger", "bear", "rabbit", "parrot", "turtle", "shark", "whale", "snake",
  "spider", "lizard", "banana", "grape", "cherry", "pizza", "burger", "waffle", "pancake", "cupcake", "jar",
  "bowl", "fork", "plate", "cushion", "blanket", "rug", "vendor", "waiter", "nurse", "pilot", "judge", "priest",
  "nun", "monk", "pirate", "cyclist", "boxer", "goalkeeper", "drummer", "violinist", "conductor",
]  # fmt: skip


FLOOR = (1.0, 0.1, 0.5, 0.5, 1.0)
"""No cost gets below these, so that a kind that is rare here does not come for nothing."""


def caption(rng: random.Random) -> str:
    """One caption: opening, some sentences, a tail of tags; sometimes a part is left out."""
    opening = f"{rng.choice(TRIGGERS)}, {rng.choice(MEDIA)} {rng.choice(SUBJECTS)}"
    if rng.random() < 0.7:
        opening += f", {rng.choice(WITH)}"
    parts = [opening + "."]
    for pool, most in ((SCENES, 4), (WORN, 2), (FACE, 2)):
        parts += rng.sample(pool, rng.randint(0, most))
    if rng.random() < 0.3:
        parts.append(f"There is a {rng.choice(THINGS)} next to the {rng.choice(THINGS)}.")
    parts.append(", ".join(rng.sample(TAGS, rng.randint(0, 5))))
    text = " ".join(part for part in parts if part)
    return text.lower() if rng.random() < 0.1 else text


def features(text: str, known: Mapping[str, int]) -> list[float]:
    """How often each cost counts in the text, then the sum of the words whose cost is known."""
    row, sure = dict.fromkeys(FEATURES, 0.0), 0.0
    for _, word, parts in tokens.units(text):
        if word in known:
            sure += known[word]
            continue
        for kind, amount in parts.items():
            row[kind] += amount
    return [*(row[kind] for kind in FEATURES), sure]


def main() -> None:
    """Fits and prints one line of TOML for each encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("encoders", nargs="*", default=["clip", "t5"])
    parser.add_argument("--quantile", type=float, default=0.9)
    given = parser.parse_args()
    rng = random.Random(0)
    texts = [text for text in (caption(rng) for _ in range(4000)) if 20 <= len(text.split()) <= 100]
    ordinary = slice(0, len(texts))
    texts += [name for name in TRIGGERS for _ in range(40)]
    where = tokens.locate(given.folder, fetch=False)
    for name in given.encoders:
        tool = tokens.encoder(name)
        counter = tokens.counter(tool, where)
        if counter is None:
            raise SystemExit(f"no {name} tokenizer in {given.folder}")
        matrix = np.array([features(text, tool.words) for text in texts])
        fixed, matrix = matrix[:, -1], matrix[:, :-1]
        real = np.array([len(counter(text)) for text in texts], dtype=float)
        costs = np.maximum(np.linalg.lstsq(matrix, real - fixed, rcond=None)[0], FLOOR)
        guess = matrix @ costs + fixed
        margin = max(1.0, np.quantile((real / guess)[ordinary], given.quantile))
        ratio = (guess * margin / real)[ordinary]
        low, high = np.quantile(ratio, [0.005, 0.995])
        print(
            f"{name}: 99 of 100 are off by {low - 1:+.1%} to {high - 1:+.1%}, mean {ratio.mean() - 1:+.1%}, too low {np.mean(ratio < 1):.0%}"
        )
        parts = [f"{kind} = {cost:.2f}" for kind, cost in zip((*FEATURES, "margin"), (*costs, margin), strict=True)]
        print("estimate = { " + ", ".join(parts) + " }")


if __name__ == "__main__":
    main()
