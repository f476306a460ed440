"""Every strategy: what it groups, and what none of them may do; the settings, and when they change."""

from collections import Counter

import numpy as np
import pytest

from zhbert.config import parse
from zhbert.encode import masking as room
from zhbert.encode.bert import NAMES
from zhbert.encode.masking import Masked, mask
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.plan import STAGED, MaskingConfig
from zhbert.encode.replacement import MaskIds
from zhbert.encode.similar import SimilarWords
from zhbert.encode.strategies import STRATEGIES, Masking, Pieces, geometric
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError

CHARACTERS = [chr(0x4E00 + i) for i in range(300)]
TOKENIZER = Tokenizer.from_vocab([*NAMES.values(), "[unused1]", *CHARACTERS])
PAD, UNK, CLS, SEP, MASK = range(5)
FIRST = 6
W, P, E, S = 1, 2, 4, 8  # goes on with a word, a phrase, an entity; begins a sentence
PAIRS = {CHARACTERS[i] + CHARACTERS[i + 1]: [CHARACTERS[i + 2] + CHARACTERS[i + 3]] for i in range(0, 290)}
IDS = MaskIds.of(TOKENIZER)
IDS = MaskIds(
    mask=IDS.mask, flags_V=IDS.flags_V, random_R=IDS.random_R, similar=SimilarWords.of(PAIRS, TOKENIZER)
)


def batch(
    *rows: list[int], ids: list[list[int]] | None = None, samples: list[int] | None = None
) -> FlatBatch:
    """Return a batch of samples, each given by the flags of its tokens."""
    rng = np.random.default_rng(1)
    bodies = ids or [rng.integers(FIRST, 300, len(row)).tolist() for row in rows]
    return FlatBatch(
        ids_T=np.array([t for body in bodies for t in (CLS, *body, SEP)], np.int64),
        flags_T=np.array([f for row in rows for f in (SPECIAL, *row, SPECIAL)], np.uint8),
        starts_S1=np.cumsum([0, *(len(row) + 2 for row in rows)]).astype(np.int64),
        samples_S=np.array(samples or range(len(rows)), np.int64),
        epoch=0,
    )


def units(flags: list[int], strategy: str, **more: object) -> list[int]:
    """Return the lengths in pieces of the units of one sample without special tokens."""
    flags_T = np.array(flags, np.uint8)
    heads_P = np.flatnonzero(flags_T & W == 0)
    pieces = Pieces(
        heads_P=heads_P,
        fit_P=np.ones(len(heads_P), np.bool_),
        bounds_S1=np.array([0, len(heads_P)]),
        flags_T=flags_T,
        keys=(1, 2, np.array([3])),
    )
    starts_P = STRATEGIES[strategy].group(pieces, Masking(strategy=strategy, **more))  # type: ignore[arg-type]
    assert starts_P is not None
    return np.diff(np.flatnonzero(starts_P), append=len(heads_P)).tolist()


def run(one: FlatBatch, strategy: str, *, seed: int = 0, **more: object) -> Masked:
    return mask(one, Masking(strategy=strategy, **more), seed=seed, vocabulary=IDS)  # type: ignore[arg-type]


def test_phrases_and_entities_are_levels() -> None:
    #        县  级 以 上  人 民  政 府  在 李  明
    flags = [S, W, P, W, P, W, P, W, 0, 0, E]
    assert units(flags, "phrase") == [4, 1, 1, 1]
    assert units(flags, "entity") == [4, 1, 2]
    flags[5] = W | E  # an entity that does not agree with words
    assert units(flags, "entity") == [4, 1, 2]


def test_a_phrase_too_long_to_guess_comes_apart() -> None:
    assert units([S, *[P] * 15], "phrase") == [16]
    assert units([S, *[P] * 16], "phrase") == [1] * 17


def test_ngrams_come_in_their_shares() -> None:
    lengths = Counter(units([S, *[0] * 49_999], "ngram"))
    shares = np.array([lengths[n] for n in (1, 2, 3, 4)]) / lengths.total()
    assert np.abs(shares - [0.4, 0.3, 0.2, 0.1]).max() < 0.01
    lengths = Counter(units([S, *[0] * 49_999], "mac", ngrams=(6.0, 3.0, 2.0)))
    assert set(lengths) == {1, 2, 3}
    assert abs(lengths[1] / lengths[3] - 3) < 0.2


