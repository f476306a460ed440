"""`vocab`: built documents in, a tokenizer folder out."""

from itertools import islice

from pydantic import Field

from zhbert.config import Config, Input
from zhbert.corpus.build import count_built, read_built
from zhbert.encode.tokenizer import Tokenizer
from zhbert.encode.vocab import build_vocab
from zhbert.files import Work
from zhbert.progress import SILENT, Progress

SAMPLE = 2000


class VocabConfig(Config):
    """How a vocabulary is made."""

    documents: Input = Field(description="the output of `zhbert corpus build`")
    size: int = Field(default=8000, ge=300, description="largest number of entries")
    coverage: float = Field(
        default=0.9998, gt=0, le=1, description="share of all characters that must be covered"
    )
    min_count: int = Field(default=2, ge=1, description="leave out what occurs less often")


def vocab(config: VocabConfig, work: Work, progress: Progress = SILENT) -> None:
    """Build a vocabulary from documents and save its tokenizer."""
    total = count_built(config.documents)
    with progress.bar("count", total=total, unit="documents") as bar:
        texts = (document.text for document in read_built(config.documents, bar=bar))
        found = build_vocab(texts, size=config.size, coverage=config.coverage, min_count=config.min_count)
    tokenizer = Tokenizer.from_vocab(found.tokens)
    tokenizer.save(work.folder)
    sample = [document.text for document in islice(read_built(config.documents), SAMPLE)]
    work.counts |= {"entries": tokenizer.size, "unknown_rate": round(tokenizer.unk_rate(sample), 6)}
