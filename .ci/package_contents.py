#!/usr/bin/env python3
"""Does each crate that can be published hold what it is built from? By `cargo package --list`, without building it.

A file that its code includes (`include_bytes!`, `include_str!`) must be in the list, so that it is neither left out nor outside
the crate. Licence, description, README and version must be stated.
"""

import json
import pathlib
import re
import subprocess
import sys

INCLUDED = re.compile(r'include_(?:bytes|str)!\(\s*"([^"]+)"')
STATED = ("license", "description", "readme", "rust_version", "keywords", "categories")


def output(*command):
    """The standard output of a command."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def faults(package):
    """What is wrong with one crate, a line each."""
    folder = pathlib.Path(package["manifest_path"]).parent
    for field in STATED:
        if not package[field]:
            yield f"Cargo.toml has no `{field}`"
    listed = set(output("cargo", "package", "--list", "--allow-dirty", "--locked", "-p", package["name"]).split("\n"))
    if "README.md" not in listed:
        yield "README.md is left out"
    # Tests may read what is not published: only libraries and programs count.
    sources = {pathlib.Path(target["src_path"]).parent for target in package["targets"]
               if not {"test", "bench", "example"} & set(target["kind"])}
    for source in sorted(name for name in listed if name.endswith(".rs")):
        path = folder / source
        if path.name == "tests.rs" or "tests" in path.parts or not any(root in path.parents for root in sources):
            continue
        for name in INCLUDED.findall(path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]):
            file = (path.parent / name).resolve()
            if not file.is_relative_to(folder) or str(file.relative_to(folder)) not in listed:
                yield f"{source} includes {name}, which is left out"


def main():
    """Prints each fault; exits with 1 if there is one."""
    metadata = json.loads(output("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"))
    packages = [package for package in metadata["packages"] if package["publish"] is None]
    found = [f"{package['name']}: {fault}" for package in packages for fault in faults(package)]
    print("\n".join(found) or f"{len(packages)} crates hold what they are built from")
    sys.exit(1 if found else 0)


main()