@pytest.mark.parametrize("strategy", ["span", "char-span"])
def test_spans_are_geometric_without_a_heap_at_the_end(strategy: str) -> None:
    lengths = units([S, *[0] * 49_999], strategy)
    assert abs(np.mean(lengths) - 3.8) < 0.05  # 4.46 if all that is longer became 10
    counts = np.bincount(lengths)[1:]
    assert len(counts) == 10
    assert np.abs(counts / counts.sum() - geometric(0.2, 10)).max() < 0.01
    assert max(units([S, *[0] * 999], strategy, span_longest=2)) == 2


def test_runs_stop_at_sentences_and_at_what_cannot_be_guessed() -> None:
    flags = [S, 0, 0, 0, 0, 0, S, 0, 0, 0] * 5
    for seed in range(60):
        one = batch(flags)
        one.ids_T[25] = UNK
        found = set(run(one, "ngram", ngrams=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), seed=seed).positions_M.tolist())
        assert 25 not in found
        assert len(found & {7, 8, 9, 10}) in (0, 1, 2, 3, 4)
        assert {6, 7} - found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_is_masked_that_must_not_be(strategy: str) -> None:
    one = batch([S, W, 0, W, P, E, 0, 0, W, 0] * 8, [], [0], [0, W])
    one.ids_T[[5, 23, 40]] = [UNK, SEP, PAD]
    ever: set[int] = set()
    for seed in range(400):
        ever |= set(run(one, strategy, seed=seed).positions_M.tolist())
    ends = {0, 81, 82, 83, 84, 86, 87, 90}
    never = {5, 23, 40} | ends | (set() if "char" in strategy else {3, 4} & word_of(one, 5))
    assert not ever & never
    assert set(range(1, 81)) - ever - {5, 23, 40} <= {4, 6}  # the rest of the word with [UNK]
    assert {85, 88, 89} <= ever  # documents of one token, of one word


def word_of(one: FlatBatch, place: int) -> set[int]:
    first = place
    while one.flags_T[first] & W:
        first -= 1
    return {first}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_batch_of_nothing_is_no_error(strategy: str) -> None:
    for one in (batch(), batch([]), batch([], [])):
        found = run(one, strategy)
        assert len(found.positions_M) == 0
        assert found.ids_T.tolist() == one.ids_T.tolist()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_masks_do_not_depend_on_the_company_of_a_sample(strategy: str) -> None:
    rng = np.random.default_rng(2)
    rows = [rng.choice([0, 0, 1, 1, 2, 4, 8], n).tolist() for n in (40, 3, 200, 77, 1)]
    bodies = [rng.integers(FIRST, 300, len(row)).tolist() for row in rows]
    alone = [run(batch(rows[i], ids=[bodies[i]], samples=[i + 9]), strategy).ids_T.tolist() for i in range(5)]
    for order in ([0, 1, 2, 3, 4], [4, 2, 0], [3, 1, 2, 4, 0]):
        one = batch(*(rows[i] for i in order), ids=[bodies[i] for i in order], samples=[i + 9 for i in order])
        assert run(one, strategy).ids_T.tolist() == [x for i in order for x in alone[i]]
    assert run(batch(rows[2], ids=[bodies[2]], samples=[11]), strategy, seed=1).ids_T.tolist() != alone[2]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_document_of_30_tokens_gets_a_mask(strategy: str) -> None:
    rng = np.random.default_rng(3)
    rows = [rng.choice([0, 0, 1, 1, 2, 4], 30).tolist() for _ in range(200)]
    one = batch(*rows)
    counts = np.diff(np.searchsorted(run(one, strategy).positions_M, one.starts_S1))
    assert counts.min() >= 1
    long = batch(*[rng.choice([0, 0, 1, 1, 2, 4], 400).tolist() for _ in range(30)])
    rates = np.diff(np.searchsorted(run(long, strategy).positions_M, long.starts_S1)) / 400
    assert np.abs(rates - 0.15).max() < 0.05


