"""Entities: tags on the right tokens, entities at the right characters, never an invalid sequence."""

import unicodedata
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zhbert.encode.bert import NAMES
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError
from zhbert.records import EntityExample, EntityPrediction, Span
from zhbert.task.base import IGNORED, Prepared, Setting, collate
from zhbert.task.ner import Ner
from zhbert.text.tags import check

LABELS = ("人名", "地点")
LONG = "王芳在杭州市图书馆工作，李明去了北京。" * 3


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Ner:
    return Ner(setting(*LABELS))


def example(text: str, *spans: tuple[int, int, str]) -> EntityExample:
    return EntityExample(id="甲", text=text, entities=tuple(Span.of(text, *span) for span in spans))


def certain(task: Ner, prepared: Prepared) -> list[np.ndarray]:
    """Return scores of a model that is sure of every target tag."""
    rows = []
    for feature in prepared.features:
        tags = feature.target[1:-1]
        scores = np.full((len(tags), len(task.way.names)), -9.0)
        scores[np.arange(len(tags)), tags] = 0.0
        rows.append(scores)
    return rows


def tags_of(task: Ner, prepared: Prepared) -> list[str]:
    (feature,) = prepared.features
    assert feature.target[0] == feature.target[-1] == IGNORED
    return [task.way.names[i] for i in feature.target[1:-1]]


def test_tags_are_on_the_right_tokens(task: Ner) -> None:
    (prepared,) = task.prepare([example("王芳 在北京", (0, 2, "人名"), (4, 6, "地点"))])
    assert tags_of(task, prepared) == ["B-人名", "I-人名", "O", "B-地点", "I-地点"]
    assert task.model_labels == ["O", "B-人名", "I-人名", "B-地点", "I-地点"]


def test_neighbours_of_one_kind_stay_apart(task: Ner) -> None:
    (prepared,) = task.prepare([example("王芳李明", (0, 2, "人名"), (2, 4, "人名"))])
    assert tags_of(task, prepared) == ["B-人名", "I-人名", "B-人名", "I-人名"]


ODD = [
    ("😀王芳😀在北京", (1, 3, "人名"), (5, 7, "地点")),
    ("王芳\r\n在\r\n北京。", (0, 2, "人名"), (7, 9, "地点")),
    ("　王 芳　在ＡＢ市", (1, 4, "人名"), (6, 9, "地点")),
    ("\ufeff王芳\x00在\u200b北京", (1, 3, "人名"), (6, 8, "地点")),
    ("𠮷野家在é京", (0, 3, "地点"), (4, 6, "地点")),
    ("王芳去了New York City", (0, 2, "人名"), (4, 17, "地点")),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd[0]))
def test_what_was_tagged_comes_back_at_the_same_characters(task: Ner, odd: tuple) -> None:
    gold = example(*odd)
    (prepared,) = task.prepare([gold])
    found = task.decode(prepared, certain(task, prepared))
    assert found.entities == gold.entities
    assert [gold.text[s.start : s.end] for s in found.entities] == [s.surface for s in found.entities]


def test_a_border_inside_a_token_cannot_be_tagged(task: Ner) -> None:
    (prepared,) = task.prepare([example("😀😀王芳", (1, 4, "人名"))])
    assert tags_of(task, prepared) == ["O", "O", "O"]


def test_a_long_text_is_covered_and_its_offsets_are_right(task: Ner) -> None:
    spans = [
        (i * 19 + s, i * 19 + e, label)
        for i in range(3)
        for s, e, label in ((0, 2, "人名"), (3, 9, "地点"), (12, 14, "人名"), (16, 18, "地点"))
    ]
    gold = example(LONG, *spans)
    (prepared,) = task.prepare([gold])
    assert len(prepared.features) == 6
    found = task.decode(prepared, certain(task, prepared))
    assert found.entities == gold.entities
    assert found.scores == (1.0,) * 12


