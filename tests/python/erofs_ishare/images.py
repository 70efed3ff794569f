# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Makes EROFS images byte by byte, for tests: those that mkfs.erofs would not make."""

import hashlib
import struct

BLOCK = 512
ROOT_NID = 64
REGULAR, DIRECTORY = 0o100644, 0o040755
FLAT_PLAIN, FLAT_INLINE, CHUNK_BASED = 0, 2, 4
FILE_TYPE = {REGULAR: 1, DIRECTORY: 2}
SB_CHKSUM, PLAIN_XATTR_PFX, ISHARE_XATTRS = 0x1, 0x10, 0x20
CHUNKED_FILE, DEVICE_TABLE, XATTR_PREFIXES = 0x4, 0x8, 0x40
PREFIX_RECORD = struct.pack("<HB", 21, 0) + b"erofs.fingerprint.v1" + b"\0"


def inode(mode, size, u=0, layout=FLAT_PLAIN, icount=0, links=1, extended=False, high=0):
    """The bytes of an inode."""
    if extended:
        return struct.pack("<HHHHQIIIIQII16x", layout << 1 | 1, icount, mode, high, size, u, 1, 0,
                           0, 0, 0, links)
    return struct.pack("<HHHHIIIIHHI", layout << 1, icount, mode, links, size, 0, u, 1, 0, 0, 0)


def dirents(entries):
    """The data of a directory: entries are (name, nid, mode); sorted, each block as full as it
    gets."""
    blocks, block, used = [], [], 0
    for entry in sorted(entries):
        if used + 12 + len(entry[0]) > BLOCK:
            blocks.append(block)
            block, used = [], 0
        block.append(entry)
        used += 12 + len(entry[0])
    blocks.append(block)
    return b"".join(dirent_block(block).ljust(BLOCK if block is not blocks[-1] else 0, b"\0")
                    for block in blocks)


def dirent_block(block):
    """One block of a directory."""
    position = 12 * len(block)
    records = b""
    for name, nid, mode in block:
        records += struct.pack("<QHBB", nid, position, FILE_TYPE[mode], 0)
        position += len(name)
    return records + b"".join(name for name, _, _ in block)


def xattr_area(entries=b"", shared=()):
    """An inode's xattr area and its icount."""
    area = struct.pack("<IB7x", 0, len(shared)) + struct.pack(f"<{len(shared)}I", *shared) + entries
    return area, (len(area) - 12) // 4 + 1


def xattr(name_index, name, value):
    """One xattr entry."""
    entry = struct.pack("<BBH", len(name), name_index, len(value)) + name + value
    return entry.ljust((len(entry) + 3) // 4 * 4, b"\0")


def fingerprint(content):
    """The entry that says what a file contains."""
    return xattr(0x80, b"", b"sha256:" + hashlib.sha256(content).digest())


class Image:
    """An image under construction: things are appended to it, and where they are is their nid or
    block."""

    def __init__(self, **superblock):
        self.superblock = {"compat": 0, "incompat": 0, "devices": 0, "slots": 0, "prefixes": 0,
                           "prefix_start": 0,
                           "xattr_block": 0} | superblock
        self.bytes = bytearray(ROOT_NID * 32 + 64)

    def append(self, data, align=32):
        """Returns the offset."""
        self.bytes += bytes(-len(self.bytes) % align)
        self.bytes += data
        return len(self.bytes) - len(data)

    def nid(self, data):
        """Appends an inode, with what follows it."""
        return self.append(data) // 32

    def block(self, data):
        """Appends data that begins a block."""
        return self.append(data, BLOCK) // BLOCK

    def reserve(self):
        """A nid for an inode that comes later."""
        return self.nid(bytes(64))

    def place(self, nid, data):
        """Puts an inode where a nid says."""
        self.bytes[nid * 32:nid * 32 + len(data)] = data

    def directory(self, nid, parent, entries, links=2):
        """Makes a directory."""
        data = dirents([(b".", nid, DIRECTORY), (b"..", parent, DIRECTORY), *entries])
        self.place(nid, inode(DIRECTORY, len(data), self.block(data), links=links))

    def root(self, entries):
        """Makes the root directory."""
        self.directory(ROOT_NID, ROOT_NID, entries)

    def file(self, **fields):
        """An entry for a new file of the root directory."""
        return (b"file", self.nid(inode(REGULAR, **fields)), REGULAR)

    def fingerprints(self):
        """Lets files have fingerprints, with a prefix table of one record."""
        self.superblock |= {"compat": ISHARE_XATTRS | PLAIN_XATTR_PFX, "incompat": XATTR_PREFIXES,
                            "prefixes": 1,
                            "prefix_start": self.append(PREFIX_RECORD, 4) // 4}

    def write(self, path, size=None):
        """Finishes the image; size makes it a sparse file."""
        s = self.superblock
        self.append(b"", BLOCK)
        self.bytes[1024:1152] = struct.pack(
            "<IIIBBHQQIIII16s16sIHHHBBIQBB22x", 0xE0F5E1E2, 0, s["compat"], 9, 0, ROOT_NID, 1, 0, 0,
            len(self.bytes) // BLOCK, 0, s["xattr_block"], bytes(16), bytes(16), s["incompat"], 0,
            s["devices"], s["slots"], 0, s["prefixes"], s["prefix_start"], 0, 0, 0)
        with open(path, "wb") as out:
            out.write(self.bytes)
            out.truncate(size or len(self.bytes))
        return path
