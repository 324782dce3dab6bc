"""The site in a browser: on a phone and a desk, in the dark and in the light, and its search."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.peers import which

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium", "chromedriver")]

PHONE, DESK = 390, 1280

#: What is wider than the page and cannot be scrolled to. A wide table or drawing scrolls in a frame of its own.
CUT_OFF = """
const seen = (element) => {
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(each).overflowX)) return true;
  }
  return false;
};
return [...document.querySelectorAll("article *")]
  .filter((each) => each.getBoundingClientRect().right > window.innerWidth + 1 && !seen(each))
  .map((each) => each.outerHTML.slice(0, 80));
"""

#: Cells with a number and its unit in different lines, or a page without any.
BROKEN_FIGURES = """
const lines = (text) => {
  const range = document.createRange();
  range.selectNodeContents(text);
  return new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size;
};
const figures = [...document.querySelectorAll("article td.text-right > p")].flatMap((each) => [...each.childNodes])
  .filter((each) => each.nodeType === Node.TEXT_NODE);
return figures.length ? figures.filter((each) => lines(each) > 1).map((each) => each.textContent) : ["none"];
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and writes of it nowhere."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser without a window, which asks no other host for anything."""
    chromium, driver = which("chromium"), which("chromedriver")
    assert chromium is not None
    options = ChromeOptions()
    options.binary_location = chromium
    flags = ["headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage"]
    flags += ["disable-background-networking", "disable-component-update", "disable-sync"]
    for flag in [*flags, f"user-data-dir={tmp_path_factory.mktemp('browser')}"]:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


def show(browser: Chrome, address: str, *, width: int, scheme: str = "light") -> None:
    """Open a page in a window of ``width`` pixels of a system that is set to a colour scheme."""
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(address)


def test_nothing_is_cut_off_on_a_phone(browser: Chrome, site: Path, address: str) -> None:
    found = {}
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        show(browser, f"{address}/{page}", width=PHONE)
        wide = browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
        found[page] = (wide, browser.execute_script(CUT_OFF))
    assert {page: what for page, what in found.items() if what != (False, [])} == {}


def test_type_and_default_of_an_option_take_a_line_each(browser: Chrome, address: str) -> None:
    show(browser, f"{address}/reference/options.html", width=DESK)
    (first, second, *_) = browser.find_elements(By.CSS_SELECTOR, "dl.confval dl.field-list dt")
    assert (first.text, second.text) == ("Type:", "Default:")
    assert second.rect["y"] - first.rect["y"] < 30


def test_charts_can_be_read_on_a_phone_and_figures_in_one_line(browser: Chrome, address: str) -> None:
    show(browser, f"{address}/explanation/performance.html", width=PHONE)
    assert {each.rect["width"] for each in browser.find_elements(By.CSS_SELECTOR, "article p > img")} == {640}
    assert browser.execute_script(BROKEN_FIGURES) == []


def test_the_way_of_a_signature_is_all_there_on_a_phone(browser: Chrome, address: str) -> None:
    show(browser, f"{address}/explanation/architecture.html", width=PHONE)
    picture = browser.find_element(By.CSS_SELECTOR, "article p > img")
    assert picture.rect["x"] + picture.rect["width"] <= PHONE
    assert picture.rect["width"] == browser.execute_script("return arguments[0].naturalWidth", picture)  # legible


@pytest.mark.parametrize(
    ("page", "beginning", "expected", "printed"),
    [
        (
            "tutorial/first-signature",
            '$ echo "block hinder"',
            'echo "block hinder" > forged\nsigner verify forged message.sig',
            "error: wrong signature",
        ),
        (
            "how-to/configure",
            ">>> import os",
            "import os\nfrom signer_core.errors import KeyMismatchError\n",
            "look whether the configuration names the right key",
        ),
    ],
)
def test_what_is_copied_is_what_was_typed(
    browser: Chrome, address: str, page: str, beginning: str, expected: str, printed: str
) -> None:
    """Without prompts and without what was printed."""
    show(browser, f"{address}/{page}.html", width=DESK)
    browser.execute_script("document.addEventListener('copy', () => { window.copied = document.activeElement.value; })")
    blocks = browser.find_elements(By.CSS_SELECTOR, "div.highlight")
    [block] = [each for each in blocks if each.text.startswith(beginning)]
    ActionChains(browser).scroll_to_element(block).move_to_element(block).perform()
    block.find_element(By.CSS_SELECTOR, "button.copybtn").click()
    copied = browser.execute_script("return window.copied")
    assert copied.startswith(expected)
    assert printed in block.text
    assert printed not in copied


def test_a_module_s_name_does_not_look_like_a_link(browser: Chrome, address: str) -> None:
    show(browser, f"{address}/index.html", width=DESK, scheme="dark")
    name = browser.find_element(By.CSS_SELECTOR, ".highlight .nn")
    assert name.value_of_css_property("text-decoration-line") == "none"


def test_no_page_logs_an_error(browser: Chrome, address: str) -> None:
    for page in ("index.html", "search.html", "reference/options.html"):
        show(browser, f"{address}/{page}", width=DESK)
    log: list[dict[str, Any]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry["message"] for entry in log if "favicon" not in entry["message"]] == []


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("expected_address", "reference/options"),
        ("audit log", "how-to/audit"),
        ("PolicyViolationError", "reference/errors"),
        ("ev-node", "how-to/migrate-from-ev-node"),
    ],
)
def test_search_finds(browser: Chrome, address: str, words: str, page: str) -> None:
    show(browser, f"{address}/index.html", width=DESK)
    browser.find_element(By.CSS_SELECTOR, "input.sidebar-search").send_keys(words + "\n")
    found = WebDriverWait(browser, 20).until(lambda it: it.find_elements(By.CSS_SELECTOR, "ul.search li a"))
    WebDriverWait(browser, 20).until(lambda it: "found" in it.find_element(By.ID, "search-results").text)
    found = browser.find_elements(By.CSS_SELECTOR, "ul.search li a")
    assert [link for link in found if f"/{page}.html" in (link.get_attribute("href") or "")]


def brightness(browser: Chrome) -> float:
    """That of the background, from 0 to 255."""
    colour = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    red, green, blue = (int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])
    return (red + green + blue) / 3


def test_pages_follow_the_colours_of_the_system_and_the_button(browser: Chrome, address: str) -> None:
    page = f"{address}/index.html"
    show(browser, page, width=DESK, scheme="light")
    browser.execute_script("localStorage.clear()")
    show(browser, page, width=DESK, scheme="light")
    assert brightness(browser) > 200
    show(browser, page, width=DESK, scheme="dark")
    assert brightness(browser) < 60
    seen = []
    for _ in range(3):  # by the system, light, dark
        (button,) = (it for it in browser.find_elements(By.CLASS_NAME, "theme-toggle") if it.is_displayed())
        button.click()
        seen.append(brightness(browser) > 128)
    assert True in seen
    assert False in seen
