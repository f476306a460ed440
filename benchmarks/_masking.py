"""Masking beside transformers' collator, on the same samples of real text, on one thread.

What is compared is the time from samples to masked ones, in CPU time, turn by turn. The collator gets whole
words as it wants them: offsets that touch inside a word and nowhere else. It cannot pad offsets, so samples
come padded; only real tokens are counted. Samples are paragraphs padded to 128 tokens, as in the training
baseline; and, padded to the longest of 32 only, the least that will do, those of long texts cut at 128 and at
512 tokens, and whole documents as they are: news, comments, encyclopedia.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

from _text import DATA, lines_of, sample

ROWS = 32  # samples that the collator gets at once
FLAT = 65_536  # tokens of a flat batch
KINDS = {"paragraphs": 128, "128": 128, "512": 512, "documents": 512}  # the longest sample of each kind
PADDED = {"paragraphs": 128}  # whatever the samples are
BATCHES = 12
ROUNDS = 7


def texts(kind: str) -> list[str]:
    if kind == "documents":
        return (DATA / "text" / "mixed-sample.txt").read_text("utf-8").splitlines()
    if kind == "paragraphs":
        return [line for line in lines_of(sample(4, seed=7)) if len(line) > 10]
    return sample(12, seed=4)


def shards(folder: Path, kind: str) -> Path:
    """Make shards of real text, with words, idioms and entities, with the vocabulary of bert-base-chinese."""
    from corpus import bert_folder, write_source

    from zhbert.app.stages import execute, find_stage
    from zhbert.config import parse

    write_source(folder / "raw.jsonl.gz", texts(kind))
    documents = {"source": [str(folder / "raw.jsonl.gz")], "workers": 1}
    encoded = {
        "documents": str(folder / "corpus build"),
        "tokenizer": str(bert_folder(folder / "tokenizer")),
        "idioms": [str(DATA / "lexicons" / "thuocl" / "THUOCL_chengyu.txt")],
        "workers": 1,
    }
    for name, values in (("corpus build", documents), ("encode", encoded)):
        stage = find_stage(name)
        execute(stage, parse(stage.config_type(), values), folder / name)
    return folder / "encode"


def rows_of(batch, padded: int) -> list[dict[str, list]]:
    """Return the samples of a batch as the collator takes them, padded to so many tokens at least."""
    import numpy as np

    from zhbert.encode.pack import SPECIAL
    from zhbert.encode.shards import CONTINUES_WORD

    rows, lengths = [], np.diff(batch.starts_S1)
    for i, (begin, end) in enumerate(zip(batch.starts_S1, batch.starts_S1[1:], strict=False)):
        longest = max(padded, int(lengths[i // ROWS * ROWS : i // ROWS * ROWS + ROWS].max()))
        flags, pad = batch.flags_T[begin:end], longest - int(end - begin)
        starts = np.arange(end - begin) + np.cumsum(flags & CONTINUES_WORD == 0)
        special = flags & SPECIAL != 0
        offsets = np.where(special[:, None], 0, np.stack([starts, starts + 1], axis=1))
        rows.append(
            {
                "input_ids": batch.ids_T[begin:end].tolist() + [0] * pad,
                "attention_mask": [1] * int(end - begin) + [0] * pad,
                "special_tokens_mask": special.astype(int).tolist() + [1] * pad,
                "offset_mapping": offsets.tolist() + [[0, 0]] * pad,
            }
        )
    return rows


def collated(collator, rows: list[dict[str, list]]) -> float:
    """Return the seconds that the collator takes for some samples."""
    chunks = [deepcopy(rows[i : i + ROWS]) for i in range(0, len(rows), ROWS)]
    started = time.process_time()
    for chunk in chunks:
        collator(chunk)
    return time.process_time() - started


def seconds(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return time.process_time() - started


def measure() -> dict[str, object]:
    """Return tokens per second of every strategy and how many times as fast as the collator that is."""
    import torch
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    from zhbert.encode.masking import mask
    from zhbert.encode.pack import Batches, SampleTable
    from zhbert.encode.replacement import MaskIds
    from zhbert.encode.shards import Shards
    from zhbert.encode.strategies import STRATEGIES, Masking
    from zhbert.encode.tokenizer import Tokenizer

    torch.set_num_threads(1)
    figures: dict[str, object] = {}
    for kind, longest in KINDS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = shards(Path(name), kind)
            tokenizer = Tokenizer.load(folder / "tokenizer")
            ids = MaskIds.of(tokenizer, DATA / "lexicons" / "cilin.txt")
            other = AutoTokenizer.from_pretrained(folder / "tokenizer")
            collator = DataCollatorForLanguageModeling(other, mlm_probability=0.15, whole_word_mask=True)
            table = SampleTable.cut(Shards.open(folder / "train"), max_tokens=longest)
            source = Batches(table, tokens_per_batch=FLAT, seed=1, specials=tokenizer.special)
            batches = [batch for batch, _ in zip(source, range(BATCHES), strict=False)]
        tokens, rows = sum(len(batch.ids_T) for batch in batches), rows_of(batches[0], PADDED.get(kind, 0))

        def ours(strategy: str, batches=batches, ids=ids) -> None:
            for batch in batches:
                mask(batch, Masking(strategy=strategy), seed=1, vocabulary=ids)

        ratios: dict[str, list[float]] = {strategy: [] for strategy in STRATEGIES}
        best: dict[str, float] = defaultdict(float)
        for _ in range(ROUNDS):
            theirs = collated(collator, rows) / len(batches[0].ids_T)
            best["collator"] = max(best["collator"], 1 / theirs)
            for strategy in STRATEGIES:
                each = seconds(lambda strategy=strategy: ours(strategy)) / tokens
                ratios[strategy].append(theirs / each)
                best[strategy] = max(best[strategy], 1 / each)
        figures |= {f"mask_{who}_tokens_per_s_{kind}": round(speed) for who, speed in best.items()}
        figures |= {
            f"mask_{strategy}_ratio_{kind}": round(statistics.median(found), 1)
            for strategy, found in ratios.items()
        }
    return figures


if __name__ == "__main__":
    from _text import need_data

    need_data()
    for key, value in measure().items():
        print(f"{key:40} {value}")
