"""The page in a browser: it asks for nothing, filters, opens what is linked, and can be used by everyone."""

import shutil

import pytest

from figures.report.page import rendered

NEEDED = "needs playwright and axe-playwright-python: pip install 'fragility[test]'"
sync_api = pytest.importorskip("playwright.sync_api", reason=NEEDED)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NEEDED)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
SHOWN = ".claim:not([hidden])"
WIDE, PHONE, SMALL_PHONE = (
    {"width": 1280, "height": 800},
    {"width": 390, "height": 800},
    {"width": 320, "height": 600},
)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "a page.html"
    path.write_text(rendered(page), "utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Opens the page; at the end nothing was asked for but its file, and nothing went wrong in it."""
    contexts, requests, complaints = [], [], []

    def opened(after="", **settings):
        contexts.append(browser.new_context(viewport=settings.pop("viewport", WIDE), **settings))
        tab = contexts[-1].new_page()
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(address + after)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert {url.partition("?")[0].partition("#")[0] for url in requests if not url.startswith("data:")} == {address}
    assert complaints == []


def shown(tab):
    return tab.locator(SHOWN).evaluate_all("claims => claims.map(claim => claim.id)")


def test_it_opens_from_a_disk(opened):
    tab = opened()
    assert tab.title() == "What theory says, and what holds"
    assert tab.locator("#page-count").inner_text() == "6 claims"
    assert len(shown(tab)) == 6
    assert tab.locator(".claim[open]").count() == 0


def test_a_script_from_elsewhere_does_not_run(browser, address):
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(address)
        tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
        assert tab.evaluate("window.ran") is None


def test_it_filters_and_the_address_says_how(opened):
    tab = opened()
    for name, value, left in (
        ("paper", "two", 2),
        ("verdict", "disagrees", 2),
        ("verdict", "against the table", 1),
        ("verdict", "not judged", 1),
        ("status", "refuted", 1),
        ("kind", "bound", 2),
    ):
        tab.select_option(f"select[name={name}]", value)
        before = shown(tab)
        assert len(before) == left
        assert tab.locator("#page-count").inner_text().startswith(f"{left} of 6 claims")
        assert f"?{name}=" in tab.url
        tab.goto(tab.url)
        assert shown(tab) == before
        assert tab.locator(f"select[name={name}]").input_value() == value
        tab.click("button[type=reset]")
        assert "?" not in tab.url


def test_words_and_several_filters_together(opened):
    tab = opened()
    tab.fill("input[name=words]", "PRINTED weights")
    assert shown(tab) == ["one.theorem.printed"]
    tab.select_option("select[name=kind]", "law")
    assert shown(tab) == []
    assert tab.locator(".paper:visible").count() == 0
    again = opened("?" + tab.url.partition("?")[2])
    assert again.locator("input[name=words]").input_value() == "PRINTED weights"
    assert shown(again) == []
    again.click("button[type=reset]")
    assert len(shown(again)) == 6
    assert "?" not in again.url


def test_what_nobody_may_ask_for_is_no_filter(opened):
    tab = opened("?kind=%3Cscript%3E&paper=nowhere&words=")
    assert len(shown(tab)) == 6
    assert tab.locator("#page-count").inner_text() == "6 claims"


def test_a_link_opens_its_claim(opened):
    tab = opened("#one.theorem.printed")
    claim = tab.locator("[id='one.theorem.printed']")
    assert claim.get_attribute("open") is not None
    assert claim.locator(".world").is_visible()
    claim.locator("a", has_text="one.theorem.corrected").click()
    other = tab.locator("[id='one.theorem.corrected']")
    other.locator(".formula").wait_for()
    other.locator("summary").click()
    claim.locator("a", has_text="one.theorem.corrected").click()
    assert other.locator(".formula").is_visible()


@pytest.mark.parametrize("place", ["two.rate", "figure-one"])
def test_a_link_shows_what_a_filter_hides(opened, place):
    tab = opened(f"?status=refuted#{place}")
    assert tab.locator(f"[id='{place}']").is_visible()
    assert len(shown(tab)) == 6
    assert tab.url.endswith(f".html#{place}")


def test_all_claims_open_at_once(opened):
    tab = opened()
    tab.click("#page-open")
    assert tab.locator(".claim[open]").count() == 6
    tab.click("#page-open")
    assert tab.locator(".claim[open]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_can_be_turned(opened, scheme):
    tab = opened(color_scheme=scheme)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    turned = "getComputedStyle(document.querySelector('.picture svg')).filter != 'none'"
    before, inverted = tab.evaluate(ground), tab.evaluate(turned)
    assert inverted == (scheme == "dark")
    tab.click("#page-theme")
    assert tab.evaluate(ground) != before
    assert tab.evaluate(turned) != inverted
    after = tab.evaluate(ground)
    tab.reload()
    assert tab.evaluate(ground) == after


@pytest.mark.parametrize("viewport", [WIDE, PHONE, SMALL_PHONE])
def test_the_page_is_no_wider_than_the_window(opened, viewport):
    tab = opened(viewport=viewport)
    tab.click("#page-open")
    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    wide = tab.locator("#table-one .scroll")
    assert wide.evaluate("element => element.scrollWidth > element.clientWidth")
    wide.focus()
    assert wide.evaluate("element => element === document.activeElement")


def test_print_shows_all(opened):
    tab = opened(color_scheme="dark")
    tab.emulate_media(media="print")
    assert all(box.bounding_box() for box in tab.locator(".claim .body").all())
    assert tab.locator("[id='one.theorem.printed'] .world").is_visible()
    assert not tab.locator(".bar").is_visible()
    assert not tab.locator("select").first.is_visible()
    assert tab.evaluate("getComputedStyle(document.querySelector('.picture svg')).filter") == "none"
    assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(26, 28, 32)"
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator(".claim[open]").count() == 6
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator(".claim[open]").count() == 0


def test_it_is_a_full_list_without_scripts(opened):
    tab = opened(java_script_enabled=False)
    assert tab.locator(".claim:visible").count() == 6
    assert not tab.locator("form").is_visible()
    assert not tab.locator("#page-theme").is_visible()


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", WIDE), ("dark", PHONE)])
def test_everyone_can_use_it(opened, scheme, viewport):
    tab = opened(color_scheme=scheme, viewport=viewport)
    tab.click("#page-open")
    found = axe.Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
