# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Edits: what a vector changes in its base image, by structure and not by offset. What can be said
of them without an image is said here."""

from .model import Place
from .targets import Edit, TARGETS, Wrong
from .values import hex_bytes, is_count


def is_text(value):
    """A name, or words."""
    return isinstance(value, str)


def is_raw(value):
    """A list of {at: N, bytes: "hex"}."""
    return isinstance(value, list) and all(
        isinstance(item, dict) and set(item) == {"at", "bytes"}
        and is_count(item["at"]) and hex_bytes(item["bytes"]) for item in value)


# What is no edit: {key: (whether it can have a value, what is wrong otherwise)}.
OPTIONS = {
    "why": (is_text, "why must be text"),
    "base": (is_text, "base must be text"),
    "checksum": (lambda value: value == "keep", "checksum: {} is not keep"),
    "truncate": (is_count, "truncate must be a number of bytes"),
    "second": (lambda value: isinstance(value, dict), "second must be a map of edits"),
    "raw": (is_raw, 'raw must be a list of {{at: N, bytes: "hex"}}'),
    "extend": (is_count, "extend must be a number of bytes"),
    "append": (hex_bytes, "append must be hexadecimal digits"),
    "also": (lambda value: isinstance(value, list), "also: there is no rule {}"),
}


def check(spec, errors):
    """Every vector's edits address known structures and fields."""
    for rule in spec.rules:
        for vector in rule.vectors:
            check_map(spec, rule, vector.place.file, vector.edits, errors)


def check_map(spec, rule, file, edits, errors):
    """The edits of one image; a second image has its own."""
    for key, value in edits.items():
        try:
            if key in OPTIONS:
                check_option(spec, key, value)
            else:
                read_edit(spec, key, value)
        except Wrong as wrong:
            errors.add(place_of(file, edits, key), f"rule {rule.name}: {wrong}")
            continue
        if key == "second":
            check_map(spec, rule, file, value, errors)


def check_option(spec, key, value):
    """Raises Wrong if an option cannot have this value."""
    can_be, otherwise = OPTIONS[key]
    if not can_be(value):
        raise Wrong(otherwise.format(value))
    unknown = [name for name in value if not spec.rule(name)] if key == "also" else []
    if unknown:
        raise Wrong(otherwise.format(unknown[0]))


def read_edit(spec, key, value):
    """The Edit; raises Wrong."""
    superblock = spec.struct("superblock")
    full = f"superblock.{key}" if superblock and superblock.get(key) else key
    for target in TARGETS:
        if match := target.form.fullmatch(full):
            groups = {"path": None, "i": None, "member": None} | match.groupdict()
            index = int(groups["i"]) if groups["i"] else None
            edit = Edit(key, target, groups["path"], index, groups["member"], value)
            target.check(spec, edit)
            return edit
    raise Wrong(f"{key} addresses no structure that a vector can edit")


def place_of(file, edits, key):
    """The place of a key in its chapter."""
    return Place(file, edits.lines[key] + 1)
