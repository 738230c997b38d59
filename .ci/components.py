#!/usr/bin/env python3
"""What a program is made of: its licences and its bill of materials, from `cargo metadata` and the crates' own files.

    components.py PROGRAM TARGET COMMIT EPOCH THIRD-PARTY.txt BOM.cdx.json

Run in the checkout that PROGRAM was built from, its crates fetched. THIRD-PARTY.txt names what is linked into PROGRAM and into the page
that it shows, with licence expressions and the licence texts. BOM.cdx.json is CycloneDX 1.5: what is linked (scope "required") with the C
libraries inside the crates, and what ran to build it (scope "excluded"). Nothing in either depends on folders or the time.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

# The C sources that crates carry: their own name and licence, and where they say their version and their terms. Only the
# part of xz that is in the public domain is compiled (its COPYING says which).
BUNDLED = {
    "cnnfilter-hts-sys": [
        ("htslib", "MIT AND BSD-3-Clause", "htslib/VERSION", r"^(\S+)", "htslib/LICENSE"),
        ("htscodecs", "BSD-3-Clause", "htslib/htscodecs/htscodecs/version.h", r'VERSION_TEXT "([\d.]+)"',
         "htslib/htscodecs/LICENSE.md"),
    ],
    "libz-sys": [("zlib", "Zlib", "src/zlib/zlib.h", r'define ZLIB_VERSION "([^"]+)"', "src/zlib/LICENSE")],
    "bzip2-sys": [
        ("bzip2", "bzip2-1.0.6", "bzip2-1.0.8/bzlib_private.h", r'define BZ_VERSION +"([\d.]+)', "bzip2-1.0.8/LICENSE"),
    ],
    "libdeflate-sys": [
        ("libdeflate", "MIT", "libdeflate/libdeflate.h", r'LIBDEFLATE_VERSION_STRING\s+"([^"]+)"', "libdeflate/COPYING"),
    ],
    "lzma-sys": [
        ("liblzma", "public domain", "xz-5.2/src/liblzma/api/lzma/version.h",
         r"VERSION_MAJOR (\d+)\n#define LZMA_VERSION_MINOR (\d+)\n#define LZMA_VERSION_PATCH (\d+)", "xz-5.2/COPYING"),
    ],
}
# The page in the program: its crate, and what it is compiled for.
PAGE, PAGE_TARGET = "cnnfilter-web", "wasm32-unknown-unknown"
LICENCE_FILE = re.compile(r"(un)?licen[cs]e|copying|copyright|notice", re.IGNORECASE)


def output(*command):
    """What a command writes to its standard output."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def found(pattern, text, where):
    """The groups of a pattern, joined by dots; an error where a new version of a crate looks otherwise."""
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        sys.exit(f"components.py: {where}: no version as {pattern!r} finds it")
    return ".".join(match.groups())


def edges(target, left_out):
    """Names and versions of the crates that `cargo tree` reaches from the program and from its page without some kinds of
    dependencies."""
    tree = ["cargo", "tree", "--locked", "--offline", "--edges", left_out, "--prefix", "none", "--target"]
    lines = output(*tree, target) + output(*tree, PAGE_TARGET, "--package", PAGE)
    return {tuple(line.split()[:2]) for line in lines.splitlines() if line.strip()}


class Component:
    """One crate, library or script: what it is called, its terms, and the folder or files that hold their text. Crates of this
    workspace are `own`: they are in the bill of materials, but nobody else's."""

    def __init__(self, name, version, licence, purl, texts, **more):
        self.name, self.version, self.licence, self.purl, self.texts = name, version, licence, purl, texts
        self.linked = more.get("linked", True)
        self.own = more.get("own", False)
        self.sha256 = more.get("sha256")
        self.authors = more.get("authors", [])
        self.links = more.get("links", {})
        self.parts = more.get("parts", [])

    def cyclonedx(self):
        """The component as CycloneDX writes it."""
        spdx = self.licence != "public domain"
        made = {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "scope": "required" if self.linked else "excluded",
            "licenses": [{"expression": self.licence} if spdx else {"license": {"name": self.licence}}],
            "purl": self.purl,
        }
        if self.sha256:
            made["hashes"] = [{"alg": "SHA-256", "content": self.sha256}]
        if self.links:
            made["externalReferences"] = [{"type": kind, "url": url} for kind, url in sorted(self.links.items())]
        if self.parts:
            made["components"] = [part.cyclonedx() for part in self.parts]
        return made


