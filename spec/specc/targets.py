# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What a vector's edits may address. Each target has the form in which it is written. check()
raises Wrong if the target cannot have the edit's value; apply() makes the edit, or raises
Unreachable if the image does not have the target."""

import re
from collections import namedtuple
from dataclasses import dataclass

from .image import EXT_SLOTS, SUPERBLOCK, Unreachable, pick
from .records import change_prefixes, change_xattrs
from .values import array_bytes, is_count, new_number, text_bytes

PATH = r"\((?P<path>/[^)]*)\)"
INDEX = r"\[(?P<i>\d+)\]"
MEMBER = r"\.(?P<member>\w+)"

# Where a structure is, and what texts stand beside its fields: {name: (offset, bytes)}.
Found = namedtuple("Found", "offset struct texts", defaults=({},))


class Wrong(Exception):
    """What is wrong with an edit, whatever the image."""


@dataclass
class Edit:
    """One edit, read but not applied."""
    key: str
    target: object
    path: str
    index: int
    member: str
    value: object


class Member:
    """A field of a structure, or a text beside its fields. find(editor, edit) says where they are
    in an image; structs are those whose fields may be meant."""

    def __init__(self, form, find, *structs, texts=()):
        self.form, self.find, self.structs, self.texts = re.compile(form), find, structs, texts

    def check(self, spec, edit):
        """A text, or a value that the field can have."""
        if edit.member not in self.texts:
            check_field(spec, edit, self.field(spec, edit))
        elif text_bytes(edit.value) is None:
            raise Wrong(f"{edit.key}: must be text or {{hex: digits}}")

    def field(self, spec, edit):
        """The field, of the first structure that has it."""
        known = [spec.struct(name) for name in self.structs if spec.struct(name)]
        if not known:
            raise Wrong(f"{edit.key}: there is no struct {self.structs[0]}")
        field = next((s.get(edit.member) for s in known if s.get(edit.member)), None)
        if not field:
            raise Wrong(f"{edit.key}: there is no field {known[0].name}.{edit.member}")
        return field

    def apply(self, editor, edit):
        """Sets the field, or the first bytes of the text."""
        found = self.find(editor, edit)
        if edit.member in found.texts:
            editor.set_text(*found.texts[edit.member], text_bytes(edit.value))
            return
        struct = editor.spec.struct(found.struct)
        field = struct.get(edit.member) if struct else None
        if not field:
            raise Unreachable(f"there is no field {found.struct}.{edit.member}")
        if field.array:
            editor.set_bytes(found.offset + field.offset, array_bytes(edit.value))
        else:
            editor.set_number(found.offset + field.offset, field.width, edit.value)


class SharedId:
    """One of the ids behind an inode's ibody header."""
    form = re.compile(rf"inode{PATH}\.shared{INDEX}")

    @staticmethod
    def check(spec, edit):
        check_number(spec, edit)

    @staticmethod
    def apply(editor, edit):
        ids = editor.sound.shared(editor.sound.inode(edit.path))
        editor.set_number(pick(ids, edit.index), 4, edit.value)


class Record:
    """A record that is inserted or removed. keys are those of a new one; change(editor, edit) does
    it."""

    def __init__(self, form, change, *keys):
        self.form, self.apply, self.keys = re.compile(form), change, set(keys)

    def check(self, _spec, edit):
        """{remove: i}, or {insert: i} and the keys of a record."""
        if not (self.is_removal(edit.value) or self.is_insertion(edit.value)):
            raise Wrong(f"{edit.key}: must be {{remove: i}} or "
                        f"{{insert: i, {', '.join(sorted(self.keys))}}}")

    @staticmethod
    def is_removal(value):
        return isinstance(value, dict) and set(value) == {"remove"} and is_count(value["remove"])

    def is_insertion(self, value):
        return (isinstance(value, dict) and set(value) == self.keys | {"insert"}
                and is_count(value["insert"])
                and all(is_count(value[k]) and value[k] < 256 if k.endswith("index")
                        else text_bytes(value[k]) is not None for k in self.keys))


