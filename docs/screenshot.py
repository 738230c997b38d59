#!/usr/bin/env python3
"""Takes pictures of pages in headless Chromium, for the book and the README.

    screenshot.py view PAGE OUT.png LOCUS [KEY...]     a page of `cnnfilter view`: the call at LOCUS (as `chr20:12345`),
                                                       without the list of calls, after the keys
    screenshot.py page PAGE OUT.png [WIDTH [HEIGHT]]   any page, from its top: 1280 x 720 points if not told

Needs chromium and chromedriver (Debian: chromium chromium-driver).
"""

import base64
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))
from page import Browser

PRESS = "target.dispatchEvent(new KeyboardEvent('keydown', {key: KEY, bubbles: true}));"


def press(browser, target, key):
    """Presses a key on an element, by a script's expression."""
    browser.run(f"const target = {target};" + PRESS.replace("KEY", json.dumps(key)))


def size(browser, width, height):
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)


def opened(browser, page):
    browser.call("/url", {"url": pathlib.Path(page).resolve().as_uri()})


def view(browser, page, locus, *keys):
    """Shows the call at a locus; returns the rectangle from its title to the end of its reads and contributions."""
    size(browser, 1280, 1100)
    opened(browser, page)
    while not browser.run("return document.documentElement.dataset.ready === 'true'"):
        time.sleep(0.05)
    box = "document.getElementById('jump')"
    browser.run(f"{box}.value = {json.dumps(locus)};")
    press(browser, box, "Enter")
    browser.run(f"{box}.value = ''; {box}.blur();")
    for key in keys:
        press(browser, "document", key)
    # Contributions are drawn when they are decoded.
    time.sleep(1)
    return browser.run("""
        document.querySelectorAll('#numbers details, #legend, #channels').forEach(part => { part.style.display = 'none'; });
        const call = document.getElementById('call').getBoundingClientRect();
        const below = [...document.querySelectorAll('#read-out, #numbers > *')];
        const end = Math.max(...below.map(part => part.getBoundingClientRect().bottom));
        return {x: call.x - 12, y: call.y - 12, width: call.width + 24, height: end - call.y + 16, scale: 1};""")


def page(browser, path, width="1280", height="720"):
    """Shows a page from its top."""
    size(browser, int(width), int(height))
    opened(browser, path)
    time.sleep(1)
    return {"x": 0, "y": 0, "width": int(width), "height": int(height), "scale": 1}


def main():
    kind, path, out, *rest = sys.argv[1:]
    browser = Browser()
    try:
        clip = {"view": view, "page": page}[kind](browser, path, *rest)
        picture = browser.command("Page.captureScreenshot", format="png", clip=clip)["data"]
        pathlib.Path(out).write_bytes(base64.b64decode(picture))
    finally:
        browser.close()


main()