def crates(metadata, target):
    """The crates beneath the program, sorted, each with the C sources it carries."""
    linked = edges(target, "no-dev,no-build,no-proc-macro")
    wanted = edges(target, "no-dev")
    with open("Cargo.lock", "rb") as file:
        checksums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(file)["package"]}
    made = {}
    for package in metadata["packages"]:
        name, version = package["name"], package["version"]
        key = (name, f"v{version}")
        if key not in wanted or package["id"] == metadata["resolve"]["root"]:
            continue
        folder = pathlib.Path(package["manifest_path"]).parent
        parts = []
        for part, licence, file, pattern, text in BUNDLED.get(name, []):
            number = found(pattern, (folder / file).read_text(encoding="utf-8", errors="replace"), f"{name} {file}")
            parts.append(Component(part, number, licence, f"pkg:generic/{part}@{number}", [folder / text],
                                   linked=key in linked))
        links = {"website": package["homepage"], "vcs": package["repository"]}
        made[package["id"]] = Component(
            name, version, package["license"].replace(" / ", " OR ").replace("/", " OR "),
            f"pkg:cargo/{name}@{version.replace('+', '%2B')}",
            sorted(p for p in folder.iterdir() if p.is_file() and LICENCE_FILE.match(p.name)),
            linked=key in linked, own=package["source"] is None and "third_party" not in folder.parts, sha256=checksums[(name, version)], authors=package["authors"], parts=parts,
            links={kind: url for kind, url in links.items() if url},
        )
    return made


def rustc_of_page(rustc):
    """The version of the compiler that web/cargo.sh takes."""
    library = pathlib.Path(output("rustc", "--print", "sysroot").strip(), "lib/rustlib", PAGE_TARGET, "lib")
    return rustc if library.is_dir() else found(r"^release: (\S+)", output("/usr/bin/rustc", "-vV"), "/usr/bin/rustc -vV")


def others(rustc):
    """What is in the program and is no crate: Rust's standard library, the script that draws the reports' curves, and, since the
    program is static, the C library and the compiler's own."""
    assets = pathlib.Path("crates/eval/src/report/assets")
    [script] = sorted(assets.glob("uplot-*.iife.min.js"))
    uplot = found(r"^uplot-([\d.]+)\.iife", script.name, assets)
    glibc = found(r"([\d.]+)$", output("ldd", "--version").splitlines()[0], "ldd --version")
    gcc = output("cc", "-dumpfullversion").strip()
    lesser = pathlib.Path("/usr/share/common-licenses/LGPL-2.1")
    return [
        Component("glibc", glibc, "LGPL-2.1-or-later", f"pkg:generic/glibc@{glibc}", [lesser] if lesser.exists() else []),
        Component("libgcc", gcc, "GPL-3.0-or-later WITH GCC-exception-3.1", f"pkg:generic/libgcc@{gcc}", []),
        *(Component("rust-std", version, "MIT OR Apache-2.0", f"pkg:generic/rust-std@{version}", [])
          for version in sorted({rustc, rustc_of_page(rustc)})),
        Component("uplot", uplot, "MIT", f"pkg:npm/uplot@{uplot}", [assets / "uplot-LICENSE.txt"]),
    ]


