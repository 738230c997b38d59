#!/usr/bin/env python3
"""Carries out the last stage of a Dockerfile in the folder of a Debian system, where no container engine runs.

    image.py DOCKERFILE SYSTEM STAGE=FOLDER... -- COMMAND...

SYSTEM is the folder, as debootstrap makes it for the stage's base image. FOLDER holds what an earlier stage made (`COPY --from=STAGE /x
/y` copies FOLDER/x). Then COMMAND runs in it as the image's user, in the image's folder. Needs root. Knows RUN, COPY --from, USER, WORKDIR and
CMD; stops at anything else, and where the base is no Debian.
"""

import pathlib
import re
import shutil
import subprocess
import sys


def instructions(text):
    """Word and rest of each instruction, lines that are continued joined."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", " ", text)
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def enter(system, user, folder, command):
    """Runs a command in the system, with /proc, and the user's own environment."""
    line = 'mount -t proc proc "$0/proc" && exec chroot --userspec="$1" "$0" /usr/bin/env -i "HOME=$2" ' \
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c \'cd "$0" && exec "$@"\' "$2" "${@:3}"'
    run = ["unshare", "--mount", "--pid", "--fork", "bash", "-c", line, str(system), user, folder, *command]
    return subprocess.run(run, check=False).returncode


def main():
    if "--" not in sys.argv[3:]:
        sys.exit("usage: image.py DOCKERFILE SYSTEM STAGE=FOLDER... -- COMMAND...")
    at = sys.argv.index("--")
    dockerfile, system, command = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[at + 1:]
    stages = dict(argument.split("=", 1) for argument in sys.argv[3:at])
    found = instructions(dockerfile.read_text(encoding="utf-8"))
    last = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    if not found[last][1].startswith("debian:"):
        sys.exit(f"image.py: the last stage is made of {found[last][1]}")
    user, folder = "root", "/"
    for word, rest in found[last + 1:]:
        if word == "RUN":
            if enter(system, user, folder, ["/bin/sh", "-c", rest]):
                sys.exit(f"image.py: this failed: {rest}")
        elif word == "COPY" and (copy := re.fullmatch(r"--from=(\S+) (\S+) (\S+)", rest)):
            source = pathlib.Path(stages[copy[1]]) / copy[2].strip("/")
            shutil.copytree(source, system / copy[3].strip("/"), dirs_exist_ok=True, symlinks=True)
        elif word == "USER":
            user = rest
        elif word == "WORKDIR":
            folder = rest
            (system / rest.strip("/")).mkdir(parents=True, exist_ok=True)
        elif word != "CMD":
            sys.exit(f"image.py: {word} {rest} is not known here")
    if user == "root":
        sys.exit("image.py: the image's user is root")
    sys.exit(enter(system, user, folder, command))


main()
