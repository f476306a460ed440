"""Words: jieba's own, two ways; user dictionaries; pickles, threads and no cache; the simple segmenters."""

import gzip
import json
import marshal
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jieba
import pytest

from zhbert.errors import ConfigError
from zhbert.text import rapid
from zhbert.text.segment import SEGMENTERS, Jieba, UserWord, _jieba, ranges, segmenter, words

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))
USER_WORDS = (
    "\ufeff靖远路站 20 n\r\n\n陶哲轩\n云计算 3\nC++11 nz\n让·雷诺\n杭研 0\nGPT-4\nnode.js 7\nAI制药\n"
)
NAMES = ["jieba", "jieba-plain"]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    """Return a plain jieba tokenizer, with a cache of its own."""
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    tokenizer.initialize()
    return tokenizer


@pytest.fixture
def no_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the words that jieba is told to split, which it does for the whole process, to one test."""
    monkeypatch.setattr(jieba.finalseg, "Force_Split_Words", set())


TEXTS = [
    "",
    "的",
    "我来到北京清华大学。",
    "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
    "在UCLA陶哲轩手下读博\r\n\r是 什么\u3000感受？！",
    "bert-base-chinese 有 3.5% 的C++代码&注释_v2.0 ３．５％",
    "𠀀𠀁让·雷诺㐀鿿龥😀\x00\u200b\ud800",
    "龘靐齉爩麤灪龗",
    "杭研大厦他来到了网易",
    "途经靖远路站和陶哲轩家，云计算与C++11，node.js不是node.json，GPT-4、GPT-40与AI制药",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_jieba(text: str, name: str, theirs: jieba.Tokenizer) -> None:
    assert words(segmenter(name), text) == theirs.lcut(text)


def real_lines(*, kilobytes: int) -> Iterator[str]:
    """Yield lines of every kind of real text there is, so many kilobytes of each."""
    if not (DATA / "text").is_dir():
        pytest.skip(f"no {DATA / 'text'}; set ZHBERT_DATA to the folder of data sets")
    rng = random.Random(7)
    for path in sorted((DATA / "text").glob("*.*")):
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                texts = [json.loads(record)["text"] for record, _ in zip(file, range(500), strict=False)]
        else:
            texts = [path.read_text(encoding="utf-8")]
        lines = [line for text in texts for line in text.split("\n")]
        rng.shuffle(lines)
        size = 0
        while lines and size < kilobytes * 1000:
            size += len(lines[-1].encode("utf-8", "surrogatepass"))
            yield lines.pop()


@pytest.mark.slow
@pytest.mark.realdata
def test_words_are_those_of_jieba_on_real_lines(theirs: jieba.Tokenizer) -> None:
    ours = [segmenter(name) for name in NAMES]
    for line in real_lines(kilobytes=20):
        assert [words(each, line) for each in ours] == [theirs.lcut(line)] * 2


@pytest.mark.slow
@pytest.mark.realdata
def test_words_are_those_of_jieba_on_many_real_lines(theirs: jieba.Tokenizer) -> None:
    ours, lines = Jieba(), list(real_lines(kilobytes=250))
    assert len(lines) > 10_000
    assert [line for line in lines if words(ours, line) != theirs.lcut(line)] == []
    whole = "\n".join(lines)
    assert words(ours, whole) == [word for line in lines for word in [*theirs.lcut(line), "\n"]][:-1]


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a user dictionary."""
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_bytes(USER_WORDS.encode())
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("no_splits")
def test_user_words_work_as_in_jieba(dictionary: Path, theirs: jieba.Tokenizer) -> None:
    ours = [segmenter(name, user_words=dictionary) for name in NAMES]
    other = jieba.Tokenizer()
    other.tmp_dir = theirs.tmp_dir
    other.load_userdict(str(dictionary))
    for text in TEXTS:
        assert [words(each, text) for each in ours] == [other.lcut(text)] * 2
    assert {"靖远路站", "C++11", "node.js", "GPT-4", "AI制药"} <= set(words(ours[0], TEXTS[-1]))
    assert words(ours[0], "去杭研大厦") == ["去", "杭", "研", "大厦"]
    assert words(Jieba(), "去杭研大厦") == ["去", "杭研", "大厦"]
    assert isinstance(ours[0], Jieba)
    assert ours[0].unreachable == ("让·雷诺",)


