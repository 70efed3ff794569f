# SPDX-License-Identifier: GPL-2.0-or-later
"""Small EROFS images, made byte by byte, that mkfs.erofs does not make: what is on which device,
and what lies behind the end of a file, is given. One page of superblock, device table and prefix
table, one of inodes, and then what the image's author wants there."""

import hashlib
import struct
import sys

from erofs_ishare.specc.image import mend_checksum


PAGE = 4096
SUPERBLOCK, DEVICES, PREFIXES = 1024, 2048, 3072
SLOT = 32
NAME = b"erofs.fingerprint.v1"
FLAT_PLAIN, FLAT_INLINE, CHUNK_BASED = 0, 2, 4
REGULAR, DIRECTORY = 0o100644, 0o040755


def fingerprint(content):
    """As mkfs.erofs writes it."""
    return b"sha256:" + hashlib.sha256(content).digest()


def xattr_area(value):
    """The area of an inode that has a fingerprint and nothing else."""
    if value is None:
        return b""
    entry = struct.pack("<BBH", 0, 0x80, len(value)) + value
    return bytes(12) + entry + bytes(-len(entry) % 4)


def inode(layout, mode, size, union, value=None, tail=b""):
    """An extended inode, with all that follows it."""
    area = xattr_area(value)
    icount = (len(area) - 12) // 4 + 1 if area else 0
    head = struct.pack("<HHHHQIIIIQII16x", 1 | layout << 1, icount, mode, 0, size, union, 0,
                       0, 0, 0, 0, 1)
    body = head + area
    if layout == CHUNK_BASED:
        body += bytes(-len(body) % 8)
    return body + tail


def flat(size, first_block, value=None):
    """A file in consecutive blocks."""
    return inode(FLAT_PLAIN, REGULAR, size, first_block, value)


def chunks(size, bits, records, value=None):
    """A file in chunks of a block, shifted left by bits; records are pairs of device and first
    block there."""
    table = b"".join(struct.pack("<HHI", 0, device, block) for device, block in records)
    return inode(CHUNK_BASED, REGULAR, size, 0x20 | bits, value, table)


def directory(entries, own):
    """A directory with an inline tail; entries are pairs of name and nid."""
    entries = sorted([(b".", own, 2), (b"..", own, 2)]
                     + [(name.encode(), nid, 1) for name, nid in entries])
    names, records = b"", b""
    for name, nid, kind in entries:
        records += struct.pack("<QHBB", nid, 12 * len(entries) + len(names), kind, 0)
        names += name
    return inode(FLAT_INLINE, DIRECTORY, len(records + names), 0, tail=records + names)


def superblock(bits, blocks, root, devices):
    """The first page. Devices are pairs of uniaddr and blocks."""
    block = bytearray(PAGE)
    incompat = 0x4c if devices else 0x44
    struct.pack_into("<IIIBBHQQIIII16x16xI", block, SUPERBLOCK, 0xe0f5e1e2, 0, 0x37, bits, 0, root,
                     1, 0, 0, blocks, PAGE >> bits, 0, incompat)
    struct.pack_into("<HHHBBI", block, SUPERBLOCK + 84, 0, len(devices), DEVICES // 128, 0, 1,
                     PREFIXES >> 2)
    for number, (uniaddr, count) in enumerate(devices):
        struct.pack_into("<64sII", block, DEVICES + 128 * number, b"device", count, uniaddr)
    struct.pack_into("<HB", block, PREFIXES, 1 + len(NAME), 0)
    block[PREFIXES + 3:PREFIXES + 3 + len(NAME)] = NAME
    return block


def image(files, data=b"", devices=(), blocks=None, bits=12):
    """The bytes of an image: files are pairs of name and inode, data is from byte 8192 on."""
    inodes, nids = bytearray(), []
    for _, body in files:
        nids.append(len(inodes) // SLOT)
        inodes += body + bytes(-len(body) % SLOT)
    root = len(inodes) // SLOT
    inodes += directory([(name, nid) for (name, _), nid in zip(files, nids)], root)
    if len(inodes) > PAGE:
        raise ValueError("the inodes have one page, and need more")
    data += bytes(-len(data) % PAGE)
    if blocks is None:
        blocks = (2 * PAGE + len(data)) >> bits
    made = superblock(bits, blocks, root, devices) + inodes + bytes(PAGE - len(inodes)) + data
    mend_checksum(made, bits)
    return made


def write(name, data):
    """One file in the directory that the command line names."""
    with open(f"{sys.argv[1]}/{name}", "wb") as out:
        out.write(data)
