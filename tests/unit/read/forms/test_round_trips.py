"""What is written is read again, to the character: made examples of all kinds of text, published files."""

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)

# Han, rare Han, emoji of several parts, full width, spaces, line ends, a BOM, what tables are made of
PARTS = [
    "好",
    "北京",
    "𠮷",
    "𪚥",
    "😀",
    "👍🏽",
    "👩\u200d👧",
    "Ａ１！",
    " ",
    "\u3000",
    "\r\n",
    "\n",
    "\t",
    "\r",
]
PARTS += [
    "\ufeff",
    "\u2028",
    "\x85",
    "\x0b",
    '"',
    "'",
    ",",
    "|",
    "#",
    "B-X",
    "é",
    "e\u0301",
    "\\",
    "-DOCSTART-",
]
texts = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
labels = st.sampled_from(["人名", "LOC.NAM", "a-b", "1"])


@st.composite
def entities(draw: st.DrawFn) -> EntityExample:
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span.of(text, *cut, draw(labels)) for cut in list(pairwise(cuts))[:: draw(st.integers(1, 2))]]
    return EntityExample(id="1", text=text, entities=tuple(spans))


@st.composite
def words(draw: st.DrawFn) -> EntityExample:
    text = "".join(c for c in draw(texts) if c not in "\t\n\r\ufeff").strip()
    pieces, place = [], 0
    while place < len(text):
        place += len(text[place:]) - len(text[place:].lstrip())
        end = min(len(text), place + draw(st.integers(1, 3)))
        while text[end - 1].isspace():
            end -= 1
        pieces.append(Span.of(text, place, end, draw(labels)))
        place = end
    return EntityExample(id="1", text=text, entities=tuple(pieces))


@st.composite
def questions(draw: st.DrawFn) -> ReadingExample:
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=4)))
    spans: tuple[Span, ...] = tuple(Span.of(text, *cut) for cut in pairwise(cuts))
    other = ("不在原文里",) if draw(st.booleans()) and spans else ()
    published = (*dict.fromkeys(span.surface for span in spans), *other) if other else ()
    return ReadingExample(id="1", context=text, question=draw(texts), answers=spans, published=published)


classified = st.builds(LabelExample, id=st.just("1"), text=texts, labels=labels.map(lambda label: (label,)))
valued = st.builds(LabelExample, id=st.just("1"), text=texts, value=st.floats(-9, 9))
several = st.builds(
    LabelExample, id=st.just("1"), text=texts, labels=st.lists(labels, min_size=2, unique=True).map(tuple)
)
pairs = st.builds(PairExample, id=st.just("1"), first=texts, second=texts, label=labels)
choices = st.builds(
    ChoiceExample,
    id=st.just("1"),
    context=texts,
    question=texts,
    options=st.lists(texts, min_size=2, max_size=3, unique=True).map(tuple),
    answer=st.integers(0, 1),
)
HELD: dict[str, list[st.SearchStrategy[Example]]] = {
    "zhbert": [entities(), questions(), classified, several, valued, pairs, choices],
    "csv": [classified, several, valued, pairs],
    "tsv": [classified, several, valued, pairs],
    "jsonl": [classified, several, valued, pairs],
    "clue": [classified, pairs],
    "conll": [entities()],
    "conllu": [words()],
    "cluener": [entities()],
    "squad": [questions()],
    "c3": [choices],
    "doccano": [entities(), several],
    "labelstudio": [entities(), several],
    "brat": [entities()],
}
KINDS = {EntityExample: "ner", LabelExample: "classify"}


def test_every_form_that_is_written_is_here() -> None:
    assert set(HELD) == {name for name, form in FORMS.items() if form.writer}


def again(form: str, examples: list[Example], path: Path) -> list[Example]:
    """Return what is read of what is written."""
    FORMS[form].write(examples, path)
    task = KINDS.get(type(examples[0]), "") if form in ("doccano", "labelstudio") else ""
    return [example for _, example in FORMS[form].read(path, How(task=task))]


