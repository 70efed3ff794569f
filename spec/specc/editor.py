# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Applies a vector's edits to its base image."""

from .edits import OPTIONS, place_of, read_edit
from .image import Image, Unreachable, mend_checksum
from .values import hex_bytes, new_number


class Editor:
    """Applies edits to a copy of a base image.

    Structures are looked for in `sound`, the image as it was: an edit that breaks the superblock
    must not hide the inode that the next edit is about. Insertion and removal of records change
    both.
    """

    def __init__(self, spec, base):
        self.spec = spec
        self.sound = Image(bytearray(base))
        self.data = bytearray(base)

    def build(self, file, edits):
        """The image after all edits; raises Unreachable with the edit's place in `at`."""
        for key, value in edits.items():
            if key in OPTIONS:
                continue
            try:
                edit = read_edit(self.spec, key, value)
                edit.target.apply(self, edit)
            except Unreachable as error:
                raise unreachable_at(file, edits, key, str(error)) from error
        return self.finish(file, edits)

    def finish(self, file, edits):
        """Zeros up to a length, raw bytes, checksum, and what is appended or cut off."""
        self.data += bytes(max(edits.get("extend", 0) - len(self.data), 0))
        for item in edits.get("raw", []):
            data = hex_bytes(item["bytes"])
            if item["at"] + len(data) > len(self.data):
                raise unreachable_at(file, edits, "raw",
                                     f"byte {item['at']} is past the end of the image")
            self.set_bytes(item["at"], data)
        if edits.get("checksum") != "keep":
            before = bytes(self.data)
            mend_checksum(self.data, self.sound.block_bits)
            if "superblock.checksum" in edits and self.data != before:
                raise unreachable_at(file, edits, "superblock.checksum",
                                     "needs checksum: keep, or it is undone")
        self.data += hex_bytes(edits.get("append", ""))
        return bytes(self.data[:edits.get("truncate", len(self.data))])

    def set_bytes(self, offset, data):
        """Write bytes over those that are there."""
        self.data[offset:offset + len(data)] = data

    def set_text(self, offset, old, new):
        """Write the first bytes of a text."""
        if len(new) > len(old):
            raise Unreachable(f"has {len(old)} bytes, not {len(new)}")
        self.set_bytes(offset, new)

    def set_number(self, offset, width, value):
        """Write a number, or change the one that is there."""
        if offset + width > len(self.data):
            raise Unreachable("is past the end of the image")
        old = int.from_bytes(self.data[offset:offset + width], "little")
        new = new_number(self.spec, value, old, 8 * width)
        if new >= 1 << 8 * width:
            raise Unreachable(f"{value} does not fit into {width} byte{'s'[:width > 1]}")
        self.set_bytes(offset, new.to_bytes(width, "little"))

    def replace(self, start, old_size, new):
        """Bytes in place of others; what becomes free is zero, what is needed must be free."""
        room = self.sound.room(start, start + old_size) - start
        if len(new) > room:
            raise Unreachable(f"needs {len(new)} bytes, but there is room for {room}")
        self.put(start, new + bytes(max(0, old_size - len(new))))

    def put(self, offset, data):
        """Change the sound image and its copy alike."""
        for target in (self.sound.data, self.data):
            target[offset:offset + len(data)] = data


def unreachable_at(file, edits, key, message):
    """An edit that cannot be applied, with its place in `at`."""
    error = Unreachable(f"{key}: {message}")
    error.at = place_of(file, edits, key)
    return error
