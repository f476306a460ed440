"""Hidden words to look at, with what encoders guessed: half of them right, half wrong, as far as there are.

The words are drawn by lot among those with a Han character, and sorted by what the first encoder made of
them. Encoders with the same shards are asked for the same words; others are not shown.
"""

import re
from pathlib import Path

import numpy as np

from zhbert.encode.draws import Ints
from zhbert.progress import SILENT
from zhbert.score.probesheet import Candidate, Place, Said, Specimen
from zhbert.task.guessing import Answers, Guesser, Questions
from zhbert.task.heldout import HeldOut, units

TOP = 5
AROUND = 48  # tokens that are shown on either side
AT_ONCE = 8192
_HAN = re.compile("[\u4e00-\u9fff]")


class Specimens:
    """The words that are shown, and what each encoder in turn says of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._folder: Path | None = None  # whose words are shown
        self._found: list[Specimen] = []
        self._begins, self._lengths = np.zeros(0, np.int64), np.zeros(0, np.int64)

    @property
    def shown(self) -> tuple[Specimen, ...]:
        """The specimens, those that the first encoder got wrong first."""
        return tuple(sorted(self._found, key=lambda one: "right" in one.kinds))

    def ask(self, name: str, guesser: Guesser, text: HeldOut) -> None:
        """Have an encoder guess; the first one decides what is shown."""
        if not self._most:
            return
        if self._folder is None:
            self._choose(name, guesser, text)
        elif text.folder == self._folder:
            said = _said(name, guesser, text, self._begins, self._lengths)
            self._found = [_with(one, more) for one, more in zip(self._found, said, strict=True)]

    def _choose(self, name: str, guesser: Guesser, text: HeldOut) -> None:
        begins, lengths = units(text, "word", most=6 * self._most)
        words = [
            guesser.tokenizer.decode(text.row.ids_T[b : b + n])
            for b, n in zip(begins.tolist(), lengths.tolist(), strict=True)
        ]
        han = np.flatnonzero([bool(_HAN.search(word)) for word in words])
        begins, lengths = begins[han], lengths[han]
        _, answers = _judged(guesser, text, begins, lengths)
        misses_Q = np.add.reduceat(answers.ranks_M > 0, np.cumsum(lengths) - lengths) if len(han) else han
        right, wrong = np.flatnonzero(misses_Q == 0), np.flatnonzero(misses_Q)
        taken = wrong[: max(self._most - self._most // 2, self._most - len(right))]
        taken = np.concatenate([taken, right[: self._most - len(taken)]])
        self._folder, self._begins, self._lengths = text.folder, begins[taken], lengths[taken]
        said = _said(name, guesser, text, self._begins, self._lengths)
        self._found = [
            _specimen(text, guesser, begin, length, one)
            for begin, length, one in zip(self._begins.tolist(), self._lengths.tolist(), said, strict=True)
        ]


def _with(one: Specimen, more: Said) -> Specimen:
    return Specimen(
        source=one.source,
        kinds=one.kinds,
        before=one.before,
        word=one.word,
        after=one.after,
        said=(*one.said, more),
    )


def _said(name: str, guesser: Guesser, text: HeldOut, begins_Q: Ints, lengths_Q: Ints) -> list[Said]:
    """Return what an encoder guesses for words that are hidden one at a time."""
    if not len(begins_Q):
        return []
    asked, answers = _judged(guesser, text, begins_Q, lengths_Q)
    tokens_MK, shares_MK = guesser.best(text.row, asked, top=TOP)
    places = [
        Place(
            token=_name(guesser, true),
            rank=rank,
            share=share,
            best=tuple(
                Candidate(token=_name(guesser, token), share=likely)
                for token, likely in zip(tokens, shares, strict=True)
            ),
        )
        for true, rank, share, tokens, shares in zip(
            text.row.ids_T[asked.places_M].tolist(),
            answers.ranks_M.tolist(),
            np.exp(-answers.losses_M).tolist(),
            tokens_MK.tolist(),
            shares_MK.tolist(),
            strict=True,
        )
    ]
    own = (tuple(places[stop - n : stop]) for n, stop in zip(lengths_Q, np.cumsum(lengths_Q), strict=True))
    return [Said(by=name, right=all(place.rank == 0 for place in word), places=word) for word in own]


def _judged(guesser: Guesser, text: HeldOut, begins_Q: Ints, lengths_Q: Ints) -> tuple[Questions, Answers]:
    asked = Questions.of_ranges(text.samples_at(begins_Q), begins_Q, lengths_Q)
    with SILENT.bar("", total=0) as bar:
        return asked, guesser.judge(text.row, asked, tokens=AT_ONCE, bar=bar)


def _name(guesser: Guesser, token: int) -> str:
    return guesser.tokenizer.decode([token]).removeprefix("##")


def _specimen(text: HeldOut, guesser: Guesser, begin: int, length: int, said: Said) -> Specimen:
    row, decode = text.row, guesser.tokenizer.decode
    sample = int(text.samples_at(np.array([begin]))[0])
    first, last = int(row.starts_S1[sample]) + 1, int(row.starts_S1[sample + 1]) - 1
    start, stop = max(first, begin - AROUND), min(last, begin + length + AROUND)
    return Specimen(
        source=text.sources_D[int(text.documents_S[sample])],
        kinds=("right" if said.right else "wrong",),
        before=("…" if start > first else "") + decode(row.ids_T[start:begin]),
        word=decode(row.ids_T[begin : begin + length]).removeprefix("##"),
        after=decode(row.ids_T[begin + length : stop]) + ("…" if stop < last else ""),
        said=(said,),
    )