def test_overlapping_entities_are_refused_by_name(task: Ner) -> None:
    with pytest.raises(DataError, match=r'example "甲".*overlap'):
        list(task.prepare([example("王芳在北京", (0, 3, "人名"), (2, 5, "地点"))]))


def test_the_loss_is_the_summed_cross_entropy_of_text_tokens(task: Ner) -> None:
    examples = [example("王芳在北京", (0, 2, "人名")), example("去了"), example("")]
    micro = collate(task, [f for p in task.prepare(examples) for f in p.features])
    assert micro.targets == 7
    logits = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(0))
    logs = logits.log_softmax(-1)
    wanted = [[1, 2, 0, 0, 0], [0, 0], []]
    slow = -sum(float(logs[i, j + 1, tag]) for i, row in enumerate(wanted) for j, tag in enumerate(row))
    assert float(task.loss(SimpleNamespace(logits=logits), micro.tensors)) == pytest.approx(slow, rel=1e-5)


def test_scores_leave_out_special_tokens_and_padding(task: Ner) -> None:
    logits = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(0))
    scores = task.scores(SimpleNamespace(logits=logits), 1, 6)
    assert scores == pytest.approx(logits[1, 1:5].log_softmax(-1).numpy(), abs=1e-6)


def decoded(task: Ner, text: str, rng: np.random.Generator) -> EntityPrediction:
    (prepared,) = task.prepare([EntityExample(id="1", text=text)])
    scores = [np.log(rng.dirichlet(np.ones(5), len(f.ids) - 2)).reshape(-1, 5) for f in prepared.features]
    return task.decode(prepared, scores)


def test_whatever_the_scores_entities_are_in_order_apart_and_in_the_text(
    task: Ner, ugly: Sequence[str]
) -> None:
    rng = np.random.default_rng(1)
    found = 0
    for text in [*ugly, LONG] * 10:
        prediction = decoded(task, text, rng)
        found += len(prediction.entities)
        ends = [0]
        for span, score in zip(prediction.entities, prediction.scores, strict=True):
            assert ends[-1] <= span.start < span.end <= len(text)
            assert text[span.start : span.end] == span.surface
            assert 0 <= score <= 1
            assert span.label in LABELS
            ends.append(span.end)
    assert found > 300


def test_an_inner_tag_never_starts_an_entity(task: Ner) -> None:
    (prepared,) = task.prepare([example("王芳在北京")])
    scores = np.full((5, 5), -5.0)
    scores[:, [2, 4]] = 0.0  # nothing but I-人名 and I-地点
    found = task.decode(prepared, [scores])
    tags = ["O"] * 5
    for span in found.entities:
        tags[span.start : span.end] = [f"B-{span.label}"] + [f"I-{span.label}"] * (span.end - span.start - 1)
    check(tags)
    assert found.entities


def test_an_empty_text_has_no_entities(task: Ner) -> None:
    for text in ("", " \r\n\u3000"):
        (prepared,) = task.prepare([example(text)])
        found = task.decode(prepared, [np.zeros((0, 5))])
        assert (found.entities, found.scores, found.coverage) == ((), (), 1.0)


def test_tokens_that_share_a_character_make_one_entity_of_it() -> None:
    parts = unicodedata.normalize("NFD", "각")
    tokenizer = Tokenizer.from_vocab([*NAMES.values(), "王", parts[0], *(f"##{part}" for part in parts[1:])])
    task = Ner(Setting(tokenizer=tokenizer, labels=LABELS, window=16, overlap=4))
    (prepared,) = task.prepare([example("王각")])
    assert prepared.encoded.offsets.tolist() == [[0, 1], [1, 2], [1, 2], [1, 2]]
    scores = np.full((4, 5), -9.0)
    scores[:, 1] = 0.0
    assert task.decode(prepared, [scores]).entities == (Span(0, 1, "人名"), Span(1, 2, "人名"))
