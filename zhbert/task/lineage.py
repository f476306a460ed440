"""What a model came of, as far as its own folder and the folders beside it can prove.

A manifest names inputs by the hash of their content, not by place. A folder beside the model with that very
content is the input itself, whatever it is called. So in the folder of a recipe the whole way is found; a
model that was moved away tells only of its last training, by `zhbert.json`.
"""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from zhbert.corpus.facts import read_facts, sources_of
from zhbert.errors import UserError
from zhbert.files import LOGS, PAGE, Manifest, read_manifest
from zhbert.model import store
from zhbert.model.card import Leg, Source

TRAININGS = ("pretrain", "finetune")
Past = list[tuple[Path, Manifest]]


def past_of(folder: Path) -> Past:
    """Return the folders that a folder came of, itself the last, each with its manifest."""
    places = sorted(folder.resolve().parent.iterdir())
    beside = {found.content: (place, found) for place in places if (found := read_manifest(place))}
    own = read_manifest(folder)
    todo = [(folder.resolve(), own)] if own else []
    past: dict[Path, Manifest] = {}
    while todo:
        place, manifest = todo.pop(0)
        past.pop(place, None)  # what several came of is older than all of them
        past[place] = manifest
        todo += [beside[content] for content in manifest.inputs.values() if content in beside]
    return list(reversed(past.items()))


def legs_of(past: Past, facts: store.Facts) -> tuple[Leg, ...]:
    """Return the trainings behind a model, the first one first; the last of them at least is known."""
    legs = [
        Leg(
            stage=manifest.stage,
            figures=manifest.settings | _without_places(manifest.counts),
            seconds=_seconds(place) or manifest.seconds,
            versions=manifest.versions,
        )
        for place, manifest in past
        if manifest.stage in TRAININGS
    ]
    return tuple(legs) or _told(facts)


def _told(facts: store.Facts) -> tuple[Leg, ...]:
    """Return the trainings that the model tells of itself."""
    told = _without_places(facts.provenance)
    if facts.task == store.MASKED:
        return (Leg(stage="pretrain", figures={"max_tokens": facts.window} | told),)
    encoder = told.get("encoder")
    before = (Leg(stage="pretrain", figures=encoder),) if isinstance(encoder, dict) else ()
    return (*before, Leg(stage="finetune", figures=told))


def portable(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a model tells of itself without the places at which things lay on this machine.

    >>> portable({"init": "/home/li/runs/encoder", "encoder": {"init": "hfl/rbt3"}})
    {'init': 'encoder', 'encoder': {'init': 'hfl/rbt3'}}
    """
    return _without_places(facts)


def _without_places(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_places(value)
        if isinstance(value, dict)
        else Path(value).name
        if key in ("init", "encoder") and isinstance(value, str) and not store.is_hub_name(value)
        else value
        for key, value in facts.items()
    }


def _seconds(folder: Path) -> float | None:
    """Return how long a training took, all its restarts together, by the last row of its log."""
    path = folder / LOGS / "metrics.jsonl"
    rows = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for row in reversed(rows):
        if '"seconds"' in row:
            return float(json.loads(row)["seconds"])
    return None


def card_of(past: Past) -> str:
    """Return the data card, beside a model, of the documents that it came of; empty where there is none."""
    built = {manifest.content for _, manifest in past if manifest.stage == "corpus build"}
    beside = (place for folder in {place.parent for place, _ in past} for place in sorted(folder.iterdir()))
    for place in beside:
        manifest = read_manifest(place)
        if manifest and manifest.stage == "corpus report" and built & set(manifest.inputs.values()):
            return f"{place.name}/{PAGE}"
    return ""


def text_of(past: Past) -> tuple[Source, ...]:
    """Return what text the documents behind a model have, folders of many files as one, the largest first."""
    documents: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for place, manifest in past:
        if manifest.stage == "corpus build":
            with suppress(UserError):  # a folder that lost its account tells nothing
                for row in sources_of(read_facts(place, "corpus build")[1], None, {}):
                    name = row.name.partition("/")[0]
                    documents[name] += row.kept.documents
                    characters[name] += row.kept.characters
    names = sorted(documents, key=lambda name: (-characters[name], name))
    return tuple(Source(name=name, documents=documents[name], characters=characters[name]) for name in names)
