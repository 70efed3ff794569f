# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Inserts and removes records of the prefix table and of xattr areas, in an editor's image."""

from .image import CHUNK_BASED, SUPERBLOCK, pick, round_up
from .values import text_bytes


def change_prefixes(editor, edit):
    """Insert or remove a record of the prefix table, and count it."""
    image = editor.sound
    start = image.prefix_table()
    old = [bytes(image.data[p.offset:p.offset + p.size]) for p in image.prefixes()]
    new = changed(old, edit.value, prefix_record)
    editor.replace(start, sum(map(len, old)), b"".join(new))
    editor.put(SUPERBLOCK + 91, bytes([len(new)]))


def change_xattrs(editor, edit):
    """Insert or remove an inline xattr; what follows the xattr area moves along."""
    image = editor.sound
    inode = image.inode(edit.path)
    old = [bytes(image.data[e.offset:e.offset + e.size]) for e in image.entries(inode)]
    new = changed(old, edit.value, xattr_record)
    head = inode.ibody + 12 + 4 * len(image.shared(inode))
    replace_area(editor, inode, bytes(image.data[inode.ibody:head]) + b"".join(new))


def changed(records, change, make):
    """The records after a change; make() returns the bytes of a new one."""
    records = list(records)
    if "remove" in change:
        pick(records, change["remove"])
        del records[change["remove"]]
    else:
        record = make(change)
        records.insert(change["insert"], record.ljust(round_up(len(record), 4), b"\0"))
    return records


def prefix_record(change):
    infix = text_bytes(change["infix"])
    return (len(infix) + 1).to_bytes(2, "little") + bytes([change["base_index"]]) + infix


def xattr_record(change):
    name, value = text_bytes(change["name"]), text_bytes(change["value"])
    head = bytes([len(name), change["name_index"]]) + len(value).to_bytes(2, "little")
    return head + name + value


def replace_area(editor, inode, area):
    """A new xattr area and, behind it, the old tail; i_xattr_icount says its size."""
    tail, tail_size = editor.sound.tail(inode)
    data = bytes(editor.sound.data[tail:tail + tail_size])
    end = inode.ibody + len(area)
    if inode.layout == CHUNK_BASED:
        area += bytes(round_up(end, editor.sound.chunk_table(inode)[1]) - end)
    editor.replace(inode.ibody, tail + tail_size - inode.ibody, area + data)
    editor.put(inode.offset + 2, ((end - inode.ibody - 12) // 4 + 1).to_bytes(2, "little"))
