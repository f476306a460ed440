"""The data card: complete, escaped, offline, the same for the same facts, and honest about what is absent."""

import json
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from zhbert.clean.filters import REASONS
from zhbert.clean.pii import RULES
from zhbert.clean.steps import STEPS
from zhbert.config import parse
from zhbert.corpus.datacard import DataCard, headline, largest_losses, ranked, read_card
from zhbert.corpus.datapage import columns, flows, meaning, render, sources_shown, t
from zhbert.corpus.describe import DescribeConfig, data_card, describe
from zhbert.corpus.facts import histogram_of
from zhbert.errors import ConfigError, DataError
from zhbert.files import Plan, building, hash_path, read_manifest
from zhbert.read.card import content_root
from zhbert.score.words import chinese
from zhbert.text.entities import KINDS
from zhbert.text.scripts import SCRIPTS

MADE = runpy.run_path(str(Path(__file__).with_name("made_facts.py")))
TEMPLATES = Path(__file__).parents[3] / "zhbert" / "corpus" / "templates"
VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """The tags and attributes of a page; they must nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DescribeConfig:
    folder = tmp_path_factory.mktemp("card")
    documents = MADE["write_build"](folder / "documents")
    shards = MADE["write_shards"](folder / "shards", documents)
    licence = {"来源00*": "CC0-1.0", "来源000": MADE["UGLY"][0]}
    return DescribeConfig(documents=documents, shards=shards, title="语料 <一>", licence=licence)


@pytest.fixture(scope="module")
def card(config: DescribeConfig) -> DataCard:
    return data_card(config)


@pytest.fixture(scope="module")
def html(card: DataCard) -> str:
    return render(card)


def carried_out(config: DescribeConfig, folder: Path) -> Path:
    plan = Plan(stage="corpus report", settings=config.settings(), inputs={}, version="0")
    with building(folder, plan) as work:
        describe(config, work)
    return folder


def test_tags_nest_and_no_text_becomes_a_tag(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert") > 10
    assert "<title>语料 &lt;一&gt;</title>" in html
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert not {name for name, _ in page.attributes} & {"src", "srcset", "data", "action", "background"}
    places = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert {value for name, value in page.attributes if name == "href"} <= places
    assert not re.search(r"url\(|@import|https?://", html)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "script" not in policy[1]


def test_characters_that_reorder_the_page_are_spelt_out(html: str) -> None:
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
    assert "‹U+202E›" in html
    assert "‹U+D83D›" in html
    assert "长" * 1000 not in html
    assert len(html.encode()) < 400_000


def test_every_word_of_the_page_has_its_chinese(card: DataCard) -> None:
    template = (TEMPLATES / "card.html.j2").read_text(encoding="utf-8")
    literal = re.findall(r'\b(?:t|say|pill|top)\("([^"]+)"', template)
    literal += [
        word
        for of in re.findall(r"{{ histogram\(card\.\w+, (.+?)\)", template)
        for word in re.findall('"([^"]+)"', of)
    ]
    assert len(literal) > 90
    known = [*literal, *STEPS, *REASONS.values(), *RULES, *SCRIPTS, *KINDS, *card.limits, "train", "held-out"]
    assert [word for word in known if chinese(word, "corpus") is None] == []
    assert "过滤 2" in t("filter 2")
    assert str(t("<b>")) == "&lt;b&gt;"


def test_every_reason_is_explained() -> None:
    built = ["nothing left", "repeated", "in an earlier build", "nearly the same", "shared with a test"]
    assert [
        reason for reason in {*REASONS.values(), *built} if str(meaning(reason)).count("<span") != 2
    ] == []


def test_the_page_says_what_was_lost_and_why(card: DataCard, html: str) -> None:
    assert [(row.reason, row.documents) for row in largest_losses(card)] == [
        ("nearly the same", 2100),
        ("too few words", 1200),
        ("too short", 400),
    ]
    assert [row.rule for row in card.reasons][2:] == [
        "min_characters = 20",
        "min_han = 0.4",
        "min_words = 3",
        "similarity = 0.75",
    ]
    assert "Of 12,000 documents that were read, 8,100 are kept." in html
    assert "共读入 12,000 篇文档，保留 8,100 篇" in html
    assert headline(card) == [
        "12,000 documents in, 8,100 out (67.5 %); largest loss: nearly the same (2,100)",
        "3,001 records could not be read",
        "730 tokens, 1.92 % unknown",
        "0 of 1 texts of <script>alert('不该运行')</script>第一条 found in the documents",
        "325 of 1,200 texts of test.tsv found in the documents",
    ]


def test_the_funnel_hangs_together(card: DataCard) -> None:
    for what in ("documents", "characters"):
        found = flows(card, what)
        assert [flow.after for flow in found[:-1]] == [flow.before for flow in found[1:]]
        ends = [re.findall(r"[\d.]+ 100H", flow.stays)[0].split()[0] for flow in found]
        starts = [re.findall(r"H([\d.]+)C", flow.stays)[0] for flow in found]
        assert starts[0] == "100.0"
        assert ends[:-1] == starts[1:]


def test_small_sources_are_summed(card: DataCard) -> None:
    listed, others = sources_shown(card.sources)
    assert (len(listed), len(card.sources)) == (30, MADE["SOURCES"])
    assert others
    rows = [*listed, others]
    assert sum(row.read.characters for row in rows) == card.read.characters
    assert sum(row.tokens or 0 for row in rows) == 450
    assert min(row.read.characters for row in listed) >= max(row.read.characters for row in card.sources[30:])


def test_licences_are_those_that_someone_gave(card: DataCard, html: str) -> None:
    lines = {row.name: row.licence for row in card.sources}
    assert (lines["来源000"], lines["来源009"], lines["来源010"]) == (MADE["UGLY"][0], "CC0-1.0", "")
    assert "No licence is known for 190 of 200 sources" in html


def test_a_card_is_found_by_the_content_of_its_text(tmp_path: Path) -> None:
    raw = content_root("corpora") / "mini" / "raw"
    facts = {"sources": {"news.txt": {}, "life.txt": {}}}
    documents = MADE["write_build"](tmp_path / "documents", facts, source=hash_path(raw))
    card = data_card(DescribeConfig(documents=documents))
    assert [(row.of, row.line) for row in card.licences] == [("mini", "Apache-2.0")]
    assert {row.licence for row in card.sources} == {"Apache-2.0"}
    assert "composed by a program" in render(card)


def test_a_histogram_ends_where_the_documents_end() -> None:
    facts = {"lengths": {"edges": [0, 8, 16, 32, 64], "counts": [1, 0, 4, 0, 0]}}
    found = histogram_of(facts, "lengths")
    assert found
    assert [(c.range, c.count, c.height) for c in columns(found)] == [
        ("0–7", 1, 25.0),
        ("8–15", 0, 0.0),
        ("≥ 16", 4, 100.0),
    ]
    assert histogram_of({"lengths": {"edges": [0], "counts": [0]}}, "lengths") is None


def test_what_is_absent_is_said_and_not_shown(tmp_path: Path) -> None:
    documents = MADE["write_build"](tmp_path / "documents", {})
    card = data_card(DescribeConfig(documents=documents))
    html = render(card)
    assert Page(html).open == []
    for words in ("No document was left out", "not looked for", "No evaluation sets", "No shards were given"):
        assert words in html
    for place in ("funnel", "sources", "shape"):
        assert f'id="{place}"' not in html
    assert headline(card) == ["0 documents in, 0 out (0.0 %)"]


@pytest.mark.slow
@pytest.mark.parametrize("absent", sorted(MADE["build_facts"]()))
def test_any_block_may_be_absent_and_so_may_the_shards(absent: str, tmp_path: Path) -> None:
    facts = {key: block for key, block in MADE["build_facts"]().items() if key != absent}
    documents = MADE["write_build"](tmp_path / "documents", facts)
    html = render(data_card(DescribeConfig(documents=documents)))
    assert Page(html).open == []
    assert "No shards were given" in html


def test_empty_blocks_are_like_absent_ones(tmp_path: Path) -> None:
    empty = {key: type(block)() for key, block in MADE["build_facts"]().items()}
    card = data_card(DescribeConfig(documents=MADE["write_build"](tmp_path / "documents", empty)))
    assert (card.clusters, card.guarded, card.lengths) == (None, None, None)
    html = render(card)
    assert "not looked for" in html
    assert "No evaluation sets" in html


def test_the_card_comes_back_from_its_json(config: DescribeConfig, card: DataCard, tmp_path: Path) -> None:
    one, other = carried_out(config, tmp_path / "one"), carried_out(config, tmp_path / "other")
    assert read_card(one / "report.json") == card
    for name in ("report.json", "report.html"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    text = (one / "report.json").read_text(encoding="utf-8")
    assert (
        text
        == json.dumps(json.loads(text), ensure_ascii=False, indent=1, sort_keys=True)
        .encode("utf-8", "backslashreplace")
        .decode()
        + "\n"
    )
    manifest = read_manifest(one)
    assert manifest
    assert manifest.counts == {
        "read": 12_000,
        "kept": 8100,
        "characters": 800,
        "tokens": 730,
        "near duplicates: nearly the same": 2100,
        "filter 2: too few words": 1200,
        "filter: too short": 400,
    }


def test_the_wrong_folders_are_refused(config: DescribeConfig, tmp_path: Path) -> None:
    documents = MADE["write_build"](tmp_path / "documents", {"kept": {"documents": 1, "characters": 2}})
    with pytest.raises(DataError, match=r"made of other documents \(run zhbert encode again\)"):
        data_card(DescribeConfig(documents=documents, shards=config.shards))
    with pytest.raises(DataError, match="not the output of zhbert corpus build"):
        data_card(DescribeConfig(documents=config.shards or tmp_path))
    (documents / "facts.json").unlink()
    with pytest.raises(DataError, match=r"there is no facts.json in it \(run zhbert corpus build again"):
        data_card(DescribeConfig(documents=documents))
    with pytest.raises(DataError, match="no such file"):
        read_card(tmp_path / "report.json")


def test_a_licence_needs_its_source(config: DescribeConfig) -> None:
    wrong = config.model_copy(update={"licence": {"来源000x": "CC0-1.0"}})
    with pytest.raises(ConfigError, match=r'no source "来源000x" \(did you mean "来源000"\?\)'):
        data_card(wrong)


def test_a_command_line_writes_licences_as_lines() -> None:
    given = {"documents": "a", "licence": ["法规=public", "新闻=CC BY-SA 4.0 (a=b)"]}
    assert parse(DescribeConfig, given).licence == {"法规": "public", "新闻": "CC BY-SA 4.0 (a=b)"}
    assert parse(DescribeConfig, {"documents": "a", "licence": "法规=public"}).licence == {"法规": "public"}
    with pytest.raises(ConfigError, match="write SOURCE=LINE"):
        parse(DescribeConfig, given | {"licence": ["法规"]})


def test_counts_are_ranked() -> None:
    assert ranked({"b": 1, "a": 1, "c": 9}) == [("c", 9), ("a", 1), ("b", 1)]
