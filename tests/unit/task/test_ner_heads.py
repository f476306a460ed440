"""Every head of entities: learns, is saved and loaded as it was, and keeps its encoder readable by others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForTokenClassification, PreTrainedModel

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError
from zhbert.model import store
from zhbert.model.tagger import Crf, Pointer
from zhbert.records import EntityExample, Span
from zhbert.task.base import Setting, Task, collate, run_model
from zhbert.task.lesson import Lesson
from zhbert.task.predict import predict
from zhbert.task.registry import make_task, task_of
from zhbert.task.segment import Segment

QUICK = [("ner", "crf"), ("ner", "pointer")]
LATER = [("ner", "softmax"), *(("segment", head) for head in Segment.heads)]
HEADS = [*QUICK, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in LATER)]
LABELS = ("人名", "地点")
TEXT = "王芳在杭州市工作，李明去了北京。"
ENTITIES = ((0, 2, "人名"), (3, 6, "地点"), (9, 11, "人名"), (13, 15, "地点"))
WORDS = (2, 3, 6, 8, 9, 11, 13, 15, 16)


def examples(task: str) -> list[EntityExample]:
    words = [(a, b, LABELS[b % 2]) for a, b in zip((0, *WORDS), WORDS, strict=False)]
    spans = [Span.of(TEXT, *span) for span in (ENTITIES if task == "ner" else words)]
    cut = [span for span in spans if span.end <= 9]
    return [
        EntityExample(id="1", text=TEXT, entities=tuple(spans)),
        EntityExample(id="2", text=TEXT[:9], entities=tuple(cut)),
        EntityExample(id="3", text=""),
    ]


@pytest.fixture(scope="module")
def start(tiny_encoder: Path, tiny_tokenizer: Tokenizer) -> Callable[..., tuple[Task, PreTrainedModel]]:
    def begin(name: str, head: str, labels: tuple[str, ...] = LABELS) -> tuple[Task, PreTrainedModel]:
        torch.manual_seed(1)
        task = make_task(
            name, Setting(tokenizer=tiny_tokenizer, labels=labels, window=24, overlap=8, head=head)
        )
        config = store.task_config(str(tiny_encoder), labels=task.model_labels, dropout=0.0)
        return task, store.new_task_model(
            str(tiny_encoder), task=name, head=head, config=config, random=False
        )

    return begin


def test_of_entities_that_overlap_the_longest_can_be_learnt(tiny_tokenizer: Tokenizer):
    spans = (Span.of(TEXT, 0, 6, "地点"), Span.of(TEXT, 0, 2, "人名"), Span.of(TEXT, 9, 11, "人名"))
    example = EntityExample(id="1", text=TEXT, entities=spans)
    setting = Setting(tokenizer=tiny_tokenizer, labels=LABELS, window=64, overlap=8)
    with pytest.raises(DataError, match="--overlapping longest"):
        next(make_task("ner", setting).prepare([example]))
    task = make_task("ner", replace(setting, lesson=Lesson(overlapping="longest")))
    (prepared,) = task.prepare([example])
    flat = EntityExample(id="1", text=TEXT, entities=(spans[0], spans[2]))
    (wanted,) = task.prepare([flat])
    assert (prepared.features, prepared.lost) == (wanted.features, 1)


def teach(
    task: Task, model: PreTrainedModel, gold: list[Any], *, times: int, lr: float = 3e-3
) -> list[float]:
    """Train on all examples at once; return the losses."""
    features = [f for prepared in task.prepare(gold) for f in prepared.features if f.target is not None]
    micro = collate(task, features)
    fast = set(getattr(model, "fast_parameters", list)())
    named = list(model.named_parameters())
    assert fast <= {name for name, _ in named}
    optimizer = torch.optim.AdamW([{"params": [p], "lr": lr * (10 if n in fast else 1)} for n, p in named])
    losses = []
    for _ in range(times):
        loss = task.loss(run_model(model, micro.tensors), micro.tensors) / micro.targets
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), HEADS)
def test_a_head_learns_and_is_the_same_when_loaded(
    name: str, head: str, start: Callable[..., Any], tmp_path: Path
) -> None:
    task, model = start(name, head)
    gold = examples(name)
    losses = teach(task, model, gold, times=25)
    assert losses[-1] < losses[0] / 4
    said = list(predict(task, model, gold))
    assert [p.entities for p in said] == [e.entities for e in gold]
    assert all(0.3 < score <= 1 for p in said for score in p.scores)
    facts = store.Facts(task=name, head=head, labels=LABELS, window=24, overlap=8)
    store.save(tmp_path, model=model, tokenizer=task.setting.tokenizer, facts=facts)
    loaded = store.load(tmp_path)
    assert type(loaded.model) is type(model)
    assert list(predict(task_of(loaded), loaded.model, gold)) == said


@pytest.mark.parametrize("head", [Crf, Pointer])
def test_others_read_the_encoder(head: type, tmp_path: Path, start: Callable[..., Any]) -> None:
    _, model = start("ner", head.__name__.lower())
    model.eval().save_pretrained(tmp_path)
    ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(1))
    plain, report = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert all(".pooler" in f".{key}" for key in report["missing_keys"])
    ours = model.base_model(input_ids=ids).last_hidden_state
    assert torch.allclose(plain.eval()(input_ids=ids).last_hidden_state, ours, atol=1e-6)
    assert model.config.id2label[0] == ("O" if head is Crf else LABELS[0])
    if head is Crf:  # a chain without its steps is a tagger like any other
        tagger = AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
        assert torch.allclose(tagger(input_ids=ids).logits, model(input_ids=ids).logits, atol=1e-6)
    else:
        with pytest.raises(RuntimeError, match="mismatch"):
            AutoModelForTokenClassification.from_pretrained(tmp_path)


@pytest.mark.slow
def test_a_chain_learns_what_follows_what(start: Callable[..., Any]) -> None:
    task, model = start("ner", "crf")
    assert not model.transitions.weight.any()
    teach(task, model, examples("ner"), times=25)
    places = {name: i for i, name in enumerate(task.model_labels)}
    learnt = model.transitions.weight.detach()
    assert learnt[places["B-人名"], places["I-人名"]] > 0
    assert learnt[places["B-人名"], places["O"]] < 0
    assert learnt[places["O"], places["I-人名"]] == 0  # what is forbidden is not learnt


NESTED = [
    (
        "北京大学校长王芳在杭州市图书馆",
        ((0, 2, "地点"), (0, 4, "机构"), (6, 8, "人名"), (9, 12, "地点"), (9, 15, "机构")),
    ),
    ("王芳在北京大学", ((0, 2, "人名"), (3, 5, "地点"), (3, 7, "机构"))),
    ("杭州市图书馆", ((0, 3, "地点"), (0, 6, "机构"))),
    ("他在北京", ((2, 4, "地点"),)),
]  # fmt: skip


@pytest.mark.slow
def test_a_pointer_finds_nested_entities_that_tags_refuse(start: Callable[..., Any]) -> None:
    gold = [
        EntityExample(id=str(i), text=text, entities=tuple(sorted(Span.of(text, *span) for span in spans)))
        for i, (text, spans) in enumerate(NESTED)
    ]
    labels = ("人名", "地点", "机构")
    task, model = start("ner", "pointer", labels)
    losses = teach(task, model, gold, times=60)
    assert losses[-1] < losses[0] / 10
    assert [p.entities for p in predict(task, model, gold)] == [e.entities for e in gold]
    for head in ("softmax", "crf"):
        with pytest.raises(Exception, match=r'example "0".*overlap.*--head pointer'):
            list(start("ner", head, labels)[0].prepare(gold))
