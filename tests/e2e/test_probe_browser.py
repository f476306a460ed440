"""The report on encoders in a real browser: nothing sticks out at either width, the console stays silent."""

import json
import re
import runpy
from pathlib import Path

import pytest

from zhbert.score.page import write_page
from zhbert.score.probepage import render

HERE = Path(__file__).parent
BROWSER = runpy.run_path(str(HERE / "test_report_browser.py"))
MADE = runpy.run_path(str(HERE.parent / "unit" / "score" / "probe_report.py"))
# As in the other report: a copy without the content policy measures itself, in a frame of the width wanted.
MEASURE = """<script>addEventListener("load", () => {
  const shown = e => e.getClientRects().length > 0;
  const all = what => [...document.querySelectorAll(what)].filter(shown);
  const wide = () => all("body *").filter(e => !e.closest(".scroll, svg, .pick")
    && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.className || e.tagName);
  const found = { inner: innerWidth, page: document.documentElement.scrollWidth, wide: wide(),
    english: all(".en").length, chinese: all(".zh").length, charts: all(".chart").length,
    left: all(".chart small").filter(e => e.getBoundingClientRect().left < 0).length };
  document.getElementById("lang-zh").checked = true;
  document.querySelectorAll("[name=kind]")[2].checked = true;
  found.after = { english: all(".en").length, chinese: all(".zh").length, wide: wide(),
    shown: all(".exhibits > .ex").length, right: all(".exhibits > .ex.x1").length };
  parent.postMessage(JSON.stringify(found), "*");
})</script></body>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER["CHROMIUM"] is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe")
    report = MADE["made_report"]()
    write_page(folder, page=render(report), record=report)
    return folder / "report.html"


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_and_the_switches_work(page: Path, tmp_path: Path, width: int) -> None:
    html = page.read_text(encoding="utf-8")
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", MEASURE)
    (tmp_path / "copy.html").write_text(free, encoding="utf-8")
    (tmp_path / "frame.html").write_text(BROWSER["FRAME"] % width, encoding="utf-8")
    options = ("--virtual-time-budget=5000", "--dump-dom")
    dom = BROWSER["browse"](tmp_path / "frame.html", tmp_path, *options).stdout
    title = re.search(r"<title>({.*})</title>", dom)
    assert title, dom[:500]
    found = json.loads(title[1])
    assert (found["inner"], found["page"], found["wide"], found["left"]) == (width, width, [], 0)
    assert (found["english"] > 0, found["chinese"], found["charts"]) == (True, 0, 3)
    after = found["after"]
    assert (after["english"], after["chinese"] > 0, after["wide"]) == (0, True, [])
    assert after["shown"] == after["right"] == 1


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_the_console_is_silent(page: Path, tmp_path: Path, width: int) -> None:
    shot = tmp_path / f"probe-{width}.png"
    done = BROWSER["browse"](page, tmp_path, f"--window-size={width},2400", f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
