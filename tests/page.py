#!/usr/bin/env python3
"""Opens the page of `cnnfilter eval` in headless Chromium and uses it as a reader would.

    page.py eval.html

Needs chromium and chromedriver (Debian: chromium chromium-driver). At three widths, light and dark:
the page is no wider than its window, fetches nothing but itself and logs nothing; curves are drawn
and answer the pointer; the selects change what is shown.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
PORT = 9515


class Browser:
    """A session of the WebDriver protocol (W3C), with Chromium's developer commands."""

    def __init__(self):
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={PORT}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.session = ""
        options = {
            "goog:chromeOptions": {"args": [*FLAGS, f"--user-data-dir={self.profile.name}"]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        for attempt in range(100):
            try:
                answer = self.call("/session", {"capabilities": {"alwaysMatch": options}})
                break
            except OSError:
                if attempt == 99:
                    raise
                time.sleep(0.2)
        self.session = "/session/" + answer["sessionId"]

    def call(self, path, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}{self.session}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def command(self, name, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def run(self, script):
        return self.call("/execute/sync", {"script": script, "args": []})

    def log(self, kind):
        return self.call("/se/log", {"type": kind})

    def emulate(self, width, scheme):
        """Gives the window a width, in CSS pixels, and the reader a colour scheme."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self.command(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def check_window(self, scheme, where):
        """The page is no wider than its window, and as light or dark as asked for."""
        wide = self.run("const d = document.documentElement; return [d.scrollWidth, d.clientWidth]")
        expect(wide[0] <= wide[1], f"{where} the page is {wide[0]} px wide in a window of {wide[1]}")
        dark = self.run(
            "const c = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number);"
            "return c[0] + c[1] + c[2] < 384"
        )
        expect(dark == (scheme == "dark"), f"{where} the background is {'dark' if dark else 'light'}")

    def check_quiet(self, pages):
        """No page logged anything, or fetched anything but itself."""
        messages = [entry["message"] for entry in self.log("browser")]
        expect(not messages, f"the page logs {messages}")
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        own = {page.as_uri() for page in pages}
        requests = {
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent" and event["params"]["documentURL"] in own
        }
        fetched = {url for url in requests if url not in own and not url.startswith("data:")}
        expect(not fetched, f"the page fetches {sorted(fetched)}")
        expect(requests, "no request was seen at all")

    def point_at(self, x, y):
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        time.sleep(0.2)

    def close(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}{self.session}", method="DELETE"
        )
        urllib.request.urlopen(request, timeout=20).close()
        self.driver.terminate()
        self.driver.wait(20)
        self.profile.cleanup()


def expect(condition, message):
    if not condition:
        sys.exit(f"page.py: {message}")


def check(browser, page, width, scheme):
    where = f"at {width} px, {scheme}"
    browser.emulate(width, scheme)
    browser.call("/url", {"url": page.as_uri()})
    time.sleep(0.5)
    browser.check_window(scheme, where)
    for chart in ["pr", "roc"]:
        box = browser.run(
            f"const e = document.querySelector('#{chart} .u-over'); e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]"
        )
        texts = []
        for share in [0.2, 0.8]:
            browser.point_at(box[0] + box[2] * share, box[1] + box[3] / 2)
            texts.append(browser.run(f"return document.getElementById('{chart}-read').innerText"))
        expect(texts[0] != texts[1], f"{where} the {chart} chart does not answer the pointer: {texts[0]}")
        expect("QUAL" in texts[0] and "0." in texts[0], f"{where} no value is read: {texts[0]}")
    before = browser.run("return document.getElementById('counts').innerText")
    browser.run(
        "const k = document.getElementById('kind'); k.value = 'INDEL'; k.dispatchEvent(new Event('change'))"
    )
    after = browser.run("return document.getElementById('counts').innerText")
    expect(before != after and "INDEL" in after, f"{where} the kind does not change: {after}")
    rows = browser.run("return document.querySelectorAll('#strata tbody tr').length")
    expect(rows > 4, f"{where} the table of strata has {rows} rows")


def main():
    page = pathlib.Path(sys.argv[1]).resolve()
    browser = Browser()
    try:
        for width in [400, 900, 1400]:
            for scheme in ["light", "dark"]:
                check(browser, page, width, scheme)
        browser.check_quiet([page])
    finally:
        browser.close()
    print(f"{page.name}: three widths, light and dark: as it should be")


if __name__ == "__main__":
    main()
