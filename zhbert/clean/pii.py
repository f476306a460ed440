"""The step `pii`: numbers and addresses that lead to a person become a sign that says what stood there.

What is peculiar:

- A sign is a few Chinese characters in "<>", such as "<手机号>": every one is in the vocabulary of a Chinese
  BERT, jieba finds the word in it, and it can be told from what people write. The signs are fixed.
- A number counts only where it stands alone, never inside a longer run of digits, letters or decimals, and
  only if it proves itself: an ID card by its date and its check digit (GB 11643), a bank card by the Luhn
  sum, an IP address by its range. A QQ number proves nothing and needs "QQ" or "扣扣" in front of it.
- What the rules cannot see stays: names, street addresses, numbers spelt in characters, full-width digits
  (put `normalise width=half` before this step). One long number in ten passes for a bank card by chance.
- Every pattern starts only where a run starts: 300,000 digits, dots or letters cost one pass. What a text
  must hold for a rule is looked for first, so most texts cost a few scans.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from zhbert.clean.base import Outcome, Step, StepConfig

Kind = Literal["url", "email", "id-card", "old-id-card", "bank-card", "mobile", "qq", "ip"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_ALONE = r"(?<![0-9A-Za-z_])(?<![0-9][.-])"
_END = r"(?![0-9A-Za-z_]|[.-][0-9])"
_LONG_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind is found: what a text must hold, a pattern, a proof of the match, and what replaces it."""

    sign: str
    needs: re.Pattern[str]
    pattern: re.Pattern[str]
    proves: Callable[[str], bool] = bool


def is_id_card(number: str) -> bool:
    """Return whether 18 digits are the number of an ID card: a date that was, and the right check digit.

    >>> is_id_card("110101199002280010"), is_id_card("110101199002300010")
    (False, False)
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return _CHECKS[total % 11] == number[17].upper() and _is_date(number[6:14])


def _is_old_id_card(number: str) -> bool:
    """Return whether 15 digits may be an ID card of before 2013, which had no century and no check digit."""
    return _is_date("19" + number[6:12])


def _is_date(digits: str) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1850 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= days[month - 1]


def passes_luhn(number: str) -> bool:
    """Return whether the digits of a number pass the Luhn test of bank cards.

    >>> passes_luhn("6200 0000 0000 0005"), passes_luhn("6200 0000 0000 0006")
    (True, False)
    """
    digits = [int(char) for char in number if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_ip(address: str) -> bool:
    return all(int(part) < 256 for part in address.split("."))


def _number(sign: str, body: str, proves: Callable[[str], bool] = bool) -> Rule:
    return Rule(sign=sign, needs=_LONG_NUMBER, pattern=re.compile(_ALONE + body + _END), proves=proves)


RULES: dict[Kind, Rule] = {  # in the order in which they are applied: what holds numbers goes first
    "url": Rule(
        sign="<网址>",
        needs=re.compile(r"://|[Ww]{3}\."),
        pattern=re.compile(
            r"(?:(?<![0-9A-Za-z])(?:[Hh][Tt]{2}[Pp][Ss]?|[Ff][Tt][Pp])://|(?<![0-9A-Za-z.@])[Ww]{3}\.)"
            r"[!-~]*[0-9A-Za-z/=&#~_-]"
        ),
    ),
    "email": Rule(
        sign="<邮箱>",
        needs=re.compile("@"),
        pattern=re.compile(
            r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]++@(?:[0-9A-Za-z-]++\.)+[A-Za-z]{2,}+(?![0-9-])"
        ),
    ),
    "id-card": _number("<身份证号>", "[1-9][0-9]{16}[0-9Xx]", is_id_card),
    "old-id-card": _number("<身份证号>", "[1-9][0-9]{14}", _is_old_id_card),
    "bank-card": _number("<银行卡号>", "[3-69][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?", passes_luhn),
    "mobile": _number("<手机号>", r"(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}"),
    "qq": Rule(
        sign=r"\1<QQ号>",
        needs=re.compile("[Qq]{2}|扣扣"),
        pattern=re.compile(
            r"((?:[Qq]{2}|扣扣)[群号码]{0,3}[\s:：是为=]{0,3})[1-9][0-9]{4,10}(?![0-9A-Za-z_])"
        ),
    ),
    "ip": Rule(
        sign="<IP地址>",
        needs=re.compile(r"[0-9]\.[0-9]"),
        pattern=re.compile(_ALONE + r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9])"),
        proves=_is_ip,
    ),
}


class Pii(StepConfig):
    """Which personal numbers and addresses are replaced by signs."""

    kinds: tuple[Kind, ...] = Field(
        default=("url", "email", "id-card", "bank-card", "mobile", "qq"),
        min_length=1,
        description="of url, email, id-card, old-id-card (15 digits), bank-card, mobile, qq, ip",
    )

    @field_validator("kinds", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        value = value.split(",") if isinstance(value, str) else value
        return tuple(value) if isinstance(value, list) else value

    def make(self) -> Step:
        """Return the function that does the step."""
        return self._apply

    def _apply(self, text: str) -> Outcome:
        changes: dict[str, int] = {}
        for kind, rule in RULES.items():
            if kind in self.kinds and rule.needs.search(text):
                text, found = mask(text, rule)
                if found:
                    changes[kind] = found
        return Outcome(text=text, changes=changes)


def mask(text: str, rule: Rule) -> tuple[str, int]:
    """Return `text` with the sign of a rule for every proven match, and how many there were.

    >>> mask("电话138-0000-0000，订单号2138000000001。", RULES["mobile"])
    ('电话<手机号>，订单号2138000000001。', 1)
    """
    found = 0

    def sign(match: re.Match[str]) -> str:
        nonlocal found
        if not rule.proves(match[0]):
            return match[0]
        found += 1
        return match.expand(rule.sign)

    return rule.pattern.sub(sign, text), found
