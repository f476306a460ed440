"""Documents into shards: flags are jieba's words, the held-out part is stable, counts are true."""

from pathlib import Path
from typing import Any

import jieba
import numpy as np
import pytest

from zhbert.corpus.build import write_documents
from zhbert.corpus.encode import EncodeConfig, encode, flag, is_held_out
from zhbert.corpus.vocabulary import VocabConfig, vocab
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.files import Work
from zhbert.records import Document
from zhbert.text.segment import segmenter

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
    write_documents(folder / "part-00000.parquet", documents)
    return folder


def encoded(folder: Path, documents: Path, tokenizer: Tokenizer, **options: Any) -> Work:
    tokenizer.save(folder / "tokenizer")
    work = Work(folder / "shards")
    work.folder.mkdir()
    encode(EncodeConfig(documents=documents, tokenizer=folder / "tokenizer", **options), work)
    return work


@pytest.mark.parametrize("text", TEXTS)
def test_flags_are_the_words_of_jieba(text: str, tokenizer: Tokenizer) -> None:
    (tokens,) = tokenizer.encode_batch([text])
    flags = flag(text, tokens, segmenter("jieba"))
    home = np.repeat(np.arange(len(words := jieba.lcut(text))), [len(word) for word in words])
    starts, ends = tokens.offsets.T
    assert [home[s] == home[e - 1] or None for s, e in tokens.offsets].count(None) == 0 or "😀" in text
    wanted = [i > 0 and home[starts[i]] == home[ends[i - 1] - 1] for i in range(len(tokens))]
    assert (flags & CONTINUES_WORD > 0).tolist() == wanted


def test_sentences_start_where_they_start(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenizer.encode_batch([TEXTS[0]])
    flags = flag(TEXTS[0], tokens, segmenter("jieba"))
    starting = [TEXTS[0][s:e] for (s, e), f in zip(tokens.offsets, flags, strict=True) if f & SENTENCE]
    assert starting == ["上", "读"]


def test_every_character_is_a_word_to_the_character_segmenter(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenizer.encode_batch([TEXTS[0]])
    assert not (flag(TEXTS[0], tokens, segmenter("character")) & CONTINUES_WORD).any()


def test_user_words_change_the_flags(tmp_path: Path, tokenizer: Tokenizer) -> None:
    words = tmp_path / "words.txt"
    words.write_text("江大桥 100000\n南京市长 100000\n", encoding="utf-8")
    (tokens,) = tokenizer.encode_batch([TEXTS[2]])
    plain, own = (flag(TEXTS[2], tokens, segmenter("jieba", user_words=w)).tolist() for w in (None, words))
    assert plain != own


def test_counts_are_those_of_the_shards(tmp_path: Path, tokenizer: Tokenizer) -> None:
    documents = corpus(tmp_path / "documents", TEXTS * 25)
    work = encoded(tmp_path, documents, tokenizer, held_out=0.2, shard_documents=30)
    assert set(work.counts) == {"train", "held-out"}
    for part, counts in work.counts.items():
        shards = Shards.open(work.folder / part)
        wanted = [i for i in range(100) if is_held_out(f"news.txt:{i}", 0.2) == (part == "held-out")]
        ids = [tokenizer.encode_batch([TEXTS[i % 4]])[0].ids for i in wanted]
        assert counts["documents"] == len(wanted) == shards.n_docs
        assert counts["tokens"] == sum(map(len, ids)) == shards.n_tokens
        assert counts["unknown"] == sum(int((row == tokenizer.special.unk).sum()) for row in ids) > 0
        assert 0 < counts["words"] < counts["tokens"]
        assert len(list((work.folder / part).iterdir())) == -(-len(wanted) // 30)
    assert Tokenizer.load(work.folder / "tokenizer").fingerprint == tokenizer.fingerprint


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
