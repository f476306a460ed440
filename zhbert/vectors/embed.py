"""`embed`: an encoder and texts in, a folder of vectors out (`saved.py`).

Vectors go to a memory-mapped file as they are made, a chunk of texts at a time, and so do the texts: however
many there are, a chunk is in memory. A run that was stopped goes on behind the last whole chunk.
"""

from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from zhbert.config import Config, Input, ModelInput, called
from zhbert.files import Work, write_text
from zhbert.model.store import load_encoder
from zhbert.precision import Dtype
from zhbert.progress import SILENT, Progress
from zhbert.records import to_json
from zhbert.vectors.centre import Centre, check_components
from zhbert.vectors.embedder import Embedder, Pooling
from zhbert.vectors.nearest import blocks
from zhbert.vectors.saved import CENTRE, FACTS, TEXTS, VECTORS, Facts, texts_in
from zhbert.vectors.source import read_texts

_RAW, _ROWS = "raw.npy", "rows"


class EmbedConfig(Config):
    """Which encoder makes vectors of which texts."""

    model: ModelInput = Field(
        description="an encoder, the encoder of a task model, a name on the hub, or `bundled`"
    )
    source: Input = Field(
        description="texts: a .txt file, one a line; JSONL with a `text` in each record; mini:topics/test"
    )
    pooling: Pooling = Field(
        default="mean",
        description="the mean of the last layer, what stands at [CLS], or the mean of the last four layers",
    )
    centre: bool = Field(default=False, description="subtract the mean of all vectors")
    components: int = Field(
        default=0, ge=0, description="so many first principal components are removed as well as the mean"
    )

    dtype: Dtype = Field(
        default="auto",
        description="what the encoder computes in; auto: bfloat16 on a GPU that can, float32 elsewhere",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.components and not self.centre:
            raise ValueError("components are removed about the mean (add --centre)")
        return self


def embed(config: EmbedConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write vectors.npy, texts.jsonl and vectors.json."""
    characters, count = _write_texts(config.source, work.folder)
    embedder = Embedder(load_encoder(config.model), dtype=config.dtype)
    check_components(config.components, count=count, width=embedder.width)
    _fill(config, embedder, count, work.folder, progress)
    if config.centre:
        _centre(work.folder, config.components)
    else:
        (work.folder / _RAW).rename(work.folder / VECTORS)
    (work.folder / _ROWS).unlink()
    facts = Facts(
        model=called(config.model),
        pooling=config.pooling,
        centre=config.centre,
        components=config.components,
    )
    write_text(work.folder / FACTS, to_json(facts) + "\n")
    work.counts |= {"texts": count, "characters": characters, "width": embedder.width}


def _write_texts(source: Path, folder: Path) -> tuple[int, int]:
    """Write the texts; return their characters and how many they are."""
    characters = count = 0
    with (folder / TEXTS).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as handle:
        for text in read_texts(source):
            handle.write(to_json(text) + "\n")
            characters, count = characters + len(text.text), count + 1
    return characters, count


def _fill(config: EmbedConfig, embedder: Embedder, count: int, folder: Path, progress: Progress) -> None:
    """Write the vectors that are not there yet, and after each chunk how many are."""
    path, note = folder / _RAW, folder / _ROWS
    done = int(note.read_text()) if note.is_file() and path.is_file() else 0
    mode = "r+" if done else "w+"
    rows_NH = np.lib.format.open_memmap(path, mode, dtype=np.float32, shape=(count, embedder.width))
    texts = (text.text for text in islice(texts_in(folder), done, None))
    with progress.bar("embed", total=count - done, unit="texts") as bar:
        for vectors in embedder.stream(texts, pooling=config.pooling):
            rows_NH[done : done + len(vectors)] = vectors
            rows_NH.flush()
            done += len(vectors)
            write_text(note, str(done))
            bar.advance(len(vectors))


def _centre(folder: Path, components: int) -> None:
    raw_NH = np.load(folder / _RAW, mmap_mode="r")
    centre = Centre.of(raw_NH, components=components)
    centre.save(folder / CENTRE)
    rows_NH = np.lib.format.open_memmap(folder / VECTORS, "w+", dtype=np.float32, shape=raw_NH.shape)
    for start, block in blocks(raw_NH):
        rows_NH[start : start + len(block)] = centre.taken_from(block)
    rows_NH.flush()
    (folder / _RAW).unlink()
