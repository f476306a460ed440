"""Hashes of texts."""

from hashlib import blake2b

import numpy as np

from zhbert.clean.exact import first_occurrences, hashes
from zhbert.clean.fold import fold


def test_white_space_and_width_do_not_count_but_punctuation_does() -> None:
    one, same, other = hashes(fold(["Ａ股 大涨\n！", "a股大漲!", "a股大涨"])).tolist()
    assert one == same != other


def test_a_hash_does_not_depend_on_its_neighbours() -> None:
    texts = ["甲", "", "甲乙", "乙", "甲乙丙" * 1000]
    alone = [int(hashes(fold([text]))[0]) for text in texts]
    assert hashes(fold(texts)).tolist() == alone
    assert len(set(alone)) == len(texts)


def test_the_hash_of_a_text_is_the_same_on_every_machine() -> None:
    digest = blake2b("我爱北京".encode("utf-32-le"), digest_size=8).digest()
    assert hashes(fold(["我爱 北京"])).tolist() == [int.from_bytes(digest, "little")]


def test_the_first_one_stays_in_the_order_of_the_texts() -> None:
    assert first_occurrences(np.array([9, 2**63, 9, 0, 2**63], dtype=np.uint64)).tolist() == [0, 1, 0, 3, 1]
    assert first_occurrences(np.empty(0, dtype=np.uint64)).tolist() == []
