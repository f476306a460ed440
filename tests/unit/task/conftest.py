"""Task models, loaded once, and settings without a model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.task.base import Setting


@pytest.fixture(scope="session")
def stored(tiny_models: dict[str, Path]) -> dict[str, store.Stored]:
    return {task: store.load(folder) for task, folder in tiny_models.items()}


@pytest.fixture(scope="session")
def setting(tiny_tokenizer: Tokenizer) -> Callable[..., Setting]:
    def make(*labels: str, window: int = 16, overlap: int = 4) -> Setting:
        return Setting(tokenizer=tiny_tokenizer, labels=labels, window=window, overlap=overlap)

    return make


@pytest.fixture(scope="session")
def ugly() -> list[str]:
    """Texts on which character offsets and tokens part ways."""
    return [
        "",
        " ",
        "\r\n",
        "王芳在杭州市图书馆工作",
        "ＡＢＣ公司的１２３号，王芳",
        "😀😀王芳👨‍👩‍👧在北京😀",
        "王 芳\u3000在\r\n北京\t。\u200b\ufeff",
        "Wang Fang在Beijing" + "x" * 120 + "北京",
        "龘靐" * 5 + "北京\x00王芳\ud83d",
        "[SEP]王芳[MASK]在[CLS]",
        "e\u0301té각ﬁ㎏北京",
        "王芳在杭州市图书馆工作，" * 12,
    ]
