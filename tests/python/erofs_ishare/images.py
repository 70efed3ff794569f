# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Makes EROFS images byte by byte that mkfs.erofs would not make."""

import hashlib

from .structures import pack, specification

BLOCK = 512
ROOT_NID = 64
REGULAR, DIRECTORY = 0o100644, 0o040755
FLAT_PLAIN, FLAT_INLINE, COMPRESSED, CHUNK_BASED = 0, 2, 3, 4
FILE_TYPE = {REGULAR: 1, DIRECTORY: 2}
SB_CHKSUM, PLAIN_XATTR_PFX, ISHARE_XATTRS = 0x1, 0x10, 0x20
LZ4_0PADDING, CHUNKED_FILE, DEVICE_TABLE, XATTR_PREFIXES = 0x1, 0x4, 0x8, 0x40
INFIX = b"erofs.fingerprint.v1"
PREFIX_RECORD = pack("prefix_record", length=1 + len(INFIX)) + INFIX + b"\0"


def superblock(**fields):
    """The bytes of a superblock."""
    magic = specification().constant("SUPERBLOCK_MAGIC").value
    return pack("superblock", magic=magic, inos=1, **fields)


def inode(mode, size, u=0, layout=FLAT_PLAIN, icount=0, links=1, extended=False, high=0, ino=1):
    """The bytes of an inode."""
    if extended:
        return pack("inode_extended", i_format=layout << 1 | 1, i_xattr_icount=icount, i_mode=mode,
                    i_nb=high, i_size=size, i_u=u, i_ino=ino, i_nlink=links)
    return pack("inode_compact", i_format=layout << 1, i_xattr_icount=icount, i_mode=mode,
                i_nb=links, i_size=size, i_u=u, i_ino=ino)


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


def dirent_block(entries):
    """One block of a directory: entries are (name, nid, mode), or None for an unknown type."""
    position = 12 * len(entries)
    records = b""
    for name, nid, mode in entries:
        records += pack("dirent_record", nid=nid, nameoff=position,
                        file_type=FILE_TYPE.get(mode, 0))
        position += len(name)
    return records + b"".join(name for name, _, _ in entries)


def xattr_area(entries=b"", shared=()):
    """An inode's xattr area and its icount."""
    ids = b"".join(number.to_bytes(4, "little") for number in shared)
    area = pack("ibody_header", h_shared_count=len(shared)) + ids + entries
    return area, (len(area) - 12) // 4 + 1


def xattr(name_index, name, value):
    """One xattr entry."""
    entry = pack("xattr_entry", e_name_len=len(name), e_name_index=name_index,
                 e_value_size=len(value)) + name + value
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

    def directory(self, nid, parent, entries):
        """Makes a directory, with a link count as mkfs.erofs writes it."""
        links = 2 + sum(type_ == DIRECTORY for _, _, type_ in entries)
        data = dirents([(b".", nid, DIRECTORY), (b"..", parent, DIRECTORY), *entries])
        self.place(nid, inode(DIRECTORY, len(data), self.block(data),
                              links=links if links <= 0xffff else 1))

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
        self.bytes[1024:1152] = superblock(
            feature_compat=s["compat"], feature_incompat=s["incompat"], blkszbits=9,
            rootnid_2b=ROOT_NID, blocks_lo=len(self.bytes) // BLOCK, xattr_blkaddr=s["xattr_block"],
            extra_devices=s["devices"], devt_slotoff=s["slots"], xattr_prefix_count=s["prefixes"],
            xattr_prefix_start=s["prefix_start"])
        with open(path, "wb") as out:
            out.write(self.bytes)
            out.truncate(size or len(self.bytes))
        return path
