"""`cluster`: texts, or their vectors, in; groups of texts that lie close together out.

    clusters.json        sizes, keywords and central texts of each group (`sheet.py`)
    assignments.jsonl    the group of each text, its cosine to the centre, its place on the map
    report.html          the map and the table

Where texts are given, their vectors (about their mean) are made first and stay in the folder, which `zhbert
nearest` takes then. Nothing in the groups comes from labels; where the texts have some, they are held against
the groups afterwards.
"""

import json
from pathlib import Path

import numpy as np
from pydantic import Field

from zhbert.config import Config, Input, ModelInput, model_named
from zhbert.errors import ConfigError
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress
from zhbert.records import to_plain
from zhbert.vectors.describe import Grouped, described, points
from zhbert.vectors.embed import EmbedConfig, embed
from zhbert.vectors.kmeans import SAMPLE, drawn, group, number_of_groups, silhouette
from zhbert.vectors.plane import plane
from zhbert.vectors.saved import FACTS, Saved

ASSIGNMENTS, RECORD = "assignments.jsonl", "clusters.json"


class ClusterConfig(Config):
    """Which texts are grouped, into how many groups."""

    source: Input = Field(
        description="the output of `zhbert embed`; or texts as it takes them, of which vectors are made first"
    )
    model: ModelInput | None = Field(
        default=None, description="for texts: the encoder that makes their vectors; bundled, if none is given"
    )
    clusters: int = Field(
        default=0, ge=0, description="number of groups; 0: the one of a few numbers with the best silhouette"
    )
    examples: int = Field(default=5, ge=1, description="most central texts of each group to show")
    seed: int = Field(default=0, ge=0, description="what the starts are drawn with")
    title: str = Field(default="Groups of texts", description="title of the page")


def cluster(config: ClusterConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write clusters.json, assignments.jsonl and report.html."""
    from zhbert.vectors.page import render  # jinja2 loads only here

    saved = _vectors(config, work, progress)
    grouped = _grouped(config, saved, progress)
    found = described(grouped, title=config.title, source=config.source.as_posix(), examples=config.examples)
    _write_assignments(work.folder / ASSIGNMENTS, grouped)
    record = json.dumps(to_plain(found), ensure_ascii=False, indent=1)
    write_text(work.folder / RECORD, record + "\n")
    write_text(work.folder / "report.html", render(found, points(grouped, seed=config.seed)))
    characters = sum(len(text.text) for text in saved.texts())
    work.counts |= {"texts": found.texts, "characters": characters, "width": saved.vectors_NH.shape[1]}
    work.counts |= {"groups": len(found.clusters), "silhouette": found.silhouette}
    if found.fit:
        shown = {name: round(getattr(found.fit, name), 4) for name in ("nmi", "ari", "purity")}
        work.counts |= {f"against {found.fit.labels} labels": shown}


def _grouped(config: ClusterConfig, saved: Saved, progress: Progress) -> Grouped:
    count, tried = config.clusters, dict[int, float]()
    with progress.bar("cluster", total=3, unit="steps") as bar:
        if not count:
            count, tried = number_of_groups(saved.vectors_NH, seed=config.seed)
        bar.advance()
        groups = group(saved.vectors_NH, count, seed=config.seed)
        bar.advance()
        places_N2, kept = plane(saved.vectors_NH, groups)
        some = drawn(len(groups.groups_N), SAMPLE, np.random.default_rng(config.seed))
        apart = silhouette(saved.vectors_NH[some], groups.groups_N[some])
        bar.advance()
    return Grouped(saved=saved, groups=groups, tried=tried, silhouette=apart, places_N2=places_N2, kept=kept)


def _vectors(config: ClusterConfig, work: Work, progress: Progress) -> Saved:
    """Return the vectors that are given, or those of the texts that are given."""
    if (config.source / FACTS).is_file():
        if config.model:
            what = "model: the source has its vectors already"
            raise ConfigError(what, where=config.source, remedy="leave --model out")
        return Saved.open(config.source)
    if not (work.folder / FACTS).is_file():  # else this is the rest of a run that was stopped
        model = config.model or model_named("bundled")
        embed(EmbedConfig(model=model, source=config.source, centre=True), work, progress)
    return Saved.open(work.folder)


def _write_assignments(path: Path, grouped: Grouped) -> None:
    groups = grouped.groups
    rows = zip(
        grouped.saved.texts(),
        groups.groups_N.tolist(),
        groups.cosines_N.tolist(),
        grouped.places_N2.tolist(),
        strict=True,
    )
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as handle:
        for text, number, cosine, (x, y) in rows:
            row = {"id": text.id, "cluster": number, "cosine": round(cosine, 4)}
            row |= {"x": round(x, 2), "y": round(y, 2)}
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
