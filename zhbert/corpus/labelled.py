"""What `data convert` and `data check` have in common: how a labelled file is to be read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from zhbert.config import Config
from zhbert.errors import ConfigError
from zhbert.read.forms import FORMS, How, Misplaced, Offsets, Placed
from zhbert.read.references import Reference, is_reference
from zhbert.read.sets import read_set
from zhbert.records import EXAMPLES, Example

FormName = Literal[
    "zhbert",
    "csv",
    "tsv",
    "jsonl",
    "clue",
    "conll",
    "conllu",
    "cluener",
    "squad",
    "faq",
    "c3",
    "doccano",
    "labelstudio",
    "brat",
    "datasets",
]


class LabelledConfig(Config):
    """How labelled files are read; a reference such as mini:ner/train is read as its card says."""

    form: FormName = Field(default="zhbert", description="how it is written; see docs/labelled-data.md")
    task: Literal["", "classify", "pair", "ner", "segment", "reading", "choice"] = Field(
        default="", description="what the examples are of, where a form does not tell"
    )
    columns: str = Field(
        default="",
        description="which column is what: text=review,label=cat; numbers (first=1,second=2) where a table "
        "has no header",
    )
    label: str = Field(
        default="", description="one label for all words: for conllu, and for tags without labels"
    )
    misplaced: Misplaced = Field(
        default="refuse",
        description="what is done with a span that does not stand where the file says: refuse the file, "
        "search for it nearby, or drop it, and with it a question that has no other answer",
    )
    offsets: Offsets = Field(
        default="",
        description="how places are counted where it is not the form's own way: half-open characters, last "
        "one inclusive, utf16 code units, crlf (line breaks as two characters or as one), graphemes",
    )
    scheme: str = Field(
        default="",
        description="scheme of conll's tags: BIO, BIOES, BMES, BMEWO, BILOU, IOB1; none: told from them",
    )
    repair: bool = Field(
        default=False, description="mend tag sequences that the scheme does not allow, and count them"
    )

    def how(self) -> How:
        """Return the options of a reading."""
        return How(
            task=self.task,
            columns=columns_of(self.columns),
            label=self.label,
            misplaced=self.misplaced,
            offsets=self.offsets,
            scheme=self.scheme,
            repair=self.repair,
        )

    def read(self, source: Path, how: How) -> Iterator[Placed]:
        """Yield the examples of a file or of a reference with their places."""
        return read_set(source, how.counts) if is_reference(source) else FORMS[self.form].read(source, how)

    def task_of(self, source: Path, example: Example) -> str:
        """Return which task the examples of a file are of: what is said, or the first that they fit."""
        if is_reference(source):
            return Reference.of(source).labelled.task
        return self.task or next(task for task, kind in EXAMPLES.items() if kind is type(example))


def columns_of(words: str) -> dict[str, str]:
    """Return which column has which field.

    >>> columns_of("text=review, label=cat")
    {'text': 'review', 'label': 'cat'}
    """
    pairs = [pair.partition("=") for pair in words.split(",") if pair.strip()]
    if wrong := next((key for key, equals, _ in pairs if not equals), None):
        raise ConfigError(f'columns: "{wrong.strip()}" names no column', remedy="write text=review,label=cat")
    return {key.strip(): column.strip() for key, _, column in pairs}
