"""Reads pages back: what stands in their tables, which images and addresses they hold."""

import re
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from browser import PROGRAM, Browser

from gppcore.report import page


class Page(HTMLParser):
    """Collects tables (rows of cell texts by table id), images, alternatives, links, tags and all text."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.images, self.tags, self.addresses, self.text = {}, [], [], [], ""
        self.alternatives, self.labels = [], []
        self._rows, self._in_cell = [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Open a table, row or cell; note addresses."""
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [values[name] for name in ("src", "href", "srcset", "data", "action") if name in values]
        if tag == "img":
            self.images.append(values["src"])
            self.alternatives.append(values["alt"])
        elif tag == "table":
            self._rows = self.tables[values["id"]] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._in_cell = True
            self.labels.append(values.get("data-label"))

    def handle_endtag(self, tag):
        """Close a cell."""
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data):
        """Add text to the open cell and to that of the page."""
        self.text += data
        if self._in_cell:
            self._rows[-1][-1] += data.strip()


def svg(address):
    """Return the figure that an address holds."""
    head, _, text = address.partition(",")
    assert head == "data:image/svg+xml"
    return ElementTree.fromstring(unquote(text))


@pytest.fixture(scope="session")
def figures():
    """Return a function that checks the figures of a page and returns their number.

    Each is a whole SVG with the colours of light and dark pages, needs nothing else, has a text alternative that holds
    numbers, and lies beside the page as PNG; wide ones have a form for narrow pages.
    """

    def check(path, written):
        beside = {file.stem for file in path.parent.glob("*.png")}
        assert all(file.read_bytes().startswith(b"\x89PNG\r\n") for file in path.parent.glob("*.png"))
        assert len(written.images) == len(beside)
        for address in written.addresses:
            root = svg(address)
            assert root.tag.endswith("svg")
            style = root.find("{http://www.w3.org/2000/svg}style").text
            assert "prefers-color-scheme: dark" in style
            text = unquote(address)
            assert "var(--c0)" in text
            assert not re.search(r'href="(?!#|data:)', text)
        assert len(set(written.alternatives)) == len(written.alternatives)
        for text in written.alternatives:
            assert re.search(r"[.:] .*\d", text), text
            assert len(text) > 40
            assert "nan" not in text
        return len(beside)

    return check


@pytest.fixture(scope="session", autouse=True)
def coarse_figures():
    """Draw few points, which takes half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(page._STYLE, "figure.dpi", 60)
        patch.setattr(page, "_DPI", 60)
        yield


@pytest.fixture(scope="module")
def undrawn():
    """Return a context in which pages name their figures, but do not draw them."""

    def names(drawings, out, n_processes):
        for name in drawings:
            (out / f"{name}.png").touch()
        return {name: {"alt": d.seen, "pixels": 1, "wide": "data:,", "narrow": None} for name, d in drawings.items()}

    @contextmanager
    def context():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(page, "_images", names)
            yield

    return context


@pytest.fixture
def browser(tmp_path):
    """Return a headless browser with one page."""
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine")
    found = Browser(tmp_path / "profile")
    yield found
    found.close()


@pytest.fixture(scope="session")
def parse():
    """Return a function that reads a page."""
    return lambda path: Page(path.read_text(encoding="utf-8"))
