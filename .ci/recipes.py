#!/usr/bin/env python3
"""Fills in the recipes for other people's package managers, and checks that they read as these will read them.

    recipes.py SOURCE_ARCHIVE HOME OUT

SOURCE_ARCHIVE is cnnfilter-VERSION.tar.gz, HOME the address of the project. Writes OUT/bioconda and OUT/homebrew. Where jinja2 and yaml
can be imported, Bioconda's recipe is read with them; where there is ruby, Homebrew's formula is.
"""

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

PACKAGING = pathlib.Path(__file__).resolve().parent.parent / "packaging"
SECTIONS = ("package", "source", "build", "requirements", "test", "about", "extra")


def fill(recipe, values, out):
    """Copies a recipe with its gaps filled."""
    for path in sorted((PACKAGING / recipe).iterdir()):
        text = path.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        if left := re.search(r"@[A-Z0-9]+@", text):
            sys.exit(f"recipes.py: {path}: nothing fills in {left[0]}")
        target = out / recipe / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        shutil.copymode(path, target)


def check_bioconda(recipe, files):
    """Reads the recipe as conda-build does; the licences that it names are in the source or made by build.sh."""
    try:
        import jinja2
        import yaml
    except ImportError:
        print("Bioconda's recipe was not read: jinja2 or yaml is not installed")
        return
    text = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string((recipe / "meta.yaml").read_text("utf-8")).render(
        compiler=lambda language: f"{language}-compiler", pin_subpackage=lambda name, max_pin: f"{name} {max_pin}")
    meta = yaml.safe_load(text)
    missing = [section for section in SECTIONS if section not in meta]
    made = re.findall(r"--output (\S+)", (recipe / "build.sh").read_text("utf-8"))
    missing += [name for name in meta["about"]["license_file"] if name not in files and name not in made]
    if missing or list(meta) != list(SECTIONS) or not re.fullmatch(r"\d+\.\d+\.\d+", str(meta["package"]["version"])):
        sys.exit(f"recipes.py: meta.yaml: missing or out of order: {missing or list(meta)}")
    print("Bioconda's recipe reads well")


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: recipes.py SOURCE_ARCHIVE HOME OUT")
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
    version = re.fullmatch(r"cnnfilter-(.*)\.tar\.gz", source.name)[1]
    values = {"VERSION": version, "SHA256": hashlib.sha256(source.read_bytes()).hexdigest(), "HOME": sys.argv[2].rstrip("/")}
    for recipe in ("bioconda", "homebrew"):
        fill(recipe, values, out)
    with tarfile.open(source) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    check_bioconda(out / "bioconda", files)
    if shutil.which("ruby"):
        subprocess.run(["ruby", "-c", str(out / "homebrew" / "cnnfilter.rb")], check=True, stdout=subprocess.DEVNULL)
        print("Homebrew's formula reads well")


main()
