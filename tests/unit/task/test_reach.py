"""Gold answers out of reach: against every answer that could be given at all."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from zhbert.encode.align import char_span
from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)
from zhbert.score.answers import judge_answer
from zhbert.score.words import chinese
from zhbert.task.base import Prepared, Setting, Task
from zhbert.task.reach import ABSENT, BORDER, LABEL, LONG, OVERLAP, SILENCE, answers_in, out_of_reach
from zhbert.task.registry import make_task
from zhbert.task.segment import joined

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "他", "在", "北", "京", "iphone", "##s", "a", "##b"]
TOKENIZER = Tokenizer.from_vocab(VOCAB)
TOKENIZER.encode_batch(["他"])  # what it loads for the first text is no part of a property's time
TEXTS = st.lists(
    st.sampled_from(["他", "在", "京", "ab", "b", " ", "\u200b", "😀", "《", "A"]), max_size=9
).map("".join)


def task_of(name: str, **options: Any) -> Task:
    return make_task(
        name, Setting(**{"tokenizer": TOKENIZER, "labels": ("甲",), "window": 64, "overlap": 8} | options)
    )


def lost(task: Task, example: Example) -> list[tuple[str, str]]:
    return list(out_of_reach(task, example, prepared(task, example)))


def prepared(task: Task, example: Example) -> Prepared:
    """What the task makes of an example without its answers, as `predict` has it."""
    bare: dict[type[Example], dict[str, Any]] = {
        EntityExample: {"entities": ()},
        ReadingExample: {"answers": (), "published": ()},
        LabelExample: {"labels": ()},
        PairExample: {"label": ""},
    }
    given_ = {name: getattr(example, name) for name in example.__slots__} | bare.get(type(example), {})
    return next(iter(task.prepare([type(example)(**given_)])))


def spans_in(text: str, ranges: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    kept = {(min(a, len(text) - 1), min(a + n, len(text))) for a, n in ranges} if text else set()
    return tuple(Span.of(text, start, end, "甲") for start, end in sorted(kept))


RANGES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=5)


def sayable(encoded: Encoded) -> set[tuple[int, int]]:
    """The characters of every run of tokens."""
    bounds = combinations(range(len(encoded) + 1), 2)
    return {span for first, stop in bounds if (span := char_span(encoded.offsets, first, stop))}


@given(TEXTS, RANGES)
def test_entities_are_lost_as_no_choice_of_tokens_gives_them(
    text: str, ranges: list[tuple[int, int]]
) -> None:
    example = EntityExample(id="1", text=text, entities=spans_in(text, ranges))
    task = task_of("ner")
    can = sayable(TOKENIZER.encode_batch([text])[0])
    whole = [span for span in example.entities if (span.start, span.end) in can]
    subsets = chain.from_iterable(combinations(whole, size) for size in range(len(whole) + 1))
    most = max(len(some) for some in subsets if all(a.end <= b.start for a, b in pairwise(sorted(some))))
    reasons = [why for why, _ in lost(task, example)]
    assert reasons.count(BORDER) == len(example.entities) - len(whole)
    assert reasons.count(OVERLAP) == len(whole) - most
    nested = [why for why, _ in lost(task_of("ner", head="pointer"), example)]
    assert nested == [BORDER] * (len(example.entities) - len(whole))


@given(TEXTS, RANGES)
def test_words_are_lost_as_no_cut_of_the_tokens_gives_them(text: str, ranges: list[tuple[int, int]]) -> None:
    example = EntityExample(id="1", text=text, entities=spans_in(text, ranges))
    offsets = TOKENIZER.encode_batch([text])[0].offsets
    can = {(word.start, word.end) for words in cuts(offsets.tolist()) for word in joined(words, text)}
    expected = [f"{span.surface} 甲" for span in example.entities if (span.start, span.end) not in can]
    assert [what for _, what in lost_words(example)] == expected


def lost_words(example: EntityExample) -> list[tuple[str, str]]:
    """What is lost of words that need not cover their text, as those of a task must."""
    from zhbert.task.reach import _words

    return list(_words(example, TOKENIZER.encode_batch([example.text])[0], ("甲",)))


def cuts(offsets: list[list[int]]) -> Iterator[list[Span]]:
    """Yield every way to make words of tokens."""
    for size in range(len(offsets)):
        for inner in combinations(range(1, len(offsets)), size):
            bounds = [0, *inner, len(offsets)]
            yield [Span(offsets[a][0], offsets[b - 1][1]) for a, b in pairwise(bounds)]


@given(TEXTS, st.text("他在京abA ", min_size=1, max_size=3), st.integers(1, 3))
def test_an_answer_is_lost_as_no_span_of_the_context_is_right(
    context: str, answer: str, longest: int
) -> None:
    if not judge_answer([answer], "")[0]:
        example = ReadingExample(id="1", context=context, question="？", published=(answer,))
        task = task_of("reading", decoding={"longest": float(longest)})
        encoded = TOKENIZER.encode_batch([context])[0]
        right = [
            stop - first
            for first, stop in combinations(range(len(encoded) + 1), 2)
            if (span := char_span(encoded.offsets, first, stop))
            and judge_answer([answer], context[slice(*span)])[0]
        ]
        found = [why for why, _ in lost(task, example)]
        assert bool(found) == (not any(length <= longest for length in right))
        assert (found == [LONG]) == bool(right and min(right) > longest)


def test_the_reasons_of_readings() -> None:
    asked = {"id": "1", "context": "他在iphone", "question": "他"}
    always, may = task_of("reading"), task_of("reading", decoding={"none": 0.0})
    unanswered = ReadingExample(**asked)
    assert (lost(always, unanswered), lost(may, unanswered)) == ([(SILENCE, "他")], [])
    assert lost(may, ReadingExample(**asked, published=("北京",))) == [(ABSENT, "北京")]
    inside = ReadingExample(**asked, answers=(Span.of("他在iphone", 4, 8),))
    assert lost(may, inside) == [(BORDER, "hone")]
    other = ReadingExample(
        id="1", context="iphone a", question="他", answers=(Span.of("iphone a", 2, 3),), published=("A",)
    )
    assert lost(may, other) == []  # "A" stands elsewhere as a token of its own


def test_what_is_not_judged_may_stand_within_an_answer() -> None:
    example = ReadingExample(id="1", context="他在《京》a", question="他", published=("在京A",))
    assert lost(task_of("reading"), example) == []
    assert [why for why, _ in lost(task_of("reading", decoding={"longest": 4.0}), example)] == [LONG]


def test_labels_that_a_model_never_heard_of() -> None:
    one, several = (task_of("classify", head=head) for head in ("one", "several"))
    example = LabelExample(id="1", text="他", labels=("甲", "乙"))
    assert (lost(one, example), lost(several, example)) == ([], [(LABEL, "乙")])
    assert lost(task_of("pair"), PairExample(id="1", first="他", second="在", label="乙")) == [(LABEL, "乙")]
    entity = EntityExample(id="1", text="北京", entities=(Span.of("北京", 0, 2, "地点"),))
    assert lost(task_of("ner"), entity) == [(LABEL, "北京 地点")]
    assert lost(task_of("segment"), entity) == [(LABEL, "北京 地点")]


def test_a_pointer_needs_a_window_for_the_whole_entity() -> None:
    text = "他在北京" * 8
    example = EntityExample(
        id="1", text=text, entities=(Span.of(text, 0, 12, "甲"), Span.of(text, 10, 24, "甲"))
    )
    pointer = task_of("ner", head="pointer", window=18, overlap=4)
    assert [why for why, _ in lost(pointer, example)] == [LONG]


def test_answers_are_counted_where_they_are_known() -> None:
    asked: dict[Example, int] = {
        LabelExample(id="1", text="他", labels=("甲",)): 1,
        LabelExample(id="1", text="他"): 0,
        PairExample(id="1", first="他", second="在"): 0,
        EntityExample(id="1", text="北京", entities=(Span(0, 1, "甲"), Span(0, 2, "甲"))): 2,
        ReadingExample(id="1", context="他", question="谁"): 1,
        ChoiceExample(id="1", context="他", question="谁", options=("他", "在"), answer=0): 1,
    }
    found = [answers_in(example) for example in asked]
    assert found == list(asked.values())
    assert {type(count) for count in found} == {int}


def test_every_reason_has_its_chinese() -> None:
    assert all(chinese(why) for why in (LABEL, BORDER, OVERLAP, LONG, ABSENT, SILENCE))