@pytest.mark.parametrize("form", HELD)
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_written_is_read_again(form: str, data: st.DataObject) -> None:
    example = data.draw(st.one_of(HELD[form]))
    with tempfile.TemporaryDirectory() as folder:
        try:
            FORMS[form].write([example], Path(folder) / "x")
        except DataError:  # what a form cannot hold; the tests of the forms say what that is
            return
        assert again(form, [example], Path(folder) / "x") == [example]


PUBLISHED: dict[str, tuple[str, dict[str, Any]]] = {
    "cluener/train.json": ("cluener", {}),
    "cluener/dev.json": ("cluener", {}),
    "cluener/test.json": ("cluener", {}),
    "msra-ner/test.txt": ("conll", {}),
    "gsdsimp/zh_gsdsimp-ud-dev.conllu": ("conllu", {}),
    "gsdsimp/zh_gsdsimp-ud-test.conllu": ("conllu", {}),
    "cmrc2018/train.json": ("squad", {"misplaced": "search"}),
    "cmrc2018/cmrc2018_dev.json": ("squad", {"misplaced": "search"}),
    "cmrc2018/cmrc2018_trial.json": ("squad", {"misplaced": "search"}),
    "drcd/DRCD_dev.json": ("squad", {}),
    "drcd/DRCD_test.json": ("squad", {}),
    "tnews-few/train_few_all.json": ("clue", {}),
    "tnews-few/dev_few_all.json": ("clue", {}),
    "tnews-few/test_public.json": ("clue", {}),
    "iflytek-few/train_few_all.json": ("clue", {}),
    "iflytek-few/dev_few_all.json": ("clue", {}),
    "iflytek-few/test_public.json": ("clue", {}),
    "ocnli/train.10k.json": ("clue", {}),
    "ocnli/dev.json": ("clue", {}),
    "chnsenticorp/train.tsv": ("tsv", {"columns": {"text": "text_a"}}),
    "chnsenticorp/dev.tsv": ("tsv", {"columns": {"text": "text_a"}}),
    "chnsenticorp/test.tsv": ("tsv", {"columns": {"text": "text_a"}}),
    "thucnews-titles/train.txt": ("tsv", {}),
    "thucnews-titles/dev.txt": ("tsv", {}),
    "thucnews-titles/test.txt": ("tsv", {}),
    "sts-b/sts-b-train.txt": ("tsv", {"columns": {"first": "1", "second": "2", "value": "3"}}),
    "sts-b/sts-b-dev.txt": ("tsv", {"columns": {"first": "1", "second": "2", "value": "3"}}),
    "sts-b/sts-b-test.txt": ("tsv", {"columns": {"first": "1", "second": "2", "value": "3"}}),
    "online-shopping/reviews.csv.gz": ("csv", {"columns": {"text": "review", "label": "cat"}}),
    "msra-ner/train.txt": ("conll", {"repair": True}),
}
COUNTS = {
    "cluener/train.json": 10748,
    "msra-ner/test.txt": 3442,
    "cmrc2018/train.json": 10142,
    "cmrc2018/cmrc2018_dev.json": 3219,
    "drcd/DRCD_test.json": 3493,
    "ocnli/dev.json": 2950,
    "online-shopping/reviews.csv.gz": 62774,
    "sts-b/sts-b-train.txt": 5231,
    "msra-ner/train.txt": 50658,
}
MENDED = {
    "msra-ner/train.txt": {"sentences with mended tags": 6},
    "cmrc2018/train.json": {"moved": 21},
    "cmrc2018/cmrc2018_dev.json": {"moved": 7, "stands nowhere, kept as a text": 193},
    "cmrc2018/cmrc2018_trial.json": {"moved": 5},
    "ocnli/train.10k.json": {'left out: label "-"': 15},
    "ocnli/dev.json": {'left out: label "-"': 50},
}


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("file", PUBLISHED)
def test_published_files_come_back(file: str, published: Callable[[str], Path], tmp_path: Path) -> None:
    form, options = PUBLISHED[file]
    how = How(**options)
    examples = [example for _, example in FORMS[form].read(published(file), how)]
    assert dict(how.counts) == MENDED.get(file, {})
    assert len(examples) == COUNTS.get(file, len(examples)) > 0
    assert again(form, examples, tmp_path / "x") == examples
    assert again("zhbert", examples, tmp_path / "y") == examples
