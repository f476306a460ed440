"""Words: they cover the text, come back at the same characters, and are scored as bakeoffs do."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.records import EntityExample, EntityPrediction, Span, to_json
from zhbert.score.judge import judge
from zhbert.task.base import Prepared, Setting
from zhbert.task.baseline import RULES
from zhbert.task.segment import Segment
from zhbert.task.sets import read_sets

Make = Callable[..., Setting]


def words(*found: str, label: str = "词", id: str = "1") -> EntityExample:
    """Return a text as its words; those of white space part others."""
    edges = np.cumsum([0, *map(len, found)]).tolist()
    text = "".join(found)
    spans = [Span.of(text, a, b, label) for a, b in pairwise(edges) if text[a:b].strip()]
    return EntityExample(id=id, text=text, entities=tuple(spans))


def certain(task: Segment, prepared: Prepared) -> list[np.ndarray]:
    """Return scores of a model that is sure of every target tag."""
    rows = []
    for feature in prepared.features:
        tags = feature.target[1:-1]
        scores = np.full((len(tags), len(task.model_labels)), -9.0)
        scores[np.arange(len(tags)), tags] = 0.0
        rows.append(scores)
    return rows


COME_BACK = [
    words("我", "在", "北京大学", "读书", "。"),
    words("王芳", " ", "在", "\u3000", "杭州市", "\r\n", "工作"),
    words("😀", "王芳", "用", "ThinkPad", " ", "X1", "，", "花", "了", "9,999", "元"),
    words("北京\u200b", "大学"),
    words(*["王芳", "在", "杭州市", "，"] * 12),
]


@pytest.mark.parametrize("gold", COME_BACK, ids=lambda gold: ascii(gold.text[:20]))
def test_words_come_back(gold: EntityExample, setting: Make) -> None:
    task = Segment(setting("词"))
    (prepared,) = task.prepare([gold])
    found = task.decode(prepared, certain(task, prepared))
    assert found.entities == gold.entities
    assert [word.surface for word in found.entities] == [gold.text[w.start : w.end] for w in found.entities]
    assert prepared.lost == 0


def test_words_cover_any_text_whatever_the_scores(setting: Make, ugly: Sequence[str]) -> None:
    task, rng = Segment(setting("NOUN", "VERB")), np.random.default_rng(1)
    assert "O" not in task.model_labels
    for text in ugly * 5:
        (prepared,) = task.prepare([EntityExample(id="1", text=text)])
        scores = [rng.normal(size=(len(f.ids) - 2, len(task.model_labels))) * 9 for f in prepared.features]
        said = task.decode(prepared, scores)
        rest, at = "", 0
        for word in said.entities:
            assert at <= word.start < word.end <= len(text)
            rest, at = rest + text[at : word.start], word.end
        assert not (rest + text[at:]).strip("\u200b\ufeff\x00 \u3000\r\n\t") or not said.entities
        assert len(said.scores) == len(said.entities)


def test_words_in_one_token_are_lost_and_counted(setting: Make) -> None:
    task = Segment(setting("词"))
    (prepared,) = task.prepare([words("😀", "😀", "王芳")])
    assert prepared.lost == 1
    found = task.decode(prepared, certain(task, prepared))
    assert [word.surface for word in found.entities] == ["😀😀", "王芳"]


def test_a_text_without_words_is_asked_and_not_learnt(setting: Make, tmp_path: Path) -> None:
    bare = EntityExample(id="甲", text="我在北京")
    (prepared,) = Segment(setting("词")).prepare([bare])
    assert [feature.target for feature in prepared.features] == [None]
    (tmp_path / "t.jsonl").write_text(to_json(bare) + "\n", "utf-8")
    with pytest.raises(DataError, match='"甲" has no words'):
        read_sets(tmp_path / "t.jsonl", tmp_path / "t.jsonl", task="segment", head="crf", labels=["词"])


BAD = [
    ("我在北京", ((0, 1), (2, 4)), 'example "甲": "在" at 1 is in no word'),
    ("我在 北京", ((0, 2),), '"北京" at 3 is in no word'),
    ("北京", ((0, 2), (1, 2)), "words 0..2 and 1..2 overlap"),
]


@pytest.mark.parametrize(("text", "spans", "said"), BAD)
def test_what_is_no_segmentation_is_refused(
    text: str, spans: tuple[tuple[int, int], ...], said: str, setting: Make
) -> None:
    example = EntityExample(id="甲", text=text, entities=tuple(Span(*span) for span in spans))
    with pytest.raises(DataError, match=said):
        list(Segment(setting("词")).prepare([example]))


def predicted(example: EntityExample) -> EntityPrediction:
    return EntityPrediction(id=example.id, entities=example.entities, scores=(1.0,) * len(example.entities))


def test_words_are_judged_by_their_range_and_new_ones_apart() -> None:
    gold = [words("我", "在", "北京大学", "读书")]
    said = [predicted(words("我", "在", "北京", "大学", "读书"))]
    judged = judge("segment", gold, said)
    figures = {m.name: float(m(judged.counts)) for m in judged.metrics}
    assert judged.headline.name == "word_f1"
    assert figures == pytest.approx({"word_f1": 2 / 3, "word_precision": 0.6, "word_recall": 0.75})
    judged = judge("segment", gold, said, train=[words("我", "在", "北京", id="t")])
    assert judged.metrics[-1].name == "new_word_recall"
    assert float(judged.metrics[-1](judged.counts)) == 0.5  # 北京大学 is missed, 读书 is found
    unseen = next(p for p in judged.parts if (p.family, p.name) == ("word in the training set", "unseen"))
    assert (unseen.size, unseen.unit) == (2, "words")


def test_parts_of_speech_are_judged_with_the_words() -> None:
    text = "我读书"
    gold = [
        EntityExample(id="1", text=text, entities=(Span.of(text, 0, 1, "PRON"), Span.of(text, 1, 3, "VERB")))
    ]
    said = [EntityPrediction(id="1", entities=(Span(0, 1, "PRON"), Span(1, 3, "NOUN")), scores=(1.0, 1.0))]
    judged = judge("segment", gold, said)
    figures = {m.name: float(m(judged.counts)) for m in judged.metrics}
    assert (judged.headline.name, figures["tagged_f1"], figures["word_f1"]) == ("tagged_f1", 0.5, 1.0)


def test_the_baseline_takes_known_words_and_single_characters() -> None:
    rule = RULES["segment"]([words("我", "在", "北京", "大学"), words("北京大学", id="2")])
    said = rule(EntityExample(id="3", text="他在北京大学 北京"))
    assert [word.surface for word in said.entities] == ["他", "在", "北京大学", "北京"]  # type: ignore[union-attr]
