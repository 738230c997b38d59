#!/usr/bin/env python3
"""Opens the page of `cnnfilter view` in headless Chromium and uses it as a reader would.

    view_page.py view.html [many.html] [report/]

Needs chromium and chromedriver (Debian: chromium chromium-driver). At three widths, light and dark: the page
is no wider than its window, fetches nothing but itself and logs nothing; pixels have the colours of their
values; keys, pointer, filter, sorting, marks and tiles do what the page says; an address opens the call that it
names. `many.html` must open and step fast. The worst calls of a report of `eval --view` must lead to their reads.
"""

import base64
import json
import math
import pathlib
import re
import struct
import sys
import time
import zlib

from page import Browser, expect

# Ends of the ramp of values, light and dark (crates/view/src/assets/draw.js).
RAMP = {"light": ((246, 248, 250), (11, 60, 110)), "dark": ((28, 34, 42), (140, 205, 255))}
KEY = "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}));"


class ViewBrowser(Browser):
    def open(self, page, width, scheme):
        """Opens a page anew; returns the seconds until it is ready."""
        self.emulate(width, scheme)
        begun = time.time()
        self.call("/url", {"url": page.as_uri()})
        self.wait("return document.documentElement.dataset.ready === 'true'")
        return time.time() - begun

    def wait(self, condition):
        for _ in range(200):
            if self.run(condition):
                return
            time.sleep(0.02)
        sys.exit(f"view_page.py: waited in vain for {condition}")

    def press(self, key):
        self.call("/execute/sync", {"script": KEY, "args": [key]})

    def text(self, identifier):
        return self.run(f"return document.getElementById('{identifier}').innerText")

    def shown(self):
        return int(self.run("return document.getElementById('call').dataset.shown"))

    def go(self, key, expected):
        self.press(key)
        self.wait(f"return document.getElementById('call').dataset.shown === '{expected}'")


def unpacked(text):
    return zlib.decompress(base64.b64decode(text), -15)


def read(page):
    """The index and the calls, decoded apart from the page's script."""
    text = page.read_text(encoding="utf-8")
    parts = re.findall('<script type="text/plain" id="(?:index|chunk-[0-9]+)">([^<]*)</script>', text)
    index = json.loads(unpacked(parts[0]))
    chunk = b"".join(map(unpacked, parts[1:]))
    calls = []
    while chunk:
        (length,) = struct.unpack("<I", chunk[:4])
        calls.append(chunk[4 : 4 + length])
        chunk = chunk[4 + length :]
    return index, calls


def cells(call, columns):
    """Rows, and the symbols and qualities of a call's cells."""
    (rows,) = struct.unpack("<H", call[:2])
    at = 10 + 2 * columns + 3 * rows
    return rows, call[at : at + rows * columns], call[at + rows * columns : at + 2 * rows * columns]


def read_names(call, layout):
    """The names of a call's reads: what stands behind its cells, floats and contributions of cells."""
    columns = layout["columns"]
    (rows,) = struct.unpack("<H", call[:2])
    floats = rows * len(layout["read"]) + len(layout["site"]) + len(layout["annotations"])
    floats += rows + len(layout["parts"])
    at = 10 + 2 * columns + 3 * rows + 2 * rows * columns + 4 * floats
    (largest,) = struct.unpack("<f", call[at : at + 4])
    at += 4 if math.isnan(largest) else 4 + rows * columns
    return call[at:].decode().split("\n")


