# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Functions that read and write whole files. Text is UTF-8."""

import os


def read(path):
    """A file's text."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_bytes(path):
    """A file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def content(path):
    """A file's bytes; None if there is no such file."""
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None


def read_log(path):
    """The text of a file that may not be there yet, or be half written."""
    return (content(path) or b"").decode(errors="replace")


def write(path, data, mode=None):
    """Writes text or bytes to a file, in a directory that may be new; returns the path."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    if mode is not None:
        os.chmod(path, mode)
    return path


def replace_file(path, data, mode=None):
    """Writes a file that others may be reading: they see the old one or the new one. A full disk
    leaves the old one."""
    os.replace(write(f"{path}.{os.getpid()}.new", data, mode), path)


def update_file(path, data, mode=None):
    """Replaces a file unless it has these bytes already: make does not see a change then."""
    data = data.encode() if isinstance(data, str) else data
    if content(path) != data:
        replace_file(path, data, mode)
