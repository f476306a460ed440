"""Words: jieba's own, without its cache; user dictionaries; bounded time; pickles and threads."""

import marshal
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jieba
import pytest

from zhbert.errors import ConfigError, DataError
from zhbert.text.lattice import weigh
from zhbert.text.segment import Jieba, segmenter

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))
USER_WORDS = "\ufeff靖远路站 20 n\r\n\n陶哲轩\n云计算 3\nC++11 nz\n让·雷诺\n杭研 0\n"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    """Return a plain jieba tokenizer, with a cache of its own."""
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    return tokenizer


def words(text: str, cut: Callable[[str], list[tuple[int, int]]]) -> list[str]:
    return [text[start:end] for start, end in cut(text)]


TEXTS = [
    "",
    "的",
    "我来到北京清华大学。",
    "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
    "在UCLA陶哲轩手下读博\r\n\r是 什么\u3000感受？！",
    "bert-base-chinese 有 3.5% 的C++代码&注释_v2.0 ３．５％",
    "𠀀𠀁让·雷诺㐀鿿龥😀\x00\u200b",
    "龘靐齉爩麤灪龗",
    "杭研大厦他来到了网易",
]


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_jieba(text: str, theirs: jieba.Tokenizer) -> None:
    assert words(text, Jieba().cut) == theirs.lcut(text)


@pytest.mark.realdata
def test_words_are_those_of_jieba_on_real_lines(theirs: jieba.Tokenizer) -> None:
    path = DATA / "text" / "mixed-sample.txt"
    if not path.exists():
        pytest.skip(f"no {path}; set ZHBERT_DATA to the folder of data sets")
    ours = Jieba()
    for line in path.read_text(encoding="utf-8").split("\n")[::6]:
        assert words(line, ours.cut) == theirs.lcut(line)


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a user dictionary."""
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_bytes(USER_WORDS.encode())
    return path


def test_user_words_work_as_in_jieba(
    dictionary: Path, theirs: jieba.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jieba.finalseg, "Force_Split_Words", set())  # jieba splits for the whole process
    ours, other = segmenter(user_words=dictionary), jieba.Tokenizer()
    assert isinstance(ours, Jieba)
    assert not jieba.finalseg.Force_Split_Words
    other.tmp_dir = theirs.tmp_dir
    other.load_userdict(str(dictionary))
    for text in ["途经靖远路站和陶哲轩家", "云计算与C++11", "让·雷诺在北京", *TEXTS]:
        assert words(text, ours.cut) == other.lcut(text)
    assert ours._lexicon.weights == weigh(other.FREQ, other.total)
    assert "靖远路站" in words("途经靖远路站", ours.cut)
    assert words("去杭研大厦", ours.cut) == ["去", "杭", "研", "大厦"]
    assert words("去杭研大厦", Jieba().cut) == ["去", "杭研", "大厦"]
    assert ours.unreachable == ("让·雷诺",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("好词\n云计算\t3\n".encode(), r"words.txt:2: not a dictionary line"),
        ("云计算 3.5".encode(), r"words.txt:1: not a dictionary line"),
        ("云计算 NZ".encode(), r"words.txt:1: not a dictionary line"),
        ("云 计算".encode(), r"words.txt:1: not a dictionary line"),
        ("好词\n\n云计算".encode("gb18030"), r"words.txt:1: not UTF-8"),
    ],
)
def test_a_bad_dictionary_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        segmenter(user_words=path)


def test_a_missing_dictionary_and_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        segmenter(user_words=tmp_path / "none.txt")
    with pytest.raises(ConfigError, match='did you mean "jieba"'):
        segmenter("jeiba")
    (tmp_path / "words.txt").write_text("云计算", encoding="utf-8")
    with pytest.raises(ConfigError, match="takes no user words"):
        segmenter("character", user_words=tmp_path / "words.txt")


def test_fingerprints_tell_dictionaries_apart(dictionary: Path) -> None:
    made = [segmenter("character"), segmenter(), segmenter(user_words=dictionary)]
    assert len({each.fingerprint for each in made}) == 3
    assert segmenter().fingerprint == Jieba().fingerprint


def test_no_cache_is_read_written_or_logged(tmp_path: Path) -> None:
    poison = tmp_path / "jieba.cache"
    poison.write_bytes(marshal.dumps(({"我来到北京清华大学": 9}, 9)))
    tmp_path.chmod(0o555)
    code = (
        "from zhbert.text.segment import Jieba, UserWord; "
        "print(Jieba([UserWord('网易')]).cut('我来到北京清华大学'))"
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
    assert run.stdout == "[(0, 1), (1, 3), (3, 5), (5, 9)]\n"
    assert run.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["jieba.cache"]


@pytest.mark.parametrize("unit", ["的", "龘", "中国", "a", "1.", " ", "。", "陶哲轩"])
def test_a_long_run_takes_bounded_time(unit: str) -> None:
    text, cut = unit * (300_000 // len(unit)), Jieba().cut
    before = time.perf_counter()
    ranges = cut(text)
    assert time.perf_counter() - before < 20  # quadratic time would be minutes
    assert ranges[-1][1] == len(text)


def test_a_pickle_is_built_again_from_its_words(dictionary: Path) -> None:
    ours = segmenter(user_words=dictionary)
    data = pickle.dumps(ours)
    again = pickle.loads(data)
    assert len(data) < 500
    assert again.fingerprint == ours.fingerprint
    assert again.cut("途经靖远路站") == ours.cut("途经靖远路站") == [(0, 2), (2, 6)]


def test_threads_share_a_segmenter() -> None:
    ours = Jieba()
    texts = TEXTS * 20
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ours.cut, texts)) == [ours.cut(text) for text in texts]


def test_characters() -> None:
    text = "用BERT做３Ｄ\n3.5倍é！"
    expected = ["用", "BERT", "做", "３Ｄ", "\n", "3", ".", "5", "倍", "é", "！"]
    assert words(text, segmenter("character").cut) == expected
    assert segmenter("character").cut("") == []
