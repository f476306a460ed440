"""Small reports about made-up systems, with every task and every ugly text in it."""

from dataclasses import replace
from typing import Any, cast

import numpy as np

from zhbert.records import (
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.report import Report, SectionInput, System, build_report

NAMES = ("李明", "王小红", "欧阳修", "张建国", "陈静")
PLACES = ("北京", "上海", "乌鲁木齐", "黄山", "呼和浩特")
GROUPS = ("清华大学", "人民银行", "中国国家图书馆", "新华社")
UGLY = (
    "<script>alert('不该运行')</script>李明在北京",
    "李明在北京]]>--><b>粗</b>&lt;",
    "李明\u202e在北京\u2066，\u200fשלום עולם",
    "李明在北京" + "a" * 3000,
    "李明在北京\x00\x07\ud83d",
)
TOPICS = ("体育", "财经", "科技", "教育", "娱乐", "游戏")


def entity_examples(n: int, rng: np.random.Generator) -> list[EntityExample]:
    found = []
    for i in range(n):
        text, spans = UGLY[i] if i < len(UGLY) else "", []
        if text:
            spans += [
                Span.of(text, text.index(w), text.index(w) + 2, t)
                for w, t in (("李明", "人名"), ("北京", "地点"))
            ]
        for kind, words, link in (
            ("人名", NAMES, "昨天在"),
            ("地点", PLACES, "参观了"),
            ("机构", GROUPS, "，并发表讲话。"),
        ):
            if i >= len(UGLY):
                word = words[rng.integers(len(words))]
                spans.append(Span.of(text + word, len(text), len(text) + len(word), kind))
                text += word + link
        found.append(EntityExample(id=f"句{i}", text=text, entities=tuple(sorted(set(spans)))))
    return found


def damage(example: EntityExample, rate: float, rng: np.random.Generator) -> EntityPrediction:
    spans = []
    for span in example.entities:
        fate = rng.random() / rate
        start = max(0, span.start - 1) if fate < 0.3 else span.start
        label = ("地点" if span.label == "机构" else "机构") if 0.2 < fate < 0.6 else span.label
        if not 0.6 < fate < 1:
            spans.append(Span.of(example.text, start, span.end, label))
    if rng.random() < rate / 3:
        spans.append(Span.of(example.text, len(example.text) - 2, len(example.text), "人名"))
    found = tuple(sorted(set(spans)))
    return EntityPrediction(id=example.id, entities=found, scores=tuple(0.9 for _ in found))


def label_section(n: int, rng: np.random.Generator) -> SectionInput:
    gold = [
        LabelExample(
            id=f"题{i}",
            text=f"第{i}条：{TOPICS[i % 6]}新闻" + "很长" * int(rng.integers(40)),
            labels=(TOPICS[i % 6],),
        )
        for i in range(n)
    ]

    def say(rate: float) -> list[LabelPrediction]:
        said = [e.labels[0] if rng.random() > rate else TOPICS[rng.integers(6)] for e in gold]
        return [
            LabelPrediction(id=e.id, labels=(s,), scores={s: 0.5 + rng.random() / 2})
            for e, s in zip(gold, said, strict=True)
        ]

    return SectionInput(
        name="新闻标题",
        task="classify",
        gold=gold,
        systems={"pretrained": say(0.2), "random": say(0.25)},
        train=gold[:40],
    )


def pair_section(n: int, rng: np.random.Generator) -> SectionInput:
    gold = [
        PairExample(id=f"对{i}", first="他在北京工作", second="他在首都上班", label=("蕴含", "矛盾")[i % 2])
        for i in range(n)
    ]
    said = [PairPrediction(id=e.id, label="蕴含", scores={"蕴含": 0.6, "矛盾": 0.4}) for e in gold]
    return SectionInput(name="ocnli", task="pair", gold=gold, systems={"majority": said})


def reading_section(n: int, rng: np.random.Generator) -> SectionInput:
    gold, said = [], []
    for i in range(n):
        place = PLACES[i % 5]
        context = (
            "他早年的经历少有记载。" * int(rng.integers(2, 60))
            + f"他毕业于{place}大学，后来回到家乡。"
            + "此后事迹不详。" * 20
        )
        at = context.index(place)
        answer = Span.of(context, at, at + len(place) + 2)
        answers = () if i % 6 == 0 else (answer,)
        gold.append(
            ReadingExample(id=f"问{i}", context=context, question=f"他毕业于哪所学校？<{i}>", answers=answers)
        )
        start, end = at - int(rng.integers(0, 2)) * 3, at + len(place) + 2 * int(rng.integers(0, 2))
        none = rng.random() < 0.2
        said.append(
            ReadingPrediction(
                id=f"问{i}", answer=None if none else Span.of(context, start, end), score=0.7, null_score=0.2
            )
        )
    return SectionInput(name="cmrc2018", task="reading", gold=gold, systems={"pretrained": said})


def several_report(*, n: int = 60, seed: int = 7, draws: int = 200) -> Report:
    """Return a report in which some systems have several trainings, and some do not differ much."""
    rng = np.random.default_rng(seed)
    gold = entity_examples(n, rng)

    def trained(rates: tuple[float, ...]) -> list[System]:
        return [
            System(predictions=[damage(e, rate, rng) for e in gold], facts={"size": "4 × 312", "seed": i})
            for i, rate in enumerate(rates, start=1)
        ]

    systems = {
        "whole <words>": trained((0.2, 0.5, 0.35)),
        "characters": trained((0.3, 0.4)),
        "lexicon": trained((0.95,)),
    }
    entities = SectionInput(
        name="cluener", task="ner", gold=gold, train=entity_examples(8, rng), systems=systems
    )
    labels = label_section(n, rng)
    first, other = (System(predictions=cast(Any, said)) for said in labels.systems.values())
    labels = replace(labels, systems={"pretrained": [first], "random": [first, other, other]})
    return build_report("医疗领域 BERT <评估>", sections=[entities, labels], rng=rng, draws=draws)


def compared_report(*, n: int = 60, seed: int = 7, draws: int = 100) -> Report:
    """Return a report in which systems are set against each other: entities, questions and topics."""
    rng = np.random.default_rng(seed)
    gold = entity_examples(n, rng)

    def trained(*rates: float) -> list[System]:
        return [System(predictions=[damage(e, rate, rng) for e in gold]) for rate in rates]

    systems = {"词 <wwm>": trained(0.2, 0.3), "字": trained(0.3), "表": trained(0.9)}
    entities = SectionInput(name="实体", task="ner", gold=gold, systems=systems, every_pair=True)
    reading = reading_section(n, rng)
    given = cast(list[ReadingPrediction], reading.systems["pretrained"])
    silent = [replace(said, answer=None) if i % 3 else said for i, said in enumerate(given)]
    reading = replace(reading, systems={"读": given, "不答": silent}, every_pair=True)
    labels = replace(label_section(n, rng), every_pair=True)
    return build_report("比较", sections=[entities, reading, labels], rng=rng, draws=draws)


def made_report(*, n: int = 150, seed: int = 7, draws: int = 400) -> Report:
    """Return the report; the same seed gives the same one."""
    rng = np.random.default_rng(seed)
    gold = entity_examples(n, rng)
    systems = {
        name: System(predictions=[damage(e, rate, rng) for e in gold], facts={"size": "4 × 312", "seed": 1})
        for name, rate in (("pretrained", 0.25), ("random", 0.5), ("lexicon", 0.9))
    }
    entities = SectionInput(
        name="cluener",
        task="ner",
        gold=gold,
        train=entity_examples(8, rng),
        systems=systems,
        coverage={"windows": 3},
    )
    sections = [entities, label_section(n, rng), pair_section(40, rng), reading_section(n, rng)]
    provenance = {
        "seed": 7,
        "versions": {"numpy": np.__version__},
        "note": "<img src=http://example.invalid/x.png>",
    }
    return build_report(
        "医疗领域 BERT <评估>", sections=sections, provenance=provenance, rng=rng, draws=draws
    )
