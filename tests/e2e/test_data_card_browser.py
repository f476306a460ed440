"""The data card in a real browser: nothing sticks out at either width, and the console stays silent."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from zhbert.corpus.datapage import render
from zhbert.corpus.describe import DescribeConfig, data_card

HERE = Path(__file__).parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MADE = runpy.run_path(str(HERE.parent / "unit" / "corpus" / "made_facts.py"))
# The page's own policy forbids scripts, so a copy without it measures itself, all folds open. It stands in
# a frame, because a window of Chromium is never narrower than 500 pixels.
MEASURE = """<script>addEventListener("load", () => {
  document.querySelectorAll("details").forEach(e => { e.open = true });
  const shown = e => e.getClientRects().length > 0;
  const all = what => [...document.querySelectorAll(what)].filter(shown);
  const wide = () => all("body *").filter(e => !e.closest(".scroll, svg, .pick, .cluster > summary, .ticks")
    && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.className || e.tagName);
  const flow = () => all(".funnel .stays").map(e => Math.round(e.getBoundingClientRect().width));
  const found = { inner: innerWidth, page: document.documentElement.scrollWidth, wide: wide(),
    english: all(".en").length, chinese: all(".zh").length, funnels: all(".funnel").map(e => e.className),
    flow: flow(), gaps: all(".funnel svg").slice(1).map((e, i) => Math.round(e.getBoundingClientRect().top
      - all(".funnel svg")[i].getBoundingClientRect().bottom)) };
  document.getElementById("lang-zh").checked = true;
  document.getElementById("by-characters").checked = true;
  found.after = { english: all(".en").length, chinese: all(".zh").length, wide: wide(),
    page: document.documentElement.scrollWidth, funnels: all(".funnel").map(e => e.className) };
  parent.postMessage(JSON.stringify(found), "*");
})</script></body>"""
BROWSER = runpy.run_path(str(HERE / "test_report_browser.py"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    documents = MADE["write_build"](folder / "documents")
    shards = MADE["write_shards"](folder / "shards", documents)
    (folder / "report.html").write_text(
        render(data_card(DescribeConfig(documents=documents, shards=shards))), encoding="utf-8"
    )
    return folder / "report.html"


def browse(page: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = BROWSER["browse"](page, tmp_path, *options)
    return done


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_and_the_switches_work(page: Path, tmp_path: Path, width: int) -> None:
    html = page.read_text(encoding="utf-8")
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", MEASURE)
    (tmp_path / "copy.html").write_text(free, encoding="utf-8")
    (tmp_path / "frame.html").write_text(BROWSER["FRAME"] % width, encoding="utf-8")
    dom = browse(tmp_path / "frame.html", tmp_path, "--virtual-time-budget=5000", "--dump-dom").stdout
    title = re.search(r"<title>({.*})</title>", dom)
    assert title, dom[:500]
    found = json.loads(title[1])
    assert (found["inner"], found["page"], found["wide"]) == (width, width, [])
    assert (found["english"] > 0, found["chinese"]) == (True, 0)
    assert found["funnels"] == ["funnel documents"]
    assert found["flow"] == sorted(found["flow"], reverse=True)
    assert found["flow"][0] > found["flow"][-1] > 0
    assert set(found["gaps"]) <= {-2, -1, 0}  # the steps of the funnel hang together
    after = found["after"]
    assert (after["english"], after["chinese"] > 0) == (0, True)
    assert (after["page"], after["wide"], after["funnels"]) == (width, [], ["funnel characters"])


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_the_console_is_silent(page: Path, tmp_path: Path, width: int) -> None:
    shot = tmp_path / f"card-{width}.png"
    done = browse(page, tmp_path, f"--window-size={width},2400", f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
