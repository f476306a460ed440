"""References: a part of a corpus by name, wherever a path is expected.

    mini:raw                           the raw text of a corpus
    cluener:entities/train             a split of a labelled set
    cluener@D:/clue:entities/train     the same, its files in that folder and nowhere else
    tnews@hub:clue/clue:tnews:topics/dev    the same, from the hub (or a folder that `datasets` can load)

Without a folder, files lie beside the card, or in the folder of that name in the folder that the environment
variable ZHBERT_DATA says. A file that has another checksum than its card says is used, and spoken of.
"""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from zhbert.config import HUB, fingerprint
from zhbert.errors import DataError, nearest
from zhbert.files import hash_file, hash_path
from zhbert.read.card import OWN, Card, LabelledSet, Split, content_root, list_cards, load_card

DATA, RAW = "ZHBERT_DATA", "raw"
_REFERENCE = re.compile(r"(?P<name>[\w-]+)(@(?P<folder>.+))?:(?P<part>[\w./-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference, taken apart."""

    card: Card
    part: str
    folder: Path | None = None

    def __str__(self) -> str:
        return f"{self.card.name}{f'@{self.folder}' if self.folder else ''}:{self.part}"

    @classmethod
    def of(cls, text: object) -> "Reference":
        """Return what a text refers to; that it is a reference must be known."""
        found = _match(text)
        assert found is not None, text
        folder = Path(found["folder"]) if found["folder"] else None
        return cls(card=load_card(found["name"]), part=found["part"], folder=folder)

    @property
    def hub(self) -> str:
        """Return the name of the data set on the hub, where the user asks for it there."""
        folder = self.folder.as_posix() if self.folder else ""
        return folder.removeprefix(HUB) if folder.startswith(HUB) else ""

    @property
    def on_hub(self) -> tuple[str, dict[str, str]]:
        """Return what the split's file is called on the hub, and which columns it has there."""
        there = self.labelled.hub
        if there is None or self.split.file not in there.splits:
            what = f"the card does not say how {self.split.file} is written on the hub"
            raise DataError(what, where=self, remedy=f"get it from {self.card.address}")
        return there.splits[self.split.file], dict(there.columns)

    @property
    def labelled(self) -> LabelledSet:
        """Return the labelled set that is meant."""
        task, _, _ = self.part.partition("/")
        if task not in self.card.tasks:
            what = f'the corpus "{self.card.name}" has no "{task}"'
            raise DataError(what, remedy=nearest(task, [*[RAW] * bool(self.card.raw), *self.card.tasks]))
        return self.card.tasks[task]

    @property
    def split(self) -> Split:
        """Return the split that is meant."""
        task, _, split = self.part.partition("/")
        splits = self.labelled.splits
        if split not in splits:
            what = f'"{self.card.name}:{task}" has no split "{split}"'
            raise DataError(what, remedy=nearest(split, splits))
        return splits[split]

    def beside(self, split: str) -> "Reference":
        """Return the reference to another split of the same set."""
        part = f"{self.part.partition('/')[0]}/{split}"
        return Reference(card=self.card, part=part, folder=self.folder)

    @property
    def path(self) -> Path:
        """Return where the file or folder is, or would be if it were there."""
        if self.part == RAW and self.card.raw:
            return content_root("corpora") / self.card.name / self.card.raw.folder
        return place_of(self.card, self.split.file, self.folder)


def place_of(card: Card, file: str, folder: Path | None = None) -> Path:
    """Return where a file of a data set is, or would be if it were there."""
    if folder:
        return folder / file
    beside, data = content_root("corpora") / card.name / file, os.environ.get(DATA)
    return beside if beside.exists() or not data else Path(data) / (card.folder or card.name) / file


def is_reference(text: object) -> bool:
    """Return whether a text names a part of a corpus that has a card.

    >>> is_reference("mini:raw"), is_reference("mini@/data:ner/test"), is_reference("C:/raw")
    (True, True, False)
    """
    found = _match(text)
    return found is not None and found["name"] in list_cards()


def nearly(text: object) -> str:
    """Return the corpus that a mistyped reference may mean; "" for what does not look like one.

    >>> nearly("mni:raw"), nearly("tnews.txt")
    ('mini', '')
    """
    found = _match(text)
    close = get_close_matches(found["name"], list_cards(), n=1) if found else []
    return close[0] if close else ""


def _match(text: object) -> re.Match[str] | None:
    return _REFERENCE.fullmatch(text.as_posix() if isinstance(text, Path) else str(text))


def find(reference: object) -> Path:
    """Return the file or folder that a reference names, which must be there; any other text is a path.

    >>> find("mini:ner/test").name
    'test.jsonl'
    """
    if not is_reference(reference):
        return Path(str(reference))
    meant = Reference.of(reference)
    if not meant.path.exists():
        raise missing(meant)
    return meant.path


def missing(meant: Reference) -> DataError:
    """Return what is said of a data set that is not there: what to put where."""
    card, file = meant.card, meant.split.file
    source = f"get it from {card.address}, " if card.address else ""
    put = f"put it there, or give another folder: {card.name}@FOLDER:{meant.part}"
    if not meant.folder and DATA not in os.environ:
        put = f"put it in a folder {card.folder or card.name}, and let {DATA} be the folder that this is in"
    what = f'"{card.name}" is not here: no file {file}'
    return DataError(
        what, where="" if DATA not in os.environ and not meant.folder else meant.path, remedy=source + put
    )


def labels_of(source: object) -> list[str]:
    """Return the labels that a card gives for a reference or for one of its files; none for another file.

    >>> "人名" in labels_of("mini:ner/train"), labels_of("train.jsonl")
    (True, [])
    """
    if is_reference(source):
        return list(Reference.of(source).labelled.labels)
    path = Path(str(source)).resolve()
    for home in path.parents:
        if (home / "card.toml").is_file() and home.parent == content_root("corpora"):
            file = path.relative_to(home).as_posix()
            tasks = load_card(home.name).tasks.values()
            return next((list(t.labels) for t in tasks if file in [s.file for s in t.splits.values()]), [])
    return []


def content_of(reference: object) -> str:
    """Return the hash of what a reference gives: its files and, of a labelled set, how they are read."""
    meant = Reference.of(reference)
    if meant.part == RAW:
        return hash_path(meant.path)
    labelled, split = meant.labelled, meant.split
    own = f"{HUB}{meant.hub} {meant.on_hub[0]}" if meant.hub else hash_file(find(reference))
    hashes = [own, *(content_of(meant.beside(other)) for other in split.without)]
    how = [labelled.form, labelled.how, labelled.names, split.share]
    as_it_stands = how == [OWN, {}, {}, (0.0, 1.0)] and len(hashes) == 1
    return hashes[0] if as_it_stands else fingerprint([hashes, how])


def differs(reference: object) -> str:
    """Return what is to be said of a file that is not the one that its card describes; mostly nothing."""
    meant = Reference.of(reference)
    if meant.part == RAW or not meant.split.sha256 or not meant.path.is_file():
        return ""
    found = hash_file(meant.path)
    if found == meant.split.sha256:
        return ""
    return (
        f"{meant.path} is another file than the card of {meant.card.name} describes (sha256 {found[:12]}…, "
        f"there {meant.split.sha256[:12]}…): what the card says of it may not hold"
    )
