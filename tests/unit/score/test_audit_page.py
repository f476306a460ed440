"""What was read, the data and the cost on the page: every word in both languages, ugly texts escaped."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from zhbert.plain import from_plain, to_plain
from zhbert.score.amounts import duration, many, size
from zhbert.score.cost import Cost, SystemCost, by_length
from zhbert.score.coverage import Coverage
from zhbert.score.lengths import EDGES, band_name, bands_of
from zhbert.score.render import render
from zhbert.score.report import Report
from zhbert.score.sheet import Note
from zhbert.score.summary import write_summary
from zhbert.score.words import chinese, table

TEMPLATES = Path(__file__).parents[3] / "zhbert" / "score" / "templates"
UGLY = "<script>alert(1)</script>\u202e\x07"
SEEN = Coverage(
    examples=9,
    unknown=1,
    unknown_surfaces={UGLY: 1},
    dropped={"U+200B": 2},
    out_of_reach={"overlaps with another answer": 1},
    shown=(UGLY,),
)
COST = Cost(
    examples=2,
    characters=40,
    seconds=0.5,
    preparing=0.1,
    model=0.3,
    deciding=0.1,
    bands=by_length([9, 31], [0.2, 0.3]),
    device=UGLY,
    trainings={UGLY: 7300.0},
)


@pytest.fixture(scope="module")
def seen(report: Report) -> Report:
    entities, *others = report.sections
    first, *rest = entities.systems
    read = replace(first, read=SEEN, cut=4, facts={"answers out of reach": "5"})
    noted = replace(entities, systems=(read, *rest), notes=(Note(system=first.name, what=UGLY),))
    return replace(report, sections=(noted, *others))


@pytest.fixture(scope="module")
def page(seen: Report) -> str:
    return render(seen, [SystemCost(section=UGLY, system=UGLY, cost=COST)])


def test_what_is_known_of_each_system_stands_in_its_row(page: str) -> None:
    row = re.search(r"pretrained</span></span></td>\s*<td>0<span class=\"ci\">/ 9.*?</tr>", page, re.S)
    assert row
    cells = re.findall(r"<td>(?:<[^>]+>)*([^<]+)", row[0])
    assert cells == ["0", "4", "0", "1", "1", "5"]
    assert "U+200B" in page


def test_plain_text_says_the_same_before_the_figures(seen: Report) -> None:
    text = write_summary(seen)
    assert "| pretrained | 0 of 9 | 4 of 60 | 0 of 0 | 1 of 0 tokens | 1 of 0 | 5 |" in text
    assert "| lexicon | not known | 0 of 60 | not known |" in text
    data = seen.sections[0].data
    assert data
    assert f"| test and train | {data.doubles[2].n} | 0 |" in text
    assert text.index("### What was read") < text.index("### The data") < text.index("| system | micro F1 |")


def test_ugly_texts_are_escaped(page: str) -> None:
    assert "<script" not in page
    assert not re.search("[\x00-\x08\u202a-\u202e]", page)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;‹U+202E›") >= 5


def test_the_data_of_every_section_is_drawn(page: str, report: Report) -> None:
    assert page.count(">The data</span>") == len(report.sections)
    widths = [float(width) for width in re.findall(r'<rect class="s[01]"[^>]* width="([\d.]+)%"', page)]
    assert len(widths) > 20
    assert max(widths) == 100
    assert min(widths) >= 0


@pytest.mark.parametrize("name", ["coverage", "data", "cost"])
def test_every_word_has_its_chinese(name: str) -> None:
    words = re.findall(r'\bt\("([^"]+)"\)', (TEMPLATES / f"{name}.html.j2").read_text("utf-8"))
    assert len(words) > 8
    assert [word for word in words if chinese(word) is None] == []
    assert all(table()["audit"].values())
    assert [
        place for place in ("test", "train", "test and train") if not chinese(f"same text in {place}")
    ] == []


def test_coverage_and_costs_come_back_from_their_json() -> None:
    for record in (SEEN, COST):
        assert from_plain(type(record), json.loads(json.dumps(to_plain(record)))) == record


def test_every_length_is_in_its_band() -> None:
    for length, band in enumerate(bands_of(range(EDGES[-1] + 9)).tolist()):
        low, _, high = band_name(band).rstrip("+").partition("–")
        assert int(low) <= length <= int(high or length)


def test_amounts_have_the_unit_that_reads_best() -> None:
    assert [size(n) for n in (1, 1023, 1024, 2**20, 5 * 2**30)] == ["1 B", "1,023 B", "1 kB", "1 MB", "5 GB"]
    assert [duration(s) for s in (0, 0.05, 59, 60, 3600, 90_000)] == [
        "0 ms",
        "50 ms",
        "59 s",
        "1 min",
        "1 h",
        "25 h",
    ]
    assert [many(n) for n in (0, 12, 1234.5, 2_500_000)] == ["0", "12", "1,234", "2.5 M"]
