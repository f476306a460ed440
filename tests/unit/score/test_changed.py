"""Changed examples: answers move along, or the example is left out."""

import pytest

from zhbert.records import (
    ChoiceExample,
    EntityExample,
    EntityPrediction,
    LabelExample,
    PairExample,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.changed import changed, changes_for, said

TEXT = "李明在上海图书馆读书。"
ENTITY = EntityExample(id="1", text=TEXT, entities=(Span.of(TEXT, 0, 2, "人名"), Span.of(TEXT, 3, 8, "机构")))
OTHER = EntityExample(id="2", text="王芳来了。", entities=(Span.of("王芳来了。", 0, 2, "人名"),))
CONTEXT = "故宫在北京市中心。它建于明代。"
READING = ReadingExample(
    id="1",
    context=CONTEXT,
    question="故宫在哪座城市？",
    answers=(Span.of(CONTEXT, 3, 5),),
    published=("北京", "北京市"),
)
ELSEWHERE = "外滩在上海市中心的江边。那里的城市风光很好。"
FAR = ReadingExample(id="2", context=ELSEWHERE, question="外滩在哪？", answers=(Span.of(ELSEWHERE, 3, 5),))


def test_entities_move_along():
    (one,) = changed([ENTITY], "spaces-between")
    assert one.after.text == "李 明 在 上 海 图 书 馆 读 书。"
    assert [(s.surface, s.label) for s in one.after.entities] == [
        ("李 明", "人名"),
        ("上 海 图 书 馆", "机构"),
    ]


def test_every_text_of_an_example_changes():
    pair = PairExample(id="1", first="头发", second="图书", label="同")
    choice = ChoiceExample(id="1", context="头发", question="图书", options=("头发", "好"), answer=1)
    assert [(c.after.first, c.after.second, c.after.label) for c in changed([pair], "traditional")] == [
        ("頭髮", "圖書", "同")
    ]
    (after,) = [c.after for c in changed([choice], "traditional")]
    assert (after.context, after.question, after.options, after.answer) == ("頭髮", "圖書", ("頭髮", "好"), 1)


def test_what_does_not_change_is_left_out():
    plain = LabelExample(id="1", text="好。", labels=("体育",))
    assert list(changed([plain], "upper-case")) == []


def test_an_answer_that_loses_its_border_leaves_its_example_out():
    text = "A 座"
    inside = EntityExample(id="1", text=text, entities=(Span.of(text, 1, 2, "空"),))
    assert list(changed([inside], "no-spaces")) == []


def test_names_become_others_of_their_type():
    (first, second) = changed([ENTITY, OTHER], "names")
    assert first.after.text == "王芳在上海图书馆读书。", "there is no other organisation"
    assert second.after.text == "李明来了。"
    assert second.after.entities == (Span.of("李明来了。", 0, 2, "人名"),)


def test_a_distractor_stands_before_the_passage_and_holds_no_answer():
    first, _ = changed([READING, FAR], "distractor")
    after = first.after
    assert after.context in {"外滩在上海市中心的江边。" + CONTEXT, "那里的城市风光很好。" + CONTEXT}
    assert (after.question, after.answers[0].surface) == (READING.question, "北京")
    assert after.texts == ("北京",), "what stands nowhere cannot move along"


def test_a_prediction_is_followed_to_its_new_place():
    (one,) = changed([ENTITY], "spaces-between")
    before = EntityPrediction(id="1", entities=ENTITY.entities, scores=(0.9, 0.8))
    after = EntityPrediction(id="1", entities=one.after.entities, scores=(0.5, 0.5))
    assert one.follow(before) == said(after)
    answered = ReadingPrediction(id="1", answer=READING.answers[0], score=0.9, null_score=0.1)
    (moved,) = changed([READING], "spaces-between")
    assert moved.follow(answered) == (moved.after.answers[0].start, moved.after.answers[0].end)
    assert moved.follow(ReadingPrediction(id="1", answer=None, score=0.1, null_score=0.9)) is None


@pytest.mark.parametrize(
    ("kind", "own"), [(EntityExample, {"names"}), (ReadingExample, {"distractor"}), (LabelExample, set())]
)
def test_each_kind_knows_its_changes(kind: type, own: set[str]):
    assert {"names", "distractor"} & set(changes_for(kind)) == own


def test_the_seed_decides_where():
    long = LabelExample(id="1", text="他在那里做作业，已经知道了以后的意义。" * 5, labels=("甲",))
    texts = {next(changed([long], "homophones", seed=seed)).after.text for seed in (1, 1, 2)}
    assert len(texts) == 2
