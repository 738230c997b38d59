#!/usr/bin/env python3
"""Which crate of the workspace may use which, and what none of them may be built on, by `cargo metadata`; and that no
large file slips into the repository.

The compiler keeps a crate to its manifest. This keeps the manifests to the plan: a line added to one of them in passing
fails here, and is then either taken back or written down.
"""

import json
import os
import re
import subprocess
import sys

# Crates of the workspace that each may name.
USES = {
    "cnnfilter-models": set(),
    "cnnfilter-nn": set(),
    "cnnfilter-embed": set(),
    "cnnfilter-eval": {"cnnfilter-core"},
    "cnnfilter-simulate": {"cnnfilter-core"},
    "cnnfilter-view": {"cnnfilter-core"},
    "cnnfilter-core": {"cnnfilter-models", "cnnfilter-nn"},
    "cnnfilter-train": {"cnnfilter-core", "cnnfilter-eval", "cnnfilter-nn"},
}
# Files, terminals and command lines belong to the program: nothing of these may lie anywhere below the crates.
PROGRAM_ONLY = ("cnnfilter-rust-htslib", "cnnfilter-hts-sys", "rust-htslib", "hts-sys", "noodles", "clap", "anyhow", "indicatif", "ctrlc", "env_logger")
# The only crates that may name candle.
CANDLE = {"cnnfilter-core", "cnnfilter-nn", "cnnfilter-train"}
# Bytes of the largest file that the repository may hold.
LARGEST_FILE = 1_000_000


def output(*command):
    """The standard output of a command."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def is_normal(dependency):
    """True for what is linked in; false for what only tests or build scripts use."""
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def below(node, nodes):
    """Ids of all packages that are linked into one."""
    seen, left = set(), [node]
    while left:
        for dependency in nodes[left.pop()]["deps"]:
            if is_normal(dependency) and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                left.append(dependency["pkg"])
    return seen


def large_files():
    """Tracked files above the limit."""
    for path in output("git", "ls-files", "-z").split("\0"):
        # One that is deleted and not yet committed is not there.
        if path and os.path.isfile(path) and os.path.getsize(path) > LARGEST_FILE:
            yield f"{path}: {os.path.getsize(path):,} bytes; the repository holds no file above {LARGEST_FILE:,}"


def main():
    """Prints each breach; exits with 1 if there is one."""
    host = re.search(r"^host: (.*)", output("rustc", "-vV"), re.MULTILINE)[1]
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host))
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    breaches = list(large_files())
    for member in metadata["workspace_members"]:
        crate = names[member]
        if crate not in USES:
            if "/crates/" in member:
                breaches.append(f"{crate}: .ci/walls.py does not say what it may use")
            continue
        direct = {names[d["pkg"]] for d in nodes[member]["deps"] if is_normal(d)}
        for used in sorted(direct):
            if used.startswith("cnnfilter") and used not in USES[crate]:
                breaches.append(f"{crate} uses {used}: it may use {', '.join(sorted(USES[crate])) or 'no crate of ours'}")
            if used.startswith("candle") and crate not in CANDLE:
                breaches.append(f"{crate} uses {used}: only {', '.join(sorted(CANDLE))} may")
        for found in sorted(names[identifier] for identifier in below(member, nodes)):
            if found.startswith(PROGRAM_ONLY):
                breaches.append(f"{crate} is built on {found}, which belongs to the program")
    print("\n".join(breaches) or f"{len(USES)} crates within their walls")
    sys.exit(1 if breaches else 0)


main()
