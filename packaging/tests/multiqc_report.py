#!/usr/bin/env python3
"""Opens a report by MultiQC in headless Chromium: each command's section must show each sample.

    multiqc_report.py FOLDER SAMPLE...        FOLDER holds multiqc_report.html
"""

import html.parser
import pathlib
import shutil
import subprocess
import sys
import tempfile

SECTIONS = {"cnnfilter score": "table", "cnnfilter filter": "bars", "cnnfilter eval": "table"}


class Text(html.parser.HTMLParser):
    """The words of the page, without scripts and styles."""

    def __init__(self):
        super().__init__()
        self.words, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden and data.strip():
            self.words.append(data.strip())


def shown(page):
    """The words of a page when its scripts have run."""
    chromium = shutil.which("chromium") or "chromium-browser"
    with tempfile.TemporaryDirectory() as profile:
        document = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--window-size=1400,2400",
             "--virtual-time-budget=15000", "--dump-dom", page.resolve().as_uri()],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=180).stdout
    text = Text()
    text.feed(document)
    return text.words


def main():
    """Prints each fault; exits with 1 if there is one."""
    folder, samples = pathlib.Path(sys.argv[1]), sys.argv[2:]
    words = shown(folder / "multiqc_report.html")
    faults = []
    headings = [at for at, word in enumerate(words) if word in SECTIONS]
    for name, form in SECTIONS.items():
        starts = [at for at in headings if words[at] == name]
        if not starts:
            faults.append(f"there is no section `{name}`")
        # The menu names the section as well; the last one is that of the plot or of the table.
        parts = [words[at:next((other for other in headings if other > at), len(words))] for at in starts]
        for sample in samples:
            if not any(sample in part for part in parts):
                faults.append(f"`{name}` ({form}) does not show {sample}")
    print("\n".join(faults) or f"the report shows {len(samples)} samples in {len(SECTIONS)} sections")
    sys.exit(1 if faults else 0)


main()
