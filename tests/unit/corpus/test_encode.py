"""Documents into shards: flags are jieba's words, the held-out part is stable, counts are true."""

import json
from pathlib import Path
from typing import Any

import jieba
import numpy as np
import pytest

from zhbert.corpus.documents import Columns
from zhbert.corpus.encode import EncodeConfig, encode, is_held_out
from zhbert.corpus.flags import Flagged, flag
from zhbert.corpus.vocabulary import VocabConfig, vocab
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, CONTINUES_WORD, SENTENCE, Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.files import Work, list_files
from zhbert.records import Document
from zhbert.text.segment import segmenter
from zhbert.text.units import UnitsConfig, make_units

TEXTS = [
    "上海图书馆每天早上九点开门。读者可以免费借书！",
    "他用iPhone15拍了3.14张照片，emoji😀😀也在里面。",
    "南京市长江大桥今天通车，研究生命的起源。",
    "   前面有空格，全角　空格，还有\u200b零宽字符。\n第二行从这里开始。",
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    characters = dict.fromkeys("".join(TEXTS).replace("长", "").lower())
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = ["iphone", "##15", "##1", "##5", "emoji", "##4"]
    return Tokenizer.from_vocab([*names, *(c for c in characters if c.strip()), *pieces])


def corpus(folder: Path, texts: list[str], *, names: str = "news.txt:{}") -> Path:
    folder.mkdir(parents=True)
    documents = [Document(id=names.format(i), text=text) for i, text in enumerate(texts)]
    Columns.of(documents).write(folder / "part-00000.parquet")
    return folder


def encoded(folder: Path, documents: Path, tokenizer: Tokenizer, **options: Any) -> Work:
    tokenizer.save(folder / "tokenizer")
    work = Work(folder / "shards")
    work.folder.mkdir()
    options = {"workers": 1} | options
    encode(EncodeConfig(documents=documents, tokenizer=str(folder / "tokenizer"), **options), work)
    return work


def flagged(
    texts: list[str], tokenizer: Tokenizer, name: str = "jieba", words: Path | None = None
) -> Flagged:
    return flag(texts, tokenizer, segmenter(name, user_words=words), make_units(UnitsConfig()))


@pytest.mark.slow
def test_many_texts_at_once_are_each_alone(tokenizer: Tokenizer) -> None:
    texts = [TEXTS[0], "", TEXTS[1], " ", TEXTS[2], TEXTS[3], "第", "一。"]
    together = flagged(texts, tokenizer)
    ends = [0, *together.ends_D.tolist()]
    for text, start, end in zip(texts, ends, ends[1:], strict=False):
        alone = flagged([text], tokenizer)
        assert together.ids_T[start:end].tolist() == alone.ids_T.tolist()
        assert together.flags_T[start:end].tolist() == alone.flags_T.tolist()
    assert [together.blob[s:e] for s, e in together.words_R2] == [
        word for i, text in enumerate(texts) for word in (["\n"] if i else []) + jieba.lcut(text)
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_flags_are_the_words_of_jieba(text: str, tokenizer: Tokenizer) -> None:
    found = flagged([text], tokenizer)
    home = np.repeat(np.arange(len(words := jieba.lcut(text))), [len(word) for word in words])
    starts, ends = found.tokens_T2.T
    wanted = [i > 0 and home[starts[i]] == home[ends[i - 1] - 1] for i in range(len(starts))]
    assert (found.flags_T & CONTINUES_WORD > 0).tolist() == wanted


def test_sentences_start_where_they_start(tokenizer: Tokenizer) -> None:
    found = flagged([TEXTS[0]], tokenizer)
    pairs = zip(found.tokens_T2, found.flags_T, strict=True)
    assert [TEXTS[0][start:end] for (start, end), flags in pairs if flags & SENTENCE] == ["上", "读"]


def test_every_character_is_a_word_to_the_character_segmenter(tokenizer: Tokenizer) -> None:
    assert not (flagged([TEXTS[0]], tokenizer, "character").flags_T & CONTINUES_WORD).any()


@pytest.mark.slow
def test_user_words_change_the_flags(tmp_path: Path, tokenizer: Tokenizer) -> None:
    words = tmp_path / "words.txt"
    words.write_text("江大桥 100000\n南京市长 100000\n", encoding="utf-8")
    plain, own = (flagged([TEXTS[2]], tokenizer, words=w).flags_T.tolist() for w in (None, words))
    assert plain != own


def test_phrases_and_entities_have_bits_of_their_own(tmp_path: Path, tokenizer: Tokenizer) -> None:
    (tmp_path / "phrases.txt").write_text("每天早上\n", encoding="utf-8")
    documents = corpus(tmp_path / "documents", [TEXTS[0], "在2024年3月5日开门。"])
    work = encoded(tmp_path, documents, tokenizer, phrases=tmp_path / "phrases.txt", held_out=0.0)
    shards = Shards.open(work.folder / "train")
    _, flags = shards.doc(0)
    first = TEXTS[0].index("每天早上")
    assert np.flatnonzero(flags & CONTINUES_PHRASE).tolist() == [first + 1, first + 2, first + 3]
    _, flags = shards.doc(1)
    assert (flags & CONTINUES_ENTITY > 0).tolist().count(True) >= 3
    facts = json.loads((work.folder / "facts.json").read_text("utf-8"))
    assert facts["phrases"] == {"每天早上": 1}
    assert facts["kinds"] == {"date": 1, "time": 1}
    assert work.counts["train"]["in phrases"] == 3


@pytest.mark.slow
def test_a_part_becomes_a_shard_whoever_does_it(tmp_path: Path, tokenizer: Tokenizer) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(3):
        rows = [Document(id=f"{number}-{i}", text=text) for i, text in enumerate(TEXTS)]
        Columns.of(rows).write(documents / f"part-{number:05d}.parquet")
    seen = []
    for workers in (1, 2):
        work = encoded(tmp_path / str(workers), documents, tokenizer, workers=workers, held_out=0.3)
        assert [p.name for p in sorted((work.folder / "train").iterdir())] == ["00000", "00001", "00002"]
        assert {p.name for p in work.folder.iterdir()} == {"train", "held-out", "tokenizer", "facts.json"}
        seen.append({name: (work.folder / name).read_bytes() for name in list_files(work.folder)})
    assert seen[0] == seen[1]


def test_counts_are_those_of_the_shards(tmp_path: Path, tokenizer: Tokenizer) -> None:
    documents = corpus(tmp_path / "documents", TEXTS * 25)
    work = encoded(tmp_path, documents, tokenizer, held_out=0.2)
    assert set(work.counts) == {"train", "held-out"}
    for part, counts in work.counts.items():
        shards = Shards.open(work.folder / part)
        wanted = [i for i in range(100) if is_held_out(f"news.txt:{i}", 0.2) == (part == "held-out")]
        ids = [tokenizer.encode_batch([TEXTS[i % 4]])[0].ids for i in wanted]
        assert counts["documents"] == len(wanted) == shards.n_docs
        assert counts["tokens"] == sum(map(len, ids)) == shards.n_tokens
        assert counts["unknown"] == sum(int((row == tokenizer.special.unk).sum()) for row in ids) > 0
        assert 0 < counts["words"] < counts["tokens"]
    assert Tokenizer.load(work.folder / "tokenizer").fingerprint == tokenizer.fingerprint


def test_a_document_keeps_its_source_on_either_side(tmp_path: Path, tokenizer: Tokenizer) -> None:
    names = ["news.txt:1", "百科/2", "百科/3", "news.txt:4"] * 20
    documents = [
        Document(id=f"{i}", text=TEXTS[i % 4], source=name.split(":")[0]) for i, name in enumerate(names)
    ]
    (tmp_path / "documents").mkdir()
    Columns.of(documents).write(tmp_path / "documents" / "part-00000.parquet")
    work = encoded(tmp_path, tmp_path / "documents", tokenizer, held_out=0.3)
    for part in ("train", "held-out"):
        shards = Shards.open(work.folder / part)
        own = [d.source for d in documents if is_held_out(d.id, 0.3) == (part == "held-out")]
        assert [shards.sources[i] for i in shards.sources_D] == own
        assert set(own) == {"news.txt", "百科/2", "百科/3"}


def test_the_held_out_part_does_not_move_when_documents_are_added() -> None:
    held = {i for i in range(2000) if is_held_out(f"news.txt:{i}", 0.05)}
    assert 60 < len(held) < 140
    assert held < {i for i in range(2000) if is_held_out(f"news.txt:{i}", 0.1)}
    assert not any(is_held_out(f"news.txt:{i}", 0) for i in range(2000))
    assert is_held_out("一号", 0.5) is is_held_out("一号", 0.5)


def test_nothing_held_out_is_one_part(tmp_path: Path, tokenizer: Tokenizer) -> None:
    work = encoded(tmp_path, corpus(tmp_path / "documents", TEXTS), tokenizer, held_out=0.0)
    assert list(work.counts) == ["train"]
    assert not (work.folder / "held-out").exists()


def test_the_vocabulary_of_a_corpus_covers_it(tmp_path: Path) -> None:
    documents = corpus(tmp_path / "documents", TEXTS * 3)
    work = Work(tmp_path / "vocabulary")
    vocab(VocabConfig(documents=documents, size=400), work)
    tokenizer = Tokenizer.load(work.folder)
    assert work.counts["entries"] == tokenizer.size <= 400
    assert work.counts["unknown_rate"] == round(tokenizer.unk_rate(TEXTS), 6) < 0.05
