"""Reading as it is usually done with transformers alone: padded windows, and the best of 20 by 20 spans."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

BEST, LONGEST, BATCH = 20, 64, 16
Place = tuple[int, int]


def their_answers(
    folder: Path, asked: Sequence[Any], *, window: int, overlap: int
) -> tuple[Callable[[], list[Place | None]], list[bool]]:
    """Return what answers questions, as ranges of characters, and which of them it reads in one window."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()

    def tokens() -> Any:
        return tokenizer(
            [e.question for e in asked],
            [e.context for e in asked],
            truncation="only_second",
            max_length=window,
            stride=overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding="max_length",
            return_tensors="pt",
        )

    @torch.inference_mode()
    def answer() -> list[Place | None]:
        found = tokens()
        offsets, owners = found.pop("offset_mapping"), found.pop("overflow_to_sample_mapping").tolist()
        best: list[tuple[float, Place | None]] = [(-np.inf, None)] * len(asked)
        for first in range(0, len(owners), BATCH):
            rows = slice(first, first + BATCH)
            said = model(**{name: values[rows] for name, values in found.items()})
            for row, (start, end) in enumerate(zip(said.start_logits, said.end_logits, strict=True), first):
                seen = np.array([kind == 1 for kind in found.sequence_ids(row)])
                owner = owners[row]
                one = best_span(start.numpy(), end.numpy(), seen, offsets[row].numpy())
                best[owner] = max(best[owner], one, key=lambda pair: pair[0])
        return [place for _, place in best]

    owners = tokens()["overflow_to_sample_mapping"].tolist()
    return answer, [owners.count(n) == 1 for n in range(len(asked))]


def best_span(start: Any, end: Any, seen: Any, offsets: Any) -> tuple[float, Place | None]:
    """Return the best pair of the best starts and ends in the context, and its score."""
    best: tuple[float, Place | None] = (-np.inf, None)
    firsts, lasts = (np.argsort(np.where(seen, scores, -np.inf))[::-1][:BEST] for scores in (start, end))
    for first in firsts:
        for last in lasts:
            if seen[first] and seen[last] and first <= last < first + LONGEST:
                score = float(start[first] + end[last])
                if score > best[0]:
                    best = (score, (int(offsets[first][0]), int(offsets[last][1])))
    return best
