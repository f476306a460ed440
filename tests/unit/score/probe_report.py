"""A report on two encoders that never were, with everything in it that a page must bear."""

from dataclasses import replace

import numpy as np

from zhbert.score.curves import curves_of
from zhbert.score.guesses import Items
from zhbert.score.probesheet import Audit, Candidate, Masked, Place, ProbeReport, Said, Specimen, Unit
from zhbert.score.probing import KINDS, Sheet, compared, cuts, judged
from zhbert.score.words import table

EVIL = '<script>alert(1)</script>"粗\u202e'
DOCUMENTS = tuple(map(str, range(30)))
AUDIT = Audit(
    done=1.0,
    strategy="wwm",
    by="the encoder",
    whole_words=True,
    asked_rate=0.15,
    rate=0.1512,
    asked_shares=(0.8, 0.1, 0.1),
    shares=(0.79, 0.11, 0.1),
    tokens=1000,
    words=100,
    broken_words=0,
    special_masked=0,
    others_changed=0,
    samples=40,
    samples_without=2,
    long_samples_without=0,
    documents=30,
    documents_without=1,
    units=(Unit(kind="phrases", n=40, whole=7, partly=1, share=0.25),),
)


def made_items(rng: np.random.Generator, count: int, worse: float) -> Items:
    lengths = rng.integers(1, 4, size=count)
    tokens = int(lengths.sum())
    return Items.of(
        rng.integers(0, len(DOCUMENTS), size=count),
        np.cumsum(lengths) - lengths,
        losses_M=rng.random(tokens) + worse,
        ranks_M=rng.integers(0, 3 + int(9 * worse), size=tokens),
        characters_M=np.ones(tokens, np.int64),
    )


def made_sheet(name: str, *, worse: float = 0.0, tokenizer: str = "t", sources: int = 2) -> Sheet:
    rng = np.random.default_rng(5)
    items = {kind: made_items(rng, 300, worse) for kind in ("masked", *KINDS)}
    return Sheet(
        name=name,
        tokenizer=tokenizer,
        documents=DOCUMENTS,
        items=items,
        sources=tuple(f"来源{i}" for i in range(sources)),
        sources_I=items["masked"].documents_I % sources,
        lengths_I=items["masked"].table_IC[:, 2].astype(np.int64),
        seen_I=rng.integers(0, 2000, size=300),
        facts={"size": "4 x 256"},
    )


def made_report() -> ProbeReport:
    sheets = [made_sheet("甲" + EVIL), made_sheet("乙", worse=1.0)]
    rng = np.random.default_rng(0)
    places = (
        Place(token="京", rank=0, share=0.5, best=(Candidate(token="京", share=0.5),)),
        Place(token="城", rank=70, share=0.001, best=(Candidate(token=EVIL, share=0.25),)),
    )
    said = tuple(Said(by=name, right=False, places=places) for name in ("甲", "乙"))
    rows = [{"step": 10 * i, "loss": 9 - i / 10, "lr": 1e-3, "tokens_per_second": 5e3} for i in range(1, 50)]
    curves = curves_of([*rows[:20], {"restart": 200}, *rows[20:], {"step": 90, "fault": "loss is nan"}])
    return ProbeReport(
        title="编码器 <比较>",
        judged=tuple(judged(sheet, rng=rng) for sheet in sheets),
        against=compared(*sheets, rng=rng),
        cuts=cuts(sheets, rng=rng),
        training=(
            Masked(
                name="甲",
                text={EVIL: "3 documents"},
                card=EVIL,
                curves=curves,
                audits=(AUDIT, replace(AUDIT, broken_words=3)),
            ),
            Masked(name="乙", note="Its list of similar words is not in its folder."),
        ),
        specimens=tuple(
            Specimen(source=EVIL, kinds=(kind,), before="我在", word="京城", after=EVIL, said=said)
            for kind in ("wrong", "right")
        ),
        text={"documents": "30", "sources": "2"},
        limits=tuple(table()["probe limits"]),
    )
