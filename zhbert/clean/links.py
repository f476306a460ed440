"""Links, images and footnote marks of Markdown: the text of a link stays, nothing else does.

What is peculiar:

- A link whose definition is missing is still one if its text reads like words: "[手册 下载][9]" loses its
  number, "f[i][j]" and "[1][2]" stay.
- What stands in round brackets and holds a Chinese comma or full stop is no address but a remark.
"""

import re
from collections import Counter

_IMAGE = re.compile(r"!\[[^\[\]\n]*+\](?:\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\)|\[[^\[\]\n]*+\])")
_LINK = re.compile(
    r"\[((?:[^\[\]\n]++|\[[^\[\]\n]*+\])*+)\]\((?![^()\n，。；]*+[，。；])[^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\)"
)
_REFERENCE = re.compile(r"\[((?:[^\[\]\n]++|\[[^\[\]\n]*+\])*+)\] ?\[([^\[\]\n]*+)\]")
_SHORTCUT = re.compile(r"\[(?<!\]\[)([^\[\]\n]++)\](?![(:\[])")
_MARK = re.compile(r"\[\^[^\[\]\s]++\]")
_PROSE = re.compile("[ \u3400-\u9fff]")


def strip_links(text: str, labels: set[str], counts: Counter[str]) -> str:
    """Return `text` with the text of links in their places; `labels` are those that are defined.

    >>> strip_links("![图](a.png)见[手册][1]和[官网](https://a.b)[^2]", {"1"}, Counter())
    '见手册和官网'
    """
    text, images = _IMAGE.subn("", text)
    text, links = _LINK.subn(r"\1", text)
    text = _REFERENCE.sub(lambda match: match[1] if _refers(match, labels) else match[0], text)
    text = _MARK.sub("", text)
    counts.update(images=images, links=links)
    return _SHORTCUT.sub(lambda match: match[1] if match[1].lower() in labels else match[0], text)


def _refers(match: re.Match[str], labels: set[str]) -> bool:
    """Return whether two brackets in a row are a link and not, say, a place in a matrix."""
    words, label = match[1], (match[2] or match[1]).lower()
    if label in labels or label.startswith("http"):
        return not words.isdigit()
    return not words or (len(label) < 4 and (len(words) > 5 or _PROSE.search(words) is not None))
