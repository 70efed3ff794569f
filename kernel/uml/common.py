# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs here share: where things are, and how trees of files are hashed and kept
equal."""

import fcntl
import hashlib
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Elsewhere for a guest with a patch (kernel/findings/try-fix).
BUILD = os.environ.get("KERNEL_BUILD") or f"{TOP}/build/kernel"
SOURCE = f"{BUILD}/source"


def fail(message, status=1):
    """Says what is wrong, in one line, and ends the program."""
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    sys.exit(status)


def say(message):
    """Progress, as the other tools of the build report theirs."""
    print(f"  {'KERNEL':<7} {message}", flush=True)


def content(path):
    """A file's bytes; None if there is no such file."""
    try:
        with open(path, "rb") as data:
            return data.read()
    except FileNotFoundError:
        return None


def write(path, data):
    """Writes a file that is there in full or not at all."""
    with open(f"{path}.new", "wb") as out:
        out.write(data)
    os.replace(f"{path}.new", path)


def write_json(path, value):
    """Writes a value as JSON for people to read."""
    write(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path):
    """A JSON file's value; empty if there is none, or none that can be read."""
    try:
        return json.loads(content(path) or b"{}")
    except ValueError:
        return {}


def hash_of_guest(name):
    """Of what build-guest says of it; changes whenever the guest does."""
    return hashlib.sha256(content(f"{BUILD}/{name}/guest.json") or b"").hexdigest()


def made_of(name):
    """What a guest was built of, in words."""
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
    """One hash over these files: their names and what they hold."""
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
    data = content(source)
    if data == content(destination):
        return
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    write(destination, data)
    os.chmod(destination, os.stat(source).st_mode & 0o777 | 0o200)


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
