"""zhbert: from raw Chinese text to a trusted model.

Names are loaded on first use, so that `import zhbert` costs milliseconds and no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zhbert.app.pipeline import load as load
    from zhbert.app.recipe import Run as Run
    from zhbert.app.recipe import run as run
    from zhbert.errors import ZhbertError as ZhbertError
    from zhbert.records import Document as Document
    from zhbert.records import Span as Span

__version__ = "0.1.0"

_HOMES = {
    "Document": "zhbert.records",
    "Run": "zhbert.app.recipe",
    "Span": "zhbert.records",
    "ZhbertError": "zhbert.errors",
    "load": "zhbert.app.pipeline",
    "run": "zhbert.app.recipe",
}

__all__ = ["Document", "Run", "Span", "ZhbertError", "load", "run"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zhbert' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
