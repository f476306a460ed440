"""Markdown in which names of data stand as they are, and the head of a card that machines read.

- A name is one line: nothing in it becomes a mark, a link, a cell or a tag; what cannot be seen is spelt out.
- The head is YAML between two lines of `---`. Every text in it stands on one line in the quotes of JSON,
  which are quotes of YAML too, so no text ends it or adds a key.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from zhbert.score.marks import clean, short

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$])")


def one_line(text: object) -> str:
    r"""Return a text on one line, invisible characters spelt out.

    >>> one_line("主队\u202e赢\n了")
    '主队‹U+202E›赢 了'
    """
    return clean(" ".join(str(text).split()))


def plain(text: object) -> str:
    """Return a text that Markdown shows as it is, on one line.

    >>> plain("A*B_<i>\\n|")
    'A\\\\*B\\\\_\\\\<i\\\\> \\\\|'
    """
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("&", "&amp;")


def cell(text: object) -> str:
    """Return the beginning of a text that Markdown shows as it is."""
    return plain(short(str(text)))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already.

    >>> print(table(("label", "F1"), [("地点", "71.2")]))
    | label | F1 |
    | --- | --- |
    | 地点 | 71.2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def front_matter(values: Mapping[str, object]) -> str:
    """Return the head of a card: names, numbers, lists of names, tables and lists of tables.

    >>> print(front_matter({"language": "zh", "model-index": [{"name": "a: b", "results": []}]}))
    ---
    language: "zh"
    model-index:
      - name: "a: b"
        results: []
    ---
    """
    return "\n".join(["---", *_yaml(values, ""), "---"])


def _yaml(values: Mapping[str, object], margin: str) -> Iterator[str]:
    for key, item in values.items():
        if isinstance(item, Mapping):
            yield f"{margin}{key}:"
            yield from _yaml(item, margin + "  ")
        elif isinstance(item, list | tuple) and item and isinstance(item[0], Mapping):
            yield f"{margin}{key}:"
            for one in item:
                first, *rest = _yaml(one, margin + "    ")
                yield f"{margin}  - {first.lstrip()}"
                yield from rest
        else:
            yield f"{margin}{key}: {_scalar(item)}"


def _scalar(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return json.dumps(one_line(value) if isinstance(value, str) else value, ensure_ascii=False)
