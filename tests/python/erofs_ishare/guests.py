# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Functions shared by programs that build and run guests: paths, hashing and copying of trees of
files, and descriptions of guests."""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib

from . import TOP
from .files import content, read, read_bytes, replace_file, update_file
from .run import without_make

# Elsewhere for a guest with a patch (kernel/findings/try-fix).
BUILD = os.environ.get("KERNEL_BUILD") or f"{TOP}/build/kernel"
SOURCE = f"{BUILD}/source"

# A build from nothing may take this long, on two processors that have nothing else to do.
MOST_SECONDS = 480


def fail(message, status=1):
    """Says what is wrong, in one line, and ends the program."""
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    sys.exit(status)


def say(message):
    """Progress, as the other tools of the build report theirs."""
    print(f"  {'KERNEL':<7} {message}", flush=True)


def write_json(path, value):
    """Writes a value as JSON for people to read."""
    replace_file(path, json.dumps(value, indent=2) + "\n")


def read_json(path):
    """A JSON file's value; empty if there is none, or none that can be read."""
    try:
        return json.loads(content(path) or b"{}")
    except ValueError:
        return {}


def hash_of_guest(name):
    """A hash of build-guest's record; changes whenever the guest does."""
    return hashlib.sha256(content(f"{BUILD}/{name}/guest.json") or b"").hexdigest()


def made_of(name):
    """How a guest was built, in words."""
    facts = read_json(f"{BUILD}/{name}/guest.json")
    source = facts.get("source", {})
    hashes = {"configuration": facts.get("config_sha256"), "source": source.get("sha256")
              or source.get("erofs_sha256"),
              "fs/erofs": facts.get("fs_erofs_code_sha256"), **facts.get("overlays", {})}
    return ", ".join([f"Linux {facts.get('version')}",
                      *(f"{what} {str(value)[:16]}" for what, value in hashes.items())])


def files_below(top, enter=lambda directory: True):
    """The sorted names, relative to the top, of the files below it and the directories to enter."""
    found = []
    for directory, below, names in os.walk(top):
        below[:] = [name for name in below if enter(f"{directory}/{name}")]
        found += [os.path.relpath(f"{directory}/{name}", top) for name in names]
    return sorted(found)


def is_origin(directory):
    """Is it a directory of Linux's own, not an overlay that build-guest has put there?"""
    return not os.path.exists(f"{directory}/overlay.toml")


def tree_hash(top, names):
    """One hash of these files: names and contents."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0{hashlib.sha256(content(f'{top}/{name}')).hexdigest()}\n".encode())
    return digest.hexdigest()


def file_hash(path):
    """The SHA-256 of a file of any size."""
    with open(path, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def copy_if_changed(source, destination):
    """Makes two files equal. One that is equal keeps its time, so that make does not build it anew;
    one that is not is replaced, for it may be a link to another copy's."""
    update_file(destination, read_bytes(source), os.stat(source).st_mode & 0o777 | 0o200)


def lock():
    """Waits until no other of these programs works in build/kernel; the lock ends with the
    process."""
    os.makedirs(BUILD, exist_ok=True)
    held = open(f"{BUILD}/.lock", "w", encoding="ascii")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another build is at work in build/kernel: waiting for it")
        fcntl.flock(held, fcntl.LOCK_EX)
    os.set_inheritable(held.fileno(), False)
    return held


# ---- What describes a guest ----

def described(path, required=(), optional=()):
    """The table of a TOML file that has these keys, and no other."""
    try:
        table = tomllib.loads(read(path))
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except ValueError as error:
        fail(f"{path}: {error}")
    if unknown := table.keys() - {*required, *optional}:
        fail(f"{path}: unknown key {min(unknown)}")
    if missing := set(required) - table.keys():
        fail(f"{path}: no key {min(missing)}")
    return table


class Guest:
    """What a guest's directory says, with what it takes over from the guest that it extends."""

    def __init__(self, directory):
        self.name = os.path.basename(os.path.abspath(directory))
        self.built = f"{BUILD}/{self.name}"
        table = described(f"{directory}/guest.toml", optional=("extends", "overlays"))
        self.base = Guest(f"{directory}/{table['extends']}") if "extends" in table else None
        self.fragments = self.base.fragments if self.base else [f"{TOP}/kernel/uml/common.config"]
        self.fragments = [*self.fragments, f"{directory}/config"]
        self.overlays = [*(self.base.overlays if self.base else []),
                         *(os.path.abspath(f"{directory}/{overlay}")
                           for overlay in table.get("overlays", []))]


def requests(guest):
    """{symbol: line} of the lines that ask for something: the last word counts."""
    text = b"".join(content(path) or b"" for path in guest.fragments).decode()
    asked = re.finditer(r"^(?:# )?(CONFIG_\w+)(?:=.*| is not set)$", text, re.M)
    return {match[1]: match[0] for match in asked}


def make(directory, *arguments, **options):
    """The command that makes something of the kernel's there, and its environment."""
    environment = without_make("CFLAGS", "LDFLAGS", "CC", "KDIR", "V") | {
        "KBUILD_BUILD_USER": "erofs-ishare", "KBUILD_BUILD_HOST": "guest", "LC_ALL": "C"}
    command = ["nice", "-n", "19", "make", "-C", SOURCE, "ARCH=um", f"O={directory}",
               "LOCALVERSION=", *arguments]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **options)
