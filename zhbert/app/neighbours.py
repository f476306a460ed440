"""The command `nearest`: the texts of a folder of vectors that lie nearest to a new one.

The encoder is the one that made the vectors; it is looked for where it was then, and must be the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from zhbert.errors import ModelError

LONGEST = 120  # characters of a text that are shown
Vectors = Annotated[Path, typer.Argument(help="the output of zhbert embed or cluster")]
Texts = Annotated[list[str], typer.Argument(help="texts whose neighbours are wanted")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A text that was found, and how near it is."""

    id: str
    cosine: float
    text: str


def nearest(
    vectors: Vectors,
    texts: Texts,
    k: Annotated[int, typer.Option(min=1, help="how many neighbours to show")] = 10,
    model: Annotated[str, typer.Option(help="where the encoder is now, if it has been moved")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="one line of JSON for each text that was given")
    ] = False,
) -> None:
    """Find the texts that lie nearest to a new one, by the cosine of their vectors."""
    from zhbert.records import to_json

    for text, found in zip(texts, neighbours(vectors, texts, k, model=model), strict=True):
        if as_json:
            typer.echo(to_json({"text": text, "nearest": found}))
            continue
        typer.echo(text)
        for one in found:
            typer.echo(f"{one.cosine:8.4f}  {one.id}  {' '.join(one.text.split())[:LONGEST]}")


def neighbours(folder: Path, texts: Sequence[str], k: int, *, model: str = "") -> list[list[Found]]:
    """Return the `k` texts of a folder of vectors that lie nearest to each of some texts, nearest first."""
    from zhbert.config import model_named
    from zhbert.model.store import load_encoder
    from zhbert.vectors.embedder import Embedder
    from zhbert.vectors.nearest import nearest
    from zhbert.vectors.saved import Saved

    saved = Saved.open(folder)
    name = model_named(model or saved.facts.model)
    _check_same(folder, name)
    embedder = Embedder(load_encoder(name))
    queries_QH = saved.as_these(embedder.embed(texts, pooling=saved.pooling))
    places_QK, cosines_QK = nearest(queries_QH, saved.vectors_NH, k)
    wanted = set(places_QK.flatten().tolist())
    named = {place: text for place, text in enumerate(saved.texts()) if place in wanted}
    return [
        [
            Found(id=named[place].id, cosine=cosine, text=named[place].text)
            for place, cosine in zip(places, cosines, strict=True)
        ]
        for places, cosines in zip(places_QK.tolist(), cosines_QK.tolist(), strict=True)
    ]


def _check_same(folder: Path, name: str) -> None:
    """Refuse an encoder that is not the one that made the vectors."""
    from zhbert.app.stages import content
    from zhbert.files import read_manifest
    from zhbert.model.store import is_hub_name

    if not (Path(name).exists() or is_hub_name(name)):
        raise ModelError("the encoder is not there any more", where=name, remedy="say where: --model")
    manifest = read_manifest(folder)
    then = manifest.inputs.get("model") if manifest else None
    if then and then != content(name):
        raise ModelError(
            f"this is not the encoder that made the vectors of {folder}", where=name, remedy="give that one"
        )
