#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Files that are no EROFS images: the program names what they are, and where in them an image
begins. Samples come from the formats' own tools, where they are installed, and from bytes that
their specifications give."""

import gzip
import json
import os
import random
import re
import shutil
import struct
import tempfile
import zlib

from erofs_ishare import tap
from erofs_ishare.files import read_bytes, write

IMAGE = read_bytes(f"{tap.TOP}/tests/images/digest-512.erofs")
MIB = 1 << 20
ALL_ONES = (1 << 64) - 1
DATA_TYPE = bytes.fromhex("af3dc60f838472478e793d69d8477de4")  # a partition of Linux data
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

# Name: what is said, the bytes at their offset, and a command that makes a file $2 from $1.
FORMATS = {
    "gzip": ("gzip data: decompress it with `gzip -d`", 0, "1f8b08", 'gzip -c "$1" >"$2"'),
    "zstd": ("Zstandard data: decompress it with `zstd -d`", 0, "28b52ffd",
             'zstd -qc "$1" >"$2"'),
    "xz": ("xz data: decompress it with `xz -d`", 0, "fd377a585a00", 'xz -c "$1" >"$2"'),
    "bzip2": ("bzip2 data: decompress it with `bzip2 -d`", 0, "425a6839314159265359",
              'bzip2 -c "$1" >"$2"'),
    "bzip2 of nothing": ("bzip2 data: decompress it with `bzip2 -d`", 0, "425a6839177245385090",
                         'bzip2 -c </dev/null >"$2"'),
    "lz4": ("LZ4 data: decompress it with `lz4 -d`", 0, "04224d18", 'lz4 -qc "$1" >"$2"'),
    "lz4 -l": ("LZ4 data: decompress it with `lz4 -d`", 0, "02214c18", 'lz4 -qlc "$1" >"$2"'),
    "Android sparse": ("an Android sparse image: convert it with `simg2img`", 0, "3aff26ed",
                       'img2simg "$1" "$2"'),
    "SquashFS": ("a SquashFS file system", 0, "68737173",
                 'mksquashfs "$1" "$2" -quiet -no-progress'),
    "SquashFS, big-endian": ("a big-endian SquashFS file system", 0, "73717368", None),
    "ext": ("an ext2, ext3 or ext4 file system", 1080, "53ef",
            'truncate -s 4M "$2"; mke2fs -qF "$2"'),
    "tar": ("a tar archive: extract it with `tar -x`", 257, "7573746172003030",
            'tar -cf "$2" -C "${1%/*}" "${1##*/}"'),
    "ISO 9660": ("an ISO 9660 file system", 32769, "4344303031",
                 'genisoimage -quiet -o "$2" "$1"'),
    "Btrfs": ("a Btrfs file system", 65600, "5f42485266535f4d",
              'truncate -s 128M "$2"; mkfs.btrfs -q "$2"'),
    "XFS": ("an XFS file system", 0, "58465342", 'truncate -s 512M "$2"; mkfs.xfs -q "$2"'),
    "qcow2": ("a qcow2 disk image: convert it with `qemu-img convert -O raw`", 0, "514649fb",
              'qemu-img convert -f raw -O qcow2 "$1" "$2"'),
    "zip": ("a ZIP archive: extract it with `unzip`", 0, "504b0304",
            'zip -q - "$1" >"$2"'),
    "zip of nothing": ("a ZIP archive: extract it with `unzip`", 0, "504b0506", None),
}


def tool(*arguments, **options):
    """Runs the program under test."""
    return tap.run([*tap.TOOL, *arguments], timeout=120, **options)


def said(path, *options):
    """What `check` says the file is: the rest of the message that it is no image. None if any other
    message, or the status, differs."""
    done = tool("check", "--format=json", path, *options)
    events = json.loads(done.stdout)["events"]
    failure = re.fullmatch(r"not an EROFS image: .* \(sb\.(magic|size)\)(?:; (.*))?",
                           events[-1].get("reason", ""))
    if done.returncode != 2 or not failure:
        return None
    finding = [e for e in events if e.get("rule") == f"sb.{failure[1]}"]
    words = failure[2] or ""
    shown = tool("dump", path, *options).stderr
    agree = (finding and finding[0]["message"].endswith(words) and f"{events[-1]['reason']}\n"
             in done.stderr and f"{events[-1]['reason']}\n" in shown)
    return words if agree else None


def is_said(path, words, name, *options):
    """One test point: exactly these words are said of the file."""
    found = said(path, *options)
    tap.ok(found == words, name, f"said: {found}", f"not: {words}",
           tool("check", path, *options).stderr)


def sample(offset, digits, size):
    """A file of noise with these bytes."""
    content = bytearray(random.Random(size).randbytes(size))
    content[offset:offset + len(digits) // 2] = bytes.fromhex(digits)
    return bytes(content)


def test_formats(work):
    """Each format, of bytes, long and as short as can be."""
    for name, (words, offset, digits, _) in FORMATS.items():
        end = offset + len(digits) // 2
        for size in (end, end + 100000):
            is_said(write(f"{work}/sample", sample(offset, digits, size)), f"it looks like {words}",
                    f"{name}: {size} bytes")
        is_said(write(f"{work}/sample", sample(offset, digits, end)[:offset + 1]), "",
                f"{name}: its bytes are not all there")


def test_tools(work):
    """Each format, as a tool makes it."""
    content = write(f"{work}/input", IMAGE[1024 + 4:] * 20)
    for name, (words, _, _, command) in FORMATS.items():
        point = f"{name}: as its tool makes it"
        if not command:
            continue
        program = command.split(";")[-1].split()[0]
        if not shutil.which(program, path=PATH):
            tap.skip(point, f"{program} is not installed")
            continue
        path = f"{work}/made-{program}"
        done = tap.run(["sh", "-ec", command, "sh", content, path],
                       env={**os.environ, "PATH": PATH})
        if tap.ok(done.returncode == 0, f"{name}: a file is made", done.stdout, done.stderr):
            is_said(path, f"it looks like {words}", point)
        os.path.exists(path) and os.remove(path)


def test_nothing(work):
    """Empty files, zeros, and what nobody knows."""
    is_said(write(f"{work}/empty", b""), "it is empty", "an empty file")
    for size in (1, 1151, 1152, 65536, MIB):
        is_said(write(f"{work}/zeros", bytes(size)), "it is all zeros", f"{size} zeros")
        is_said(write(f"{work}/zeros", bytes(size - 1) + b"x"), "", f"{size - 1} zeros and a byte")
    with open(f"{work}/zeros", "wb") as file:
        file.truncate(1 << 40)
    is_said(f"{work}/zeros", "its first MiB is all zeros", "a TiB of zeros")
    is_said(write(f"{work}/text", b"no image\n" * 1000), "", "a text")
    is_said(write(f"{work}/broken", IMAGE[:1024] + bytes(4) + IMAGE[1028:]), "",
            "an image without magic")


def mbr(*partitions):
    """A boot sector with partitions: (type, first sector) each."""
    entries = b"".join(struct.pack("<8B2I", 0, 0, 0, 0, kind, 0, 0, 0, first, 100)
                       for kind, first in partitions)
    return (bytes(446) + entries).ljust(510, b"\0") + b"\x55\xaa"


def gpt(*firsts, sector=512, size=128, kind=DATA_TYPE, **lies):
    """The start of a disk: a protective boot sector, and partitions that begin at these sectors.
    lies: other values for the header's table, count or entry, which is a size."""
    entries = b"".join(struct.pack("<16s16s3Q", kind, bytes(range(16)), first,
                                   (first + 100) & ALL_ONES, 0).ljust(size, b"\0")
                       for first in firsts)
    says = {"table": 2, "count": len(firsts), "entry": size} | lies
    header = struct.pack("<8s4I4Q16sQ3I", b"EFI PART", 0x10000, 92, 0, 0, 1, 1 << 20, 34, 1 << 20,
                         bytes(16), says["table"], says["count"], says["entry"],
                         zlib.crc32(entries))
    return mbr((0xee, 1)).ljust(sector, b"\0") + header.ljust(sector, b"\0") + entries


