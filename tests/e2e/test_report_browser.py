"""The page in a real browser: nothing sticks out at either width, and the console stays silent."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from zhbert.score.report import write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MADE = Path(__file__).parents[1] / "unit" / "score" / "made.py"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
# The page's own policy forbids scripts, so a copy without it measures itself. It stands in a frame,
# because a window of Chromium is never narrower than 500 pixels.
MEASURE = """<script>addEventListener("load", () => {
  const shown = e => e.getClientRects().length > 0;
  const all = (what) => [...document.querySelectorAll(what)].filter(shown);
  const wide = all("body *").filter(e => !e.closest(".scroll, svg, .pick")
    && e.getBoundingClientRect().right > innerWidth + 1);
  const found = { inner: innerWidth, page: document.documentElement.scrollWidth,
    wide: wide.slice(0, 3).map(e => e.className || e.tagName),
    english: all(".en").length, chinese: all(".zh").length };
  document.getElementById("lang-zh").checked = true;
  const button = (group, place) => document.querySelectorAll(`[name=f0-${group}]`)[place];
  const gallery = button(0, 0).form, left = () => [...gallery.querySelectorAll(".ex")].filter(shown).length;
  const style = found => found.map(b => "." + b.parentElement.className).join("");
  const styled = (...found) => gallery.querySelectorAll(".ex" + style(found)).length;
  const kind = button(0, 1), label = button(1, 1);
  kind.checked = true;
  found.kind = [left(), styled(kind)];
  label.checked = true;
  found.both = [left(), styled(kind, label)];
  gallery.reset();
  found.every = left();
  found.after = { english: all(".en").length, chinese: all(".zh").length };
  found.after.chips = all(".filter label").length;
  parent.postMessage(JSON.stringify(found), "*");
})</script></body>"""
PRINTED = """<script>addEventListener("load", () => {
  const shown = e => e.getClientRects().length > 0 && e.getBoundingClientRect().height > 0;
  const all = (what) => [...document.querySelectorAll(what)];
  const style = getComputedStyle(document.body);
  const found = { ink: style.color, paper: style.backgroundColor, page: document.documentElement.scrollWidth,
    buttons: all(".filter, .reset, .switch, .nothing").filter(shown).length,
    folded: all("details:not(.more) > :not(summary)").filter(e => !e.checkVisibility()).length,
    accent: getComputedStyle(document.documentElement).getPropertyValue("--accent").trim(),
    cut: all(".exhibits").filter(e => e.scrollHeight > e.clientHeight + 1).length,
    kept: [...new Set(all(".ex").map(e => getComputedStyle(e).breakInside))] };
  parent.postMessage(JSON.stringify(found), "*");
})</script></body>"""
FRAME = """<title></title><body style="margin:0">
<iframe src="copy.html" style="border:0;width:%dpx;height:900px"></iframe>
<script>addEventListener("message", event => { document.title = event.data })</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


def browse(page: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    profile = tmp_path / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


@pytest.fixture(scope="module", params=["made_report", "several_report", "compared_report"])
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(runpy.run_path(str(MADE))[request.param](n=60, draws=200), folder)
    return folder


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_and_the_switches_work(folder: Path, tmp_path: Path, width: int) -> None:
    html = (folder / "report.html").read_text(encoding="utf-8")
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", MEASURE)
    (tmp_path / "copy.html").write_text(free, encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME % width, encoding="utf-8")
    dom = browse(tmp_path / "frame.html", tmp_path, "--virtual-time-budget=5000", "--dump-dom").stdout
    title = re.search(r"<title>({.*})</title>", dom)
    assert title, dom[:500]
    found = json.loads(title[1])
    assert (found["inner"], found["page"], found["wide"]) == (width, width, [])
    assert (found["english"] > 0, found["chinese"]) == (True, 0)
    after = found["after"]
    assert (after["english"], after["chinese"] > 0) == (0, True)
    assert (
        60
        == found["every"]
        > found["kind"][0]
        == found["kind"][1]
        >= found["both"][0]
        == found["both"][1]
        > 0
    )
    assert after["chips"] >= 4


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_the_console_is_silent(folder: Path, tmp_path: Path, width: int) -> None:
    shot = tmp_path / f"report-{width}.png"
    done = browse(folder / "report.html", tmp_path, f"--window-size={width},2400", f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []


def test_print_is_black_on_white_without_buttons(folder: Path, tmp_path: Path) -> None:
    """A copy whose rules for print hold on the screen: every fold is open and no filter is left."""
    html = (folder / "report.html").read_text(encoding="utf-8")
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    html = html.replace("@media screen", "@media (max-width: 1px)").replace("@media print", "@media all")
    (tmp_path / "copy.html").write_text(html.replace("</body>", PRINTED), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME % 700, encoding="utf-8")
    dark = "--blink-settings=preferredColorScheme=0"
    dom = browse(tmp_path / "frame.html", tmp_path, dark, "--virtual-time-budget=5000", "--dump-dom").stdout
    title = re.search(r"<title>({.*})</title>", dom)
    assert title, dom[:500]
    found = json.loads(title[1])
    assert (found["ink"], found["paper"]) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert found["accent"] == "#0d6b80"  # and not that of a dark screen
    assert (found["buttons"], found["folded"], found["cut"]) == (0, 0, 0)
    assert found["page"] <= 701
    assert found["kept"] == ["avoid"]


def test_a_page_is_printed(folder: Path, tmp_path: Path) -> None:
    browse(folder / "report.html", tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
