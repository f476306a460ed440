"""What `corpus build` and `encode` left in facts.json, as the records of a data card.

A block that a stage did not write (no guard, no near-duplicates) is simply not there, and neither is its
part of the card.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from zhbert.clean.filters import REASONS
from zhbert.clean.steps import Steps
from zhbert.corpus.datacard import (
    READ,
    Amount,
    Cluster,
    Clusters,
    Double,
    Excerpt,
    Guarded,
    GuardSet,
    Histogram,
    ReasonRow,
    Shards,
    SharedRun,
    Side,
    SourceRow,
    StepRow,
    ranked,
)
from zhbert.errors import DataError, UserError
from zhbert.files import Manifest, read_manifest

Facts = Mapping[str, Any]
FACTS = "facts.json"
_COUNTED = ("documents", "tokens", "words", "in_phrases", "in_entities", "unknown")
_SETTING = {"near duplicates": "similarity", "paragraphs": "paragraphs"}


def read_facts(folder: Path, stage: str) -> tuple[Manifest, Facts]:
    """Return how a stage's folder came about and what was counted on the way."""
    manifest, path = read_manifest(folder), folder / FACTS
    if manifest is None or manifest.stage != stage:
        raise DataError(f"not the output of zhbert {stage}", where=folder, remedy="check the path")
    if not path.is_file():
        what = f"there is no {FACTS} in it"
        raise DataError(what, where=folder, remedy=f"run zhbert {stage} again with this version")
    found: Facts = json.loads(path.read_text(encoding="utf-8"))
    return manifest, found


def amount(counts: Facts) -> Amount:
    """Return documents and characters, 0 where they were not counted."""
    return Amount(documents=counts.get("documents", 0), characters=counts.get("characters", 0))


def steps_of(facts: Facts) -> tuple[StepRow, ...]:
    """Return what went into every step and came out of it."""
    return tuple(
        StepRow(
            step=row["step"],
            before=Amount(documents=row["documents_in"], characters=row["characters_in"]),
            after=Amount(documents=row["documents_out"], characters=row["characters_out"]),
            reasons=dict(row.get("reasons", {})),
            changes=dict(row.get("changes", {})),
        )
        for row in facts.get("steps", [])
    )


def kept_of(facts: Facts) -> Amount:
    """Return what came out in the end."""
    steps = steps_of(facts)
    return amount(facts["kept"]) if "kept" in facts else steps[-1].after if steps else Amount()


def sources_of(facts: Facts, tokens: Mapping[str, int] | None, lines: Mapping[str, str]) -> list[SourceRow]:
    """Return what every source gave, the largest first, with its tokens and its licence."""
    rows = [
        SourceRow(
            name=name,
            read=amount(row.get("read", {})),
            kept=amount(row.get("kept", {})),
            tokens=None if tokens is None else tokens.get(name, 0),
            licence=lines.get(name, ""),
        )
        for name, row in facts.get("sources", {}).items()
    ]
    return sorted(rows, key=lambda row: (-row.read.characters, row.name))


def reasons_of(facts: Facts, settings: Facts) -> tuple[ReasonRow, ...]:
    """Return why documents were left out, step by step, the most frequent reason of a step first."""
    examples, rules = facts.get("examples", {}), rules_of(settings)
    bad = facts.get("read", {}).get("bad", {})
    rows = [(READ, reason, count, reason) for reason, count in ranked(bad)]
    rows += [
        (step.step, reason, count, f"{step.step}: {reason}")
        for step in steps_of(facts)
        for reason, count in ranked(step.reasons)
    ]
    return tuple(
        ReasonRow(
            step=step,
            reason=reason,
            documents=count,
            rule=rules.get((step, reason)) or rules.get((step, ""), ""),
            examples=tuple(map(excerpt, examples.get(key, []))),
        )
        for step, reason, count, key in rows
        if count
    )


def rules_of(settings: Facts) -> dict[tuple[str, str], str]:
    """Return the setting behind each reason of a filter, and behind each step of the build itself.

    >>> rules_of({"steps": ["filter min_han=0.5"], "similarity": 0.75})[("filter", "too little Han")]
    'min_han = 0.5'
    """
    rules = {(step, ""): f"{key} = {settings[key]}" for step, key in _SETTING.items() if key in settings}
    with suppress(UserError):  # steps of another version: their reasons stand without the setting
        steps = Steps(settings.get("steps", []))
        for name, bounds in zip(steps.names, steps.settings, strict=True):
            for key, bound in bounds.items():
                if key in REASONS:
                    rules.setdefault((name, REASONS[key]), f"{key} = {bound}")
    return rules


def excerpt(row: Facts) -> Excerpt:
    """Return the beginning of a document."""
    return Excerpt(id=row["id"], at=row.get("at", ""), text=row["text"])


def clusters_of(facts: Facts) -> Clusters | None:
    """Return the near-duplicates, or None where they were not looked for."""
    found = facts.get("clusters")
    if not found:
        return None
    return Clusters(
        count=found["count"],
        documents=found["documents"],
        unsettled=found.get("unsettled", 0),
        largest=tuple(map(_cluster, found.get("largest", []))),
    )


def _cluster(row: Facts) -> Cluster:
    dropped = tuple(Double(similarity=float(d["similarity"]), excerpt=excerpt(d)) for d in row["dropped"])
    return Cluster(kept=excerpt(row["kept"]), dropped=dropped, size=row.get("size", 1 + len(dropped)))


def guarded_of(facts: Facts, settings: Facts) -> Guarded | None:
    """Return what was found of evaluation sets, or None where there was no guard."""
    found = facts.get("guard")
    if not found:
        return None
    return Guarded(
        action=settings.get("guarded", "drop"),
        sets=tuple(
            GuardSet(name=name, texts=row["texts"], found=row["found"], too_short=row.get("too short", 0))
            for name, row in sorted(found.get("sets", {}).items())
        ),
        runs=tuple(
            SharedRun(id=row["id"], at=row.get("at", ""), test=row["test"], run=row["run"])
            for row in found.get("list", [])
        ),
    )


def histogram_of(facts: Facts, name: str) -> Histogram | None:
    """Return a histogram without the empty ends of its tail, or None where there is none.

    >>> histogram_of({"lengths": {"edges": [0, 8, 16, 32], "counts": [1, 0, 2, 0]}}, "lengths")
    Histogram(edges=(0.0, 8.0, 16.0), counts=(1, 0, 2))
    """
    found = facts.get(name)
    if not found or not any(found["counts"]):
        return None
    size = 1 + max(number for number, count in enumerate(found["counts"]) if count)
    edges = tuple(map(float, found["edges"][:size]))
    return Histogram(edges=edges, counts=tuple(found["counts"][:size]))


def shards_of(facts: Facts) -> Shards:
    """Return what was counted when the documents became tokens."""
    return Shards(
        sides=tuple(_sides(facts.get("sides", {}).items())),
        **{name: dict(facts.get(name, {})) for name in ("kinds", "unknown", "words", "phrases", "entities")},
        sample=facts.get("sample", 0),
    )


def _sides(rows: Iterable[tuple[str, Facts]]) -> Iterable[Side]:
    for name, row in rows:
        counts = {key: row.get(key.replace("_", " "), 0) for key in _COUNTED}
        yield Side(name=name, **counts)
