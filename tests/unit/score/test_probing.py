"""From guesses to figures, parts and a page: sums are right, less loss is better, and nothing is fetched."""

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zhbert.records import from_plain, to_plain
from zhbert.score.curves import POINTS, Curves, curves_of, draw, read_curves
from zhbert.score.guesses import COLUMNS, ITEM_5, LOSS, PERPLEXITY, Items
from zhbert.score.interval import interval
from zhbert.score.page import write_page
from zhbert.score.probepage import _NAMES, kept, render, t
from zhbert.score.probesheet import ProbeReport
from zhbert.score.probing import KINDS, OTHERS, SOURCES, compared, cuts
from zhbert.score.words import chinese

PAGE = runpy.run_path(str(Path(__file__).with_name("test_render.py")))["Page"]
MADE = runpy.run_path(str(Path(__file__).with_name("probe_report.py")))
AUDIT, DOCUMENTS, made_items, made_sheet = (
    MADE[name] for name in ("AUDIT", "DOCUMENTS", "made_items", "made_sheet")
)


@pytest.fixture(scope="module")
def report() -> ProbeReport:
    found: ProbeReport = MADE["made_report"]()
    return found


def test_items_are_summed_by_document() -> None:
    items = made_items(np.random.default_rng(1), 50, 0.0)
    counts = items.counts(DOCUMENTS)
    assert counts.names == COLUMNS
    for document, row in enumerate(counts.table):
        assert row.tolist() == pytest.approx(items.table_IC[items.documents_I == document].sum(axis=0))
    some = items.counts(DOCUMENTS, items.documents_I < 9)
    assert some.table[9:].sum() == 0
    assert float(PERPLEXITY(counts)) == pytest.approx(np.exp(float(LOSS(counts))))
    of = interval(counts, ITEM_5, rng=np.random.default_rng(2), draws=500)
    assert of.low <= of.value <= of.high


def test_no_items_are_no_fault() -> None:
    none = np.zeros(0, np.int64)
    items = Items.of(none, none, losses_M=np.zeros(0), ranks_M=none, characters_M=none)
    assert len(items) == items.counts(DOCUMENTS).table.sum() == 0


def test_less_loss_is_better_and_other_tokenizers_share_only_what_travels(report: ProbeReport) -> None:
    assert {row.verdict for row in report.against if row.kind != "share"} == {"better"}
    assert all(row.difference.value < 0 for row in report.against if row.kind != "share")
    other = compared(made_sheet("甲"), made_sheet("乙", tokenizer="u"), rng=np.random.default_rng(0))
    assert {row.name for row in other} == {
        "loss_per_character",
        "item@1",
        "item@5",
        "perplexity_per_character",
    }


def test_parts_add_up_and_small_sources_are_put_together() -> None:
    found = cuts([made_sheet("甲", sources=SOURCES + 5)], rng=np.random.default_rng(0))
    for family in ("source", "word length", "times in the training text"):
        assert sum(cut.size for cut in found if cut.family == family) == 300
    names = [cut.name for cut in found if cut.family == "source"]
    assert (len(names), names[-1]) == (SOURCES + 1, OTHERS)
    assert [cut.name for cut in found if cut.family.startswith("kind")] == list(KINDS.values())


def test_curves_bear_what_a_training_leaves_behind(tmp_path: Path) -> None:
    assert read_curves(tmp_path / "nowhere") == Curves()
    lines = ['{"step": 1, "loss": 5.0}', "not json", "[1]", '{"step": 2, "loss": NaN}', '{"restart": 1}']
    lines += ['{"step": 2, "loss": 4.0, "lr": true}', '{"step": 2, "loss": 3.0}', '{"step": 3, "lo']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines), "utf-8")
    found = read_curves(tmp_path / "metrics.jsonl")
    assert [(c.name, c.steps, c.values) for c in found.curves] == [("loss", (1.0, 2.0), (5.0, 3.0))]
    assert found.restarts == (1,)
    long = curves_of({"step": i, "loss": float(i)} for i in range(10_000)).curves[0]
    assert POINTS / 2 < len(long.steps) <= POINTS
    assert sum(long.values) / len(long.values) == pytest.approx(5000, rel=0.02)
    flat = curves_of([{"step": 1, "lr": 1e-3}, {"step": 9, "lr": 1e-3}])
    assert draw(flat.curves[0], flat).line == "M0 50L100 50"


def test_a_masking_that_breaks_a_promise_is_said_to() -> None:
    assert kept(AUDIT)
    for fault in ("broken_words", "special_masked", "others_changed", "long_samples_without"):
        assert not kept(replace(AUDIT, **{fault: 1}))
    assert kept(replace(AUDIT, broken_words=9, whole_words=False))


def test_the_page_is_whole_escaped_and_fetches_nothing(report: ProbeReport) -> None:
    html = render(report)
    page = PAGE(html)
    assert page.open == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "<title>编码器 &lt;比较&gt;</title>" in html
    assert not {"src", "href", "action", "srcset"} & {name for name, _ in page.attributes}
    assert html.count('class="ex ') == 2
    assert html.count('<path class="again"') == 3  # one restart in three curves
    assert html.count("not as promised") == 1
    assert "https://" not in html


def test_every_word_of_the_page_has_its_chinese(report: ProbeReport) -> None:
    folder = Path(__file__).parents[3] / "zhbert" / "score" / "templates"
    literal = re.findall(r'\bt\("([^"]+)"\)', (folder / "probe.html.j2").read_text("utf-8"))
    words = [*literal, *_NAMES.values(), *KINDS.values(), *report.limits, OTHERS]
    words += [cut.family for cut in report.cuts] + [row.verdict for row in report.against]
    words += [fact for one in report.judged for fact in one.facts] + [one.note for one in report.training[1:]]
    assert [word for word in words if chinese(word) is None and '"' not in str(t(word))] == []
    html = render(report)
    assert html.count('class="zh"') >= html.count('class="en"') > 100


def test_what_is_written_is_what_was_found(report: ProbeReport, tmp_path: Path) -> None:
    write_page(tmp_path, page=render(report), record=report)
    plain = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert to_plain(from_plain(ProbeReport, plain)) == plain
