"""The source folder of a synthetic corpus: what it holds, read and checked.

    make.toml       the seed, the held-out lexicons, the labels, and one [[make]] table per output
    lexicons/*.txt  entries between white space under "## name" or "## name (group)"
    *.txt           frames (see `zhbert.corpus.frames`) under "## section" or "## section (test)"

A mark may begin a line of frames: ">" opens a document and "<<" closes it; "~" is a sentence of a
passage that no question asks about; "?" is a question, with "= mark" of its answer or "=" alone for
none; "-" is a wording that means something else than the rest of its block. Blocks end at a blank
line; a line that begins with "# " is a comment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field

from zhbert.config import Config, load_toml
from zhbert.config import parse as parse_config
from zhbert.corpus.frames import Dice, Frame, Lexicon, Mark, Pen, Scope, Slot, is_held, parse, walk
from zhbert.errors import DataError, nearest
from zhbert.read.lines import read_text

_LINE = re.compile(r"(?:(?P<mark>>|<<|~|\?|-) )?(?P<text>.*?)(?P<ask> =(?: (?P<answer>\S+))?)?")
_HEADING = re.compile(r"## (?P<name>\S+)(?: \((?P<note>\S+)\))?")


class ComposedLexicon(Config):
    """A lexicon whose entries are made of others."""

    size: int = Field(ge=3, description="how many entries to make at most")
    frames: list[str] = Field(min_length=1, description="what an entry is made of")


class Output(Config):
    """What one [[make]] table writes."""

    kind: Literal["documents", "dialogues", "classify", "ner", "pair", "reading"] = Field(
        description="what to make"
    )
    file: str = Field(pattern=r"^[\w-]+$", description="name of the file, or of the folder of splits")
    frames: str = Field(description="frames file below the source folder")
    characters: int = Field(default=0, ge=0, description="raw text: stop after so many characters")
    splits: dict[str, int] = Field(default={}, description="labelled sets: records by split")
    labels: list[str] = Field(default=[], description="pairs: the labels of same and different")
    unknown: str = Field(default="", description="dialogues: the answer where there is none")


class Make(Config):
    """The whole of make.toml."""

    seed: str = Field(description="what every draw derives from")
    held_out: list[str] = Field(default=[], description="lexicons whose held half is for test splits alone")
    labels: dict[str, str] = Field(default={}, description="the entity label of a lexicon")
    lexicons: dict[str, ComposedLexicon] = Field(default={}, description="lexicons made of others")
    make: list[Output] = Field(min_length=1, description="what to write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a frames file: its mark, its frame and, of a question, the mark of its answer."""

    mark: str
    frame: Frame
    answer: str
    where: str


Block = tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The blocks under one heading, and whether they are held out for the test split."""

    name: str
    test: bool
    blocks: list[Block] = field(default_factory=list)

    def lines(self, mark: str = "") -> list[Line]:
        """Return the lines that carry a mark."""
        return [line for block in self.blocks for line in block if line.mark == mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Where the records of one split come from: its share of the frames and of the lexicons."""

    name: str
    size: int
    pen: Pen
    dice: Dice
    sections: list[Section]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One [[make]] table, with all that it needs."""

    seed: str
    spec: Output
    sections: list[Section]
    lexicons: dict[str, Lexicon]
    groups: list[str]

    def alias(self, topic: str) -> dict[str, list[str]]:
        """Return what the slots {topic} and {other} stand for under a topic."""
        return {"topic": [topic], "other": [name for name in self.groups if name != topic]}

    def splits(self) -> Iterator[Split]:
        """Yield the splits in the order of the table."""
        for name, size in self.spec.splits.items():
            dice = Dice(f"{self.seed}/{self.spec.file}/{name}")
            pen = Pen(self.lexicons, half="held" if name == "test" else "seen", dice=dice)
            sections = [s for s in self.sections if s.test == (name == "test")]
            yield Split(name=name, size=size, pen=pen, dice=dice, sections=sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source folder: its table and its lexicons by name."""

    folder: Path
    spec: Make
    lexicons: dict[str, Lexicon]
    groups: list[str]

    def jobs(self) -> Iterator[Job]:
        """Yield the [[make]] tables in order, their frames read and checked."""
        for spec in self.spec.make:
            sections = read_sections(self.folder / spec.frames)
            for line in (line for s in sections for block in s.blocks for line in block):
                _check(line.frame, {*self.lexicons, "topic", "other"}, line.where)
            seed, lexicons = self.spec.seed, self.lexicons
            yield Job(seed=seed, spec=spec, sections=sections, lexicons=lexicons, groups=self.groups)


