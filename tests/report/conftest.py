"""Reads pages back: what stands in their tables, which images and addresses they hold."""

from html.parser import HTMLParser

import pytest


class Page(HTMLParser):
    """Collects tables (rows of cell texts by table id), images, links, tags and all text."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.images, self.tags, self.addresses, self.text = {}, [], [], [], ""
        self._rows, self._in_cell = [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Open a table, row or cell; note addresses."""
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [values[name] for name in ("src", "href", "srcset", "data", "action") if name in values]
        if tag == "img":
            self.images.append(values["src"])
        elif tag == "table":
            self._rows = self.tables[values["id"]] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        """Close a cell."""
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data):
        """Add text to the open cell and to that of the page."""
        self.text += data
        if self._in_cell:
            self._rows[-1][-1] += data.strip()


@pytest.fixture(scope="session")
def parse():
    """Return a function that reads a page."""
    return lambda path: Page(path.read_text(encoding="utf-8"))