def check_pixels(browser, index, calls, scheme, where):
    """The pixel of each chosen cell of channel A has the colour of the value that its base and quality give."""
    columns = index["layout"]["columns"]
    rows, symbols, qualities = cells(calls[0], columns)
    low, high = RAMP[scheme]
    chosen = [(row, column) for row in range(0, rows, 3) for column in range(1, columns, 7)]
    expected = []
    for row, column in chosen:
        letter, quality = symbols[row * columns + column] & 7, qualities[row * columns + column]
        right = max(0.25, 1 - 10 ** (-quality / 10))
        value = right if letter == 1 else (1 - right) / 3 if 2 <= letter <= 4 else 0.25 if letter == 5 else 0
        expected.append([round(a + (b - a) * value) for a, b in zip(low, high)])
    found = browser.run(
        "const c = document.querySelector('canvas[data-channel=A]');"
        "const all = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        f"return {json.dumps(chosen)}.map(([row, column]) => {{"
        "const at = Math.floor((row + .5) * c.dataset.line) * c.width + Math.floor((column + .5) * c.dataset.cell);"
        "return [...all.slice(at * 4, at * 4 + 3)]; })"
    )
    wrong = [
        (cell, a, b) for cell, a, b in zip(chosen, found, expected) if max(abs(x - y) for x, y in zip(a, b)) > 1
    ]
    expect(not wrong, f"{where} cells have other colours than their values: {wrong[:3]}")
    expect(len({tuple(colour) for colour in found}) > 2, f"{where} the cells have hardly any colours")


def check_pointer(browser, index, calls, where):
    """The pointer reads the cell below it."""
    columns = index["layout"]["columns"]
    rows, symbols, qualities = cells(calls[0], columns)
    at = next(at for at in range(columns * (rows // 2), rows * columns) if symbols[at] in (1, 2, 3, 4))
    row, column = divmod(at, columns)
    box = browser.run(
        "const e = document.getElementById('pileup'); e.scrollIntoView({block: 'center'});"
        "const r = e.getBoundingClientRect(), d = e.dataset; return [r.x, r.y, d.gutter, d.cell, d.top, d.line].map(Number)"
    )
    said, left_out = browser.text("read-out"), index["calls"][0]["left_out"]
    expect(any("duplicate" in reason for reason, _ in left_out), f"no duplicate is left out: {left_out}")
    for reason, count in left_out:
        expect(f"{count} {reason}" in said, f"{where} the page does not say that {count} reads are {reason}: {said}")
    browser.point_at(box[0] + box[2] + (column + 0.5) * box[3], box[1] + box[4] + (row + 0.5) * box[5])
    said = browser.text("read-out")
    names = read_names(calls[0], index["layout"])
    expect(len(set(names)) > rows / 2 and all(names), f"the {rows} reads have the names {names}")
    for word in [f"base {'ACGT'[symbols[at] - 1]}", f"quality {qualities[at]}", f"read {row + 1} ({names[row]})", "MAPQ"]:
        expect(word in said, f"{where} the pointer over row {row}, column {column} reads `{said}`, not {word}")


def check(browser, page, index, calls, width, scheme):
    where = f"at {width} px, {scheme}"
    browser.open(page, width, scheme)
    browser.check_window(scheme, where)
    check_pixels(browser, index, calls, scheme, where)
    check_pointer(browser, index, calls, where)
    entries = index["calls"]
    browser.go("j", 1)
    expect(f"{entries[1]['pos']:,}" in browser.text("title"), f"{where} j does not show the next call")
    browser.go("k", 0)
    failing = next(at for at, entry in enumerate(entries) if at and entry["filter"] not in ("PASS", "."))
    browser.go("n", failing)
    browser.press("c")
    expect("Channel A" in browser.text("channels"), f"{where} c does not show one channel")
    browser.press("Escape")
    browser.press("w")
    expect("for the call" in browser.text("legend"), f"{where} w does not colour by contribution")
    browser.press("w")
    browser.press("t")
    browser.wait("return document.querySelectorAll('.tile canvas').length > 20")
    browser.press("Escape")
    expect(not browser.run("return document.getElementById('stage').hidden"), f"{where} Esc does not end the tiles")


def check_list(browser, page, index):
    """Filter, sorting, jumping and marks."""
    entries = index["calls"]
    browser.open(page, 1400, "light")
    fill = "const f = document.getElementById('{}'); f.value = '{}'; f.dispatchEvent(new {});"
    browser.run(fill.format("filter", "INDEL fail prob<0.3", "Event('input')"))
    wanted = [e for e in entries if e["kind"] == "INDEL" and e["filter"] != "PASS" and e["probability"] < 0.3]
    expect(browser.text("count").startswith(f"{len(wanted)} of {len(entries)}"), f"filtered: {browser.text('count')}")
    browser.run(fill.format("filter", "", "Event('input')"))
    browser.run("document.querySelectorAll('.head button')[2].click()")
    first = browser.run("return Number(document.querySelector('.rows .line').dataset.at)")
    expect(entries[first]["probability"] == min(e["probability"] for e in entries), "the list is not sorted by prob")
    target = len(entries) // 2
    browser.run(
        fill.format("jump", f"{entries[target]['contig']}:{entries[target]['pos']}", "KeyboardEvent('keydown', {key: 'Enter'})")
    )
    browser.wait(f"return document.getElementById('call').dataset.shown === '{target}'")
    browser.press("f")
    browser.run("URL.createObjectURL = (blob) => { blob.text().then((text) => { window.exported = text; }); return 'data:,'; };")
    browser.press("e")
    browser.wait("return Boolean(window.exported)")
    entry = entries[target]
    line = "\t".join([entry["contig"], str(entry["pos"]), entry["ref"], entry["alts"], "FP", ""])
    exported = browser.run("return window.exported")
    expect(exported == f"chrom\tpos\tref\talt\tlabel\tnote\n{line}\n", f"the exported marks are {exported!r}")
    browser.open(page, 1400, "light")
    expect("1 marked" in browser.text("count"), "marks do not outlive a reload")


def check_left_out(index, calls):
    """Each usable read has a row or a reason."""
    some = 0
    for entry, call in zip(index["calls"], calls):
        (rows,) = struct.unpack("<H", call[:2])
        beyond = sum(count for reason, count in entry["left_out"] if reason.startswith(("beyond", "counted")))
        expect(rows + beyond == entry["reads"], f"of {entry['reads']} reads {rows} have a row: {entry['left_out']}")
        some += beyond > 0
    expect(some, "no call has more reads than rows")


def check_address(browser, page, index):
    """A page opens at the call that its address names, and goes to another when the address changes."""
    entries = index["calls"]
    shown = "return document.getElementById('call').dataset.shown === '{}'"
    loci = [f"{entry['contig']}:{entry['pos']}" for entry in entries]
    target = len(entries) // 2
    browser.call("/url", {"url": "about:blank"})
    browser.call("/url", {"url": f"{page.as_uri()}#{loci[target]}"})
    browser.wait("return document.documentElement.dataset.ready === 'true'")
    expect(browser.shown() == target, f"#{loci[target]} opens call {browser.shown()}, not {target}")
    # Of two records at one place the alleles tell which.
    alleles = [f"{locus}:{entry['ref']}:{entry['alts']}" for locus, entry in zip(loci, entries)]
    other = next((at for at, locus in enumerate(loci) if loci.index(locus) < at and alleles.index(alleles[at]) == at), 1)
    for at, fragment in [(other, alleles[other]), (0, loci[0])]:
        browser.run(f"location.hash = {json.dumps(fragment)};")
        browser.wait(shown.format(at))
    for odd in ["%", "nowhere", "nowhere:1"]:
        browser.run(f"location.hash = {json.dumps(odd)};")
        time.sleep(0.1)
        expect(browser.shown() == 0, f"#{odd} leads to call {browser.shown()}")


def check_report(browser, folder):
    """A worst call of a report leads to its reads."""
    report, page = folder / "eval.html", folder / "view.html"
    index, _ = read(page)
    browser.call("/url", {"url": report.as_uri()})
    links = "document.querySelectorAll('a[href^=\"view.html#\"]')"
    rows = browser.run(f"return [...{links}].map((a) => [a.innerText, a.closest('tr').children[1].innerText])")
    expect(len(rows) > 10, f"{report} has {len(rows)} links to reads")
    locus, reference = rows[-1]
    browser.run(f"[...{links}].at(-1).click();")
    browser.wait("return document.documentElement.dataset.ready === 'true'")
    entry = index["calls"][browser.shown()]
    found = (f"{entry['contig']}:{entry['pos']}", entry["ref"])
    expect(found == (locus, reference), f"the link of {locus} {reference} leads to {found}")


# Steps through calls and gives the milliseconds from each key to the call that is drawn and laid out.
STEPS = """
  return (async () => {
    const title = document.getElementById('title'), times = [];
    for (let step = 0; step < 129; step++) {
      const begun = performance.now();
      const changed = new Promise((done) => {
        const observer = new MutationObserver(() => { observer.disconnect(); done(); });
        observer.observe(title, {childList: true});
      });
      document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}));
      await changed;
      document.body.getBoundingClientRect();
      times.push(performance.now() - begun);
    }
    return times;
  })();
"""


def check_many(browser, page):
    """A page of many calls opens and steps fast. The limits are wide: a test machine may be busy."""
    index, _ = read(page)
    opened = browser.open(page, 1400, "light")
    steps = browser.run(STEPS)
    expect(len(steps) == 129, f"{len(steps)} steps of 129")
    steps.sort()
    size = page.stat().st_size / 1e6
    print(f"{page.name}: {len(index['calls'])} calls, {size:.1f} MB, open in {opened:.2f} s, "
          f"next call in {steps[len(steps) // 2]:.1f} ms, at most {steps[-1]:.0f} ms")
    expect(len(index["calls"]) >= 2000, f"{page.name} has {len(index['calls'])} calls")
    expect(size < 5, f"{page.name} has {size:.1f} MB")
    expect(opened < 5, f"{page.name} opens in {opened:.1f} s")
    expect(steps[len(steps) // 2] < 300, f"a step takes {steps[len(steps) // 2]:.0f} ms")


def main():
    paths = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    pages = [path for path in paths if path.is_file()]
    index, calls = read(pages[0])
    browser = ViewBrowser()
    try:
        for width in [400, 900, 1400]:
            for scheme in ["light", "dark"]:
                check(browser, pages[0], index, calls, width, scheme)
        check_list(browser, pages[0], index)
        check_left_out(index, calls)
        check_address(browser, pages[0], index)
        for page in pages[1:]:
            check_many(browser, page)
        for folder in filter(pathlib.Path.is_dir, paths):
            check_report(browser, folder)
        browser.check_quiet(pages)
    finally:
        browser.close()
    print(f"{pages[0].name}: three widths, light and dark: as it should be")


if __name__ == "__main__":
    main()
