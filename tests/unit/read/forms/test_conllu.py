"""CoNLL-U: words that spell their sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.read.forms import FORMS
from zhbert.records import EntityExample, Span


def line(number: str, word: str, upos: str = "X", after: str = "SpaceAfter=No") -> str:
    return "\t".join([number, word, "_", upos, upos.lower(), *"_" * 4, after])


TEXT = "# sent_id = s1\n# text = 我爱 New York。\n"
WORDS = [
    line("1", "我", "PRON"),
    line("2", "爱", "VERB", "_"),
    line("3", "New York", "PROPN"),
    line("4", "。", "PUNCT"),
]


def words(example: EntityExample) -> list[tuple[str, str]]:
    return [(span.surface, span.label) for span in example.entities]


@pytest.mark.parametrize("head", [TEXT, "# sent_id = s1\n"])
def test_words_and_parts_of_speech(head: str, read: Callable[..., Any]) -> None:
    (example,), _ = read("conllu", head + "\n".join(WORDS) + "\n\n")
    assert (example.id, example.text) == ("s1", "我爱 New York。")
    assert words(example) == [("我", "PRON"), ("爱", "VERB"), ("New York", "PROPN"), ("。", "PUNCT")]


def test_the_label_can_be_another_one(read: Callable[..., Any]) -> None:
    content = TEXT + "\n".join(WORDS) + "\n"
    assert {label for _, label in words(read("conllu", content, label="word")[0][0])} == {"word"}
    assert words(read("conllu", content, columns={"label": "xpos"})[0][0])[0] == ("我", "pron")
    with pytest.raises(DataError, match='no column "lemma"'):
        read("conllu", content, columns={"label": "lemma"})


def test_of_a_range_the_surface_counts(read: Callable[..., Any]) -> None:
    content = [
        line("1-2", "别说"),
        line("1", "别", "ADV"),
        line("2", "说", "VERB"),
        line("2.1", "他"),
        line("3", "了"),
    ]
    (example,), _ = read("conllu", "\n".join(content))
    assert (example.text, words(example)) == ("别说了", [("别说", "ADV+VERB"), ("了", "X")])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT + line("1", "你"), 'data.txt:1: the word "你" does not come next'),
        (TEXT + line("1", "我"), '"爱 New York。" of the text is in no word'),
        ("1\t我", "data.txt:1: 2 columns, not 10"),
        (line("a", "我"), "is not a number and a word"),
        (line("1", ""), "is not a number and a word"),
    ],
)
def test_what_is_refused(content: str, said: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=said):
        read("conllu", content)


@pytest.mark.parametrize("spans", [[(0, 1)], [(0, 2), (1, 3)], []])
def test_words_must_cover_the_text(spans: list[tuple[int, int]], tmp_path: Path) -> None:
    entities = tuple(Span.of("我爱你", *span, "X") for span in spans)
    with pytest.raises(DataError, match="n1: conllu needs words that follow each other"):
        FORMS["conllu"].write([EntityExample(id="n1", text="我爱你", entities=entities)], tmp_path / "x")
