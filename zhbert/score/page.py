"""What all pages have in common: one offline file in two languages, with a frame and a style of their own.

- A page extends `frame.html.j2`: the content policy, which forbids scripts and every address, the title,
  the language switch. Its style is `page.css` and then the page's own sheets.
- Everything is escaped by the template; what the data holds also goes through `marks.clean`.
- The language switch, filters and folds are radio buttons, CSS and <details>.
- Templates of another room stand in its own `templates` folder.
"""

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhbert.files import write_text
from zhbert.records import to_plain
from zhbert.score import marks

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@cache
def environment(room: str) -> "Environment":
    """Return the templates of a room such as "score", with those that all pages share behind them."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    rooms = dict.fromkeys([room, "score"])
    return Environment(
        loader=ChoiceLoader([PackageLoader(f"zhbert.{name}") for name in rooms]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(
    template: str,
    *,
    room: str,
    title: str,
    format: int,
    styles: Iterable[str],
    functions: Iterable[Callable[..., Any]],
    **values: object,
) -> str:
    """Return a page made of a template: its functions go by their names, its values by their keys."""
    from markupsafe import Markup

    templates = environment(room)
    known = {function.__name__: function for function in (marks.clean, marks.short, *functions)} | values
    css = "".join(templates.get_template(name).render(known) for name in ("page.css", *styles))
    # the style sheets are our own, with numbers filled in and nothing else
    page = templates.get_template(template).render(known, title=title, format=format, css=Markup(css))
    return page.encode("utf-8", "replace").decode("utf-8")


def in_both(english: str, chinese: str | None) -> "Markup":
    """Return a word in both languages, of which the page hides one; without Chinese it stands once.

    >>> str(in_both("<wrong type>", None))
    '&lt;wrong type&gt;'
    """
    from markupsafe import Markup, escape

    if chinese is None:
        return escape(marks.clean(english))
    pair = '<span class="en">{}</span><span class="zh" lang="zh-Hans">{}</span>'
    return Markup(pair).format(english, chinese)


def write_page(folder: Path, *, page: str, record: object, sort: bool = False) -> None:
    """Write report.html, the page, and report.json, the record that it shows."""
    write_record(folder, record, sort=sort)
    write_text(folder / "report.html", page)


def write_record(folder: Path, record: object, *, sort: bool = False) -> None:
    """Write report.json, a record, into a folder that is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(to_plain(record), ensure_ascii=False, indent=1, allow_nan=False, sort_keys=sort)
    write_text(folder / "report.json", text + "\n")
