#!/usr/bin/env python3
"""Opens the page of `web/build.sh` in headless Firefox, over Firefox's own protocol (Marionette), so that no driver is needed.

    firefox_page.py cnnfilter.html PROGRAM

Needs firefox-esr (Debian). The demo and 3,000 calls have the program's probabilities, the sandbox answers, a closed tab is
gone, and the page may connect nowhere.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from page import expect
from view_page import read as read_view

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "tests/data/demo"
TOLERANCE = 1e-5
PREFERENCES = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in {**PREFERENCES, "marionette.port": port}.items()]
        pathlib.Path(self.profile.name, "user.js").write_text("\n".join(lines))
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", self.profile.name],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for attempt in range(600):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=300)
                break
            except OSError:
                expect(attempt < 599 and self.process.poll() is None, "Firefox does not start")
                time.sleep(0.2)
        self.file = self.socket.makefile("rb")
        self.number = 0
        self.receive()
        self.call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})

    def receive(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.file.read(1)
            expect(byte, "Firefox has ended")
            length += byte
        return json.loads(self.file.read(int(length[:-1])))

    def call(self, name, parameters=None):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        kind, number, error, result = self.receive()
        expect((kind, number) == (1, self.number), f"Firefox answers {number} to {self.number}")
        expect(not error, f"{name}: {error}")
        return result

    def run(self, script):
        return self.call("WebDriver:ExecuteScript", {"script": script, "args": []})["value"]

    def wait(self, condition, seconds=120):
        for _ in range(int(seconds / 0.05)):
            if self.run(f"return Boolean({condition})"):
                return
            time.sleep(0.05)
        sys.exit(f"firefox_page.py: waited in vain for {condition}; {self.run('return document.body.innerText.slice(0, 800)')}")

    def open(self, url):
        begun = time.time()
        self.call("WebDriver:Navigate", {"url": url})
        self.wait("document.documentElement.dataset.open === 'true'")
        return time.time() - begun

    def choose(self, paths):
        found = self.call("WebDriver:FindElement", {"using": "css selector", "value": "#files"})["value"]
        identifier = next(iter(found.values()))
        self.call("WebDriver:ElementSendKeys", {"id": identifier, "text": "\n".join(map(str, paths))})

    def close(self):
        self.call("Marionette:Quit", {"flags": ["eForceQuit"]})
        self.process.wait(30)
        self.profile.cleanup()


def shown_list(browser):
    """Locus, alleles and probability of the lines of the list that are drawn."""
    lines = browser.run(
        "return [...document.querySelectorAll('#list .rows .line')].map((line) => [Number(line.dataset.at), line.children[2].textContent])"
    )
    return dict(lines)


def expected_calls(program, folder, calls):
    """The calls of the program."""
    page = pathlib.Path(folder, "view.html")
    done = subprocess.run(
        [program, "view", "-q", "--fast", "-V", calls, "-I", DEMO / "reads.bam", "-R", DEMO / "ref.fa", "--max-calls", "4000", "-o", page]
    )
    expect(done.returncode == 0, "the program fails")
    return [call["probability"] for call in read_view(page)[0]["calls"]]


def main():
    page, program = pathlib.Path(sys.argv[1]).resolve(), str(pathlib.Path(sys.argv[2]).resolve())
    browser = Firefox()
    try:
        with tempfile.TemporaryDirectory() as folder:
            many = pathlib.Path(folder, "many.vcf")
            many.write_bytes(subprocess.check_output([sys.executable, ROOT / "tests/many_calls.py", DEMO / "ref.fa", "3000"]))
            expected = expected_calls(program, folder, many)
            opened = browser.open(page.as_uri())
            version = browser.run("return navigator.userAgent.split(' ').at(-1)")
            browser.choose([many, *(DEMO / name for name in ["reads.bam", "reads.bam.bai", "ref.fa", "ref.fa.fai"])])
            browser.wait("document.querySelectorAll('#chosen tr').length === 5")
            browser.run("document.addEventListener('scored', ({detail}) => { document.body.dataset.found = JSON.stringify(detail.calls.map((c) => c.probability)) })")
            begun = time.time()
            browser.run("document.getElementById('score').click()")
            browser.wait("document.documentElement.dataset.ready === 'true' || !document.getElementById('problem').hidden", 600)
            took = time.time() - begun
            found = json.loads(browser.run("return document.body.dataset.found"))
            expect(len(found) == len(expected) >= 3000, f"{len(found)} calls, the program has {len(expected)}")
            worst = max(abs(one - other) for one, other in zip(found, expected))
            expect(worst <= TOLERANCE, f"a probability is {worst:.1e} off")
            print(f"{version}: opens in {opened:.2f} s; {len(found)} calls in {took:.1f} s, largest difference in probability {worst:.1e}")

        browser.open(page.as_uri())
        browser.run("document.getElementById('demo').click()")
        browser.wait("document.getElementById('call').dataset.shown === '0'")
        expect(len(shown_list(browser)) > 5, "no call is listed")
        browser.run("document.getElementById('sandbox-box').open = true")
        outputs = "document.querySelector('#sandbox .outputs').innerText"
        before = browser.run(f"return {outputs}")
        browser.run("const r = document.querySelector('#sandbox input[type=range]'); r.value = 0; r.dispatchEvent(new Event('input'))")
        browser.wait(f"{outputs} !== {json.dumps(before)}")
        print(f"sandbox: {browser.run('return document.querySelector(`#sandbox p[role=status]`).innerText')}")
        browser.run("window.addEventListener('securitypolicyviolation', (e) => (document.body.dataset.refused = e.effectiveDirective));"
                    "fetch('http://127.0.0.1:9/').catch(() => {})")
        browser.wait("document.body.dataset.refused === 'connect-src'")
        print("the page may connect nowhere")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
