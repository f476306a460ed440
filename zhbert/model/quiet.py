"""What transformers says while it reads and writes: nothing, but for why it could not, in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from safetensors import SafetensorError
from transformers.utils import logging

from zhbert.errors import ModelError

T = TypeVar("T")


def said(name: str, read: Callable[[], T]) -> T:
    """Return what transformers reads, or say in one line why it cannot."""
    try:
        with quiet():
            return read()
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        why = next(filter(None, str(error).splitlines()), type(error).__name__)
        raise ModelError(f"cannot be loaded: {why}", where=name) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing reports and bars while it reads and writes."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
