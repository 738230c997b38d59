#!/usr/bin/env python3
"""Makes pages of `cnnfilter embed map` and uses them in headless Chromium as a reader would.

    map_page.py PROGRAM DEMO [FOLDER]

Needs chromium and chromedriver (Debian: chromium chromium-driver). The demo's page: at three widths, light and dark, it is no
wider than its window, fetches nothing and logs nothing; colours, legend, lasso, pointer, keys and exports do what they should.
Pages of 50,000 calls (all inside) and of 1,000,000 (data beside it) open in under 10 seconds, and a frame of the first takes
under 50 ms while the map is moved. FOLDER keeps the pages.
"""

import array
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import zipfile

from page import Browser, expect

KEY = "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}));"


class MapBrowser(Browser):
    def open(self, page, width, scheme):
        self.emulate(width, scheme)
        begun = time.time()
        self.call("/url", {"url": page.as_uri()})
        for _ in range(1500):
            if self.run("return document.documentElement.dataset.ready === 'true'"):
                return time.time() - begun
            time.sleep(0.02)
        sys.exit(f"map_page.py: {page} does not open: {self.log('browser')}")

    def press(self, key):
        self.call("/execute/sync", {"script": KEY, "args": [key]})
        time.sleep(0.15)

    def drag(self, points):
        for at, (x, y) in enumerate(points):
            kind = "mousePressed" if at == 0 else "mouseMoved"
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        x, y = points[-1]
        self.command("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)
        time.sleep(0.3)


def npy(kind, shape, numbers):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + numbers.tobytes()


def write(path, calls):
    """A file of embeddings of made-up calls."""
    draw = random.Random(5)
    cloud = [draw.randrange(9) for _ in range(calls)]
    middles = [[draw.gauss(0, 4) for _ in range(4)] for _ in range(9)]
    layer = array.array("f", (middle + draw.gauss(0, 1) for one in cloud for middle in middles[one]))
    zeros = array.array("i", bytes(4 * calls))
    columns = {
        "contig": ("category", "<i4", zeros, ["chr1"]),
        "pos": ("integer", "<i8", array.array("q", range(1, calls + 1)), None),
        "ref": ("category", "<i4", zeros, ["A"]),
        "alt": ("category", "<i4", zeros, ["C"]),
        "cloud": ("category", "<i4", array.array("i", cloud), [f"cloud {one}" for one in range(9)]),
        "depth": ("number", "<f4", array.array("f", (30 + 5 * draw.random() for _ in range(calls))), None),
    }
    meta = {
        "format": 1, "cnnfilter_version": "0", "model": "made_up", "architecture": "none", "weights_sha256": "0", "calls": calls,
        "layers": [{"name": "a", "width": 4, "pools": "as it is"}],
        "columns": [{"name": name, "kind": kind, **({"levels": levels} if levels else {})} for name, (kind, _, _, levels) in columns.items()],
        "inputs": [], "left_out": {},
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        text = npy("<f4", (calls, 4), layer)
        archive.writestr("layer/a.npy", text.replace(b", 4,)", b", 4) ", 1))
        for name, (_, kind, values, _) in columns.items():
            archive.writestr(f"obs/{name}.npy", npy(kind, (calls,), values))


def make(program, demo, folder):
    def run(*words):
        subprocess.run([program, *words, "-q"], cwd=folder, check=True)

    calls = ["-V", demo / "calls.vcf", "-I", demo / "reads.bam", "-R", demo / "ref.fa"]
    run("embed", *calls, "--truth", demo / "truth.vcf.gz", "-o", "demo.emb")
    run("view", *calls, "--fast", "-o", "view.html")
    run("embed", "map", "demo.emb", "--clusters", "5", "--page", "demo.html", "--view", "view.html")
    # Many calls are placed on a map of few, which is quick.
    write(folder / "few.emb", 2000)
    run("embed", "map", "few.emb", "-o", "few.map")
    for name, count in (("50000", 50_000), ("1000000", 1_000_000)):
        write(folder / f"{name}.emb", count)
        run("embed", "map", f"{name}.emb", "--transform", "few.map", "--page", f"{name}.html")


def box(browser, pane=0):
    return browser.run(f"const r = document.querySelectorAll('canvas.map')[{pane}].getBoundingClientRect(); return [r.x, r.y, r.width, r.height]")


def colours(browser):
    """Distinct colours of the first map."""
    return browser.run(
        "const c = document.querySelector('canvas.map'); const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);"
        "return [...new Set(d)].length"
    )


def text(browser, identifier):
    return browser.run(f"return document.getElementById('{identifier}').innerText")


def check_demo(browser, page, width, scheme):
    where = f"{width} px, {scheme}:"
    browser.open(page, width, scheme)
    browser.check_window(scheme, where)
    expect(colours(browser) >= 6, f"{where} the map has {colours(browser)} colours")
    expect(browser.run("return document.querySelectorAll('#key button').length") == 5, f"{where} the legend lacks clusters")
    if width < 1200:
        return
    browser.run("document.querySelectorAll('#key button')[2].click()")
    expect("label" in text(browser, "cluster"), f"{where} a cluster's findings: {text(browser, 'cluster')}")
    browser.press("Escape")
    # A lasso around the left half of the first map selects on both.
    browser.run("scrollTo(0, 0)")
    x, y, wide, high = box(browser)
    browser.press("l")
    browser.drag([(x + 3, y + 3), (x + wide / 2, y + 3), (x + wide / 2, y + high - 3), (x + 3, y + high - 3)])
    browser.press("l")
    told = text(browser, "selected")
    number = int(told.split()[0].replace(",", "")) if told[0].isdigit() else 0
    expect(0 < number < 276, f"{where} the lasso: {told}")
    expect(browser.run("return document.querySelectorAll('#rows tr').length") == min(number, 100), f"{where} rows of the table")
    saved = browser.run(
        "window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.saved.push(blob); return make(blob); };"
        "HTMLAnchorElement.prototype.click = () => {}; return true"
    )
    expect(saved, "downloads")
    for key in "evs":
        browser.press(key)
    files = browser.call("/execute/async", {"script": "const done = arguments[0]; Promise.all(window.saved.map((blob) => blob.text())).then(done)", "args": []})
    table, vcf, svg = files
    expect(len(table.splitlines()) == number + 1 and table.startswith("record\tcontig\tpos"), f"{where} the table")
    records = [line for line in vcf.splitlines() if not line.startswith("#")]
    expect(len(records) == number and records[0].startswith("demo"), f"{where} the VCF")
    expect(svg.startswith("<svg") and "<image" in svg, f"{where} the SVG")
    browser.press("Escape")
    # The pointer names a call, and the page of `view` shows it.
    found = browser.run(
        "const c = document.querySelector('canvas.map'), d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);"
        "const ground = d[0]; let at = d.findIndex((one) => one !== ground); const r = c.getBoundingClientRect(), k = c.width / r.width;"
        "return [r.x + (at % c.width + 1) / k, r.y + (Math.floor(at / c.width) + 1) / k]"
    )
    browser.point_at(*found)
    expect(text(browser, "read-out").startswith("demo"), f"{where} the pointer reads `{text(browser, 'read-out')}`")
    source = browser.run("return document.getElementById('frame').src")
    expect("view.html#demo" in source, f"{where} the call's reads: {source}")
    before = text(browser, "legend-title")
    browser.press("c")
    expect(text(browser, "legend-title") != before, f"{where} the key c changes no colour")
    # Numbers, too.
    browser.run("const s = document.getElementById('column'); s.value = [...s.options].find((o) => o.text === 'score').value; s.dispatchEvent(new Event('change'))")
    time.sleep(0.2)
    expect(colours(browser) > 10, f"{where} numbers have {colours(browser)} colours")


def check_size(browser, page, calls, most):
    took = browser.open(page, 1280, "light")
    expect(took < 10, f"{calls} calls open in {took:.1f} s")
    frames = []
    for key in ("ArrowLeft", "ArrowRight", "+", "ArrowUp", "-", "ArrowDown") * 2:
        browser.press(key)
        frames.append(sum(browser.run("return [...document.querySelectorAll('canvas.map')].map((c) => Number(c.dataset.milliseconds))")))
    frames.sort()
    middle = frames[len(frames) // 2]
    expect(middle < most, f"a frame of {calls} calls takes {middle:.0f} ms")
    print(f"{calls} calls: opened in {took:.1f} s, a frame takes {middle:.0f} ms (both maps), {page.stat().st_size / 1e6:.1f} MB")


def main():
    program, demo, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(rest[0] if rest else temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        make(pathlib.Path(program).resolve(), pathlib.Path(demo).resolve(), folder)
        browser = MapBrowser()
        try:
            for width in (375, 900, 1440):
                for scheme in ("light", "dark"):
                    check_demo(browser, folder / "demo.html", width, scheme)
            view = folder / "view.html"
            check_size(browser, folder / "50000.html", 50_000, 50)
            expect(not list(folder.glob("50000.data.js")), "50,000 calls lie inside the page")
            messages = [entry["message"] for entry in browser.log("browser")]
            expect(not messages, f"the pages log {messages}")
            check_size(browser, folder / "1000000.html", 1_000_000, 1000)
            expect(view.exists(), "the page of view")
        finally:
            browser.close()
    print("map_page.py: the pages of `embed map` do what they say")


main()
