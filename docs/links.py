#!/usr/bin/env python3
"""Follows the links of the built book, and those of the repository's other Markdown pages.

    links.py BOOK        BOOK: the folder that `mdbook build` wrote

Each link to a page, picture or anchor must lead somewhere in the folder; links to other hosts are not followed. Names of
the repository's files in the book (`benches/score_scale.sh`) must be those of files. Exits with 1 where one leads nowhere.
"""

import pathlib
import re
import subprocess
import sys
import urllib.parse
from html.parser import HTMLParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Folders whose files the book names from the repository's root.
NAMED = re.compile(r"`((?:benches|crates|docs|examples|models|packaging|python|src|tests|training|\.ci)/[\w./-]+)`")


class Page(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        self.links.extend(attributes[key] for key in ("href", "src") if attributes.get(key))


def anchors(path):
    """Anchors of a Markdown page's headings, as its readers make them."""
    names = set()
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.add(name)
    return names


def book(folder):
    """Links of the built book that lead nowhere."""
    pages = {path: Page(path) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        # The print page repeats all pages in one, the redirects of the contents are made by a script.
        if path.name in ("print.html", "toc.html", "404.html"):
            continue
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{path.relative_to(folder)}: {link}: no such file"
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].ids:
                yield f"{path.relative_to(folder)}: {link}: no such anchor"


def repository():
    """Links of the other Markdown pages that lead nowhere, and names in the book that are no file."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "*.md"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for path in (ROOT / name for name in listed.splitlines() if not name.startswith("third_party/")):
        if not path.is_file():
            continue
        name, text = path.relative_to(ROOT), path.read_text()
        if name.parts[:2] == ("docs", "src"):
            for file in NAMED.findall(text):
                if not re.search(r"NAME|\.\.\.", file) and not (ROOT / file).exists():
                    yield f"{name}: {file}: no such file"
            continue
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme:
                continue
            target = path.parent / parts.path if parts.path else path
            if not target.exists():
                yield f"{name}: {link}: no such file"
            elif parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
                yield f"{name}: {link}: no such anchor"


def main():
    faults = [*book(pathlib.Path(sys.argv[1]).resolve()), *repository()]
    print("\n".join(faults) or "all links lead somewhere")
    sys.exit(1 if faults else 0)


main()
