#!/usr/bin/env python3
"""Opens the page of `web/build.sh` in headless Chromium and uses it as a reader would.

    web_page.py cnnfilter.html PROGRAM [PICTURES]

Needs chromium and chromedriver (Debian: chromium chromium-driver). The page scores 3,000 calls as the program does, says what
the program says of wrong files, fetches nothing, logs nothing, and works with the keyboard, on a phone, light and dark.
Prints the figures of docs/src/page.md; with a third argument, pictures of the page go into that folder. With CNNFILTER_DATA, the folder of
real data, 100 kb of real reads are scored as well.
"""

import base64
import gzip
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from page import PORT, Browser, expect
from view_page import read as read_view

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "tests/data/demo"
# Of probabilities: WebAssembly rounds products before it adds them, the program's kernels do not.
TOLERANCE = 1e-5
# Bytes of the page, gzipped, and of memory.
MOST_BYTES = 2e6
MOST_MEMORY = 500e6
# Seconds until the page is there, and until the demo's calls are.
OPENS, SCORES = 2.0, 20.0


class PageBrowser(Browser):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.folder.name)

    def open(self, url, width=1300, scheme="light"):
        """Opens the page anew; returns the seconds until files can be chosen."""
        self.emulate(width, scheme)
        begun = time.time()
        self.call("/url", {"url": url})
        self.wait("document.documentElement.dataset.open === 'true'")
        self.run("addEventListener('securitypolicyviolation', (e) => (window.refused = e.violatedDirective));"
                 "document.addEventListener('scored', ({detail}) => (window.scored = detail))")
        return time.time() - begun

    def wait(self, condition, seconds=60):
        for _ in range(int(seconds / 0.02)):
            if self.run(f"return Boolean({condition})"):
                return
            time.sleep(0.02)
        sys.exit(f"web_page.py: waited in vain for {condition}; the page says {self.text('problem')} {self.text('progress')}")

    def get(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}{self.session}{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def close_window(self):
        self.get("/window", "DELETE")

    def text(self, identifier):
        return self.run(f"return document.getElementById('{identifier}').innerText")

    def click(self, identifier):
        self.run(f"document.getElementById('{identifier}').click()")

    def choose(self, paths):
        """Chooses files as a reader does with the dialog."""
        found = self.command("Runtime.evaluate", expression="document.getElementById('files')")
        self.command("DOM.setFileInputFiles", files=[str(path) for path in paths], objectId=found["result"]["objectId"])
        # `change` comes with the files.
        self.wait(f"document.querySelectorAll('#chosen tr').length >= {len(set(path.name for path in paths))}")

    def score(self, paths, region="", filters=True):
        """Scores files; returns the seconds that it took. `problem` says whether they could be scored."""
        if paths:
            self.choose(paths)
        self.run(f"document.getElementById('region').value = {json.dumps(region)};"
                 f"document.getElementById('filters').checked = {json.dumps(filters)}")
        begun = time.time()
        self.click("score")
        self.wait("document.documentElement.dataset.ready === 'true' || !document.getElementById('problem').hidden")
        return time.time() - begun

    def download(self, name):
        """The bytes of the scored file."""
        self.click("download")
        path = pathlib.Path(self.folder.name, name)
        for _ in range(6000):
            if path.is_file() and not list(path.parent.glob("*.crdownload")):
                break
            time.sleep(0.02)
        data = path.read_bytes()
        path.unlink()
        return data

    def key(self, key, code=0):
        for kind in ["keyDown", "keyUp"]:
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def memory(self):
        """Bytes of the page's own process, by the system."""
        most = 0
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                command = status.with_name("cmdline").read_bytes()
                if b"--type=renderer" in command and self.profile.name.encode() in command:
                    line = next(one for one in status.read_text().splitlines() if one.startswith("VmRSS"))
                    most = max(most, int(line.split()[1]) * 1024)
            except OSError:
                pass
        return most

    def picture(self, name):
        if len(sys.argv) > 3:
            folder = pathlib.Path(sys.argv[3])
            folder.mkdir(exist_ok=True)
            data = self.command("Page.captureScreenshot", format="png")["data"]
            (folder / f"{name}.png").write_bytes(base64.b64decode(data))

    def check_quiet(self, urls):
        """No page logged anything, or asked for anything but itself and what it made."""
        messages = [entry["message"] for entry in self.log("browser")]
        expect(not messages, f"the page logs {messages}")
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        # Tabs that Chromium opens for itself have pages of its own.
        asked = [one["request"]["url"] for one in sent if not one["documentURL"].startswith("chrome:")]
        others = {url for url in asked if url not in urls and not url.startswith(("data:", "blob:"))}
        expect(not others, f"the page asks for {sorted(others)}")
        expect(asked, "no request was seen at all")


def run_program(program, folder, *arguments):
    """What the program writes, and what it says is wrong."""
    done = subprocess.run([program, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = done.stderr.decode()
    errors = [line.split("error: ", 1)[1] for line in said.splitlines() if "error: " in line]
    return done.stdout, errors[-1] if done.returncode else ""


def demo_files(*names):
    return [DEMO / name for name in names]


REFERENCE = demo_files("ref.fa", "ref.fa.fai")
READS = demo_files("reads.bam", "reads.bam.bai")


def compare_lines(found, expected):
    """Lines that differ; those that differ in more than the last digits of scores are an error."""
    ours, theirs = found.decode().split("\n"), expected.decode().split("\n")
    expect(len(ours) == len(theirs), f"{len(ours)} lines, the program writes {len(theirs)}")
    differing = [(one, other) for one, other in zip(ours, theirs) if one != other]
    for one, other in differing:
        for left, right in zip(one.split("\t"), other.split("\t")):
            if left == right:
                continue
            keys = [dict(pair.split("=") for pair in text.split(";") if "=" in pair) for text in (left, right)]
            expect(keys[0].keys() == keys[1].keys(), f"the page writes {left}, the program {right}")
            for key in keys[0]:
                pairs = zip(keys[0][key].split(","), keys[1][key].split(","))
                for a, b in pairs:
                    close = a == b or abs(float(a) - float(b)) < 0.0011
                    expect(close, f"the page writes {key}={a}, the program {b}")
    return len(differing)


def check_windows(browser, url):
    """At three widths, light and dark, before files and with calls."""
    for width in [1300, 800, 390]:
        for scheme in ["light", "dark"]:
            where = f"at {width} px, {scheme}"
            browser.open(url, width, scheme)
            browser.check_window(scheme, where)
            browser.picture(f"start-{width}-{scheme}")
            browser.click("demo")
            browser.wait("document.getElementById('call').dataset.shown === '0'")
            browser.check_window(scheme, f"{where}, with calls")
            browser.picture(f"calls-{width}-{scheme}")


def check_keyboard(browser, url):
    """The demo is reached and opened with Tab and Enter; keys step; each control has a name."""
    browser.open(url)
    names = []
    for _ in range(12):
        browser.key("Tab", 9)
        names.append(browser.run("return document.activeElement.id"))
        if names[-1] == "demo":
            break
    expect(names[-1] == "demo", f"Tab goes to {names}, never to the demo")
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    expect(outline != "none", "the control that has the keyboard does not show it")
    browser.key("Enter", 13)
    browser.wait("document.getElementById('call').dataset.shown === '0'")
    browser.key("j", 74)
    browser.wait("document.getElementById('call').dataset.shown === '1'")
    nameless = browser.run(
        "return [...document.querySelectorAll('button, input, canvas')].filter((e) => !(e.innerText || e.ariaLabel ||"
        " e.getAttribute('aria-label') || e.closest('label')?.textContent || e.title || e.placeholder)).map((e) => e.outerHTML)"
    )
    expect(not nameless, f"controls without a name: {nameless}")


def check_demo(browser, url, program):
    """The demo has the program's calls and bytes."""
    seconds = browser.open(url)
    expect(seconds < OPENS, f"the page opens in {seconds:.2f} s")
    begun = time.time()
    browser.click("demo")
    browser.wait("document.getElementById('call').dataset.shown === '0'")
    demo = time.time() - begun
    expect(demo < SCORES, f"the demo is scored in {demo:.2f} s")
    expected, _ = run_program(
        program, DEMO, "score", "--filter", "-V", "calls.vcf", "-I", "reads.cram", "-R", "ref.fa", "-O", "v", "-o", "-"
    )
    differing = compare_lines(browser.download("calls.scored.vcf"), expected)
    return seconds, demo, differing, expected.count(b"\n")


def check_parity(browser, url, program, scratch):
    """3,000 calls have the program's probabilities."""
    calls = scratch / "many.vcf"
    calls.write_bytes(subprocess.check_output([sys.executable, ROOT / "tests/many_calls.py", DEMO / "ref.fa", "3000"]))
    for path in [*READS, *REFERENCE]:
        os.symlink(path, scratch / path.name)
    _, error = run_program(
        program, scratch, "view", "--fast", "-V", "many.vcf", "-I", "reads.bam", "-R", "ref.fa", "--max-calls", "4000", "-o", "view.html"
    )
    expect(not error, error)
    expected = read_view(scratch / "view.html")[0]["calls"]
    browser.open(url)
    seconds = browser.score([calls, *READS, *REFERENCE])
    found = browser.run("return window.scored.calls.map((c) => [c.pos, c.alt, c.probability, c.score])")
    expect(len(found) == len(expected) >= 3000, f"{len(found)} calls, the program has {len(expected)}")
    worst = 0
    for (position, alt, probability, score), call in zip(found, expected):
        expect((position, alt) == (call["pos"], call["alt"]), f"{position} {alt} is not {call['pos']} {call['alt']}")
        worst = max(worst, abs(probability - call["probability"]))
    expect(worst <= TOLERANCE, f"a probability is {worst:.1e} off")
    said = browser.text("progress")
    text, _ = run_program(
        program, scratch, "score", "--filter", "-V", "many.vcf", "-I", "reads.bam", "-R", "ref.fa", "-O", "v", "-o", "-"
    )
    differing = compare_lines(browser.download("many.scored.vcf"), text)
    return len(found), worst, differing, seconds, said


def check_region(browser, url, program):
    """A region, CRAM and no FILTER, with the program's bytes."""
    browser.open(url)
    files = demo_files("calls.freebayes.vcf", "reads.cram", "reads.cram.crai")
    browser.score([*files, *REFERENCE], region="demo1:3,000-9,000", filters=False)
    expected, _ = run_program(
        program, DEMO, "score", "-V", "calls.freebayes.vcf", "-I", "reads.cram", "-R", "ref.fa", "-L", "demo1:3,000-9,000",
        "-O", "v", "-o", "-",
    )
    return compare_lines(browser.download("calls.freebayes.scored.vcf"), expected)


def wrong_files(folder):
    """Sets of files that cannot be scored: a name, the files, and their calls, reads and reference."""
    calls, bam, bai, fasta, fai = (path.read_bytes() for path in [DEMO / "calls.vcf", *READS, *REFERENCE])
    other = fasta.replace(b">demo1", b">other1").replace(b">demo2", b">other2")
    longer = fai.replace(fai.split(b"\t")[1], b"20500", 1)
    swapped = calls.replace(b"\tA\tG\t", b"\tC\tG\t")
    unsorted = b"\n".join([*calls.split(b"\n")[:-3], *reversed(calls.split(b"\n")[-3:-1]), b""])
    sets = {
        "no index": {"reads.bam.bai": None},
        "a BAM that is cut off": {"reads.bam": bam[:-40]},
        "a BAM that is text": {"reads.bam": b"@HD\tVN:1.6\n"},
        "an index that is cut off": {"reads.bam.bai": bai[:60]},
        "a reference without index": {"ref.fa.fai": None},
        "a reference that is none": {"ref.fa": bam},
        "another reference": {"ref.fa": other, "ref.fa.fai": fai.replace(b"demo", b"other")},
        "a reference of another length": {"ref.fa.fai": longer},
        "calls of another genome": {"calls.vcf": swapped},
        "calls that are cut off": {"calls.vcf": calls[:-30]},
        "calls that are not sorted": {"calls.vcf": unsorted},
        "calls without header": {"calls.vcf": calls[calls.index(b"\ndemo1") + 1 :]},
        "an empty file of calls": {"calls.vcf": b""},
        "calls that are cut off in a block": {"calls.vcf": gzip.compress(calls)[:-500]},
        "a call without alleles": {"calls.vcf": calls + b"demo1\tx\t.\n"},
    }
    usual = {"calls.vcf": calls, "reads.bam": bam, "reads.bam.bai": bai, "ref.fa": fasta, "ref.fa.fai": fai}
    for number, (name, changed) in enumerate(sets.items()):
        made = folder / f"wrong-{number}"
        made.mkdir()
        for file, data in {**usual, **changed}.items():
            if data is not None:
                (made / file).write_bytes(data)
        yield name, made


def check_wrong(browser, url, program, scratch):
    """The page says of wrong files what the program says."""
    count = 0
    for name, folder in wrong_files(scratch):
        _, expected = run_program(
            program, folder, "score", "-V", "calls.vcf", "-I", "reads.bam", "-R", "ref.fa", "-O", "v", "-o", "-"
        )
        expect(expected, f"{name}: the program scores it")
        browser.open(url)
        browser.score(sorted(folder.iterdir()))
        found = browser.text("problem").removesuffix("(`--allow-unsorted`)")
        # The page has no option.
        expected = expected.replace(", or give --allow-unsorted", "")
        expect(found == expected, f"{name}: the page says\n  {found}\nthe program says\n  {expected}")
        count += 1
    browser.picture("wrong")
    browser.open(url)
    browser.choose(demo_files("calls.vcf", "reads.cram"))
    expect("reference" in browser.text("hint"), "a CRAM without reference can be scored")
    expect(browser.run("return document.getElementById('score').disabled"), "there is nothing to score")
    return count


def check_drop(browser, url):
    """Files can be dropped."""
    browser.open(url)
    browser.run(
        "const data = new DataTransfer(); data.items.add(new File(['##fileformat=VCFv4.2\\n'], 'a.vcf'));"
        "document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true}))"
    )
    browser.wait("document.getElementById('chosen').innerText.includes('a.vcf')", 5)


def check_sandbox(browser, url):
    """Changed reads change the outputs at once; undo and reset take it back; layers are drawn."""
    browser.open(url)
    browser.click("demo")
    browser.wait("document.getElementById('call').dataset.shown === '0'")
    browser.key("j", 74)
    browser.wait("document.getElementById('call').dataset.shown === '1'")
    browser.run("document.getElementById('sandbox-box').open = true")
    outputs = "document.querySelector('#sandbox .outputs').innerText"
    said = "document.querySelector('#sandbox p[role=status]').innerText"
    own = browser.run(f"return {outputs}")
    found, times = [], []
    for share in [0, 0.1, 0.5]:
        before = browser.run(f"return {outputs}")
        browser.run("const r = document.querySelector('#sandbox input[type=range]');"
                    f"r.value = {share}; r.dispatchEvent(new Event('input'))")
        browser.wait(f"{outputs} !== {json.dumps(before)}")
        found.append(float(browser.run(f"return {outputs}").split()[-1]))
        times.append(int(re.search(r"; (\d+) ms", browser.run(f"return {said}"))[1]))
        expect("made up" in browser.run(f"return {said}"), "an implant is not told of")
    # Without the ALT the annotations still speak for the call: it fails, though not by much.
    expect(found[0] < 0.6 < found[1] < found[2], f"ALT in 0, 10 and 50 % of the reads: probabilities {found}")
    browser.picture("sandbox")
    browser.run("[...document.querySelectorAll('#sandbox details details')].at(-1).open = true")
    browser.wait("document.querySelectorAll('#sandbox figure canvas').length === 7")
    blank = browser.run(
        "return [...document.querySelectorAll('#sandbox figure canvas')].filter((c) => new Set(new Uint32Array("
        "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size < 3).map((c) => c.ariaLabel)"
    )
    expect(not blank, f"nothing is drawn of {blank}")
    browser.picture("layers")
    for name in ["undo", "reset"]:
        before = browser.run(f"return {outputs}")
        browser.run(f"[...document.querySelectorAll('#sandbox button')].find((b) => b.innerText === '{name}').click()")
        browser.wait(f"{outputs} !== {json.dumps(before)}")
    expect(browser.run(f"return {outputs}") == own, "reset leaves the call changed")
    check_edits(browser, url, outputs, said)
    return sorted(times)[1]


def check_edits(browser, url, outputs, said):
    """A base of a read, another ALT, an indel, thresholds, and a link to a state."""
    def changes(script):
        before = browser.run(f"return {outputs}")
        browser.run(script)
        browser.wait(f"{outputs} !== {json.dumps(before)}")
        return float(browser.run(f"return {outputs}").split()[-1])

    button = "[...document.querySelectorAll('#sandbox button')].find((b) => b.innerText === '{}')"
    reset = button.format("reset") + ".click()"
    whole = float(browser.run(f"return {outputs}").split()[-1])
    expect(browser.run(f"return {button.format('A')}.disabled"), "a base can be written before a cell was clicked")
    browser.run(
        "const c = document.getElementById('pileup'), d = c.dataset; const x = Number(d.gutter) + 28.5 * d.cell, y = Number(d.top) + 4.5 * d.line;"
        "const r = c.getBoundingClientRect();"
        "c.dispatchEvent(new MouseEvent('click', {clientX: r.left + x, clientY: r.top + y, bubbles: true}))"
    )
    expect(not browser.run(f"return {button.format('A')}.disabled"), "a clicked cell takes no base")
    # Three of the letters are not the read's own.
    found = {browser.run(f"return {outputs}")}
    for base in "ACGT":
        browser.run(button.format(base) + ".click()")
        time.sleep(0.3)
        found.add(browser.run(f"return {outputs}"))
    expect(len(found) > 1, "a base that is written changes nothing")
    browser.run(reset)
    alt = "const t = document.querySelector('#sandbox input[type=text]'); t.value = '{}'; t.dispatchEvent(new Event('change'))"
    own = browser.run("return document.querySelector('#sandbox input[type=text]').value")
    other = next(base for base in "ACGT" if base not in browser.text("title").split("\n")[0].split(" ", 1)[1])
    expect(changes(alt.format(other)) < whole / 2, "an ALT that no read shows is believed")
    expect(other in browser.text("title"), "the title does not name the other ALT")
    browser.picture("other-alt")
    browser.run(alt.format("X"))
    browser.wait(f"/spelled/.test({said})")
    browser.run(reset)
    expect(browser.run("return document.querySelector('#sandbox input[type=text]').value") == own, "reset leaves the ALT")

    # Channels: without any of the reads' the network sees nothing of the ALT.
    groups = "[...document.querySelectorAll('#sandbox fieldset')]"
    expect(browser.run(f"return {groups}.length") == 3, "there are three groups of channels")
    browser.run(f"{groups}[0].closest('details').open = true")
    browser.run(f"{groups}[0].querySelector('input').click()")
    browser.wait(f"/Without 1 of/.test({said})")
    browser.run(f"{groups}[0].querySelector('button').click()")
    browser.wait(f"!/Without/.test({said})")
    expect(browser.run(f"return {groups}[0].querySelectorAll('input:checked').length") == 8, "all or none does not switch all on")
    expect(changes(f"{groups}[0].querySelector('button').click()") != whole, "channels that are off change nothing")
    expect(browser.run(f"return {groups}[0].querySelectorAll('input:checked').length") == 0, "all or none does not switch all off")
    browser.picture("channels")
    browser.run(reset)
    expect(browser.run(f"return {groups}[0].querySelectorAll('input:checked').length") == 8, "reset leaves channels off")

    # Thresholds.
    passing = "[...document.querySelectorAll('#sandbox .options .note')].at(-1).innerText"
    text = browser.run(f"return {passing}")
    browser.run("const r = [...document.querySelectorAll('#sandbox .options input[type=range]')].at(-1); r.value = 1; r.dispatchEvent(new Event('input'))")
    expect("At 1 this call fails" in browser.run(f"return {passing}"), f"{text}: a threshold of 1 lets the call pass")

    # An indel that many reads show, in none of them and in half.
    browser.run("const f = document.getElementById('filter'); f.value = 'indel pass reads>20'; f.dispatchEvent(new Event('input'))")
    at = browser.run("return document.querySelector('#list .rows .line').dataset.at")
    browser.run("document.querySelector('#list .rows .line').click()")
    browser.wait(f"document.getElementById('call').dataset.shown === '{at}'")
    implant = "const r = document.querySelector('#sandbox input[type=range]'); r.value = {}; r.dispatchEvent(new Event('input'))"
    none, half = changes(implant.format(0)), changes(implant.format(0.5))
    expect(none < 0.5 < half, f"an indel in no read has {none}, in half of them {half}")
    browser.picture("indel")

    # A link leads to this state.
    state = browser.run(f"return [document.querySelector('h2').innerText, {outputs}]")
    browser.run(button.format("link") + ".click()")
    address = browser.run("return location.href")
    expect("#demo&call=" in address, f"the address is {address}")
    browser.call("/url", {"url": "about:blank"})
    browser.call("/url", {"url": address})
    browser.wait("document.documentElement.dataset.ready === 'true'")
    browser.wait(f"{outputs} === {json.dumps(state[1])}")
    expect(browser.run("return document.querySelector('h2').innerText") == state[0], "the link leads to another call")


def check_weights(browser, url, program, scratch):
    """Weights of 8 bits give what the quantised model gives in the program, and both scores are shown."""
    done = subprocess.run([program, "quantize", "-q", "--model", "cnnfilter_reads", "-o", scratch / "models"])
    expect(done.returncode == 0, "quantize fails")
    _, error = run_program(
        program, scratch, "view", "--fast", "-V", "many.vcf", "-I", "reads.bam", "-R", "ref.fa", "--max-calls", "4000",
        "--model", "models/cnnfilter_reads_8bit", "-o", "small.html",
    )
    expect(not error, error)
    expected = [call["probability"] for call in read_view(scratch / "small.html")[0]["calls"]]
    browser.open(url)
    browser.score([scratch / "many.vcf", *READS, *REFERENCE])
    probabilities = "return window.scored.calls.map((c) => c.probability)"
    whole = browser.run(probabilities)
    file = browser.download("many.scored.vcf")
    choose = "const s = document.getElementById('weights'); s.value = '{}'; s.dispatchEvent(new Event('change'))"
    begun = time.time()
    browser.run(choose.format("small"))
    browser.wait("/decided otherwise/.test(document.getElementById('compared').innerText)", 300)
    took = time.time() - begun
    small = browser.run(probabilities)
    worst = max(abs(one - other) for one, other in zip(small, expected))
    expect(len(small) == len(expected) and worst <= TOLERANCE, f"8 bits: a probability is {worst:.1e} off")
    said = browser.text("compared")
    shift = max(abs(one - other) for one, other in zip(small, whole))
    expect(f"{shift:.5f}" in said and "with 8" in said, f"the page says {said}")
    browser.picture("8bit")
    expect(browser.download("many.scored.vcf") == file, "the file changes with the weights")
    browser.run(choose.format("whole"))
    browser.wait("!document.getElementById('weights').disabled")
    expect(browser.run(probabilities) == whole, "32 bits do not come back")
    return worst, took, said


def check_candidates(browser, url, program, scratch):
    """Of reads alone, alleles are found, scored and listed as the program does it in two steps."""
    browser.open(url)
    browser.choose([*READS, *REFERENCE])
    expect("every allele that enough reads show" in browser.text("hint"), "the page does not say that it finds alleles")
    browser.check_window("light", "with sliders")
    browser.picture("finding")
    browser.run("const r = document.getElementById('min-reads'); r.value = 3; r.dispatchEvent(new Event('input'))")
    expect(browser.run("return document.querySelector('#min-reads + output').value") == "3", "a slider does not say its value")
    browser.score([], region="demo1:1,001-15,000")
    made, error = run_program(
        program, DEMO, "call", "--candidates", "-I", "reads.bam", "-R", "ref.fa", "-L", "demo1:1,001-15,000", "--min-reads", "3", "-O", "v", "-o", "-"
    )
    expect(not error, error)
    candidates = scratch / "candidates.vcf"
    candidates.write_bytes(made)
    expected, error = run_program(
        program, DEMO, "score", "--filter", "-V", candidates, "-I", "reads.bam", "-R", "ref.fa", "-O", "v", "-o", "-"
    )
    expect(not error, error)
    found = browser.download("reads.candidates.scored.vcf")
    return compare_lines(found, expected), browser.text("summary")


def check_locus(browser, url, program, scratch, data):
    """Real reads at 30x over 100 kb: swept, alleles found and scored, as the program does it in two steps."""
    name = "HG002.b37.chr20_10.0-10.1M.30x"
    reads, reference = data / f"reads/{name}.bam", data / "ref/b37.chr20.fa.gz"
    candidates, scored = scratch / "locus.vcf", scratch / "locus.scored.vcf"
    both = ["-I", reads, "-R", reference, "-O", "v"]
    for arguments in [["call", "--candidates", "-L", "20:10,000,001-10,100,000", "-o", candidates], ["score", "--filter", "-V", candidates, "-o", scored]]:
        _, error = run_program(program, scratch, *arguments, *both)
        expect(not error, error)
    browser.open(url)
    browser.choose([reads, pathlib.Path(f"{reads}.bai"), *(pathlib.Path(f"{reference}{more}") for more in ["", ".fai", ".gzi"])])
    seconds = browser.score([], region="20:10,000,001-10,100,000")
    expect(not browser.text("problem"), browser.text("problem"))
    # The headers name files with and without their folders.
    found, expected = (
        [line for line in text.splitlines() if not line.startswith(b"#")]
        for text in (browser.download(f"{name}.candidates.scored.vcf"), scored.read_bytes())
    )
    return seconds, len(expected), compare_lines(b"\n".join(found), b"\n".join(expected))


def check_model(browser, url, program, scratch):
    """A model's folder is used as the program uses it; `CNNFILTER_MODELS` may name a folder of more of them."""
    folders = [scratch / "models/cnnfilter_reads_8bit"]
    folders += sorted(path.parent for path in pathlib.Path(os.environ.get("CNNFILTER_MODELS", scratch / "none")).glob("*/model.json"))
    found = []
    for folder in folders:
        card = json.loads((folder / "model.json").read_text())
        reads = READS if card["tensor"]["read_limit"] > 1 else []
        arguments = ["-I", "reads.bam"] if reads else []
        region = "" if card["architecture"].startswith("cnnfilter") else "demo1:1-6,000"
        browser.open(url)
        browser.choose([folder / "model.json"])
        expect("the other file of the model" in browser.text("hint"), "a card without weights can be used")
        browser.score([*demo_files("calls.vcf"), *reads, *REFERENCE, folder / "model.json", folder / "model.safetensors"], region=region)
        expect(not browser.text("problem"), browser.text("problem"))
        expect(card["name"] in browser.text("summary"), f"the page says {browser.text('summary')}")
        filters = ["--filter"] if card.get("thresholds") else []
        regions = ["-L", region] if region else []
        expected, error = run_program(
            program, DEMO, "score", *filters, "--model", folder, "-V", "calls.vcf", *arguments, "-R", "ref.fa", *regions, "-O", "v", "-o", "-"
        )
        expect(not error, error)
        file = browser.download("calls.scored.vcf")
        # Scores of 3 decimals; `compare_lines` allows the last one to differ.
        differing = compare_lines(file, expected)
        browser.picture(f"model-{card['name']}")
        found.append(f"{card['name']}: {expected.count(bytes(chr(10), 'ascii'))} lines, {differing} differ")
    return "; ".join(found)


def check_deep(browser, url, program, scratch):
    """A place with 20,000 reads."""
    calls = (DEMO / "calls.vcf").read_text().split("\n")
    first = next(at for at, line in enumerate(calls) if line and not line.startswith("#"))
    contig, position = calls[first + 9].split("\t")[:2]
    folder = scratch / "deep"
    folder.mkdir()
    subprocess.run([sys.executable, ROOT / "tests/deep_reads.py", DEMO / "reads.bam", contig, position, "20000", folder / "reads.bam"], check=True)
    (folder / "calls.vcf").write_text("\n".join([*calls[:first], calls[first + 9], ""]))
    for path in REFERENCE:
        os.symlink(path, folder / path.name)
    expected, error = run_program(
        program, folder, "score", "--filter", "-V", "calls.vcf", "-I", "reads.bam", "-R", "ref.fa", "-O", "v", "-o", "-"
    )
    expect(not error, error)
    browser.open(url)
    seconds = browser.score(sorted(folder.iterdir()))
    expect(not browser.text("problem"), browser.text("problem"))
    differing = compare_lines(browser.download("calls.scored.vcf"), expected)
    browser.picture("deep")
    memory = browser.memory()
    expect(memory < MOST_MEMORY, f"the page takes {memory / 1e6:.0f} MB")
    return seconds, differing, memory


def check_closing(browser, url, scratch):
    """A tab that is closed while it scores leaves nothing behind that works."""
    def working():
        """Share of a processor that the browser's pages take, over a second."""
        def so_far():
            ticks = 0
            for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
                try:
                    words = stat.with_name("cmdline").read_bytes()
                    if b"--type=renderer" in words and browser.profile.name.encode() in words:
                        ticks += sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
                except OSError:
                    pass
            return ticks / os.sysconf("SC_CLK_TCK")

        begun, before = time.time(), so_far()
        time.sleep(1)
        return (so_far() - before) / (time.time() - begun)

    first = browser.get("/window")
    tab = browser.call("/window/new", {"type": "window"})["handle"]
    browser.call("/window", {"handle": tab})
    browser.open(url)
    browser.choose([scratch / "many.vcf", *READS, *REFERENCE])
    browser.click("score")
    browser.wait("/ a second/.test(document.getElementById('progress').innerText)")
    share = working()
    expect(share > 0.2, f"a tab that scores takes {share:.2f} of a processor")
    browser.close_window()
    browser.call("/window", {"handle": first})
    begun = time.time()
    while working() > 0.05:
        expect(time.time() - begun < 10, "a closed tab goes on working")
    return time.time() - begun


class FilesHandler(http.server.BaseHTTPRequestHandler):
    """Hands out parts of files of a folder, to pages of any origin where `allows`."""

    folder, allows, asked = pathlib.Path(), True, []

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.folder / self.path.lstrip("/")
        self.asked.append(self.path)
        if not path.is_file():
            self.send_response(404)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = data[int(wanted[1]) : int(wanted[2]) + 1] if wanted else data
        self.send_response(206 if wanted else 200)
        if self.allows:
            self.send_header("Access-Control-Allow-Origin", "*")
        if wanted:
            self.send_header("Content-Range", f"bytes {wanted[1]}-{int(wanted[1]) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)


def check_remote(browser, page, program):
    """`serve --remote`: files at addresses are read in parts, where their server allows it; no other page can."""
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FilesHandler)
    FilesHandler.folder = DEMO
    threading.Thread(target=files.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{files.server_address[1]}"
    server = subprocess.Popen([program, "serve", "--remote", "--no-open", str(page)], stderr=subprocess.PIPE, text=True)
    try:
        warned = server.stderr.readline()
        expect("--remote" in warned, f"the program does not warn: {warned}")
        line = server.stderr.readline()
        own = next(word.rstrip(";") for word in line.split() if word.startswith("http://127.0.0.1:"))
        browser.open(own)
        expect("see" in browser.text("privacy"), "the page does not say who sees what is asked for")

        def add(name):
            before = browser.text("chosen")
            browser.run(f"document.getElementById('address').value = '{host}/{name}'; document.querySelector('#remote button').click()")
            browser.wait(f"document.getElementById('chosen').innerText !== {json.dumps(before)} || !document.getElementById('problem').hidden")

        add("missing.bam")
        expect("no such file" in browser.text("problem"), browser.text("problem"))
        FilesHandler.allows = False
        add("reads.bam")
        expect("CORS" in browser.text("problem"), browser.text("problem"))
        FilesHandler.allows = True
        for name in ["calls.vcf", "reads.bam", "ref.fa"]:
            add(name)
            expect(not browser.text("problem"), browser.text("problem"))
        chosen = browser.text("chosen")
        expect(all(name in chosen for name in ["reads.bam.bai", "ref.fa.fai"]), f"indexes are not found: {chosen}")
        browser.picture("remote")
        # What the browser says of the refused answer is no message of the page.
        browser.log("browser")
        browser.click("score")
        browser.wait("document.documentElement.dataset.ready === 'true' || !document.getElementById('problem').hidden")
        expect(not browser.text("problem"), browser.text("problem"))
        expected, _ = run_program(
            program, DEMO, "score", "--filter", "-V", "calls.vcf", "-I", "reads.bam", "-R", "ref.fa", "-O", "v", "-o", "-"
        )
        differing = compare_lines(browser.download("calls.scored.vcf"), expected)
        browser.log("browser")
        browser.log("performance")
        return differing, len(FilesHandler.asked)
    finally:
        server.terminate()
        server.wait(10)
        files.shutdown()


def check_large_header(browser, url, scratch):
    """A header of 500,000 contigs."""
    calls = (DEMO / "calls.vcf").read_text().split("\n")
    first = next(at for at, line in enumerate(calls) if line.startswith("##contig"))
    more = [f"##contig=<ID=scaffold_{number},length=1000>" for number in range(500_000)]
    path = scratch / "contigs.vcf"
    path.write_text("\n".join([*calls[:first], *more, *calls[first:]]))
    browser.open(url)
    seconds = browser.score([path, *READS, *REFERENCE])
    expect(not browser.text("problem"), browser.text("problem"))
    return seconds, browser.memory()


def check_policy(browser, url):
    """The page cannot send anything, whatever script runs in it."""
    browser.open(url)
    browser.run("fetch('http://127.0.0.1:9/').catch(() => (window.failed = true))")
    browser.wait("window.failed")
    refused = browser.run("return window.refused")
    expect(refused == "connect-src", f"the policy refuses {refused}")
    browser.run("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; window.refused = ''")
    browser.wait("window.refused === 'img-src'")
    expect(len(browser.log("browser")) >= 2, "the browser did not say what it refused")


def check_served(browser, page, program):
    """`cnnfilter serve` shows the page at a free port of this machine."""
    server = subprocess.Popen([program, "serve", "--no-open", str(page)], stderr=subprocess.PIPE, text=True)
    try:
        line = server.stderr.readline()
        url = next(word.rstrip(";") for word in line.split() if word.startswith("http://127.0.0.1:"))
        browser.open(url)
        browser.click("demo")
        browser.wait("document.getElementById('call').dataset.shown === '0'")
        browser.check_quiet({url})
    finally:
        server.terminate()
        server.wait(10)


def main():
    page, program = pathlib.Path(sys.argv[1]).resolve(), str(pathlib.Path(sys.argv[2]).resolve())
    gzipped = len(gzip.compress(page.read_bytes(), 9))
    expect(gzipped < MOST_BYTES, f"the page has {gzipped} bytes, gzipped")
    url = page.as_uri()
    browser = PageBrowser()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        opened, demo, differing, lines = check_demo(browser, url, program)
        print(f"{gzipped / 1e6:.2f} MB gzipped; opens in {opened:.2f} s; the demo is scored and shown in {demo:.2f} s")
        print(f"demo: {differing} of {lines} lines of the scored VCF differ from the program's in a last digit")
        count, worst, differing, seconds, said = check_parity(browser, url, program, scratch)
        print(f"{count} calls: largest difference in probability {worst:.1e}; {differing} lines differ; {seconds:.1f} s ({said})")
        print(f"CRAM, a region: {check_region(browser, url, program)} lines differ")
        count = check_wrong(browser, url, program, scratch)
        print(f"{count} sets of wrong files: the program's messages")
        seconds, memory = check_large_header(browser, url, scratch)
        print(f"500,000 contigs: {seconds:.1f} s, {memory / 1e6:.0f} MB of memory")
        expect(memory < MOST_MEMORY, f"the page takes {memory / 1e6:.0f} MB")
        print(f"sandbox: {check_sandbox(browser, url)} ms from a change to the outputs")
        worst, took, said = check_weights(browser, url, program, scratch)
        print(f"8 bits: largest difference to the quantised model in the program {worst:.1e}; scored again in {took:.1f} s; {said}")
        differing, said = check_candidates(browser, url, program, scratch)
        print(f"reads alone: {differing} lines differ; {said}")
        if "CNNFILTER_DATA" in os.environ:
            seconds, count, differing = check_locus(browser, url, program, scratch, pathlib.Path(os.environ["CNNFILTER_DATA"]))
            print(f"100 kb of real reads at 30x: {count} alleles found and scored in {seconds:.1f} s; {differing} lines differ")
        print(f"models: {check_model(browser, url, program, scratch)}")
        seconds, differing, memory = check_deep(browser, url, program, scratch)
        print(f"20,000 reads over a call: {seconds:.1f} s, {memory / 1e6:.0f} MB, {differing} lines differ")
        print(f"closing the tab while it scores ends its work within {check_closing(browser, url, scratch):.1f} s")
        check_drop(browser, url)
        check_keyboard(browser, url)
        check_windows(browser, url)
    browser.check_quiet({url})
    check_served(browser, page, program)
    differing, asked = check_remote(browser, page, program)
    print(f"files at addresses: {differing} lines differ; {asked} requests")
    check_policy(browser, url)
    browser.close()
    print("nothing was asked for but the page; nothing was logged")


if __name__ == "__main__":
    main()
