# SPDX-License-Identifier: GPL-2.0-or-later
"""Small EROFS images, made byte by byte, that mkfs.erofs does not make: what is on which device,
and what lies behind the end of a file, is given. One page of superblock, device table and prefix
table, one of inodes, and then what the image's author wants there."""

import hashlib
import sys

from erofs_ishare import files, images
from erofs_ishare.images import CHUNK_BASED, DIRECTORY, FLAT_INLINE, FLAT_PLAIN, REGULAR
from erofs_ishare.specc.image import mend_checksum
from erofs_ishare.structures import pack

PAGE = 4096
SUPERBLOCK, DEVICES, PREFIXES = 1024, 2048, 3072
SLOT = 32


def fingerprint(content):
    """As mkfs.erofs writes it."""
    return b"sha256:" + hashlib.sha256(content).digest()


def inode(layout, mode, size, union, value=None, tail=b""):
    """An extended inode, with all that follows it."""
    area, icount = b"", 0
    if value is not None:
        area, icount = images.xattr_area(images.xattr(0x80, b"", value))
    body = images.inode(mode, size, union, layout, icount, extended=True, ino=0) + area
    if layout == CHUNK_BASED:
        body += bytes(-len(body) % 8)
    return body + tail


def flat(size, first_block, value=None):
    """A file in consecutive blocks."""
    return inode(FLAT_PLAIN, REGULAR, size, first_block, value)


def chunks(size, bits, records, value=None):
    """A file in chunks of a block, shifted left by bits; records are pairs of device and first
    block there."""
    table = b"".join(pack("chunk_index", device_id=device, startblk_lo=block)
                     for device, block in records)
    return inode(CHUNK_BASED, REGULAR, size, 0x20 | bits, value, table)


def directory(entries, own):
    """A directory with an inline tail; entries are pairs of name and nid."""
    block = images.dirent_block(sorted([(b".", own, DIRECTORY), (b"..", own, DIRECTORY)] + [
        (name.encode(), nid, REGULAR) for name, nid in entries]))
    return inode(FLAT_INLINE, DIRECTORY, len(block), 0, tail=block)


def superblock(bits, blocks, root, devices):
    """The first page. Devices are pairs of uniaddr and blocks."""
    parts = {SUPERBLOCK: images.superblock(
        feature_compat=0x37, feature_incompat=0x4c if devices else 0x44, blkszbits=bits,
        rootnid_2b=root, blocks_lo=blocks, meta_blkaddr=PAGE >> bits, extra_devices=len(devices),
        devt_slotoff=DEVICES // 128, xattr_prefix_count=1, xattr_prefix_start=PREFIXES >> 2)}
    for number, (uniaddr, count) in enumerate(devices):
        parts[DEVICES + 128 * number] = pack("deviceslot", tag=b"device", blocks_lo=count,
                                             uniaddr_lo=uniaddr)
    parts[PREFIXES] = images.PREFIX_RECORD
    page = bytearray(PAGE)
    for at, part in parts.items():
        page[at:at + len(part)] = part
    return page


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
    files.write(f"{sys.argv[1]}/{name}", data)