def disk(work, start, *offsets, name="disk"):
    """A file that starts with these bytes, and has EROFS images at the offsets."""
    with open(write(f"{work}/{name}", start), "r+b") as file:
        for offset in offsets:
            file.seek(offset)
            file.write(IMAGE)
    return f"{work}/{name}"


def test_sfdisk(work):
    """Partition tables, as a tool makes them."""
    for label, words in (("gpt", "a GUID"), ("dos", "an MBR")):
        point = f"{label}: as sfdisk makes it"
        if not shutil.which("sfdisk", path=PATH):
            tap.skip(point, "sfdisk is not installed")
            continue
        with open(f"{work}/made", "wb") as file:
            file.truncate(8 * MIB)
        done = tap.run(["sfdisk", "-q", f"{work}/made"], env={**os.environ, "PATH": PATH},
                       input=f"label: {label}\nstart=2048, size=2048\nstart=6144, size=2048\n",
                       stdin=None)
        with open(f"{work}/made", "r+b") as file:
            file.seek(3 * MIB)
            file.write(IMAGE)
        tap.ok(done.returncode == 0, f"{label}: a table is made", done.stderr)
        is_said(f"{work}/made", f"it looks like a disk with {words} partition table; "
                f"{begins(3 * MIB)}", point)


def begins(*offsets, more=""):
    """The words about images at these offsets."""
    options = ", ".join(f"--offset={o}" for o in offsets)
    return f"{'EROFS images begin' if offsets[1:] else 'an EROFS image begins'} at {options}{more}"


