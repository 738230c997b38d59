#!/usr/bin/env python3
"""Takes a picture of a page of `cnnfilter view` in headless Chromium.

    screenshot.py view.html LOCUS OUT.png [KEY...]

Jumps to LOCUS (as `chr20:12345`), presses the keys and writes a picture of 1280 x 720 points. Needs chromium and
chromedriver (Debian: chromium chromium-driver).
"""

import base64
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests"))
from page import Browser

PRESS = "target.dispatchEvent(new KeyboardEvent('keydown', {key: KEY, bubbles: true}));"


def press(browser, target, key):
    """Presses a key on an element, by a script's expression."""
    browser.run(f"const target = {target};" + PRESS.replace("KEY", json.dumps(key)))


def main():
    page, locus, out, *keys = sys.argv[1:]
    browser = Browser()
    metrics = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    browser.command("Emulation.setDeviceMetricsOverride", **metrics)
    browser.call("/url", {"url": pathlib.Path(page).resolve().as_uri()})
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
    picture = browser.command("Page.captureScreenshot", format="png")["data"]
    pathlib.Path(out).write_bytes(base64.b64decode(picture))
    browser.close()


main()
