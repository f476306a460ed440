"""The settings of a reading: what is checked of them, and what does not count."""

import pytest

from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.read.config import ReadConfig


def test_caps_do_not_count_and_what_changes_documents_does() -> None:
    caps = {"max_ratio", "max_members", "max_record_mb", "max_unpacked_gb"}
    assert set(ReadConfig(**dict.fromkeys(caps, 9)).settings()) == ReadConfig.model_fields.keys() - caps


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "encoding",
            "gb99",
            'encoding = "gb99": no such encoding (such as "gb18030", "big5", "utf-16", or "auto")',
        ),
        ("encoding", "base64", 'encoding = "base64": no such encoding'),
        ("delimiter", "||", 'delimiter = "||": must be one character, not a quote or a line end, or "auto"'),
        ("delimiter", '"', "must be one character"),
        ("quoting", "none", "input should be 'auto', 'quoted' or 'plain'"),
        ("max_record_mb", 0, "max_record_mb = 0: input should be greater than or equal to 1"),
    ],
)
def test_what_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(ReadConfig, {key: value})
    assert message in str(caught.value)


@pytest.mark.parametrize("encoding", ["auto", "GBK", "utf8", "Big5-HKSCS", "utf-16", "latin1", "hz"])
def test_what_is_taken(encoding: str) -> None:
    assert parse(ReadConfig, {"encoding": encoding}).encoding == encoding
