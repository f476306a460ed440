"""What Markdown and reStructuredText both lay out with lines: rules, tables, indented code."""

import re

from zhbert.clean.figures import count_han

_PUNCTUATION = re.compile("[，。；！？]")


def indentation(line: str) -> int:
    """Return how far a line is indented, a tab as four; only plain spaces and tabs indent.

    >>> indentation("\\t  - 列表"), indentation("　　段落")
    (6, 0)
    """
    space = line[: len(line) - len(line.lstrip(" \t"))]
    return len(space) + 3 * space.count("\t")


def is_rule(body: str) -> bool:
    """Return whether a line is drawn: one sign over and over, as below a heading.

    >>> is_rule("====="), is_rule("* * *"), is_rule("……"), is_rule("--")
    (True, True, False, True)
    """
    packed = body.replace(" ", "")
    return len(packed) > 1 and packed[0] in "=-*_~^+#:`\"'" and not packed.strip(packed[0])


def reads_like_code(lines: list[str]) -> bool:
    """Return whether a block has too little Han to be prose.

    >>> reads_like_code(["    $ ls  # 列出文件"]), reads_like_code(["    这里缩进了四格。"])
    (True, False)
    """
    block = "".join("".join(lines).split())
    return count_han(block) < (0.3 if _PUNCTUATION.search(block) else 0.6) * len(block)


def cells(row: str) -> str:
    """Return the cells of a table row, with a space between them.

    >>> cells("| 名称 | 说明 |")
    '名称 说明'
    """
    return " ".join(row.strip("| \t").replace("|", " ").split())
