#!/usr/bin/env python3
"""The flags of each command, as pages of the book include them, from the program's own `--help`.

    flags.py PROGRAM            compares docs/src/commands/flags/*.md with what PROGRAM says
    flags.py PROGRAM --write    writes them anew

Exits with 1 where a file differs, where a command has none, where a file has no command, and where no page includes it.
"""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).parent / "src"
FLAGS = SOURCE / "commands" / "flags"


def help_of(program, *words):
    """The long help of a command; its lines are as clap wraps them for a pipe."""
    return subprocess.run([program, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout


def subcommands(text):
    """Names in the section `Commands:` of a help text."""
    section = re.search(r"^Commands:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
    names = re.findall(r"^  (\S+)  ", section.group(1), re.M) if section else []
    return [name for name in names if name != "help"]


def commands(program):
    """Each command that does something, with its help: `score`, `simulate genome`, ..."""
    for name in subcommands(help_of(program)):
        text = help_of(program, name)
        inner = subcommands(text)
        # `embed` runs by itself as well: its usage begins with options.
        if not inner or re.search(r"^Usage: cnnfilter \S+ \[OPTIONS\] -", text, re.M):
            yield name, text
        for second in inner:
            yield f"{name} {second}", help_of(program, name, second)


def paragraphs(lines):
    """The text of an option: wrapped lines joined, one string a paragraph; `- ` begins an item of a list."""
    parts = [[]]
    for line in (line.strip() for line in lines):
        if not line:
            parts.append([])
        elif line.startswith(("- ", "[default: ", "[alias", "[env")):
            parts.append([line])
        elif parts[-1] and parts[-1][0] == "Possible values:":
            parts.append([line])
        else:
            parts[-1].append(line)
    return [" ".join(part) for part in parts if part]


def escaped(text):
    """Angle brackets and stars of plain text, for Markdown."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<>*_\[\]|])", r"\\\1", p) for p in pieces)


def definition(head, lines):
    """One option as an entry of a Markdown definition list."""
    text, notes = [], []
    for part in paragraphs(lines):
        value = re.fullmatch(r"- ([^:\s]+):\s+(.*)", part)
        note = re.fullmatch(r"\[(default|alias(?:es)?): (.*)\]", part)
        if note:
            notes.append(f"{note.group(1).capitalize()}: `{note.group(2)}`.")
        elif value:
            text.append(f"`{value.group(1)}`: {escaped(value.group(2))}.")
        elif part != "Possible values:":
            text.append(escaped(part) + ("" if part.endswith(".") else "."))
    return f"`{head}`\n: " + " ".join(text + notes) + "\n"


def markdown(name, text):
    """The page's part: how the command is called, and its flags by use."""
    usage = re.search(r"^Usage: (.*?)\n\n", text, re.M | re.S).group(1)
    out = [f"```text\n{re.sub(chr(10) + ' +', ' ', usage)}\n```\n"]
    head, lines = None, []

    def close():
        nonlocal head, lines
        if head:
            out.append(definition(head, lines))
        head, lines = None, []

    for line in text[text.index("Usage: "):].splitlines():
        if re.match(r"\S.*:$", line):
            close()
            out.append(f"**{line[:-1]}**\n")
        elif re.match(r"  (    )?(-|<)", line):
            close()
            head = line.strip()
        elif head:
            lines.append(line)
    close()
    return f"<!-- Made by docs/flags.py from `cnnfilter {name} --help`. -->\n" + "\n".join(out)


def main():
    program, *options = sys.argv[1:]
    wanted = {name.replace(" ", "-") + ".md": markdown(name, text) for name, text in commands(program)}
    if options == ["--write"]:
        FLAGS.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (FLAGS / name).write_text(text)
    there = {path.name: path.read_text() for path in FLAGS.glob("*.md")}
    pages = "\n".join(path.read_text() for path in SOURCE.rglob("*.md") if FLAGS not in path.parents)
    faults = []
    for name in sorted(wanted.keys() | there.keys()):
        if name not in there:
            faults.append(f"{name}: missing")
        elif name not in wanted:
            faults.append(f"{name}: of no command")
        elif wanted[name] != there[name]:
            faults.append(f"{name}: differs from --help")
        elif f"flags/{name}}}}}" not in pages:
            faults.append(f"{name}: no page includes it")
    if faults:
        print("\n".join(f"docs/src/commands/flags/{fault}" for fault in faults))
        print("docs/flags.py PROGRAM --write makes them anew; each is included by a page (`{{#include flags/NAME.md}}`)")
        sys.exit(1)
    print(f"flags of {len(wanted)} commands are those of --help")


main()
