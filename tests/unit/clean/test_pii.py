"""Personal numbers: those that prove themselves go, those that only look like one stay."""

import random

import pytest

from zhbert.clean.pii import RULES, Kind, Pii, is_id_card, mask, passes_luhn

RNG = random.Random(11)


def digits(count: int) -> str:
    return "".join(RNG.choices("0123456789", k=count))


def id_card(date: str) -> str:
    """Return an invented number with the right check digit (GB 11643: weights are powers of two mod 11)."""
    head = "9" + digits(5) + date + digits(3)  # no region begins with 9
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(head))
    return head + "10X98765432"[total % 11]


def bank_card(length: int) -> str:
    """Return an invented number that passes the Luhn test."""
    head = "62" + digits(length - 3)
    return next(head + d for d in "0123456789" if luhn_total(head + d) % 10 == 0)


def luhn_total(number: str) -> int:
    return sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(reversed(number)))


def clean(text: str, *kinds: Kind) -> str:
    return Pii(kinds=kinds or Pii().kinds).make()(text).text


def test_id_cards_need_a_date_and_a_check_digit() -> None:
    for date in ("19490101", "20000229", "19960229", "20231231"):
        number = id_card(date)
        assert clean(f"号码{number}，") == "号码<身份证号>，"
        assert clean(f"号码{number.lower()}。", "id-card") == "号码<身份证号>。"
        wrong = number[:-1] + "0123456789X"[("0123456789X".index(number[-1]) + 1) % 11]
        assert clean(f"号码{wrong}", "id-card") == f"号码{wrong}"
    for date in ("19000229", "19991301", "19990431", "18490101", "21000101", "19990100"):
        number = id_card(date)
        assert not is_id_card(number)
        assert clean(number, "id-card") == number


def test_old_id_cards_only_when_asked() -> None:
    number = "9" + digits(5) + "690228" + digits(3)
    assert clean(number) == number
    assert clean(number, "old-id-card") == "<身份证号>"
    assert clean("9" + digits(5) + "690230" + digits(3), "old-id-card").isdigit()


@pytest.mark.parametrize("length", [16, 17, 18, 19])
def test_bank_cards_pass_luhn(length: int) -> None:
    for _ in range(20):
        number = bank_card(length)
        assert passes_luhn(number)
        assert clean(f"卡号：{number}", "bank-card") == "卡号：<银行卡号>"
        spaced = " ".join(number[i : i + 4] for i in range(0, length, 4))
        assert clean(f"卡号：{spaced}。", "bank-card") == "卡号：<银行卡号>。"
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert clean(wrong, "bank-card") == wrong


def test_a_number_that_is_both_is_an_id_card() -> None:
    both = next(n for n in (id_card("19900101") for _ in range(1000)) if n.isdigit() and passes_luhn(n))
    assert clean(both) == "<身份证号>"
    assert clean(both, "bank-card") == "<银行卡号>"


@pytest.mark.parametrize(
    "text",
    [
        "13800000000",
        "138 0000 0000",
        "138-0000-0000",
        "+86 13800000000",
        "+86-138-0000-0000",
        "008613800000000",
        "8613800000000",
    ],
)
def test_mobiles(text: str) -> None:
    for before, after in (("", ""), ("电话", "。"), ("(", ")"), ("：", "转801"), ("手机-", " ")):
        assert clean(before + text + after) == f"{before}<手机号>{after}"


@pytest.mark.parametrize(
    "text",
    [
        "12800000000",
        "1380000000",
        "138000000000",
        "913800000000",
        "x13800000000",
        "13800000000x",
        "0.13800000000",
        "13800000000.5",
        "2024-13800000000",
        "13800000000-1",
        "1380 0000 000",
        "138_0000_0000",
        "１３８００００００００",
    ],
)
def test_no_mobiles(text: str) -> None:
    assert clean(text, "mobile") == text


def test_two_mobiles_side_by_side() -> None:
    assert clean("13800000000、13900000000/15000000000 18600000000") == "、".join(
        ["<手机号>", "<手机号>/<手机号> <手机号>"]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("写信到zhang.san+a@mail.example.com.cn。", "写信到<邮箱>。"),
        ("a@b.com.", "<邮箱>."),
        ("a@b、@b.com、a@.com、a@b.c1、用户@某处", "a@b、@b.com、a@.com、a@b.c1、用户@某处"),
        ("见https://example.com/a?b=1&c=2#d，", "见<网址>，"),
        ("(HTTP://Example.com/a_(b)).", "(<网址>))."),
        ("www.example.com和xwww.example.com", "<网址>和xwww.example.com"),
        ("https://example.com/u/13800000000", "<网址>"),
        ("QQ：12345，qq群 1234567890 扣扣号是123456789", "QQ：<QQ号>，qq群 <QQ号> 扣扣号是<QQ号>"),
        ("QQ2013版，QQ: 01234，QQ 123456789012，QQ12345a", "QQ2013版，QQ: 01234，QQ 123456789012，QQ12345a"),
    ],
)
def test_addresses_and_qq(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_ip_addresses_only_when_asked() -> None:
    assert clean("192.168.0.1") == "192.168.0.1"
    assert clean("主机192.168.0.1:80，256.1.1.1，1.2.3.4.5", "ip") == "主机<IP地址>:80，256.1.1.1，1.2.3.4.5"


def test_what_was_masked_is_counted_by_kind() -> None:
    outcome = Pii().make()("13800000000，13900000000，a@b.com")
    assert outcome.changes == {"mobile": 2, "email": 1}
    assert Pii().make()("没有").changes == {}


def test_a_sign_is_never_masked_again() -> None:
    signs = "".join(rule.sign.removeprefix(r"\1") for rule in RULES.values())
    for rule in RULES.values():
        assert mask(signs, rule) == (signs, 0)
