"""`zhbert.load`: one call for one answer, many, a stream, many threads."""

import itertools
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import zhbert
from zhbert.app.pipeline import Encoder, Pipeline, fill, load
from zhbert.errors import DataError, ModelError
from zhbert.model import store
from zhbert.records import (
    EntityExample,
    EntityPrediction,
    LabelPrediction,
    PairPrediction,
    ReadingPrediction,
    to_plain,
)

TEXT = "王芳在杭州市图书馆工作"
ASK: dict[str, Any] = {"classify": TEXT, "ner": TEXT, "pair": (TEXT, TEXT), "reading": ("谁？", TEXT)}
KINDS = {
    "classify": LabelPrediction,
    "ner": EntityPrediction,
    "pair": PairPrediction,
    "reading": ReadingPrediction,
}


@pytest.fixture(scope="module")
def pipes(tiny_models: dict[str, Path]) -> dict[str, Pipeline]:
    found = {task: load(folder) for task, folder in tiny_models.items()}
    return {task: pipe for task, pipe in found.items() if isinstance(pipe, Pipeline)}


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    found = load(tiny_encoder)
    assert isinstance(found, Encoder)
    return found


@pytest.mark.parametrize("task", KINDS)
def test_one_question_one_answer(task: str, pipes: dict[str, Pipeline]) -> None:
    found = pipes[task](ASK[task])
    assert isinstance(found, KINDS[task])
    assert task in repr(pipes[task])


def test_the_public_name_takes_a_text_too(tiny_models: dict[str, Path]) -> None:
    assert isinstance(zhbert.load(str(tiny_models["ner"])), Pipeline)


def test_offsets_are_of_this_very_text(pipes: dict[str, Pipeline]) -> None:
    for text in ("😀 王芳\r\n在　杭州", "ＷＦ在Ｈ市", TEXT * 20):
        found = pipes["ner"](text)
        assert isinstance(found, EntityPrediction)
        assert all(text[s.start : s.end] == s.surface for s in found.entities)


def test_a_batch_keeps_its_order(pipes: dict[str, Pipeline]) -> None:
    texts = [TEXT[:n] for n in (11, 3, 0, 7)]
    found = pipes["classify"].batch(texts)
    assert [p.id for p in found] == ["0", "1", "2", "3"]
    for text, prediction in zip(texts, found, strict=True):
        (alone,) = pipes["classify"].batch([text])
        assert isinstance(prediction, LabelPrediction)
        assert isinstance(alone, LabelPrediction)
        assert prediction.labels == alone.labels
        assert prediction.scores == pytest.approx(alone.scores, abs=1e-5)
    assert pipes["classify"].batch([]) == []


def test_a_stream_is_lazy_ordered_and_its_ids_differ(pipes: dict[str, Pipeline]) -> None:
    asked = itertools.count()

    def endless() -> Iterator[str]:
        for number in asked:
            yield TEXT[: number % 12]

    found = list(itertools.islice(pipes["classify"].stream(endless()), 60))
    assert [p.id for p in found] == [str(n) for n in range(60)]
    assert next(asked) <= 16 + 32 + 64 + 1
    expected = pipes["classify"].batch([TEXT[: n % 12] for n in range(60)])
    assert [to_plain(p)["labels"] for p in found] == [to_plain(p)["labels"] for p in expected]


def test_an_example_keeps_its_id(pipes: dict[str, Pipeline]) -> None:
    assert pipes["ner"](EntityExample(id="甲", text=TEXT)).id == "甲"


WRONG: list[tuple[str, Any, str]] = [
    ("classify", 5, "takes a text, not int"),
    ("classify", None, "not NoneType"),
    ("ner", b"abc", "not bytes"),
    ("ner", (TEXT, TEXT), "takes a text, not tuple"),
    ("pair", TEXT, r"takes \(first, second\), not str"),
    ("pair", (TEXT,), "not tuple"),
    ("reading", (TEXT, 5), r"takes \(question, context\)"),
    ("reading", EntityExample(id="1", text=TEXT), "not EntityExample"),
]


@pytest.mark.parametrize(("task", "question", "words"), WRONG)
def test_a_wrong_question_is_refused(
    task: str, question: Any, words: str, pipes: dict[str, Pipeline]
) -> None:
    for ask in (pipes[task], lambda q: pipes[task].batch([q]), lambda q: next(pipes[task].stream([q]))):
        with pytest.raises(DataError, match=words):
            ask(question)


