#!/usr/bin/env python3
"""A registry of packed crates and of all that they need, in a folder: `cargo install` finds there what is not published yet.

    registry.py CRATES CARGO_LOCK OUT

CRATES has the .crate files that crates.sh makes. What CARGO_LOCK names beside them is taken from cargo's own folder of sources
(`cargo fetch` fills it). OUT/config.toml tells cargo to look in OUT and nowhere else: `cargo install --config OUT/config.toml`.
"""

import hashlib
import json
import os
import pathlib
import sys
import tarfile
import tomllib


def describe(folder, sha256):
    """Writes what cargo wants to know of a crate in a folder of sources; the files are not checked one by one."""
    (folder / ".cargo-checksum.json").write_text(json.dumps({"files": {}, "package": sha256}), encoding="utf-8")


def unpack(crate, out):
    """One of our own packages."""
    with tarfile.open(crate) as archive:
        archive.extractall(out)
    describe(out / crate.stem, hashlib.sha256(crate.read_bytes()).hexdigest())


def link(source, out, sha256):
    """A crate of others, file by file a link to where cargo unpacked it."""
    folder = out / source.name
    folder.mkdir()
    for entry in source.iterdir():
        if entry.name != ".cargo-checksum.json":
            (folder / entry.name).symlink_to(entry)
    describe(folder, sha256)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: registry.py CRATES CARGO_LOCK OUT")
    crates, lock, out = map(pathlib.Path, sys.argv[1:])
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    fetched = {folder.name: folder for folder in home.glob("registry/src/*/*")}
    out.mkdir(parents=True)
    for crate in sorted(crates.glob("*.crate")):
        unpack(crate, out)
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        name = f"{package['name']}-{package['version']}"
        if "checksum" in package and not (out / name).exists() and name in fetched:
            link(fetched[name], out, package["checksum"])
    (out / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "packed"\n\n'
        f'[source.packed]\ndirectory = {json.dumps(str(out.resolve()))}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
