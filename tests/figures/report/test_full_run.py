"""The page of the full run: small enough to be sent, the same bytes each time, and usable by everyone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SUMMARY = ROOT / "docs" / "full_run.json"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_its_summary_is_small():
    assert SUMMARY.stat().st_size < 1_000_000


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page, made twice by processes that order sets in other ways."""
    made = [tmp_path_factory.mktemp("page") / f"{seed}.html" for seed in (1, 2)]
    for seed, page in enumerate(made, 1):
        command = [sys.executable, "-m", "figures.report", "--summary", str(SUMMARY), "--to", str(page)]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return made


@pytest.mark.slow
def test_it_is_the_same_each_time_and_not_too_large(pages):
    one, other = (page.read_bytes() for page in pages)
    assert one == other
    assert len(one) < 5_000_000


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_it(pages, scheme):
    needed = "needs playwright and axe-playwright-python: pip install 'fragility[test]'"
    sync_api = pytest.importorskip("playwright.sync_api", reason=needed)
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=needed)
    complaints = []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(color_scheme=scheme).new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(pages[0].as_uri())
        found = axe.Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        browser.close()
    assert complaints == []