def test_a_text_is_not_a_list_of_characters(pipes: dict[str, Pipeline]) -> None:
    with pytest.raises(DataError, match="not one text"):
        pipes["classify"].batch(TEXT)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="not one text"):
        next(pipes["classify"].stream(TEXT))


@pytest.mark.slow
def test_threads_get_the_same_answers(pipes: dict[str, Pipeline]) -> None:
    texts = [TEXT[: n % 12] * (1 + n % 5) for n in range(40)]
    expected = [pipes["ner"](text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pipes["ner"], texts)) == expected


def test_fill_returns_the_best_guesses_in_order(encoder: Encoder) -> None:
    guesses = encoder.fill("今天天气很[MASK][MASK]", top=7)
    assert len(guesses) == len({guess.text for guess in guesses}) == 7
    scores = [guess.score for guess in guesses]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    for guess in guesses:
        assert guess.text == "今天天气很" + "".join(guess.words)
        assert len(guess.words) == 2


def test_fill_leaves_the_rest_of_the_text_as_it_is(encoder: Encoder) -> None:
    text = "😀 王 芳\r\n在[MASK]京Ａ，\u3000[MASK]"
    for guess in encoder.fill(text, top=30):
        head, tail = text.split("[MASK]")[0], text.split("[MASK]")[1]
        assert guess.text == head + guess.words[0] + tail + guess.words[1]
        assert not any(mark in word for word in guess.words for mark in ("[", "##")) or "[" in guess.words


def test_fill_scores_are_those_of_the_places_one_after_the_other(
    encoder: Encoder, tiny_encoder: Path
) -> None:
    plain = store.load(tiny_encoder)
    special = plain.tokenizer.special

    def chance(text: str, place: int, word: str) -> float:
        ids = plain.tokenizer.encode_batch([text, word])
        row = torch.tensor([[special.cls, *ids[0].ids.tolist(), special.sep]])
        with torch.inference_mode():
            return float(plain.model(input_ids=row).logits[0, place + 1].softmax(-1)[ids[1].ids[0]])

    for guess in encoder.fill("王[MASK]在[MASK]京", top=3):
        first, second = guess.words
        expected = chance("王[MASK]在[MASK]京", 1, first) * chance(f"王{first}在[MASK]京", 3, second)
        assert guess.score == pytest.approx(expected, rel=1e-4)


def test_fill_can_be_asked_for_one_or_for_more_than_there_are(encoder: Encoder) -> None:
    assert len(encoder.fill("王[MASK]", top=1)) == 1
    every = encoder.fill("王[MASK]", top=10**6)
    assert len(every) > 500
    assert not {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} & {g.words[0] for g in every}


def test_what_cannot_be_filled_is_refused(
    encoder: Encoder, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"no \[MASK\]"):
        encoder.fill("今天天气很好")
    with pytest.raises(DataError, match="the text has 601 tokens; the encoder takes 510"):
        encoder.fill("王" * 600 + "[MASK]")
    with pytest.raises(ModelError, match="not an encoder but a task model"):
        fill(tiny_models["ner"], "[MASK]")
    with pytest.raises(ModelError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_fill_by_folder(tiny_encoder: Path, encoder: Encoder) -> None:
    assert fill(tiny_encoder, "王[MASK]", top=2) == encoder.fill("王[MASK]", top=2)


def test_a_folder_can_be_moved(
    tiny_models: dict[str, Path], tmp_path: Path, pipes: dict[str, Pipeline]
) -> None:
    moved = load(shutil.copytree(tiny_models["ner"], tmp_path / "搬 家"))
    assert isinstance(moved, Pipeline)
    assert moved(TEXT) == pipes["ner"](TEXT)


def test_a_reader_gives_as_many_answers_as_are_asked_for_in_the_script_of_the_text(
    tiny_models: dict[str, Path],
) -> None:
    text = "王芳在臺灣大學圖書館工作"
    found = load(tiny_models["reading"], script="simplified", answers=3)(("誰在那裡工作？", text))  # type: ignore[operator]
    spans = [found.answer] * bool(found.answer) + [other.span for other in found.others]
    assert len(spans) == 3
    assert all(text[span.start : span.end] == span.surface for span in spans)
