"""`corpus export`: shards out of the house, as Parquet files or a folder of `datasets`.

    input_ids          the tokens of a document, no special tokens
    continues_word     for each token: does it go on with the word of the token before it
    continues_phrase, continues_entity
    starts_sentence

Parquet is read by `datasets.load_dataset("parquet", data_files="OUT/train-*.parquet")` and by anything
else; the folder form by `datasets.load_from_disk("OUT/train")`. The tokenizer goes along.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, CONTINUES_WORD, SENTENCE, Shard, Shards
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.progress import SILENT, Progress

BITS = {
    "continues_word": CONTINUES_WORD,
    "continues_phrase": CONTINUES_PHRASE,
    "continues_entity": CONTINUES_ENTITY,
    "starts_sentence": SENTENCE,
}
ROWS = 1000  # documents that are in memory at once


class ExportConfig(Config):
    """What shards become."""

    shards: Input = Field(description="the output of `zhbert encode`")
    form: Literal["parquet", "datasets"] = Field(
        default="parquet", description="Parquet files, or folders for `datasets.load_from_disk`"
    )


def export(config: ExportConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write every side of the shards (train, held-out) in a form that others read."""
    sides = [name for name in ("train", "held-out") if (config.shards / name).is_dir()]
    if not sides:
        raise DataError(
            "no shards here: neither train nor held-out", where=config.shards, remedy="zhbert encode"
        )
    opened = {side: Shards.open(config.shards / side) for side in sides}
    with progress.bar("export", total=sum(s.n_docs for s in opened.values()), unit="documents") as bar:
        for side, shards in opened.items():
            for number, shard in enumerate(shards.shards):
                path = work.folder / f"{side}-{number:05d}.parquet"
                with pq.ParquetWriter(path, _schema(shard), compression="zstd") as writer:
                    for batch in _batches(shard):
                        writer.write_batch(batch)
                        bar.advance(batch.num_rows)
            work.counts[side] = {"documents": shards.n_docs, "tokens": shards.n_tokens}
    if config.form == "datasets":
        for side in sides:
            _as_dataset(work.folder, side)
    shutil.copytree(config.shards / "tokenizer", work.folder / "tokenizer", dirs_exist_ok=True)


def _schema(shard: Shard) -> pa.Schema:
    ids = pa.list_(pa.from_numpy_dtype(shard.ids_T.dtype))
    return pa.schema([("input_ids", ids), *((name, pa.list_(pa.bool_())) for name in BITS)])


def _batches(shard: Shard) -> Iterator[pa.RecordBatch]:
    for first in range(0, shard.meta.documents, ROWS):
        ends_D = shard.ends_D[first : first + ROWS].astype(np.int64)
        start = int(shard.starts_D[first])
        borders = pa.array(np.concatenate([[0], ends_D - start]).astype(np.int32))
        flags_T = np.asarray(shard.flags_T[start : int(ends_D[-1])])
        columns = [pa.array(np.asarray(shard.ids_T[start : int(ends_D[-1])]))]
        columns += [pa.array((flags_T & bit) > 0) for bit in BITS.values()]
        arrays = [pa.ListArray.from_arrays(borders, column) for column in columns]
        yield pa.RecordBatch.from_arrays(arrays, schema=_schema(shard))


def _as_dataset(folder: Path, side: str) -> None:
    """Turn the Parquet files of one side into a folder for `datasets.load_from_disk`."""
    from datasets import Dataset, disable_progress_bars  # 1 s, and only for those who ask

    disable_progress_bars()
    files = sorted(folder.glob(f"{side}-*.parquet"))
    cache = folder / ".cache"
    Dataset.from_parquet([str(file) for file in files], cache_dir=str(cache)).save_to_disk(folder / side)
    shutil.rmtree(cache)
    for file in files:
        file.unlink()
