"""`corpus phrases`: documents in, a list of phrases out, to be looked at and edited before it is used.

    # zhbert phrases: phrase, count, pmi, left entropy, right entropy
    犯罪嫌疑人	806	0.902	4.112	3.874

- A line that is deleted, or begins with "#", is not used; one that is added needs the phrase alone.
- The list is ordered by pmi x the lower entropy x the logarithm of the count: what is doubtful comes last.
- Words are those of the segmenter: encode with the same one, or phrases will not be found again.
- While the stage runs, a file of one bit a character says where words end, so every text is cut once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from zhbert.config import Config, Input
from zhbert.corpus.collocations import Phrase, Thresholds, find_phrases
from zhbert.corpus.documents import count_built, read_built
from zhbert.corpus.runs import Cut, Words
from zhbert.errors import DataError
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress
from zhbert.text.segment import segmenter

NAME = "phrases.tsv"
HEAD = "# zhbert phrases: phrase, count, pmi, left entropy, right entropy"
READINGS = 3
_NUMBERS = re.compile(r"\t([0-9]+)((?:\t-?[0-9]+(?:\.[0-9]+)?){3})")


class PhrasesConfig(Config):
    """Which runs of words are phrases."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    segmenter: Literal["jieba", "jieba-plain", "whitespace"] = Field(
        default="jieba", description="what finds the words; encode with the same one"
    )
    user_words: Input | None = Field(
        default=None, description="more words, in the format of jieba's user dictionaries"
    )
    max_words: int = Field(default=4, ge=2, le=6, description="longest phrase in words")
    max_characters: int = Field(default=16, ge=2, le=64, description="longest phrase in characters")
    min_count: int = Field(default=20, ge=2, description="leave out what occurs less often")
    min_pmi: float = Field(
        default=0.4, ge=-1, le=1, description="how closely the words stick together: 0 as by chance, 1 always"
    )
    min_entropy: float = Field(
        default=1.5, ge=0, description="how varied the neighbours are on either side, in nats"
    )
    most: int = Field(default=50_000, ge=1, description="phrases at most, the best ones")


def phrases(config: PhrasesConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write the phrases of built documents, the best first."""
    wanted = Thresholds(
        words=config.max_words,
        characters=config.max_characters,
        count=config.min_count,
        pmi=config.min_pmi,
        entropy=config.min_entropy,
    )
    total = READINGS * count_built(config.documents)
    cutter = segmenter(config.segmenter, user_words=config.user_words)
    with (
        progress.bar("phrases", total=total, unit="documents") as bar,
        Cut(work.folder / "ends.bits", cutter) as cut,
    ):

        def read() -> Iterable[Words]:
            return cut.words(document.text for document in read_built(config.documents, bar=bar))

        found = find_phrases(read, wanted)
    chosen = found.phrases[: config.most]
    if not chosen:
        remedy = "lower min_count, min_pmi or min_entropy, or take more text"
        raise DataError("no run of words is a phrase", where=config.documents, remedy=remedy)
    write_text(work.folder / NAME, "".join(f"{line}\n" for line in [HEAD, *map(_line, chosen)]))
    work.counts |= {"phrases": len(chosen), "words": found.words, "complete_from": found.complete_from}


def _line(phrase: Phrase) -> str:
    figures = (f"{figure:.3f}" for figure in (phrase.pmi, phrase.left, phrase.right))
    return "\t".join([phrase.text, str(phrase.count), *figures])


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of the list; what somebody has added by hand was never counted."""

    text: str
    count: int = 0
    pmi: float = 0.0
    left: float = 0.0
    right: float = 0.0


def read_phrases(path: Path) -> list[Listed]:
    """Return the phrases of a list that is in use, in order.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "phrases.tsv"
    >>> lines = ["# zhbert phrases", "犯罪嫌疑人\\t806\\t0.902\\t4.112\\t3.874", "#单位和个人", "加的"]
    >>> _ = path.write_text("\\n".join(lines), "utf-8")
    >>> [(phrase.text, phrase.count, phrase.right) for phrase in read_phrases(path)]
    [('犯罪嫌疑人', 806, 3.874), ('加的', 0, 0.0)]
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 at byte {error.start}", where=path, remedy="save the list as UTF-8"
        ) from error
    numbered = ((number, line.rstrip()) for number, line in enumerate(lines, 1))
    return [_listed(line, where=f"{path}:{number}") for number, line in numbered if line and line[0] != "#"]


def _listed(line: str, *, where: str) -> Listed:
    text, tab, _ = line.partition("\t")
    match = _NUMBERS.fullmatch(line[len(text) :])
    if not text.strip() or (tab and not match):
        remedy = "write the phrase alone, or phrase, count, pmi and two entropies with tabs between"
        raise DataError(f'not a line of phrases: "{line[:40]}"', where=where, remedy=remedy)
    if not match:
        return Listed(text=text.strip())
    pmi, left, right = map(float, match[2].split())
    return Listed(text=text.strip(), count=int(match[1]), pmi=pmi, left=left, right=right)
