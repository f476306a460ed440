"""Similar words: read from a thesaurus or our own list, looked up by ids, and found in a corpus."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from zhbert.encode import counting, neighbours
from zhbert.encode.bert import NAMES
from zhbert.encode.draws import draw, stream
from zhbert.encode.neighbours import SimilarConfig, nearest, pairs, portions, ppmi, similar, vectors
from zhbert.encode.shards import CONTINUES_WORD, Shards, ShardWriter
from zhbert.encode.similar import HEAD, MOST, SimilarWords, keys_of, read_similar
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError
from zhbert.files import Work

CHARACTERS = "人士物北京上海大连的是在东西南天气好坏雨雪猫狗吃喝甲乙丙丁"
TOKENIZER = Tokenizer.from_vocab([*NAMES.values(), *CHARACTERS, "play", "##ing", "run", "##s"])
THESAURUS = (
    "Aa01A01= 人 士 人物 人士 生人 play\nAa01A02# 北京 上海\nAa01A03@ 大连\n\nBb02C03= 士 人士 的 上海 大连\n"
)


def ids_of(word: str) -> list[int]:
    (encoded,) = TOKENIZER.encode_batch([word])
    return encoded.ids.tolist()


def test_synonyms_of_one_length_are_similar(tmp_path: Path) -> None:
    path = tmp_path / "cilin.txt"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        path.write_bytes(THESAURUS.replace("\n", "\r\n").encode(encoding))
        words = read_similar(path, TOKENIZER)
        assert words.similar("人", TOKENIZER) == ["士", "play"]
        assert words.similar("人士", TOKENIZER) == ["人物", "上海", "大连"]
        assert words.similar("士", TOKENIZER) == ["人", "play", "的"]
        assert words.similar("北京", TOKENIZER) == []  # related is not similar
        assert words.similar("生人", TOKENIZER) == []  # the tokenizer does not know all of it


def test_our_own_list(tmp_path: Path) -> None:
    path = tmp_path / "similar.tsv"
    path.write_text(f"{HEAD}\n北京\t9\t上海 0.912\t大连 0.5\n的\t7\nplaying\t3\truns 0.400\n", "utf-8")
    words = read_similar(path, TOKENIZER)
    assert words.similar("北京", TOKENIZER) == ["上海", "大连"]
    assert words.similar("playing", TOKENIZER) == ["runs"]
    assert words.similar("上海", TOKENIZER) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Aa01A01= 人 士\n人 士\n", r"x\.txt:2: not a line of a thesaurus"),
        (f"{HEAD}\n北京\t9\t上海\n", r"x\.txt:2: not a line of similar words"),
        (f"{HEAD}\n北京\n", r"x\.txt:2: not a line of similar words"),
        ("Aa01A01= 人 北京\n", "no two words of as many tokens are similar"),
        ("", "no two words of as many tokens are similar"),
    ],
)
def test_broken_lists_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        read_similar(tmp_path / "x.txt", TOKENIZER)


def test_unreadable_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_similar(tmp_path / "none.txt", TOKENIZER)
    (tmp_path / "x.txt").write_bytes(b"\xff\xff\xff")
    with pytest.raises(DataError, match="neither UTF-8 nor GB18030"):
        read_similar(tmp_path / "x.txt", TOKENIZER)


def test_a_word_has_a_limited_number_of_similar_ones() -> None:
    many = [a + b for a in CHARACTERS for b in CHARACTERS][: MOST + 20]
    words = SimilarWords.of({many[0]: many[1:]}, TOKENIZER)
    assert words.similar(many[0], TOKENIZER) == many[1 : MOST + 1]


WORDS = st.lists(st.text("人士北京的", min_size=1, max_size=4), min_size=1, max_size=12)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, st.integers(0, 99))
def test_what_is_laid_is_a_similar_word_or_any_of_its_length(
    known: list[str], text: list[str], seed: int
) -> None:
    listed = dict.fromkeys(known[::2], known)
    words = SimilarWords.of(listed, TOKENIZER)
    ids = [ids_of(word) for word in text]
    firsts = np.cumsum([0, *map(len, ids)])[:-1]
    keys = keys_of(np.concatenate(ids), firsts)
    bits = draw(stream("word", seed), np.arange(len(text)))
    wanted = np.arange(len(text)) % 3 > 0
    rows = words.instead(keys, bits_W=bits, similar_W=wanted)
    plain = words.instead(keys, bits_W=bits, similar_W=wanted & False)
    lengths = np.array(list(map(len, ids)))
    laid, any_laid = (np.split(words.tokens(found, lengths), firsts[1:]) for found in (rows, plain))
    names = {word: ids_of(word) for word in known}
    for i, word in enumerate(text):
        alike = [names[name] for name in listed.get(word, []) if len(name) == len(word) and name != word]
        of_length = [found for name, found in names.items() if len(name) == len(word)] or [[-1] * len(word)]
        assert any_laid[i].tolist() in of_length
        assert laid[i].tolist() in (alike if wanted[i] and alike else [any_laid[i].tolist()])


def test_every_similar_word_is_as_likely() -> None:
    words = SimilarWords.of({"北京": ["上海", "大连", "东西"]}, TOKENIZER)
    keys = np.repeat(keys_of(np.array(ids_of("北京")), np.array([0])), 3000)
    bits = draw(stream("word", 1), np.arange(3000))
    rows = words.instead(keys, bits_W=bits, similar_W=np.ones(3000, np.bool_))
    counts = Counter(map(tuple, words.tokens(rows, np.full(3000, 2)).reshape(-1, 2).tolist()))
    assert set(counts) == {tuple(ids_of(word)) for word in ("上海", "大连", "东西")}
    assert max(counts.values()) / min(counts.values()) < 1.2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), max_size=20))
def test_keys_are_alike_where_words_are(words: list[list[int]]) -> None:
    firsts = np.cumsum([0, *map(len, words)]).astype(np.int64)[:-1]
    keys = keys_of(np.array([i for word in words for i in word], np.int64), firsts).tolist()
    assert len(set(keys)) == len(set(map(tuple, words)))
    assert len(set(zip(keys, map(tuple, words), strict=True))) == len(set(keys))


def write(folder: Path, documents: list[list[str]]) -> Path:
    """Write shards of documents that are given as words."""
    TOKENIZER.save(folder / "tokenizer")
    facts = {"vocabulary": TOKENIZER.size, "tokenizer": TOKENIZER.fingerprint, "segmenter": "s"}
    for number, half in enumerate((documents[::2], documents[1::2])):
        with ShardWriter(folder / "train" / f"{number:05d}", **facts) as shard:  # type: ignore[arg-type]
            for words in half:
                ids = [ids_of(word) for word in words]
                flags = [CONTINUES_WORD if i else 0 for word in ids for i in range(len(word))]
                shard.add([i for word in ids for i in word], flags)
    return folder


def planted(seed: int) -> list[list[str]]:
    """Return documents in which 北京 and 上海, 猫 and 狗 stand in the same places."""
    rng = np.random.default_rng(seed)
    frames = [("在", ["北京", "上海"], "天气"), ("的", ["猫", "狗"], "吃"), ("是", ["甲", "乙"], "喝")]
    lines = []
    for _ in range(400):
        before, words, after = frames[rng.integers(3)]
        filler = rng.choice(list("东西南好坏雨雪"), 2).tolist()
        lines.append([filler[0], before, str(rng.choice(words)), after, filler[1]])
    return lines


def test_words_in_the_same_places_are_similar(tmp_path: Path) -> None:
    shards = write(tmp_path / "shards", [*planted(1), [], ["人", "[UNK]", "playing"] * 20, ["大连"]])
    for name in ("one", "two"):
        work = Work(tmp_path / name)
        work.folder.mkdir()
        similar(SimilarConfig(shards=shards, dimensions=8, min_count=5, most=3), work)
    assert (tmp_path / "one" / "similar.tsv").read_bytes() == (tmp_path / "two" / "similar.tsv").read_bytes()
    assert work.counts["words"] > 10
    found = read_similar(tmp_path / "one" / "similar.tsv", TOKENIZER)
    for word, other in (("北京", "上海"), ("猫", "狗"), ("甲", "乙")):
        assert found.similar(word, TOKENIZER)[0] == other
    text = (tmp_path / "one" / "similar.tsv").read_text("utf-8")
    assert "大连" not in text  # too rare
    assert "UNK" not in text
    assert "playing\t20" in text


def test_a_corpus_too_small_is_refused(tmp_path: Path) -> None:
    shards = write(tmp_path / "shards", [["北京", "上海"]])
    with pytest.raises(DataError, match="too few words to compare"):
        similar(SimilarConfig(shards=shards), Work(tmp_path))


DOCUMENTS = st.lists(
    st.lists(st.sampled_from(["人", "士", "北京", "上海", "的"]), max_size=9), min_size=1, max_size=8
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, st.integers(1, 4), st.sampled_from([1, 7, 1 << 21]))
def test_pairs_are_counted_as_one_would_by_hand(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[str]], window: int, portion: int
) -> None:
    shards = Shards.open(write(tmp_path_factory.mktemp("shards"), documents) / "train")
    names = ["的", "北京", "人", "士"]
    keys = keys_of(
        np.concatenate([ids_of(n) for n in names]), np.cumsum([0, *map(len, map(ids_of, names))])[:-1]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "PORTION", portion)
        found = sum((pairs(p, keys, window).toarray() for p in portions(shards)), np.zeros((4, 4)))
    wanted = np.zeros((4, 4))
    for words in documents:
        for i, one in enumerate(words):
            for other in words[max(0, i - window) : i] + words[i + 1 : i + 1 + window]:
                if one in names and other in names:
                    wanted[names.index(one), names.index(other)] += 1
    assert np.array_equal(found, wanted)


def test_rare_words_are_dropped_when_the_table_is_full(tmp_path: Path) -> None:
    shards = Shards.open(
        write(tmp_path, [["人"] * 9 + ["北京"] * 8 + ["的"], ["上海", "士", "人"]]) / "train"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "KEYS", 4)
        counts = neighbours._Counts()
        for portion in portions(shards):
            counts.add(portion)
    assert sorted(counts.counts.tolist()) == [10]
    assert len(list(portions(shards, 2))) == 1


def test_ppmi_is_what_its_formula_says() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 5, (7, 4))
    words, contexts = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True) ** 0.75
    with np.errstate(divide="ignore"):
        wanted = np.maximum(np.log(counts / (words * contexts / contexts.sum())), 0)
    assert np.allclose(ppmi(sparse.csr_matrix(counts)).toarray(), wanted, atol=1e-6)


def test_vectors_are_those_of_a_whole_decomposition() -> None:
    rng = np.random.default_rng(2)
    matrix = np.maximum(rng.normal(size=(300, 12)) @ rng.normal(size=(12, 90)), 0) * (
        rng.random((300, 90)) < 0.9
    )
    found = vectors(sparse.csr_matrix(matrix), 10)
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    wanted = left[:, :10] * np.sqrt(values[:10])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert np.abs(found @ found.T - wanted @ wanted.T).max() < 0.02


def test_the_nearest_are_found_in_blocks_of_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(50, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    lengths = rng.integers(1, 4, 50)
    whole = nearest(rows, lengths, most=4, least=0.1)
    monkeypatch.setattr(neighbours, "AT_ONCE", 7)
    assert nearest(rows, lengths, most=4, least=0.1) == whole
    for k, near in enumerate(whole):
        cosines = rows @ rows[k]
        wanted = [
            i for i in np.argsort(-cosines) if i != k and lengths[i] == lengths[k] and cosines[i] >= 0.1
        ][:4]
        assert [other for other, _ in near] == wanted