@pytest.mark.parametrize("per", ["token", "unit"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_put_instead_comes_in_its_shares(strategy: str, per: str) -> None:
    one = batch(*[[0, W] * 200] * 240, ids=[[FIRST + i % 200 for i in range(400)]] * 240)
    found = run(one, strategy, replace=(0.6, 0.3, 0.1), replace_per=per)
    new = found.ids_T[found.positions_M]
    kept, hidden = new == found.targets_M, new == MASK
    if STRATEGIES[strategy].instead == "similar":
        assert not hidden.any()
        hidden = new == found.targets_M + 2  # what the list says is similar
    assert abs(hidden.mean() - 0.6) < 0.03
    assert abs(kept.mean() - 0.1) < 0.02
    assert not np.isin(new[~hidden & ~kept], [PAD, UNK, CLS, SEP, MASK, 5]).any()
    words = hidden[found.positions_M % 2 == 1], hidden[found.positions_M % 2 == 0]
    whole = "char" not in strategy and (per == "unit" or strategy == "mac")
    assert "char" in strategy or np.array_equal(*words) == whole


def test_shares_are_drawn_for_whole_units_when_asked() -> None:
    one = batch(*[[S, *[0] * 299]] * 40)
    found = run(one, "span", replace=(0.5, 0.0, 0.5), replace_per="unit")
    hidden = found.ids_T[found.positions_M] == MASK
    joined = np.diff(found.positions_M) == 1
    assert np.mean(hidden[1:][joined] == hidden[:-1][joined]) > 0.85
    found = run(one, "span", replace=(0.5, 0.0, 0.5), replace_per="token")
    hidden = found.ids_T[found.positions_M] == MASK
    assert abs(np.mean(hidden[1:][joined] == hidden[:-1][joined]) - 0.5) < 0.05


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_first_candidates_are_a_matter_of_speed(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    one = batch(*[rng.choice([0, 0, 1, 1, 2, 4, 8], n).tolist() for n in rng.integers(1, 200, 50).tolist()])
    usual = [run(one, strategy, rate=rate).ids_T.tolist() for rate in (0.02, 0.15, 0.5)]
    for sure in (0, 100):
        monkeypatch.setattr(room, "_SURE", sure)
        assert [run(one, strategy, rate=rate).ids_T.tolist() for rate in (0.02, 0.15, 0.5)] == usual


def test_the_settings_say_what_is_masked_when() -> None:
    config = MaskingConfig(strategy="ernie", rate=0.3, final_rate=0.15, stages=(0.5, 0.0, 0.5))
    found = [config.masking(done).strategy for done in (0.0, 0.49, 0.5, 1.0)]
    assert found == ["char", "char", "entity", "entity"]
    assert [config.masking(done).rate for done in (0.0, 0.5, 1.0)] == pytest.approx([0.3, 0.225, 0.15])
    thirds = MaskingConfig(strategy="ernie")
    assert [thirds.masking(k / 3).strategy for k in range(3)] == list(STAGED["ernie"])
    assert MaskingConfig().masking(0.7) == Masking()
    more = parse(
        MaskingConfig, {"budget": "units", "replace_per": "unit", "ngrams": [6, 3, 2], "span_p": 0.5}
    )
    assert more.masking(0.0) == Masking(budget="units", replace_per="unit", ngrams=(6, 3, 2), span_p=0.5)


def test_help_names_every_strategy() -> None:
    about = MaskingConfig.model_fields["strategy"].description
    assert about is not None
    assert [name for name in (*STRATEGIES, *STAGED) if f"{name} (" not in about] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"strategy": "wmw"}, r'no strategy "wmw" \(did you mean "wwm"\?\)'),
        ({"rate": 0.6}, "rate = 0.6"),
        ({"rate": 0.0}, "rate = 0.0"),
        ({"final_rate": 0.7}, "final_rate"),
        ({"replace": [0.8, 0.1, 0.2]}, "add up to 1"),
        ({"replace": [1.1, -0.1, 0.0]}, "add up to 1"),
        ({"stages": [1, 1, 1]}, "stages must be three shares"),
        ({"ngrams": [0, 0]}, "one of them above 0"),
        ({"ngrams": [-1, 2]}, "must be shares"),
        ({"strategy": "mac"}, "needs them"),
        ({"strategy": "wwm", "similar": "x.tsv"}, "for mac"),
        ({"span_longest": 0}, "span_longest"),
    ],
)
def test_wrong_settings_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(MaskingConfig, values)
