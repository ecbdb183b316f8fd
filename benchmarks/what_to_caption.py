"""Whether captions say what should be said: bound traits left out, free ones said, nothing false.

    python benchmarks/what_to_caption.py [PHOTOS_DIR] [--json] [--seed N] [--rounds N] [--wrong] [--captions]

No picture is looked at: the labels of 115 photographs (``labelled.py``, labels.csv in PHOTOS_DIR, default ../shared/photos) are given to
the stages as observations, perfect ones or with errors put in at random, and the real path is walked: Evidence -> resolve -> bind ->
judge -> to_say -> compose. ``one_subject.py`` makes one subject of the many persons; the labels as they are are run too. What is true
comes from the labels, what should be said from the trait table and those true values (``caption_judge.gold_plan``), and
every caption is judged by its text (``caption_judge.judge``). The measures:

leak            captions that name the usual value of a bound trait (any value, where none is usual), of all captions. Found by
                reading the text (``fluxcap.vocabulary.read``) or by a word that only this value has.
free recall     free traits with a known true value that the text says, of all of them. *By words*: an accepted wording, or each thing
                of the value with its words in order; *by reading*: only the reader finds it; *by spans*: only the composer says so.
deviations      the same for bound traits that are clearly different in a picture (the wig): they are to be said.
contradictions  statements with another value than the label's (a neighbouring value too), of all statements that the label can judge.
                Beside it the captions with one, of all captions. Attribute precision is 1 - contradictions.
order           Kendall's tau between the places of the traits in the text and the trait table's order, mean over the captions.
trigger         captions that begin with the trigger word, and that hold it exactly once.
talk            captions with a negation, a hedge or a preamble ('no hat', 'seems', 'this image').
words, T5, CLIP median, least and most per caption; tokens with special tokens, exact with ../shared/data/tokenizers, else estimates (≈).
cut             captions with more tokens than CLIP reads (77).
identical       captions that another picture of the set has too.
common          fragments that 80 % of the captions share, apart from trigger word, class word and medium (``caption_judge.fragments``).
slips           (the judge itself) wrong values that the composer was given and said, and how many of them the judge calls contradictions.
unlabelled      (--json) statements about what the label could not tell; they are in no share.

Targets: on observations without errors leak 0, free recall 100 %, deviations said, contradictions 0, order 1.0, trigger first and once, no
talk; with 10 % errors in one source and two without, contradictions in at most 1 % of the statements and of the captions.
Two baselines run on the same observations: *everything* (preset everything) and *tags* (trigger word, then all tags of all traits).
Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

from caption_figures import Row, Writer, Written, figures, table, targets
from caption_judge import Plan, fragments, gold_plan
from caption_judge import judge as judge_text
from caption_scenarios import CLEAN, SCENARIOS, SETS, Scenario, Set, observe
from labelled import PHOTOS, Labelled, labelled
from one_subject import one_subject, pool

from fluxcap.bind import bind, judge, to_say
from fluxcap.compose import Wording, compose
from fluxcap.resolve import resolve
from fluxcap.tokens import locate
from fluxcap.types import Caption, Trait

TOKENIZERS = PHOTOS.parent / "data" / "tokenizers"
TRIGGER = "ohwx"


def captions(traits: Sequence[Mapping[str, Trait]], preset: str, class_word: str) -> Iterator[Caption]:
    """The captions of a set, from what is known of its pictures: bind, judge, to_say and compose."""
    bindings = bind(traits, preset)
    wording = Wording(trigger=TRIGGER, class_word=class_word, preset=preset)
    for known in traits:
        verdicts = judge(known, bindings)
        said = to_say(verdicts)
        image_id = next((trait.image_id for trait in known.values()), "")
        yield compose(said, wording, image_id, {slot: verdicts[slot].tags for slot in said})


def tag_list(traits: Mapping[str, Trait]) -> str:
    """The trigger word and all tags of all traits, in the trait table's order (a tagger's own would be by confidence)."""
    tags = dict.fromkeys(tag.replace("_", " ") for trait in traits.values() for tag in trait.tags)
    return ", ".join((TRIGGER, *tags))


def _texts(traits: Sequence[Mapping[str, Trait]], one: Set, writer: Writer) -> list[Caption]:
    if writer == "tags":
        return [Caption(image_id="", text=tag_list(known), spans=(), tags=(), author="elsewhere") for known in traits]
    return list(captions(traits, one.preset if writer == "fluxcap" else "everything", one.class_word))


def run_set(
    labels: Sequence[Labelled],
    one: Set,
    scenarios: Iterable[Scenario],
    seed: int,
    rounds: int,
    *,
    baselines: bool = True,
) -> Iterator[Row]:
    """The rows of one set; scenarios with errors are drawn ``rounds`` times, with seeds from ``seed`` on."""
    pictures = one_subject(labels, one.kind)
    values = pool(pictures, labels)
    plan = gold_plan([picture.values for picture in pictures], one.preset, values)
    for scenario in scenarios:
        writers: tuple[Writer, ...] = (
            ("fluxcap", "everything", "tags") if baselines and scenario is CLEAN else ("fluxcap",)
        )
        written: dict[Writer, list[Written]] = {writer: [] for writer in writers}
        common: dict[Writer, list[Mapping[str, float]]] = {writer: [] for writer in writers}
        for draw in range(rounds if scenario.errs else 1):
            evidence, wrong = observe(pictures, scenario.sources, values, random.Random(seed + draw))
            traits = [resolve(claims) for claims in evidence]
            for writer in writers:
                made = _texts(traits, one, writer)
                written[writer] += _judged(made, pictures, traits, plan, wrong, draw)
                template = ("photo", "person", *one.class_word.split())
                common[writer].append(fragments([caption.text for caption in made], TRIGGER, template))
        for writer in writers:
            shared = {
                piece: statistics.mean(each.get(piece, 0.0) for each in common[writer])
                for each in common[writer]
                for piece in each
            }
            yield Row(set=one, scenario=scenario, writer=writer, written=tuple(written[writer]), common=shared)


def _judged(
    made: Sequence[Caption],
    pictures: Sequence[Labelled],
    traits: Sequence[Mapping[str, Trait]],
    plan: Plan,
    wrong: Sequence[Mapping[str, Sequence[str]]],
    draw: int,
) -> Iterator[Written]:
    for caption, picture, known, errors in zip(made, pictures, traits, wrong, strict=True):
        spans, tags = caption.spans, not caption.spans
        found = judge_text(caption.text, picture.values, plan, trigger=TRIGGER, spans=spans, wrong=errors, tags=tags)
        slips = frozenset(
            span.slot for span in spans if span.slot in errors and known[span.slot].value in errors[span.slot]
        )
        yield Written(picture=picture.name, round=draw, judged=found, slips=slips)


def _print(found: Sequence[Mapping[str, Any]], rounds: int) -> None:
    print("\n".join(table(found)))
    print("\nscenarios (those with errors drawn", rounds, "times):")
    print("\n".join(f"  {one.name:12}{one.title}" for one in SCENARIOS))
    ours = Counter[str]()
    for one in found:
        if one["writer"] == "fluxcap" and one["scenario"] == CLEAN.name:
            ours.update(one["free_judged_by"])
    print(
        "\nfree traits of the clean captions, found by: "
        + ", ".join(f"{how} {ours[how]}" for how in ("words", "reading", "span", "not"))
    )
    slips, seen = (sum(one[key] for one in found) for key in ("slips", "slips_seen"))
    print(f"wrong values that captions were made to say: {slips}, of these seen by the judge: {seen}")
    for one in found:
        if one["scenario"] == CLEAN.name and one["common"]:
            listed = ", ".join(f"{piece} {share:.0%}" for piece, share in one["common"].items())
            print(f"common in {one['set']} by {one['writer']}: {listed}")
    print()
    for told, reached in targets(found).items():
        print(f"{'reached' if reached else 'NOT reached':13}{told}")


def wrong(rows: Iterable[Row]) -> Iterator[str]:
    """What fluxcap's captions have wrong, one line each."""
    for row in (each for each in rows if each.writer == "fluxcap"):
        for one in row.written:
            judged = one.judged
            found = [f"{slot} leaks (by {how})" for slot, how in judged.leaks.items()]
            found += [
                f"{said.slot}: says {said.said}, label {said.gold} ({said.verdict})"
                for said in judged.statements
                if said.contradicts
            ]
            if not row.scenario.errs:
                found += [f"{slot} not said" for slot, how in (judged.free | judged.deviations).items() if how == "not"]
                found += [f"order {judged.tau:.2f}"] if judged.tau not in (None, 1.0) else []
            if found:
                yield f"{row.set.name} {row.scenario.name} {one.picture}: {'; '.join(found)}\n    {judged.text}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of the errors (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="how often errors are drawn (default 3)")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong in fluxcap's captions")
    parser.add_argument("--captions", action="store_true", help="print the captions on clean observations")
    chosen = parser.parse_args(arguments)
    if not (chosen.photos / "labels.csv").is_file():
        print(f"skipped: no labelled photographs at {chosen.photos}", file=sys.stderr)
        return 0
    labels = labelled(chosen.photos)
    where = locate(TOKENIZERS if TOKENIZERS.is_dir() else None, fetch=False)
    rows = [row for one in SETS for row in run_set(labels, one, SCENARIOS, chosen.seed, max(1, chosen.rounds))]
    found = [figures(row, where) for row in rows]
    met = targets(found)
    if chosen.json:
        told = {"seed": chosen.seed, "rounds": chosen.rounds, "rows": found, "targets": met}
        print(json.dumps(told | {"sets": [asdict(one) for one in SETS]}, indent=1, ensure_ascii=False))
        return 0 if all(met.values()) else 1
    if chosen.captions:
        for row in rows:
            if not row.scenario.errs:
                print("\n".join(f"{row.set.name} {row.writer} {one.picture}: {one.judged.text}" for one in row.written))
    _print(found, max(1, chosen.rounds))
    if chosen.wrong:
        print("\n" + "\n".join(wrong(rows)))
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
