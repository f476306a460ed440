"""Answers by the rule of SQuAD v1.1 over characters, as the authors of DRCD evaluate Chinese.

- Lower case, punctuation dropped, English articles dropped, white space one blank; then F1 of two bags of
  characters, and exact match of what is left. The best of the gold answers counts.
- `drcd` drops 《》？，。、；： besides ASCII punctuation; `squad` drops ASCII punctuation alone.
- It is another rule than that of CMRC 2018 (`answers.py`): order does not matter here, and 北京大学 against
  北京清华大学 shares four characters of six.
- Without a gold answer the empty answer counts 1, any other 0, as in SQuAD 2.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from zhbert.score.answers import Judge

_ASCII = frozenset(string.punctuation)
_CHINESE = frozenset("《》？，。、；：")
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def _judge(dropped: frozenset[str]) -> Judge:
    def plain(text: str) -> str:
        kept = "".join(char for char in text.lower() if char not in dropped)
        return " ".join(_ARTICLES.sub(" ", kept).split())

    def judge(gold: Sequence[str], answer: str) -> tuple[float, float]:
        said = plain(answer)
        if not gold:
            return (float(not said),) * 2
        every = [plain(text) for text in dict.fromkeys(gold)]
        return float(said in every), max(_f1(text, said) for text in every)

    return judge


def _f1(gold: str, said: str) -> float:
    """Return the F1 of two bags of characters.

    >>> _f1("北京大学", "北京清华大学")
    0.8
    """
    common = (Counter(gold) & Counter(said)).total()
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(gold)
    return 2 * precision * recall / (precision + recall)


judge_drcd, judge_squad = _judge(_ASCII | _CHINESE), _judge(_ASCII)
