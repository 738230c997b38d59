#!/bin/sh
# Makes hts-sys/ and rust-htslib/ anew: the crates as they are published, hts-sys with another htslib inside.
# make.sh HTS_SYS RUST_HTSLIB HTSLIB: the unpacked sources of the two crates and of htslib (a release, or the
# htslib folder of pysam's source distribution, which is the same without tests and programs).
set -eu
sys=$(realpath "$1") rust=$(realpath "$2") htslib=$(realpath "$3")
cd "$(dirname "$0")"
rm -rf hts-sys/htslib rust-htslib/src
mkdir -p hts-sys/htslib/htscodecs rust-htslib

# htslib: what is compiled, and its licences. Its reader of remote files is left out.
for folder in . cram htscodecs/htscodecs htslib os; do
    mkdir -p "hts-sys/htslib/$folder"
    cp "$htslib/$folder"/*.[ch] "hts-sys/htslib/$folder/"
done
rm -f hts-sys/htslib/config*.h hts-sys/htslib/version.h hts-sys/htslib/hfile_gcs.c hts-sys/htslib/hfile_libcurl.c \
    hts-sys/htslib/hfile_s3*.c hts-sys/htslib/plugin.c
for program in annot-tsv bgzip htsfile tabix; do rm -f "hts-sys/htslib/$program.c"; done
cp "$htslib/LICENSE" hts-sys/htslib/
cp "$sys/htslib/htscodecs/LICENSE.md" hts-sys/htslib/htscodecs/
sed -n 's/^VERSION=//p' "$htslib/version.sh" > hts-sys/htslib/VERSION
cp "$sys/wrapper.c" "$sys/wrapper.h" "$sys/LICENSE.md" hts-sys/

# rust-htslib: without its tests, which need files that are not published.
cp -r "$rust/src" "$rust/LICENSE.md" rust-htslib/
python3 - <<'PYTHON'
import pathlib
import re
for path in pathlib.Path("rust-htslib/src").rglob("*.rs"):
    text = path.read_text()
    text = re.sub(r"\n#\[cfg\(test\)\]\nmod \w+ \{\n.*?\n\}\n", "\n", text, flags=re.DOTALL)
    path.write_text(text.rstrip("\n") + "\n")
PYTHON
patch --quiet -d rust-htslib -p1 < rust-htslib.patch