def read_source(folder: Path) -> Source:
    """Return what a source folder holds."""
    spec = parse_config(Make, load_toml(folder / "make.toml"), where=folder / "make.toml")
    lexicons: dict[str, Lexicon] = {}
    groups: dict[str, list[str]] = {}
    for path in sorted((folder / "lexicons").glob("*.txt")):
        for name, group, entries in _read_lexicons(path):
            held = [entry for entry in entries if name in spec.held_out and is_held(entry)]
            seen = [entry for entry in entries if entry not in held]
            whole = tuple(held) if name in spec.held_out else tuple(seen)
            label = spec.labels.get(name, "")
            lexicons[name] = Lexicon(name=name, label=label, seen=tuple(seen), held=whole)
            groups.setdefault(group, []).append(name)
    groups.pop("", None)
    for group, members in groups.items():
        first, second = (
            tuple(dict.fromkeys(entry for name in members for entry in lexicons[name].part(half)))
            for half in ("seen", "held")
        )
        lexicons[group] = Lexicon(name=group, seen=first, held=second)
    for name, made in spec.lexicons.items():
        lexicons[name] = _composed(name, made, spec, lexicons, folder / "make.toml")
    return Source(folder=folder, spec=spec, lexicons=lexicons, groups=list(groups))


def _composed(
    name: str, made: ComposedLexicon, spec: Make, lexicons: Mapping[str, Lexicon], where: Path
) -> Lexicon:
    """Return a lexicon whose entries are renderings of frames, each half from the same half."""
    frames = [parse(frame, where=f"{where}: {name}") for frame in made.frames]
    for frame in frames:
        _check(frame, set(lexicons), f"{where}: {name}")
    halves: dict[str, dict[str, None]] = {"seen": {}, "held": {}}
    for half, share in (("seen", 2), ("held", 1)):
        dice = Dice(f"{spec.seed}/{name}/{half}")
        pen = Pen(lexicons, half=half, dice=dice)
        for number in range(20 * made.size):
            text = pen.write(frames[number % len(frames)], Scope()).text
            if text not in halves["seen"]:
                halves[half][text] = None
            if len(halves[half]) * 3 >= made.size * share:
                break
    label = spec.labels.get(name, "")
    return Lexicon(name=name, label=label, seen=tuple(halves["seen"]), held=tuple(halves["held"]))


def _read_lexicons(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    name, group = "", ""
    entries: list[str] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        heading = _HEADING.fullmatch(line.strip())
        if heading:
            if name:
                yield name, group, list(dict.fromkeys(entries))
            name, group, entries = heading["name"], heading["note"] or "", []
        elif line.strip() and not line.startswith("# "):
            if not name:
                what, where = "an entry before any heading", f"{path}:{number}"
                raise DataError(what, where=where, remedy='write "## name" above it')
            entries += line.split()
    if name:
        yield name, group, list(dict.fromkeys(entries))


def read_sections(path: Path) -> list[Section]:
    """Return the sections of a frames file."""
    sections: list[Section] = []
    block: list[Line] = []
    for number, text in enumerate([*read_text(path).splitlines(), ""], 1):
        where = f"{path}:{number}"
        heading = _HEADING.fullmatch(text.strip())
        if block and (heading or not text.strip()):
            _finish(block, sections)
            block = []
        if heading:
            sections.append(Section(name=heading["name"], test=heading["note"] == "test"))
        elif text.strip() and not text.startswith("# "):
            if not sections:
                raise DataError("a frame before any heading", where=where, remedy='write "## name" above it')
            found = _LINE.fullmatch(text.strip())
            assert found
            frame = parse(found["text"], where=where)
            line = Line(mark=found["mark"] or "", frame=frame, answer=found["answer"] or "", where=where)
            block.append(line)
    return sections


def _finish(block: list[Line], sections: list[Section]) -> None:
    """Put a block into the last section once its questions are known to have their answers in it."""
    marks = {node.label for line in block for node in walk(line.frame) if isinstance(node, Mark)}
    for line in block:
        if line.answer and line.answer not in marks:
            what = f'the block marks no answer "{line.answer}"'
            raise DataError(what, where=line.where, remedy=nearest(line.answer, marks))
    sections[-1].blocks.append(tuple(block))


def _check(frame: Frame, known: set[str], where: str) -> None:
    for node in walk(frame):
        if isinstance(node, Slot) and not node.bounds and node.name not in known:
            raise DataError(f'unknown slot "{node.name}"', where=where, remedy=nearest(node.name, known))