def check_field(spec, edit, field):
    """A value for a field: a number, a change, or the digits of a u8[N]."""
    if not field.array:
        check_number(spec, edit)
        return
    data = array_bytes(edit.value)
    if data is None or len(data) != field.width:
        raise Wrong(f"{edit.key}: must be {2 * field.width} hexadecimal digits")


def check_number(spec, edit):
    """A number, or a change."""
    if new_number(spec, edit.value, 0, 64) is None:
        raise Wrong(f"{edit.key}: {edit.value} is not a value")


# ---- Where they are ----

def inode_struct(inode):
    """Which of the two forms."""
    return "inode_extended" if inode.extended else "inode_compact"


def superblock(_editor, _edit):
    return Found(SUPERBLOCK, "superblock")


def superblock_ext(editor, _edit):
    # With the slot count in mind that an earlier edit may have set.
    if not editor.data[SUPERBLOCK + 13]:
        editor.sound.superblock_ext()
    return Found(EXT_SLOTS, "superblock_ext")


def deviceslot(editor, edit):
    return Found(pick(editor.sound.deviceslots(), edit.index), "deviceslot")


def prefix(editor, edit):
    record = pick(editor.sound.prefixes(), edit.index)
    return Found(record.offset, "prefix_record", {"infix": (record.offset + 3, record.infix)})


def xattr_entry(entry):
    name = entry.offset + 4
    return Found(entry.offset, "xattr_entry", {"name": (name, entry.name),
                                               "value": (name + len(entry.name), entry.value)})


def shared_xattr(editor, edit):
    return xattr_entry(pick(editor.sound.shared_entries(), edit.index))


def inline_xattr(editor, edit):
    return xattr_entry(pick(editor.sound.entries(editor.sound.inode(edit.path)), edit.index))


def inode_itself(editor, edit):
    inode = editor.sound.inode(edit.path)
    return Found(inode.offset, inode_struct(inode))


def ibody(editor, edit):
    return Found(editor.sound.ibody(editor.sound.inode(edit.path)), "ibody_header")


def chunk(editor, edit):
    return Found(pick(editor.sound.chunks(editor.sound.inode(edit.path)), edit.index),
                 "chunk_index")


def dirent(editor, edit):
    entry = pick(editor.sound.dirents(editor.sound.inode(edit.path)), edit.index)
    return Found(entry.offset, "dirent_record", {"name": (entry.name_offset, entry.name)})


TARGETS = [
    Member(rf"superblock{MEMBER}", superblock, "superblock"),
    Member(rf"superblock_ext{MEMBER}", superblock_ext, "superblock_ext"),
    Member(rf"deviceslot{INDEX}{MEMBER}", deviceslot, "deviceslot"),
    Member(rf"prefix{INDEX}{MEMBER}", prefix, "prefix_record", texts=("infix",)),
    Record("prefix", change_prefixes, "base_index", "infix"),
    Member(rf"shared_xattr{INDEX}{MEMBER}", shared_xattr, "xattr_entry", texts=("name", "value")),
    Member(rf"inode{PATH}\.(?P<member>i_\w+)", inode_itself, "inode_compact", "inode_extended"),
    Member(rf"inode{PATH}\.ibody{MEMBER}", ibody, "ibody_header"),
    SharedId(),
    Member(rf"inode{PATH}\.xattr{INDEX}{MEMBER}", inline_xattr, "xattr_entry",
           texts=("name", "value")),
    Record(rf"inode{PATH}\.xattr", change_xattrs, "name_index", "name", "value"),
    Member(rf"inode{PATH}\.chunk{INDEX}{MEMBER}", chunk, "chunk_index"),
    Member(rf"dirent{PATH}{INDEX}{MEMBER}", dirent, "dirent_record", texts=("name",)),
]
