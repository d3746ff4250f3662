"""A real Chromium that opens pages from disk, and what it says of them.

Playwright would download a browser of its own; Debian's is driven instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import apt
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HANGS = 600_000  # ms after which nothing more is to be expected
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 400, "height": 860}}


def program() -> str | None:
    """Path of a Chromium of this machine."""
    return next(filter(None, map(apt.program, PROGRAMS)), None)


def install() -> str | None:
    """Install Chromium if there is none; the reason if that is impossible."""
    return None if program() else apt.install(["chromium"], ["chromium"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running headless Chromium."""
    with sync_playwright() as playwright:
        # As root, Chromium does not run in its sandbox; it opens our own files only.
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"], timeout=0)
        yield browser
        browser.close()


@dataclass
class Explorer:
    """The open page, what its console said and what it asked for."""

    page: Page
    folder: Path
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, browser: Browser, folder: Path, view: str = "", **options) -> "Explorer":
        """A window with the explorer in `folder`, at a view that its address names."""
        explorer = cls(browser.new_context(**options).new_page(), folder)
        page = explorer.page
        page.set_default_timeout(HANGS)
        page.on("console", lambda message: explorer.said.append(message.text))
        page.on("pageerror", lambda error: explorer.said.append(str(error)))
        page.on("request", lambda request: explorer.asked.append(request.url))
        page.goto(f"{(folder / 'index.html').as_uri()}#{view}")
        explorer.wait()
        return explorer

    def wait(self, paragraph: int | None = None) -> None:
        """Wait until a paragraph is shown."""
        chosen = f"[data-shown='{paragraph}']" if paragraph is not None else "[data-shown]"
        self.page.wait_for_selector(f"body{chosen}")

    def outside(self) -> list[str]:
        """Addresses that were asked for and lie outside of the page's folder."""
        own = [self.folder / "index.html", *self.folder.rglob("*.*")]
        return [
            url
            for url in self.asked
            if not url.startswith("data:") and Path(unquote(urlsplit(url).path)) not in own
        ]

    def close(self) -> None:
        """Close the window."""
        self.page.context.close()


def faults(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds on a page that is serious or worse: the rule and the element."""
    options = {"preload": False}  # a page from disk may not ask for its style sheets
    found = Axe().run(page, options=options).response["violations"]
    grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    return [(rule["id"], node["html"][:200]) for rule in grave for node in rule["nodes"]]
