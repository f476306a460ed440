"""The page at /: what can be asked, with a command for each model. Nothing on it is loaded, or runs."""

from collections.abc import Mapping
from html import escape
from typing import Any

import zhbert
from zhbert.serve.gate import in_json

_TEXT = "王芳在杭州市图书馆工作"
_QUESTION = {"question": "谁在图书馆工作？", "context": _TEXT}


def example_of(task: str) -> dict[str, Any]:
    """Return a request to a model of a task.

    >>> example_of("ner")
    {'texts': ['王芳在杭州市图书馆工作']}
    """
    match task:
        case "pair":
            return {"pairs": [{"first": "今天下雨", "second": "今天有雨"}]}
        case "reading":
            return {"questions": [_QUESTION]}
        case "choice":
            return {"questions": [_QUESTION | {"options": ["王芳", "李明"]}]}
    return {"texts": [_TEXT]}


def page_of(tasks: Mapping[str, str], address: str, *, key: bool = False) -> str:
    """Return a page that says what can be asked, and how; with `key`, whoever asks must have one.

    >>> "&lt;ner&gt;" in page_of({"<ner>": "ner"}, "http://127.0.0.1:8000/")
    True
    """
    rows = "".join(
        f"<h2>{escape(name)} ({escape(task)})</h2><pre>{escape(_curl(body, address, key=key))}</pre>"
        for name, task in tasks.items()
        for body in [({"model": name} if len(tasks) > 1 else {}) | example_of(task)]
    )
    listed = "".join(
        f"<li><code>{what}</code> {about}</li>"
        for what, about in (
            ("POST /predict", "what a model says of texts, pairs or questions"),
            ("GET /health", "whether new requests are taken, and the models"),
            ("GET /metrics", "what was counted, as Prometheus reads it"),
            ("GET /openapi.json", "all of it, described for programs"),
        )
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>zhbert</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}"
        "pre{background:#eee;padding:1em;overflow:auto}</style>"
        f"<h1>zhbert {escape(zhbert.__version__)}</h1><ul>{listed}</ul>{rows}</html>"
    )


def _curl(body: dict[str, Any], address: str, *, key: bool) -> str:
    known = "-H 'Authorization: Bearer KEY' " if key else ""
    quoted = in_json(body).decode().replace("'", r"'\''")
    return f"curl {address}predict {known}-H 'Content-Type: application/json' -d '{quoted}'"
