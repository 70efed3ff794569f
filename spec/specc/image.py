# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Finds structures in a sound image: only what the editing of vectors needs.

The few offsets that it takes to walk an image stand here on their own and are not read from the
field tables: a wrong table then shows as a vector that misses, and not as two errors that agree.
"""

from collections import namedtuple

SUPERBLOCK = 1024
EXT_SLOTS = SUPERBLOCK + 128
CHECKSUM_START = 0x5045B54A
COMPAT_SB_CHKSUM = 0x1
COMPAT_SHARED_EA_IN_METABOX = 0x8
COMPAT_PLAIN_XATTR_PFX = 0x10
INCOMPAT_FRAGMENTS = 0x20
INCOMPAT_48BIT = 0x80
INCOMPAT_METABOX = 0x100
NID_METABOX = 1 << 63
FLAT_PLAIN, FLAT_INLINE, CHUNK_BASED = 0, 2, 4
CHUNK_INDEXES = 0x20
S_IFMT, S_IFDIR = 0xF000, 0x4000

Prefix = namedtuple("Prefix", "offset base_index infix size")
Dirent = namedtuple("Dirent", "offset nid name_offset name")
Entry = namedtuple("Entry", "offset name_index name value size")


class Unreachable(Exception):
    """The target is not in the image, or not where it can be edited."""


def crc32c_table():
    """The 256 states that a byte leads to, reflected polynomial 0x82F63B78."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(crc, data):
    """The checksum of the superblock: no final inversion."""
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc


def mend_checksum(data, block_bits):
    """Make the superblock's checksum right again, if it has one and its bytes are all there."""
    if len(data) < EXT_SLOTS or not data[SUPERBLOCK + 8] & COMPAT_SB_CHKSUM:
        return
    bits = data[SUPERBLOCK + 12]
    size = 1 << (bits if 9 <= bits <= 16 else block_bits)
    end = SUPERBLOCK + (size - SUPERBLOCK if size > SUPERBLOCK else size)
    if end <= len(data):
        crc = crc32c(CHECKSUM_START, data[SUPERBLOCK + 8:end])
        data[SUPERBLOCK + 4:SUPERBLOCK + 8] = crc.to_bytes(4, "little")


def round_up(n, unit):
    """The next multiple of unit."""
    return (n + unit - 1) // unit * unit


def pick(things, index):
    """things[index], or Unreachable."""
    if index >= len(things):
        raise Unreachable(f"there are only {len(things)} of these")
    return things[index]


class Inode:
    """The places of an inode and of what follows it."""

    def __init__(self, image, offset):
        self.offset = offset
        self.format = image.number(offset, 2)
        self.extended = self.format & 1 == 1
        self.layout = self.format >> 1 & 7
        self.icount = image.number(offset + 2, 2)
        self.mode = image.number(offset + 4, 2)
        self.size = image.number(offset + 8, 8 if self.extended else 4)
        self.u = image.number(offset + 16, 4)
        wide = self.extended or (self.format & 0x10 and not self.is_directory())
        self.start_block = self.u + (image.number(offset + 6, 2) << 32 if wide else 0)
        self.ibody = offset + (64 if self.extended else 32)
        self.end = self.ibody + (12 + 4 * (self.icount - 1) if self.icount else 0)

    def is_directory(self):
        """A directory by its mode."""
        return self.mode & S_IFMT == S_IFDIR


