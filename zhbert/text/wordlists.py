"""Word lists as people keep them: one entry a line, with or without columns behind it.

    发展                       an entry alone
    发展<TAB>1934814           THUOCL and the `phrases.tsv` of `zhbert corpus phrases`: the first column
    云计算 3 n                 jieba's user dictionaries: a word, a frequency, a tag of jieba's

What is peculiar:

- Lines end at "\\n", "\\r\\n" or "\\r" alone, as one of the THUOCL files has it; a BOM is no character.
- An entry may have spaces ("iPhone 15 Pro"). What might be a frequency ("小米 14") is one behind a word with
  a Han character; a tab behind the entry says that it is none.
- A line that begins with "#" is a remark or an entry that somebody has taken out.
- Spaces around an entry and doubled entries do not count.
"""

import re
from pathlib import Path

from zhbert.errors import DataError
from zhbert.text.matching import LONGEST

_LINE_END = re.compile(r"\r\n|\r|\n")
_TAGS = (
    "a|ad|ag|an|b|c|d|df|dg|e|eng|f|g|h|i|j|k|l|m|mg|mq|n|ng|nr|nrfg|nrt|ns|nt|nz|o|p|q|r|rg|rr|rz|s|t|tg|u|ud|ug|"
    "uj|ul|uv|uz|v|vd|vg|vi|vn|vq|x|y|z|zg"
)
_WITH_COLUMNS = re.compile(
    rf"(?=\S*[\u3400-\u9fff])(\S+)(?: +[0-9]+(?:\.[0-9]+)?(?: +(?:{_TAGS}))?| +(?:{_TAGS}))"
)


def read_words(path: Path) -> tuple[str, ...]:
    """Return the entries of a word list, in order.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "words.txt"
    >>> _ = path.write_bytes("发展\\t1934814\\r云计算 3 n\\r#删掉\\riPhone 15 Pro\\r".encode())
    >>> read_words(path)
    ('发展', '云计算', 'iPhone 15 Pro')
    """
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        line = 1 + len(_LINE_END.findall(data[: error.start].decode("utf-8")))
        raise DataError("not UTF-8", where=f"{path}:{line}", remedy="save the list as UTF-8") from error
    lines = enumerate(_LINE_END.split(text), 1)
    words = dict.fromkeys(_word(line, where=f"{path}:{number}") for number, line in lines)
    words.pop("", None)
    if not words:
        raise DataError("no words in it", where=path, remedy="one word a line")
    return tuple(words)


def _word(line: str, *, where: str) -> str:
    """Return the entry of a line, "" where it has none."""
    line = line.strip(" ")
    if line.startswith("#"):
        return ""
    match = _WITH_COLUMNS.fullmatch(line)
    word = match[1] if match else line.partition("\t")[0].strip()
    if len(word) > LONGEST:
        raise DataError(
            f"an entry of {len(word)} characters, more than {LONGEST}", where=where, remedy="one word a line"
        )
    return word
