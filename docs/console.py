#!/usr/bin/env python3
"""Runs the commands that the book and the README show, and compares what they print.

    console.py PROGRAM [PAGE...]            all pages, or those named; exits with 1 where one differs
    console.py PROGRAM --write [PAGE...]    puts what the commands print into the blocks instead; a last line `...` stays

Each page has a folder of its own in which its blocks run in order, with the demo's files under the names that the book
uses (`calls.vcf.gz`, `sample.bam`, `ref.fa`, ...: see `Folder`) and as `demo/`. What becomes of a block depends on its
first line:

    ```console     `$ ` begins a command, a line that ends in \\ goes on; what follows is what it prints (standard error too).
                   A line `...` stands for any lines. Numbers in a line about seconds are not compared.
    ```sh          must run without a fault
    ```sh norun    needs other programs or files: only the arguments of its cnnfilter commands are checked
    ```diff        the same for the lines that are there afterwards
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
DEMO = ROOT / "tests" / "data" / "demo"
BLOCK = re.compile(r"^```(console|sh norun|sh|diff)\n(.*?)^```$", re.M | re.S)
# Lines that a slow machine adds.
PROGRESS = re.compile(r"cnnfilter: [\d,]+ records, .*/s, at ")


class Folder:
    """A folder with the demo's files, in which the blocks of a page run."""

    def __init__(self, program):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.temporary.name)
        tools = self.path / ".bin"
        tools.mkdir()
        (tools / "cnnfilter").symlink_to(pathlib.Path(program).resolve())
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C", "COLUMNS": "100"}
        self.link("demo", DEMO)
        for name, file in {
            "sample.bam": "reads.bam", "sample.bam.bai": "reads.bam.bai", "sample.cram": "reads.cram",
            "sample.cram.crai": "reads.cram.crai", "ref.fa": "ref.fa", "ref.fa.fai": "ref.fa.fai",
            "truth.vcf.gz": "truth.vcf.gz", "truth.vcf.gz.tbi": "truth.vcf.gz.tbi", "confident.bed": "confident.bed",
            "hapmap.vcf.gz": "truth.vcf.gz", "omni.vcf.gz": "truth.vcf.gz", "mills.vcf.gz": "truth.vcf.gz",
        }.items():
            self.link(name, DEMO / file)
        self.link("deepvariant.vcf", DEMO.parent / "callers" / "deepvariant.vcf")
        for name, file in {"calls": "calls.vcf", "freebayes": "calls.freebayes.vcf", "bcftools": "calls.bcftools.vcf"}.items():
            self.shell(f"bgzip -c demo/{file} >{name}.vcf.gz && tabix {name}.vcf.gz")
        self.shell("cnnfilter score -q -V calls.vcf.gz -I sample.bam -R ref.fa --filter -o scored.vcf.gz")

    def link(self, name, target):
        (self.path / name).symlink_to(target)

    def run(self, command):
        """Exit code of a command, and what it prints."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.path, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return done.returncode, [line for line in lines if not PROGRESS.match(line)]

    def shell(self, command):
        code, lines = self.run(command)
        if code:
            sys.exit("\n".join([f"{command}: exit code {code}", *lines]))


def shown(block):
    """Commands of a console block with the lines that follow each: (command as shown, lines)."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append(([line], []))
        elif commands and commands[-1][0][-1].endswith("\\") and not commands[-1][1]:
            commands[-1][0].append(line)
        else:
            commands[-1][1].append(line.rstrip())
    return commands


def comparable(line):
    """A line without what differs from run to run."""
    return re.sub(r"[\d.]+", "#", line) if "seconds" in line else line


def fits(expected, lines):
    """True where the lines are those expected; `...` stands for any number of lines."""
    if not expected:
        return not lines
    if expected[0] == "...":
        return any(fits(expected[1:], lines[at:]) for at in range(len(lines) + 1))
    return bool(lines) and comparable(expected[0]) == comparable(lines[0]) and fits(expected[1:], lines[1:])


def programs(script):
    """The cnnfilter commands of a script, each as a list of words."""
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        current = None
        for word in [*words, ";"]:
            if word == "cnnfilter":
                current = []
            elif word in ("|", ";", "&&", "||", ">", "2>", "\\"):
                if current:
                    yield current
                current = None
            elif current is not None:
                current.append(word)


def wrong_arguments(script, folder):
    """The first lines of complaints about arguments. Where all are known, --help behind them is answered."""
    for words in programs(script):
        code, lines = folder.run(shlex.join(["cnnfilter", *(word for word in words if word != "..."), "--help"]))
        if code:
            yield f"cnnfilter {' '.join(words)}: {lines[0]}"


def check(page, folder, write, faults):
    """Runs a page's blocks; returns its text, with what the commands print where it is to be written."""
    count = 0

    def run(match):
        nonlocal count
        count += 1
        kind, block = match.groups()
        if kind == "console":
            out = []
            for command, expected in shown(block):
                _, lines = folder.run("\n".join(command)[2:])
                if not fits(expected, lines):
                    faults.append("\n".join([f"{page}: {command[0]}", *(f"  shown: {l}" for l in expected), *(f"  printed: {l}" for l in lines)]))
                    # What is left out at the end stays left out.
                    expected = [*lines[:len(expected) - 1], "..."] if expected[-1:] == ["..."] else lines
                out += [*command, *expected]
            return "```console\n" + "\n".join(out) + "\n```" if write else match.group(0)
        if kind == "sh":
            code, lines = folder.run(block)
            if code:
                faults.append("\n".join([f"{page}: exit code {code} of", block, *lines]))
        else:
            if kind == "diff":
                block = "".join(line[1:] + "\n" for line in block.splitlines() if line[:1] in "+ ")
            faults.extend(f"{page}: {fault}" for fault in wrong_arguments(block, folder))
        return match.group(0)

    return BLOCK.sub(run, page.read_text()), count


def main():
    program, *rest = sys.argv[1:]
    write = "--write" in rest
    pages = [pathlib.Path(name) for name in rest if name != "--write"]
    pages = pages or [ROOT / "README.md", *sorted((ROOT / "docs" / "src").rglob("*.md"))]
    faults, blocks = [], 0
    for page in pages:
        if not BLOCK.search(page.read_text()):
            continue
        text, count = check(page, Folder(program), write, faults)
        blocks += count
        if write and text != page.read_text():
            page.write_text(text)
    print("\n".join(faults) or f"{blocks} blocks of commands do what is shown")
    sys.exit(1 if faults and not write else 0)


main()