@pytest.mark.slow
def test_fingerprints_tell_segmenters_and_dictionaries_apart(dictionary: Path) -> None:
    made = [segmenter(name) for name in SEGMENTERS]
    made += [segmenter(name, user_words=dictionary) for name in NAMES]
    assert len({each.fingerprint for each in made}) == 6
    assert [each.name for each in made] == [*SEGMENTERS, *NAMES]
    assert segmenter().fingerprint == Jieba().fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_is_built_again_from_its_words(dictionary: Path, name: str) -> None:
    ours = segmenter(name, user_words=dictionary)
    data = pickle.dumps(ours)
    again = pickle.loads(data)
    assert len(data) < 500
    assert (again.name, again.fingerprint) == (ours.name, ours.fingerprint)
    assert words(again, "途经靖远路站") == words(ours, "途经靖远路站") == ["途经", "靖远路站"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_splits")
@pytest.mark.parametrize("seed", range(4))
def test_dictionaries_at_random_work_as_in_jieba(
    seed: int, theirs: jieba.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    known = rng.sample([word for word, count in theirs.FREQ.items() if count], 3000)
    parts = [*known, *"ab1.2-_%+# 的一是，㐀鿿\n", "3.5", "v2.0.1", "c++", "T恤", "赞赞赞赞"]
    user_words = [
        UserWord("".join(rng.choices(parts, k=rng.randint(1, 3))).strip() or "字", rng.choice(COUNTS))
        for _ in range(200)
    ]
    monkeypatch.setattr(theirs, "FREQ", dict(theirs.FREQ))
    monkeypatch.setattr(theirs, "total", theirs.total)
    for entry in user_words:
        theirs.add_word(entry.word, entry.frequency)
    ours, mixed = Jieba(user_words), [*parts, *(entry.word for entry in user_words)]
    for _ in range(2000):
        text = "".join(rng.choices(mixed, k=8))
        assert words(ours, text) == theirs.lcut(text)


COUNTS = [None, None, None, 0, 1, 20, 1000, 10**6]


@pytest.mark.slow
def test_without_a_twin_words_are_found_the_plain_way(
    theirs: jieba.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclear = [UserWord("云计算", 0), UserWord("云计算", 10**6)]
    assert words(Jieba(unclear), "用云计算机") == ["用", "云计算", "机"]
    monkeypatch.setattr(rapid, "twin", lambda known: None)
    _jieba.cache_clear()
    assert words(Jieba(), TEXTS[-1]) == theirs.lcut(TEXTS[-1])
    _jieba.cache_clear()


def test_an_unknown_name_and_words_that_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='did you mean "jieba"'):
        segmenter("jeiba")
    (tmp_path / "words.txt").write_text("云计算", encoding="utf-8")
    for name in ("character", "whitespace"):
        with pytest.raises(ConfigError, match=f'"{name}" takes no user words'):
            segmenter(name, user_words=tmp_path / "words.txt")


@pytest.mark.slow
def test_no_cache_is_read_written_or_logged(tmp_path: Path) -> None:
    (tmp_path / "jieba.cache").write_bytes(marshal.dumps(({"我来到北京清华大学": 9}, 9)))
    tmp_path.chmod(0o555)
    code = (
        "from zhbert.text.segment import Jieba, UserWord; "
        "print([Jieba(w).ends('我来到北京清华大学').tolist() for w in ([], [UserWord('网易')])])"
    )
    try:
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            check=True,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
            timeout=60,
        )
    finally:
        tmp_path.chmod(0o755)
    assert run.stdout == "[[1, 3, 5, 9], [1, 3, 5, 9]]\n"
    assert run.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["jieba.cache"]


@pytest.mark.slow
def test_the_default_needs_no_dictionary_in_python() -> None:
    code = (
        "import sys; from zhbert.text.segment import Jieba; Jieba().ends('云'); print('jieba' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60)
    assert run.stdout == "False\n"


@pytest.mark.parametrize("name", NAMES)
def test_threads_share_a_segmenter(name: str) -> None:
    ours, texts = segmenter(name), TEXTS * 20
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: words(ours, text), texts)) == [words(ours, text) for text in texts]


@pytest.mark.slow
def test_a_long_run_takes_bounded_time_the_plain_way() -> None:
    """Quadratic time would be minutes; see test_rapid for the twin."""
    for unit in ("的", "龘", "中国", "a", "1.", " ", "陶哲轩"):
        text = unit * (100_000 // len(unit))
        assert Jieba(plain=True).ends(text)[-1] == len(text)


def test_characters() -> None:
    expected = ["用", "BERT", "做", "３Ｄ", "\n", "3", ".", "5", "倍", "é", "！"]
    assert words(segmenter("character"), "用BERT做３Ｄ\n3.5倍é！") == expected


def test_words_between_white_space() -> None:
    text = "他们  用 BERT\u3000做\tNLP。\n"
    expected = ["他们", "  ", "用", " ", "BERT", "\u3000", "做", "\t", "NLP。", "\n"]
    assert words(segmenter("whitespace"), text) == expected


@pytest.mark.parametrize("name", SEGMENTERS)
def test_an_empty_text_has_no_words(name: str) -> None:
    ends = segmenter(name).ends("")
    assert (ends.dtype, ends.shape, ranges(ends).shape) == ("int64", (0,), (0, 2))
