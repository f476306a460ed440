"""Probing: every figure is that of a plain model asked one question at a time; mistakes are named."""

import json
import math
import runpy
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedModel

from zhbert.config import parse
from zhbert.encode.shards import CONTINUES_WORD, Shards, ShardWriter
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.progress import SILENT
from zhbert.score.probesheet import ProbeReport
from zhbert.task.guessing import Guesser, Questions
from zhbert.task.heldout import (
    HeldOut,
    choose,
    held_out,
    masked,
    open_held_out,
    times_seen,
    units,
    word_keys,
)
from zhbert.task.probe import ProbeConfig, judge
from zhbert.task.survey import survey

Settings = dict[str, Any]
MADE = runpy.run_path(str(Path(__file__).with_name("probed.py")))
TOKENIZER, save_encoder, text_of, write_shards = (
    MADE[name] for name in ("TOKENIZER", "save_encoder", "text_of", "write_shards")
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return TOKENIZER


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards") / "own", tokenizer)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> list[Path]:
    folder = tmp_path_factory.mktemp("encoders")
    return [save_encoder(folder / f"encoder-{seed}", tokenizer, seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def guesser(encoders: list[Path]) -> Guesser:
    return Guesser.load(str(encoders[0]))


@pytest.fixture(scope="module")
def text(shards: Path) -> HeldOut:
    return text_of(shards)


@pytest.fixture(scope="module")
def plain(encoders: list[Path]) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(encoders[0])
    return model.eval()


@torch.inference_mode()
def slowly(model: PreTrainedModel, text: HeldOut, mask: int, places: list[int]) -> Tensor:
    """Return the log-probabilities at places of the row, the sample of the first of them read alone."""
    sample = int(text.samples_at(np.array(places[:1]))[0])
    start, stop = text.row.starts_S1[sample : sample + 2].tolist()
    ids = torch.from_numpy(text.row.ids_T[start:stop].copy())
    at = [place - start for place in places]
    assert 0 < min(at) <= max(at) < stop - start - 1
    ids[at] = mask
    logs: Tensor = model(input_ids=ids[None]).logits[0, at].double().log_softmax(-1)
    return logs


def slow_counts(logs: Tensor, targets: list[int]) -> list[float]:
    """Return loss, tokens at 1, tokens at 5, whole at 1, whole at 5."""
    best = logs.topk(5, dim=-1).indices.tolist()
    loss = -sum(float(row[target]) for row, target in zip(logs, targets, strict=True))
    one = [target == row[0] for target, row in zip(targets, best, strict=True)]
    five = [target in row for target, row in zip(targets, best, strict=True)]
    return [loss, *map(float, (sum(one), sum(five), all(one), all(five)))]


@pytest.mark.slow
def test_every_item_is_that_of_a_plain_model_and_one_question(
    guesser: Guesser, text: HeldOut, plain: PreTrainedModel
) -> None:
    sheet = survey("甲", guesser, text, alone=40, tokens=60, progress=SILENT)
    mask = guesser.tokenizer.special.mask
    for kind, asked in (("word", 40), ("phrase", 10), ("entity", 10)):
        begins, lengths = units(text, kind, most=asked)
        assert len(begins) == len(sheet.items[kind]) > 3
        for begin, length, row in zip(begins, lengths, sheet.items[kind].table_IC, strict=True):
            places = list(range(begin, begin + length))
            expected = slow_counts(slowly(plain, text, mask, places), text.row.ids_T[places].tolist())
            assert row[[3, 4, 5, 6, 7]].tolist() == pytest.approx(expected, rel=1e-4)
    begins, lengths = units(text, "word", most=40)
    places = [place for b, n in zip(begins, lengths, strict=True) for place in range(b, b + n)]
    for place, row in zip(places, sheet.items["token"].table_IC, strict=True):
        expected = slow_counts(slowly(plain, text, mask, [place]), [int(text.row.ids_T[place])])
        assert row[[3, 4, 5, 6, 7]].tolist() == pytest.approx(expected, rel=1e-4)


def test_the_masked_pass_is_that_of_a_plain_model(
    guesser: Guesser, text: HeldOut, plain: PreTrainedModel
) -> None:
    questions, begins = masked(text)
    items = survey("甲", guesser, text, alone=10, tokens=100, progress=SILENT).items["masked"]
    expected, ends = [], np.cumsum(questions.counts_Q)
    for stop, count in zip(ends, questions.counts_Q, strict=True):
        places = questions.places_M[stop - count : stop].tolist()
        logs = slowly(plain, text, guesser.tokenizer.special.mask, places)
        expected += [-float(row[text.row.ids_T[place]]) for row, place in zip(logs, places, strict=True)]
    sums = np.add.reduceat(np.array(expected), begins)
    assert items.table_IC[:, 3].tolist() == pytest.approx(sums.tolist(), rel=1e-4)
    words = np.diff(begins, append=len(questions.places_M))
    for begin, length in zip(questions.places_M[begins], words, strict=True):
        flags = text.row.flags_T[begin : begin + length + 1]
        assert (flags[1:length] & CONTINUES_WORD).all()
        assert not flags[0] & CONTINUES_WORD
        assert not flags[length] & CONTINUES_WORD  # what follows is no part of the word


def test_how_much_goes_through_at_once_changes_nothing(guesser: Guesser, text: HeldOut) -> None:
    one, other = (survey("甲", guesser, text, alone=20, tokens=n, progress=SILENT) for n in (1, 5000))
    for kind, items in one.items.items():
        assert np.allclose(items.table_IC, other.items[kind].table_IC, atol=1e-4)


def test_words_are_counted_in_the_training_text(shards: Path, text: HeldOut) -> None:
    begins, lengths = units(text, "word", most=10**6)
    seen, read = times_seen(shards, word_keys(text.row.ids_T, begins, lengths), most=10**9)
    train = Shards.open(shards / "train")
    words: list[tuple[int, ...]] = []
    for number in range(train.n_docs):
        ids, flags = train.doc(number)
        heads = [*np.flatnonzero(flags & CONTINUES_WORD == 0).tolist(), len(ids)]
        words += [tuple(ids[a:b].tolist()) for a, b in pairwise(heads)]
    own = [tuple(text.row.ids_T[b : b + n].tolist()) for b, n in zip(begins, lengths, strict=True)]
    assert seen.tolist() == [words.count(word) for word in own]
    assert max(seen) > 1
    assert read == train.n_tokens


def test_long_documents_are_cut_and_no_more_are_taken_than_it_takes(
    tmp_path: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_shards(tmp_path / "shards", tokenizer, documents=40)
    opened = open_held_out(folder, tokenizer, where="")
    lengths = np.diff(opened.shards[0].ends_D.astype(int), prepend=0)
    monkeypatch.setattr("zhbert.task.heldout.MOST_OF_ONE", 12)
    chosen = choose(opened, tokens=150)
    assert 150 <= np.minimum(lengths[chosen], 12).sum() < 150 + 12
    text = held_out(opened, chosen, tokenizer, max_tokens=8)
    taken = np.bincount(text.documents_S, weights=np.diff(text.row.starts_S1) - 2)
    assert ((taken == lengths[chosen]) | ((taken >= 12) & (taken < 12 + 6))).all()
    assert (taken < lengths[chosen]).any()


def test_text_without_a_word_to_ask_for_is_no_fault(
    tmp_path: Path, encoders: list[Path], tokenizer: Tokenizer
) -> None:
    folder = write_shards(tmp_path / "shards", tokenizer)
    with ShardWriter(
        folder / "held-out" / "00000",
        vocabulary=tokenizer.size,
        tokenizer=tokenizer.fingerprint,
        segmenter="s",
    ) as shard:
        shard.add([tokenizer.special.unk] * 9, [0] * 9)
    found = judge(config_of(encoders, [folder]))
    assert set(found.judged[0].items.values()) == {0}
    assert (found.cuts, found.specimens) == ((), ())


def test_what_cannot_be_guessed_is_not_asked_for(text: HeldOut, tokenizer: Tokenizer) -> None:
    special = tokenizer.special
    for kind in ("word", "phrase", "entity"):
        begins, lengths = units(text, kind, most=10**6)
        asked = Questions.of_ranges(text.samples_at(begins), begins, lengths).places_M
        assert not np.isin(text.row.ids_T[asked], [special.unk, special.cls, special.sep, special.mask]).any()
        fewer, _ = units(text, kind, most=5)
        assert set(fewer.tolist()) <= set(begins.tolist())


def config_of(encoders: list[Path], shards: list[Path], **more: Any) -> ProbeConfig:
    values = {"encoders": list(map(str, encoders)), "shards": list(map(str, shards)), "max_tokens": 24}
    return parse(ProbeConfig, values | {"tokens": 2000, "alone": 40, "examples": 6} | more)


@pytest.fixture(scope="module")
def report(encoders: list[Path], shards: Path) -> ProbeReport:
    return judge(config_of(encoders, [shards]))


def test_figures_are_sums_over_all_documents(report: ProbeReport, guesser: Guesser, text: HeldOut) -> None:
    items = survey("甲", guesser, text, alone=40, tokens=500, progress=SILENT).items
    figures = {(m.hidden, m.name): m.of.value for m in report.judged[0].measures}
    n, tokens, characters, loss, one, *_ = items["masked"].table_IC.sum(axis=0)
    assert figures["masked", "loss"] == pytest.approx(loss / tokens, rel=1e-5)
    assert figures["masked", "loss_per_character"] == pytest.approx(loss / characters, rel=1e-5)
    assert figures["masked", "token@1"] == pytest.approx(one / tokens)
    alone = items["token"].table_IC.sum(axis=0)
    assert figures["token", "perplexity"] == pytest.approx(math.exp(alone[3] / alone[1]), rel=1e-5)
    families = {cut.family for cut in report.cuts}
    assert families >= {"source", "word length", "kind of unit, hidden alone", "times in the training text"}
    assert sum(cut.size for cut in report.cuts if cut.family == "source") == n


@pytest.mark.slow
def test_an_encoder_beside_itself_makes_no_difference(encoders: list[Path], shards: Path) -> None:
    same = judge(config_of([encoders[0]] * 2, [shards], names=["甲", "乙"]))
    assert {(row.difference.value, row.verdict) for row in same.against} == {(0.0, "not distinguishable")}
    assert len(same.against) == len(same.judged[0].measures)


def test_specimens_show_the_words_and_the_truth_among_the_guesses(report: ProbeReport) -> None:
    assert 0 < len(report.specimens) <= 6
    for one in report.specimens:
        assert [said.by for said in one.said] == ["encoder-1", "encoder-2"]
        for said in one.said:
            assert "".join(place.token for place in said.places) == one.word.replace(" ", "")
            for place in said.places:
                shares = [guess.share for guess in place.best]
                assert shares == sorted(shares, reverse=True)
                if place.rank < len(shares):
                    assert place.best[place.rank].token == place.token
                    assert place.best[place.rank].share == pytest.approx(place.share, rel=1e-4)


@pytest.mark.slow
def test_another_tokenizer_needs_its_own_shards_and_only_some_figures_travel(
    tmp_path: Path, encoders: list[Path], shards: Path, tokenizer: Tokenizer
) -> None:
    other = Tokenizer.from_vocab([*tokenizer.tokens, "龙"])
    foreign = save_encoder(tmp_path / "foreign", other, seed=3)
    with pytest.raises(ConfigError, match="was made with another tokenizer"):
        judge(config_of([encoders[0], foreign], [shards]))
    found = judge(config_of([encoders[0], foreign], [shards, write_shards(tmp_path / "shards", other)]))
    travelling = {(m.hidden, m.name) for m in found.judged[0].measures if m.travels}
    assert {(row.hidden, row.name) for row in found.against} == travelling
    assert {len(one.said) for one in found.specimens} == {1}
    fewer = write_shards(tmp_path / "fewer", other, documents=9)
    with pytest.raises(DataError, match="these are not the documents of"):
        judge(config_of([encoders[0], foreign], [shards, fewer]))


def test_mistakes_are_named(tmp_path: Path, encoders: list[Path], shards: Path) -> None:
    headless = tmp_path / "headless"
    AutoModel.from_pretrained(encoders[0]).save_pretrained(headless)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(encoders[0] / name, headless / name)
    with pytest.raises(ModelError, match="it has no head that guesses tokens: "):
        judge(config_of([headless], [shards]))
    with pytest.raises(ModelError, match=r"takes 64 tokens at most, not 99 \(max_tokens = 64\)"):
        judge(config_of(encoders[:1], [shards], max_tokens=99))
    bare = Path(shutil.copytree(shards, tmp_path / "bare"))
    shutil.rmtree(bare / "held-out")
    with pytest.raises(DataError, match="there is no held-out part in it"):
        judge(config_of(encoders[:1], [bare]))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"shards": ["a", "b", "c"]}, "2 encoders need one shards folder or one each, not 3"),
        ({"names": ["甲"]}, "1 names for 2 encoders"),
        ({"names": ["甲", "甲"]}, "two encoders have one name"),
        ({"strategy": "mac"}, 'no strategy "mac" to audit'),
    ],
)
def test_settings_that_cannot_be(more: Settings, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(ProbeConfig, {"encoders": ["x", "y"], "shards": ["s"]} | more)


@pytest.mark.slow
def test_the_stage_writes_both_reports_and_knows_its_own_encoders(
    tmp_path: Path, tiny_encoder: Path, tiny_shards: Path, stage: Callable[..., Path]
) -> None:
    values = {"encoders": [str(tiny_encoder)], "shards": [str(tiny_shards)], "max_tokens": 48, "alone": 20}
    folder = stage("probe", tmp_path / "probed", **values)
    found = json.loads((folder / "report.json").read_text("utf-8"))
    assert found["training"][0]["audits"][0]["by"] == "the encoder"
    assert (folder / "report.html").stat().st_size > 10_000