def test_partitions(work):
    """Images in partitions: the offset that is named works."""
    guid, boot = ("it looks like a disk with a GUID partition table",
                  "it looks like a disk with an MBR partition table")
    # Beyond the first MiB, so that only the table can name it.
    for name, start, words, sectors, sector in (
            ("GPT", gpt(2048, 6144), guid, [6144], 512),
            ("GPT with an entry between them that is not used",
             gpt(4096, 5000, 6144).replace(struct.pack("<Q", 4096), bytes(8)), guid, [6144], 512),
            ("GPT with larger entries", gpt(2048, 6144, size=256), guid, [6144], 512),
            ("GPT with sectors of 4 KiB", gpt(1024, sector=4096), guid, [1024], 4096),
            ("GPT with two images", gpt(4096, 8192), guid, [4096, 8192], 512),
            ("MBR", mbr((0x0c, 2048), (0x83, 6144)), boot, [6144], 512),
            ("MBR with four images", mbr(*((0x83, 2048 * i) for i in range(2, 6))), boot,
             [2048 * i for i in range(2, 6)], 512)):
        offsets = [s * sector for s in sectors]
        path = disk(work, start, *offsets)
        is_said(path, f"{words}; {begins(*offsets[:3], more=', ...' if offsets[3:] else '')}", name)
        for offset in offsets[:3]:
            done = tool("check", "--digests", path, f"--offset={offset}")
            tap.ok(done.returncode == 0, f"{name}: the image at {offset} can be checked",
                   done.stdout, done.stderr)
    is_said(disk(work, gpt(2048)), guid, "GPT without an image")
    is_said(disk(work, gpt(4096, kind=bytes(16)), 2 * MIB), guid, "GPT: an unused entry")
    path = disk(work, b"x" * MIB + gpt(4096), 3 * MIB)
    is_said(path, f"{guid}; {begins(3 * MIB)}", "GPT: offsets count from the file's beginning",
            f"--offset={MIB}")
    is_said(disk(work, mbr((0x83, 4096)).replace(b"\x55\xaa", b"\x55\x55"), 2 * MIB), "",
            "MBR without signature")
    iso = bytearray(mbr((0x83, 4096)).ljust(40000, b"\0"))
    iso[32769:32774] = b"CD001"
    is_said(disk(work, bytes(iso), 2 * MIB), f"it looks like an ISO 9660 file system; "
            f"{begins(2 * MIB)}", "an ISO with a partition table")


def test_start(work):
    """Images behind a header."""
    for offset in (512, 1024, 4096, MIB - 512):
        is_said(disk(work, b"x", offset), begins(offset), f"an image at {offset}")
    for offset in (511, 513, MIB):
        is_said(disk(work, b"x", offset), "", f"an image at {offset} is not looked for")
    is_said(disk(work, gzip.compress(b"x"), 512), f"it looks like gzip data; {begins(512)}",
            "an image behind gzip data")


def test_hostile(work):
    """Partition tables that lie."""
    huge = [1 << 32, (1 << 55) - 1, 1 << 55, (1 << 63) - 1, ALL_ONES // 512, ALL_ONES]
    lies = {f"the first sector is {n:#x}": gpt(n) for n in huge}
    lies |= {f"the table is at {n:#x}": gpt(2048, table=n) for n in huge}
    lies |= {f"{n:#x} entries": gpt(2048, count=n) for n in (0, 1025, (1 << 32) - 1)}
    lies |= {f"entries of {n:#x} bytes": gpt(2048, count=(1 << 32) - 1, entry=n)
             for n in (0, 1, 127, (1 << 32) - 1)}
    lies |= {"it is cut off in its header": gpt(2048)[:600]}
    for name, start in lies.items():
        words = said(disk(work, start))
        tap.ok(words in ("it looks like a disk with a GUID partition table",
                         "it looks like a disk with an MBR partition table"), f"GPT: {name}", words)
    for name, start in (("the first sector", gpt((1 << 55) + 4096)),
                        ("the table's", gpt(4096, table=(1 << 55) + 2))):
        is_said(disk(work, start, 2 * MIB), "it looks like a disk with a GUID partition table",
                f"GPT: {name} is not taken modulo 2^64 bytes")
    for first in (0, 1, (1 << 32) - 1):
        words = said(disk(work, mbr((0x83, first), (0x83, (1 << 32) - 1))))
        tap.ok(words == "it looks like a disk with an MBR partition table",
               f"MBR: a partition at sector {first:#x}", words)
    chance, wrong = random.Random(7), []
    for number in range(60):
        start = bytearray(gpt(4096, 8192) if number % 2 else mbr((0x83, 4096)))
        for _ in range(1 + number % 8):
            start[chance.choice((chance.randrange(len(start)), 446 + chance.randrange(66)))] = \
                chance.randrange(256)
        if said(disk(work, bytes(start), 2 * MIB)) is None:
            wrong.append(bytes(start).hex())
    tap.is_empty(wrong, "garbage in partition tables does no harm")


def main():
    """Every function here whose name begins with test_."""
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as work:
                test(work)
    tap.done()


if __name__ == "__main__":
    main()
