"""User dictionaries: read line by line, added as jieba adds them, without a trace in jieba itself."""

from collections.abc import Callable
from pathlib import Path

import jieba
import pytest

from zhbert.errors import ConfigError, DataError
from zhbert.text.lexicon import UserWord, fingerprint, lexicon, read_user_words

USER_WORDS = "\ufeff靖远路站 20 n\r\n\n陶哲轩\n云计算 3\nC++11 nz\n让·雷诺\n杭研 0\n云计算 30\nGPT-4\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(content: str) -> Path:
        path = tmp_path / "words.txt"
        path.write_bytes(content.encode())
        return path

    return write


def test_a_dictionary_is_read_in_order(write: Callable[[str], Path]) -> None:
    words = read_user_words(write(USER_WORDS))
    assert words[:3] == (UserWord("靖远路站", 20), UserWord("陶哲轩"), UserWord("云计算", 3))
    assert [entry.word for entry in words if not entry.reachable] == ["让·雷诺"]


def test_words_are_added_as_jieba_adds_them(
    write: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jieba.finalseg, "Force_Split_Words", set())  # jieba splits for the whole process
    path = write(USER_WORDS)
    ours, theirs = lexicon(read_user_words(path)), jieba.Tokenizer()
    assert not jieba.finalseg.Force_Split_Words
    theirs.tmp_dir = str(tmp_path)
    theirs.load_userdict(str(path))
    assert (ours.frequencies, ours.total) == (theirs.FREQ, theirs.total)
    assert ours.split == jieba.finalseg.Force_Split_Words == {"杭研"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("好词\n云计算\t3\n".encode(), r"words.txt:2: not a dictionary line"),
        ("云计算 3.5".encode(), r"words.txt:1: not a dictionary line"),
        ("云计算 NZ".encode(), r"words.txt:1: not a dictionary line"),
        ("云 计算".encode(), r"words.txt:1: not a dictionary line"),
        (b"\xe4\xba\x91 " + b"9" * 5000, r"words.txt:1: not a dictionary line"),
        ("好词\n\n云计算".encode("gb18030"), r"words.txt:1: not UTF-8"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_user_words(path)


def test_a_missing_dictionary(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.txt: cannot be read"):
        read_user_words(tmp_path / "none.txt")


@pytest.mark.parametrize("entry", [("", None), ("云", -1)])
def test_what_is_no_word_is_refused(entry: tuple[str, int | None]) -> None:
    with pytest.raises(ConfigError, match="not a user word"):
        UserWord(*entry)


def test_fingerprints_tell_all_apart_that_decides() -> None:
    user_words = [(), (UserWord("云"),), (UserWord("云", 1),)]
    prints = [fingerprint(words, *packages) for words in user_words for packages in [(), ("jieba",)]]
    assert len(set(prints)) == 6
    assert fingerprint((UserWord("云"),), "jieba") in prints