class Image:
    """An image whose structures are looked for in sound bytes, whatever an edit did to a copy."""

    def __init__(self, data):
        self.data = data
        if len(data) < EXT_SLOTS or self.number(SUPERBLOCK, 4) != 0xE0F5E1E2:
            raise Unreachable("not an EROFS image")
        self.block_bits = data[SUPERBLOCK + 12]
        self.block_size = 1 << self.block_bits
        self.compat = self.number(SUPERBLOCK + 8, 4)
        self.incompat = self.number(SUPERBLOCK + 80, 4)

    def number(self, offset, width):
        """A little-endian number."""
        if offset + width > len(self.data):
            raise Unreachable(f"byte {offset} is past the end of the image")
        return int.from_bytes(self.data[offset:offset + width], "little")

    # ---- tables ----

    def superblock_ext(self):
        """The first extension slot."""
        if not self.data[SUPERBLOCK + 13]:
            raise Unreachable("the image has no extension slot")
        return EXT_SLOTS

    def deviceslots(self):
        """Offsets of the device slots."""
        start = self.number(SUPERBLOCK + 88, 2) * 128
        return [start + 128 * i for i in range(self.number(SUPERBLOCK + 86, 2))]

    def prefix_table(self):
        """The start of the prefix table."""
        elsewhere = self.incompat & INCOMPAT_METABOX or (
            self.incompat & INCOMPAT_FRAGMENTS and self.number(SUPERBLOCK + 96, 8))
        if not self.compat & COMPAT_PLAIN_XATTR_PFX and elsewhere:
            raise Unreachable("the prefix table is not in the image itself")
        return self.number(SUPERBLOCK + 92, 4) * 4

    def prefixes(self):
        """The records of the prefix table."""
        records, offset = [], None
        for _ in range(self.data[SUPERBLOCK + 91]):
            offset = self.prefix_table() if offset is None else offset
            length = self.number(offset, 2)
            size = round_up(2 + length, 4)
            records.append(Prefix(offset, self.data[offset + 2],
                                  bytes(self.data[offset + 3:offset + 2 + length]), size))
            offset += size
        return records

    # ---- inodes and directories ----

    def inode_at(self, nid):
        """The inode with a number."""
        if nid & NID_METABOX:
            raise Unreachable("the inode is in the metabox")
        return Inode(self, self.number(SUPERBLOCK + 40, 4) * self.block_size + 32 * nid)

    def root(self):
        """The root directory's number."""
        wide = self.number(SUPERBLOCK + 112, 8)
        return wide if self.incompat & INCOMPAT_48BIT and wide else \
            self.number(SUPERBLOCK + 14, 2)

    def inode(self, path):
        """The inode with a path."""
        nid = self.root()
        for name in path.strip("/").split("/"):
            if name:
                nid = self.lookup(nid, name, path)
        return self.inode_at(nid)

    def lookup(self, nid, name, path):
        """Looks up one name in a directory."""
        directory = self.inode_at(nid)
        if directory.is_directory():
            for entry in self.dirents(directory):
                if entry.name == name.encode():
                    return entry.nid
        raise Unreachable(f"there is no {path}")

    def directory_blocks(self, inode):
        """(offset, size) of each block of a directory."""
        if inode.layout not in (FLAT_PLAIN, FLAT_INLINE):
            raise Unreachable("the directory is neither flat nor inline")
        last = (inode.size - 1) // self.block_size
        for i in range(last + 1):
            offset = (inode.start_block + i) * self.block_size
            if i == last and inode.layout == FLAT_INLINE:
                offset = inode.end
            yield offset, min(self.block_size, inode.size - i * self.block_size)

    def dirents(self, inode):
        """The entries of a directory, in order."""
        entries = []
        for start, size in self.directory_blocks(inode):
            count = self.number(start + 8, 2) // 12
            starts = [self.number(start + 12 * i + 8, 2) for i in range(count)] + [size]
            for i in range(count):
                name = bytes(self.data[start + starts[i]:start + starts[i + 1]]).rstrip(b"\0")
                entries.append(Dirent(start + 12 * i, self.number(start + 12 * i, 8),
                                      start + starts[i], name))
        return entries

    def paths(self):
        """Every path of the tree with its inode; several links to one inode give it once. What
        cannot be reached (metabox, compressed directories) is left out."""
        found, queue = {}, [("/", self.root())]
        while queue:
            path, nid = queue.pop(0)
            if nid in found or nid & NID_METABOX:
                continue
            inode = self.inode_at(nid)
            found[nid] = (path, inode)
            if inode.is_directory() and inode.layout in (FLAT_PLAIN, FLAT_INLINE):
                queue += [(f"{path.rstrip('/')}/{e.name.decode()}", e.nid)
                          for e in self.dirents(inode) if e.name not in (b".", b"..")]
        return list(found.values())

    # ---- xattrs ----

    def ibody(self, inode):
        """The place of the ibody header."""
        if not inode.icount:
            raise Unreachable("the inode has no xattr area")
        return inode.ibody

    def shared(self, inode):
        """Offsets of the shared xattr ids of an inode."""
        first = self.ibody(inode) + 12
        return [first + 4 * i for i in range(self.data[inode.ibody + 4])]

    def entry(self, offset):
        """The xattr entry at a place."""
        name_size, value_size = self.data[offset], self.number(offset + 2, 2)
        name = offset + 4
        value = name + name_size
        return Entry(offset, self.data[offset + 1], bytes(self.data[name:value]),
                     bytes(self.data[value:value + value_size]),
                     round_up(4 + name_size + value_size, 4))

    def entries(self, inode):
        """The inline xattr entries of an inode."""
        offset, entries = self.ibody(inode) + 12 + 4 * self.data[inode.ibody + 4], []
        while offset < inode.end:
            entries.append(self.entry(offset))
            offset += entries[-1].size
        return entries

    def shared_entries(self):
        """The shared xattrs that some inode uses, in the order of their ids."""
        if self.compat & COMPAT_SHARED_EA_IN_METABOX:
            raise Unreachable("the shared xattrs are in the metabox")
        ids = {self.number(o, 4) for _, inode in self.paths() if inode.icount
               for o in self.shared(inode)}
        start = self.number(SUPERBLOCK + 44, 4) * self.block_size
        return [self.entry(start + 4 * i) for i in sorted(ids)]

    # ---- chunks and tails ----

    def chunk_table(self, inode):
        """(offset, record size, number of records) of a chunk-based inode's table."""
        if inode.layout != CHUNK_BASED:
            raise Unreachable("the inode is not chunk-based")
        width = 8 if inode.u & CHUNK_INDEXES else 4
        chunk = self.block_size << (inode.u & 0x1F)
        return round_up(inode.end, width), width, round_up(inode.size, chunk) // chunk

    def chunks(self, inode):
        """Offsets of the 8-byte chunk indexes of an inode."""
        offset, width, count = self.chunk_table(inode)
        return [offset + 8 * i for i in range(count)] if width == 8 else []

    def tail(self, inode):
        """(offset, size) of what follows an inode's xattr area."""
        if inode.layout == CHUNK_BASED:
            offset, width, count = self.chunk_table(inode)
            return offset, width * count
        if inode.layout == FLAT_INLINE and inode.size:
            return inode.end, (inode.size - 1) % self.block_size + 1
        if inode.layout in (FLAT_PLAIN, FLAT_INLINE):
            return inode.end, 0
        raise Unreachable("the inode is compressed")

    def room(self, start, end):
        """How far the bytes from `start` to `end` can grow: over zeros that nothing is known to
        use, within the block in which they end."""
        limit = min(round_up(end, self.block_size), len(self.data))
        used = [inode.offset for _, inode in self.paths()]
        used += [e.offset for e in self.shared_entries()]
        used += [p.offset for p in self.prefixes()] + self.deviceslots()
        limit = min([limit] + [offset for offset in used if offset > start and offset >= end])
        while end < limit and not self.data[end]:
            end += 1
        return end
