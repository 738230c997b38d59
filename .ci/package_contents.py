#!/usr/bin/env python3
"""Does each packed crate hold what it is built from, its licences and its README, and nothing of the tests' data?

    package_contents.py FOLDER

FOLDER has the .crate files that packaging/crates.sh makes. A file that the code includes (`include_bytes!`, `include_str!`) must
be in the package.
"""

import pathlib
import posixpath
import re
import sys
import tarfile
import tomllib

INCLUDED = re.compile(r'include_(?:bytes|str)!\(\s*"([^"]+)"')
STATED = ("license", "description", "readme", "rust-version", "keywords", "categories", "version")
# What is for those who have the whole repository.
FOREIGN = ("tests/", "benches/", "examples/", "docs/", "training/", "packaging/", "python/", "proptest-regressions/", ".ci/")
LARGEST = 1 << 20


def faults(path):
    """What is wrong with one package, a line each."""
    with tarfile.open(path) as archive:
        files = {name.partition("/")[2]: archive.extractfile(name).read()
                 for name in archive.getnames() if archive.getmember(name).isfile()}
    manifest = tomllib.loads(files["Cargo.toml"].decode())["package"]
    for field in STATED:
        if not manifest.get(field):
            yield f"Cargo.toml has no `{field}`"
    if not 1 <= len(manifest.get("keywords", [])) <= 5:
        yield "one to five keywords are allowed"
    if "README.md" not in files:
        yield "README.md is left out"
    if not any(name.startswith("LICENSE") for name in files):
        yield "no licence is in it"
    if manifest.get("license") == "MIT OR Apache-2.0" and not {"LICENSE-MIT", "LICENSE-APACHE"} <= files.keys():
        yield "one of the two licences is left out"
    yield from (f"{name} is of no use in a package" for name in sorted(files) if name.startswith(FOREIGN))
    if path.stat().st_size > LARGEST:
        yield f"{path.stat().st_size} bytes are more than {LARGEST}"
    for source in sorted(name for name in files if name.endswith(".rs")):
        if source.endswith("/tests.rs") or "/tests/" in source:
            continue
        for name in INCLUDED.findall(files[source].decode().split("#[cfg(test)]")[0]):
            if posixpath.normpath(posixpath.join(posixpath.dirname(source), name)) not in files:
                yield f"{source} includes {name}, which is left out"


def main():
    """Prints each fault; exits with 1 if there is one."""
    if len(sys.argv) != 2:
        sys.exit("usage: package_contents.py FOLDER")
    packages = sorted(pathlib.Path(sys.argv[1]).glob("*.crate"))
    found = [f"{package.name}: {fault}" for package in packages for fault in faults(package)]
    if not packages:
        found = [f"no .crate file in {sys.argv[1]}"]
    print("\n".join(found) or f"{len(packages)} packed crates hold what they are built from")
    sys.exit(1 if found else 0)


main()
