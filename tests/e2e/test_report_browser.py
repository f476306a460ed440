"""The page in a real browser: nothing sticks out at either width, and the console stays silent."""

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
# The page's own policy forbids scripts, so a copy without it measures itself inside a frame-less page.
MEASURE = """<script>addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && !e.closest("svg")
    && e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1);
  document.title = `inner=${innerWidth} page=${document.documentElement.scrollWidth} wide=${wide.length} `
    + wide.slice(0, 3).map(e => e.className || e.tagName).join("/");
})</script></body>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


def browse(page: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    profile = tmp_path / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(runpy.run_path(str(MADE))["made_report"](n=60, draws=200), folder)
    return folder


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out(folder: Path, tmp_path: Path, width: int) -> None:
    html = (folder / "report.html").read_text(encoding="utf-8")
    copy = tmp_path / "copy.html"
    copy.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", MEASURE), encoding="utf-8"
    )
    dom = browse(copy, tmp_path, f"--window-size={width},900", "--dump-dom").stdout
    found = re.search(r"<title>inner=(\d+) page=(\d+) wide=(\d+) ?([^<]*)</title>", dom)
    assert found, dom[:500]
    inner, page, wide = (int(found[i]) for i in (1, 2, 3))
    assert page <= inner and wide == 0, found[0]


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn_and_the_console_is_silent(folder: Path, tmp_path: Path, width: int) -> None:
    shot = tmp_path / f"report-{width}.png"
    done = browse(folder / "report.html", tmp_path, f"--window-size={width},2400", f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