def third_party(version, components):
    """The text of THIRD-PARTY.txt. A text that several share, but for white space, stands once."""
    linked = []
    for component in components:
        linked += [component, *component.parts] if component.linked and not component.own else []
    lines = [
        f"What cnnfilter {version} contains beside its own code, and on what terms",
        "",
        *(f"{c.name} {c.version}: {c.licence}" for c in linked),
    ]
    texts, without = {}, []
    for component in linked:
        who = f"{component.name} {component.version}"
        if not component.texts:
            by = f", by {', '.join(component.authors)}" if component.authors else ""
            without.append(f"{who}: {component.licence}{by}")
        for path in component.texts:
            text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip("\n")
            texts.setdefault(" ".join(text.split()), (text, []))[1].append(who)
    lines += ["", "These come without a text of their own:", "", *without]
    rule = "-" * 80
    for text, users in texts.values():
        lines += ["", rule, ", ".join(dict.fromkeys(users)), rule, "", *(line.rstrip() for line in text.split("\n"))]
    return "\n".join(lines) + "\n"


def bill(program, target, commit, epoch, root, rustc, made, rest, nodes):
    """The bill of materials as CycloneDX 1.5; `made` by package id, `rest` what is no crate."""
    seconds = int(epoch)
    stamp = output("date", "--utc", f"--date=@{seconds}", "+%Y-%m-%dT%H:%M:%SZ").strip()
    ref = f"pkg:cargo/{root['name']}@{root['version']}"
    compiler = output("cc", "--version").splitlines()[0]
    c_library = output("ldd", "--version").splitlines()[0]
    refs = {node_id: component.purl for node_id, component in made.items()} | {root["id"]: ref}
    depends = []
    for node_id, own in sorted(refs.items(), key=lambda item: item[1]):
        below = {refs[d["pkg"]] for d in nodes[node_id]["deps"]
                 if d["pkg"] in refs and any(kind["kind"] != "dev" for kind in d["dep_kinds"])}
        if node_id == root["id"]:
            below |= {component.purl for component in [*made.values(), *rest] if component in rest or component.name == PAGE}
        else:
            below |= {part.purl for part in made[node_id].parts}
        depends.append({"ref": own, "dependsOn": sorted(below)})
    every = sorted([*made.values(), *rest], key=lambda component: component.purl)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"{ref}?target={target}&commit={commit}").urn,
        "version": 1,
        "metadata": {
            "timestamp": stamp,
            "component": {
                "type": "application",
                "bom-ref": ref,
                "name": root["name"],
                "version": root["version"],
                "description": root["description"],
                "licenses": [{"expression": root["license"]}],
                "purl": ref,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(program.read_bytes()).hexdigest()}],
            },
            "properties": [
                {"name": f"cnnfilter:{name}", "value": value}
                for name, value in (("commit", commit), ("target", target), ("rustc", rustc),
                                    ("rustc_of_page", rustc_of_page(rustc)), ("cc", compiler), ("libc", c_library))
            ],
        },
        "components": [component.cyclonedx() for component in every],
        "dependencies": depends,
    }


def main():
    program, target, commit, epoch, third_party_path, bom_path = sys.argv[1:]
    metadata = json.loads(output("cargo", "metadata", "--locked", "--offline", "--format-version", "1",
                                 "--filter-platform", target, "--filter-platform", PAGE_TARGET))
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    [root] = [p for p in metadata["packages"] if p["id"] == metadata["resolve"]["root"]]
    rustc = found(r"^release: (\S+)", output("rustc", "-vV"), "rustc -vV")
    made, rest = crates(metadata, target), others(rustc)
    missing = sorted(set(BUNDLED) - {component.name for component in made.values()})
    if missing:
        sys.exit(f"components.py: no longer among the crates: {', '.join(missing)}")
    ordered = sorted([*made.values(), *rest], key=lambda component: (component.name, component.version))
    pathlib.Path(third_party_path).write_text(third_party(root["version"], ordered), encoding="utf-8")
    bom = bill(pathlib.Path(program), target, commit, epoch, root, rustc, made, rest, nodes)
    pathlib.Path(bom_path).write_text(json.dumps(bom, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
