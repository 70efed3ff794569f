#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Bad input: for any input, the tool ends quickly, in little memory, with a finding or an error and
the right status.

Most images here are made byte by byte, because mkfs.erofs makes no such images. They have no
superblock checksum, so that nothing hides behind it, and their nids count from the start of the
image: nid * 32 is an offset.
"""

import collections
import fcntl
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import threading
import time

from erofs_ishare import tap
from erofs_ishare.files import read_bytes, write
from erofs_ishare.images import (BLOCK, CHUNK_BASED, CHUNKED_FILE, DEVICE_TABLE, DIRECTORY,
                                 dirents, fingerprint, FLAT_INLINE, FLAT_PLAIN, Image, inode,
                                 PLAIN_XATTR_PFX, REGULAR, ROOT_NID, SB_CHKSUM, xattr, xattr_area,
                                 XATTR_PREFIXES)
from erofs_ishare.structures import pack

PLAIN_TOOL = f"{tap.TOP}/build/erofs-ishare"
SECONDS = 10  # of processor time for one image, with sanitizers; most take milliseconds
WALL_SECONDS = 120  # for a program that waits instead, even on a busy machine
# of data, stacks included; for the build without sanitizers, which take terabytes
MEBIBYTES = 48 + 4 * os.cpu_count()
LIMITS = ["prlimit", f"--data={MEBIBYTES << 20}", f"--stack={1 << 20}", "--"]

FEATURE_COMPAT = 1024 + 8

Result = collections.namedtuple("Result", "status out err seconds")
tools = []  # commands: copies of the programs under test, which nobody rebuilds meanwhile


# ---- Running the tool ----

def prepare_tools(work):
    """The program under test, and the plain build beside it; all may run the copies."""
    programs = [tap.TOOL] + [[PLAIN_TOOL]] * (tap.TOOL[-1] != PLAIN_TOOL
                                              and os.access(PLAIN_TOOL, os.X_OK))
    for i, command in enumerate(programs):
        copy = shutil.copy(command[-1], f"{work}/tool-{i}")
        os.chmod(copy, stat.S_IRWXU | stat.S_IXOTH | stat.S_IROTH)
        tools.append([*(LIMITS if command == [PLAIN_TOOL] else []), *command[:-1], copy])


def judge(tool, *arguments, **options):
    """Runs the tool; status is None if it did not end in time, negative if a signal ended it."""
    start = time.monotonic()
    environment = os.environ | {
        "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1:exitcode=99",
                                "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99", "NO_COLOR": "1"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen(["prlimit", f"--cpu={SECONDS}", "--", *tool, *arguments],
                              stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                              env=environment, **options) as process:
            timer = threading.Timer(WALL_SECONDS, process.kill)
            timer.start()
            process.wait()
            timer.cancel()
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        status = None if process.returncode == -signal.SIGKILL else process.returncode
        return Result(status, out.read().decode(errors="surrogateescape"),
                      err.read().decode(errors="surrogateescape"), seconds)


def complaints(tool, result, statuses, says):
    """The errors in how a run ended."""
    wrong = []
    if result.status is None:
        wrong.append(f"does not end within {SECONDS} s of processor time")
    elif result.status not in statuses:
        wrong.append(f"exit status {result.status}, not {' or '.join(map(str, sorted(statuses)))}")
    if result.status == 2 and not result.err.strip() and "examined" not in result.out:
        wrong.append("exit status 2, and not a word why")
    if re.search(r"Sanitizer|runtime error", result.err):
        wrong.append("a sanitizer speaks")
    if "out of memory" in result.err:
        wrong.append(f"{MEBIBYTES} MiB of memory are not enough")
    if says and says not in result.out + result.err:
        wrong.append(f"does not say: {says}")
    if wrong:
        wrong += [f"after {result.seconds:.1f} s: {' '.join(tool)}", result.out[-600:],
                  result.err[-1500:]]
    return wrong


def expect(name, image, status, says=None, *arguments, **options):
    """One test point: every build judges the image, ends with the status (or one of them) and says
    something."""
    statuses = {status} if isinstance(status, int) else set(status)
    wrong = []
    for tool in tools:
        result = judge(tool, "check", *arguments, image, **options)
        wrong += complaints(tool, result, statuses, says)
    tap.ok(not wrong, name, *wrong)


def verdicts(tool, images, *arguments):
    """Judges many images in one run. Returns (result, {image: status}), as if each had been judged
    alone."""
    result = judge(tool, "check", "--format=json", *arguments, *images)
    found = dict.fromkeys(images, 0)
    if result.status not in (0, 1, 2):
        return result, found
    report = json.loads(result.out)
    for event in report["events"]:
        image = event["image"]
        if event["type"] in ("failure", "unexamined"):
            found[image] = 2
        elif event.get("severity") == "error":
            found[image] = max(found[image], 1)
    if report["exit_status"] != result.status or result.status != max(found.values()):
        return result._replace(err=result.err + "the exit status is not that of the events",
                               status=-1), found
    return result, found


def in_batches(images, *arguments, size=200):
    """Judges images with every build; yields (image, status, complaints), the worst of the
    builds."""
    for tool in tools:
        for i in range(0, len(images), size):
            batch = images[i:i + size]
            result, found = verdicts(tool, batch, *arguments)
            wrong = complaints(tool, result, {0, 1, 2}, None)
            if wrong and len(batch) > 1:
                yield from in_batches(batch, *arguments, size=max(1, size // 8))
                continue
            for image in batch:
                yield image, found[image], wrong


# ---- Images ----

def real(name):
    """The bytes of a real image."""
    return read_bytes(f"{tap.TOP}/tests/images/{name}.erofs")


# ---- Files that are no images ----

def no_images(work):
    """Each is refused with a reason."""
    os.mkdir(f"{work}/directory")
    os.mkfifo(f"{work}/fifo")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"{work}/socket")
    image = write(f"{work}/real", real("plain-512"))
    expect("an empty file", write(f"{work}/empty", b""), 2, "not an EROFS image")
    expect("a directory", f"{work}/directory", 2, "is a directory")
    expect("a FIFO is not waited for", f"{work}/fifo", 2,
           "neither a regular file nor a block device")
    expect("a FIFO as extra device is not waited for", image, 2,
           "neither a regular file nor a block device", f"--device={work}/fifo")
    expect("a character device", "/dev/zero", 2, "neither a regular file nor a block device")
    expect("a socket", f"{work}/socket", 2, "neither a regular file nor a block device")
    expect("a name that nothing has", f"{work}/nothing", 2, "No such file")
    expect("a file that is no EROFS image", write(f"{work}/text", b"not an image\n" * 1000),
           2, "sb.magic")
    expect("zeros", write(f"{work}/zeros", bytes(65536)), 2, "sb.magic")


def block_device(work):
    """It is no bad input: it is read like a file. A loop device serves where one can be had."""
    image = write(f"{work}/disk", real("digest-4096"))
    made = tap.run(["losetup", "--find", "--show", "--read-only",
                    image]) if shutil.which("losetup") else None
    if not made or made.returncode:
        tap.skip("a block device is read like a file", made.stderr.strip() if made
                 else "losetup is not installed")
        return
    device = made.stdout.strip()
    try:
        from_file, from_device = (tap.run([*tap.TOOL, "check", "--digests", "--severity=warning",
                                           path]) for path in (image, device))
    finally:
        tap.run(["losetup", "--detach", device])
    said = [re.sub(r"[0-9.]+ s$", "", done.stdout, flags=re.M) for done in (from_file, from_device)]
    tap.ok(from_file.returncode == from_device.returncode == 0 and said[0] == said[1],
           "a block device is read like a file", *said, from_device.stderr)


def without_permission(work):
    """Root may read everything: in that case the user nobody tries."""
    image = write(f"{work}/secret", real("plain-512"))
    os.chmod(image, 0)
    options = {} if os.geteuid() else {"user": 65534, "group": 65534, "extra_groups": []}
    expect("a file without permission", image, 2, "Permission denied", cwd="/", **options)


# ---- Images cut short ----

def truncated(work):
    """One file for each length; the image says how long it should be."""
    whole = real("plain-512")
    lengths = [*range(0, 2049), *range(2064, len(whole), 16)]
    os.mkdir(f"{work}/truncated")
    images = [write(f"{work}/truncated/{length:05}", whole[:length]) for length in lengths]
    wrong, short = [], []
    for image, status, complaint in in_batches(images):
        wanted = {2} if int(image[-5:]) < 1024 + 128 else {1, 2}
        wrong += complaint
        if status not in wanted:
            short.append(f"{image[-5:]} bytes: {status}")
    tap.is_empty(wrong, f"truncated images, {len(images)} lengths: each run ends as it should")
    tap.is_empty(short, f"truncated images, {len(images)} lengths: none passes, none without "
                        "superblock is judged")


def shrinking(work):
    """The tool blocks while its report is not read: meanwhile the image shrinks."""
    for option in ((), ("--digests",)):
        wrong = []
        for tool in tools:
            image = Image()
            image.fingerprints()
            area, icount = xattr_area(fingerprint(b"something else"))
            nids = [image.nid(inode(REGULAR, 4, 0, FLAT_INLINE, icount) + area + b"four")
                    for _ in range(8000)]
            image.root([(f"{i:05}".encode(), nid, DIRECTORY) for i, nid in enumerate(nids)])
            path = image.write(f"{work}/shrinking")
            wrong += complaints(tool, shrink_while_read(tool, path, option), {2},
                                "the file has shrunk")
        tap.ok(not wrong, f"an image that shrinks while it is read {' '.join(option)}", *wrong)


def shrink_while_read(tool, path, option):
    """Truncates the image when the first byte of the report arrives, of which the pipe takes only a
    page."""
    start = time.monotonic()
    read_end, write_end = os.pipe()
    fcntl.fcntl(read_end, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen([*tool, "check", "--limit=0", *option, path], stdin=subprocess.DEVNULL,
                          stdout=write_end,
                          stderr=subprocess.PIPE) as process, open(read_end, "rb") as report:
        os.close(write_end)
        timer = threading.Timer(WALL_SECONDS, process.kill)
        timer.start()
        out = report.read(1)
        os.truncate(path, 2048)
        out += report.read()
        err = process.stderr.read()
        process.wait()
        timer.cancel()
    status = None if process.returncode == -signal.SIGKILL else process.returncode
    return Result(status, out.decode(errors="replace"), err.decode(errors="replace"),
                  time.monotonic() - start)


# ---- Trees that are none ----

def cycles(work):
    """Directories that contain themselves, or are in many places."""
    image = Image()
    child = image.reserve()
    image.directory(child, ROOT_NID, [(b"back", ROOT_NID, DIRECTORY)])
    image.root([(b"child", child, DIRECTORY), (b"self", ROOT_NID, DIRECTORY)])
    expect("a cycle of directories", image.write(f"{work}/cycle"), 1, "dir.cycle")

    image = Image()
    nids = [ROOT_NID] + [image.reserve() for _ in range(64)]
    for i, nid in enumerate(nids[:-1]):
        image.directory(nid, nids[max(i - 1, 0)],
                        [(b"a", nids[i + 1], DIRECTORY), (b"b", nids[i + 1], DIRECTORY)])
    image.directory(nids[-1], nids[-2], [])
    expect("2^64 paths to one directory", image.write(f"{work}/aliases"), 1, "dir.cycle")

    image = Image()
    nids = [ROOT_NID] + [image.reserve() for _ in range(20000)]
    for i, nid in enumerate(nids[:-1]):
        image.directory(nid, nids[max(i - 1, 0)], [(b"d" * 200, nids[i + 1], DIRECTORY)])
    image.directory(nids[-1], nids[-1], [])
    expect("20,000 directories in each other", image.write(f"{work}/deep"), 1, "dir.cycle")


def overlapping_directories(work):
    """Thousands of directories, each as large as the image."""
    image = Image()
    nids = [image.reserve() for _ in range(20000)]
    data = dirents([(f"{i:05}".encode(), nid, DIRECTORY) for i, nid in enumerate(nids)])
    block = image.block(data)
    for nid in (ROOT_NID, *nids):
        image.place(nid, inode(DIRECTORY, len(data), block, links=2))
    expect("20,000 directories of the same data", image.write(f"{work}/directories"), 2,
           "not examined", "--rule=fingerprint.*")


def inverse_nids(work):
    """Nids that a multiplication by the golden ratio would send to the same place."""
    inverse = pow(0x9E3779B97F4A7C15, -1, 1 << 64)
    keys = [key for key in (inverse * i % (1 << 64) for i in range(1, 150000 * 64))
            if key < 1 << 58]
    image = Image()
    image.root([(f"{i:06}".encode(), key * 64, REGULAR) for i, key in enumerate(keys)])
    expect(f"{len(keys)} nids chosen against a hash table", image.write(f"{work}/nids"), 0, None,
           "--rule=sb.*")


# ---- Xattrs ----

def xattrs(work):
    """Areas that are too large, overlap, or name what is not there."""
    image = Image()
    image.root([image.file(size=0, icount=65535)])
    expect("65,535 words of xattrs that are not there", image.write(f"{work}/icount"), 1,
           "inode.xattr-bounds")

    image = Image()
    entry = image.file(size=0, icount=65535)
    image.append(bytes(12 + 4 * 65534))
    image.root([entry])
    expect("65,535 words of fill", image.write(f"{work}/fill"), 0)

    image = Image()
    entry = image.file(size=0, icount=65535)
    image.append(bytes(12) + pack("xattr_entry", e_name_index=77) * 65533 + bytes(4), 4)
    image.root([entry])
    expect("65,533 xattrs of one bad name", image.write(f"{work}/names"), 1, "xattr.duplicate")

    image = Image()
    nids = [image.nid(inode(REGULAR, 0, icount=65535)) for _ in range(30000)]
    image.append(bytes(12 + 4 * 65534))
    image.root([(f"{i:05}".encode(), nid, REGULAR) for i, nid in enumerate(nids)])
    expect("30,000 overlapping xattr areas", image.write(f"{work}/areas"), 2, "not examined",
           "--rule=fingerprint.*")

    image = Image()
    other = image.reserve()
    nids = [image.nid(inode(REGULAR, 0, icount=65535)) for _ in range(50)]
    image.append(bytes(12 + 4 * 65534))
    image.directory(other, ROOT_NID, [(f"{i:05}".encode(), image.nid(inode(REGULAR, 0)), REGULAR)
                                      for i in range(20000)])
    image.root([(f"{i:05}".encode(), nid, REGULAR) for i, nid in enumerate(nids)]
               + [(b"z", other, DIRECTORY)])
    expect("50 overlapping xattr areas, and 20,000 other files: all are walked",
           image.write(f"{work}/kinds"), 2, " 20052 inodes, ", "--rule=fingerprint.*")

    area, icount = xattr_area(shared=[0, 0x7FFFFFFF, 0xFFFFFFFF])
    image = Image()
    nid = image.nid(inode(REGULAR, 0, icount=icount) + area)
    image.root([(b"file", nid, REGULAR)])
    expect("shared ids past the end", image.write(f"{work}/shared"), 1, "xattr.shared-id")

    image = Image()
    nid = image.nid(inode(REGULAR, 0, icount=4) + pack("ibody_header", h_shared_count=255)
                    + bytes(16))
    image.root([(b"file", nid, REGULAR)])
    expect("255 shared ids in an area for two", image.write(f"{work}/count"), 1,
           "xattr.shared-count")

    image = Image()
    block = image.block(xattr(1, b"n", bytes(65535)))
    image.superblock["xattr_block"] = block
    area, icount = xattr_area(shared=[0] * 255)
    nids = [image.nid(inode(REGULAR, 0, icount=icount) + area) for _ in range(3000)]
    image.root([(f"{i:05}".encode(), nid, REGULAR) for i, nid in enumerate(nids)])
    expect("765,000 times a shared xattr of 64 KiB", image.write(f"{work}/large"), {0, 2}, None,
           "--rule=sb.*")


def fingerprints(work):
    """Many wrong fingerprints in one directory: finding their names again must not take the square
    of their number."""
    image = Image()
    image.fingerprints()
    area, icount = xattr_area(fingerprint(b"something else"))
    nids = [image.nid(inode(REGULAR, 1 + i % 16, 0, FLAT_INLINE, icount) + area + bytes(1 + i % 16))
            for i in range(40000)]
    image.root([(f"{i:05}".encode(), nid, REGULAR) for i, nid in enumerate(nids)])
    path = image.write(f"{work}/fingerprints")
    expect("40,000 wrong digests in one directory", path, 1, "fingerprint.digest", "--digests")

    image = Image()
    image.fingerprints()
    block = image.block(bytes(65536))
    nids = [image.nid(inode(REGULAR, 1 + i, block, FLAT_PLAIN, icount) + area)
            for i in range(20000)]
    image.root([(f"{i:05}".encode(), nid, REGULAR) for i, nid in enumerate(nids)])
    expect("20,000 sizes of one fingerprint", image.write(f"{work}/sizes"), 1,
           "fingerprint.same-size")


def collisions(work):
    """Names and fingerprints that XXH3 would hash alike if everybody knew its seed: one must not
    hide another."""
    # where XXH3's default secret begins; half of a product with it, exclusive or, is zero
    secret = 0xBE4BA423396CFEB8

    def colliding(seed, last):
        return struct.pack("<Q", secret + seed) + last.ljust(56, b"=")

    image = Image()
    image.fingerprints()
    area = {last: xattr_area(xattr(0x80, b"", colliding(0, last))) for last in (b"a", b"b")}
    block = image.block(bytes(BLOCK))
    nids = [image.nid(inode(REGULAR, 1 + i, block, icount=area[last][1]) + area[last][0])
            for i, last in enumerate((b"a", b"b", b"a"))]
    image.root([(f"{i}".encode(), nid, REGULAR) for i, nid in enumerate(nids)])
    expect("fingerprints made to collide", image.write(f"{work}/fingerprints"), 1,
           "/2: error: fingerprint.same-size")

    image = Image()
    entries, icount = xattr_area(b"".join(xattr(1, colliding(1, last), b"")
                                          for last in (b"a", b"b", b"a")))
    nid = image.nid(inode(REGULAR, 0, icount=icount) + entries)
    image.root([(b"file", nid, REGULAR)])
    expect("xattr names made to collide", image.write(f"{work}/names"), 1, "xattr.duplicate")


# ---- Sizes that are lies ----

def sizes(work):
    """Data that is larger than everything."""
    for size in (1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        image = Image(incompat=CHUNKED_FILE)
        image.root([image.file(size=size, layout=CHUNK_BASED, extended=True)])
        expect(f"a chunk array for {size} bytes", image.write(f"{work}/chunks"), {1, 2})

    image = Image(incompat=CHUNKED_FILE)
    entry = image.file(size=1 << 45, u=9, layout=CHUNK_BASED, extended=True)
    image.root([entry])
    image.write(f"{work}/sparse-chunks", 1 << 40)
    expect("a chunk array in the hole of a sparse image", f"{work}/sparse-chunks", {1, 2})

    image = Image()
    image.fingerprints()
    area, icount = xattr_area(fingerprint(b""))
    nid = image.nid(inode(REGULAR, 1 << 60, 0xFFFFFFFF, FLAT_PLAIN, icount, extended=True,
                          high=0xFFFF) + area)
    image.root([(b"hole", nid, REGULAR)])
    path = image.write(f"{work}/hole")
    expect("a hole of 2^60 bytes", path, 0)
    expect("a hole of 2^60 bytes with a digest", path, 2, "not examined", "--digests")

    image = Image()
    image.fingerprints()
    nid = image.nid(inode(REGULAR, 1 << 39, 8, FLAT_PLAIN, icount, extended=True) + area)
    image.root([(b"large", nid, REGULAR)])
    image.write(f"{work}/sparse-digest", 1 << 40)
    expect("a digest of 512 GiB that are not there", f"{work}/sparse-digest", 2, "not examined",
           "--digests")

    image = Image()
    image.place(ROOT_NID, inode(DIRECTORY, 1 << 50, 0xFFFFFFFF, extended=True, high=0xFFFF))
    expect("a root directory that is a hole of 2^50 bytes", image.write(f"{work}/root"), {1, 2})

    path = write(f"{work}/sparse", real("plain-512"))
    os.truncate(path, 1 << 40)
    expect("a sparse file of 1 TiB with a superblock", path, 0)


# ---- Digests of more than there is ----

MIB = 1 << 20


def zeros_digest(size):
    """The SHA-256 of so many zeros."""
    digest, piece = hashlib.sha256(), bytes(MIB)
    for _ in range(size // MIB):
        digest.update(piece)
    return digest.digest()


def hole(image, name, size, digest):
    """An entry for a file that is a hole."""
    area, icount = xattr_area(xattr(0x80, b"", b"sha256:" + digest))
    nid = image.nid(inode(REGULAR, size, 0xFFFFFFFF, FLAT_PLAIN, icount, extended=True,
                          high=0xFFFF) + area)
    return (name, nid, REGULAR)


def budgets(work):
    """Holes and chunks that are used again: what they cost is bounded over the whole command, and
    zeros are free."""
    digest = zeros_digest(300 * MIB)
    image = Image()
    image.fingerprints()
    image.root([hole(image, f"hole-{i}".encode(), 300 * MIB, digest) for i in range(4)])
    path = image.write(f"{work}/holes")
    expect("four holes of 300 MiB", path, 0, "\n4 digests compared\n", "--digests")
    expect("four holes of one size cost as much as one", path, 0, "\n4 digests compared\n",
           "--digests", "--budget=300M")
    expect("a byte less", path, 2, "beyond the budget for holes, and chunks that are used again "
                                   "(--budget) (4 times, first: /hole-0)",
           "--digests", "--budget=314572799")

    image = Image()
    image.fingerprints()
    image.root([hole(image, b"hole", 1 << 30, bytes(32))])
    path = image.write(f"{work}/gib")
    expect("a hole of 1 GiB, 200 times", path, 1, "\n200 digests compared\n", "--digests",
           "--rule=fingerprint.digest", *[path] * 199)

    image = Image()
    image.fingerprints()
    area, icount = xattr_area(fingerprint(b"small"))
    entries = [hole(image, f"{i:02}".encode(), (i + 1) << 40, bytes(32)) for i in range(50)]
    small = image.nid(inode(REGULAR, 5, image.block(b"small"), FLAT_PLAIN, icount) + area)
    image.root([*entries, (b"small", small, REGULAR)])
    expect("a small file behind holes without end", image.write(f"{work}/small"), 2,
           "\n1 digest compared\n", "--digests")

    image = Image()
    image.fingerprints()
    image.superblock["incompat"] |= CHUNKED_FILE
    block = image.block(b"x" * BLOCK)
    area, icount = xattr_area(fingerprint(b"x" * (BLOCK * 500)))
    nid = image.nid(inode(REGULAR, BLOCK * 500, 0, CHUNK_BASED, icount) + area
                    + struct.pack("<I", block) * 500)
    image.root([(b"chunks", nid, REGULAR)])
    path = image.write(f"{work}/chunks")
    expect("a block that is used 500 times", path, 0, "\n1 digest compared\n", "--digests")
    expect("64 times the image's bytes need no budget", path, 0, "\n1 digest compared\n",
           "--digests", "--budget=0")


# ---- Tables ----

def tables(work):
    """As many prefixes and devices as the superblock can count."""
    image = Image(incompat=XATTR_PREFIXES, compat=PLAIN_XATTR_PFX, prefixes=255)
    record = pack("prefix_record", length=5, base_index=1)
    records = b"".join(record + f"{i:03}.".encode() + b"\0" for i in range(255))
    image.superblock["prefix_start"] = image.append(records) // 4
    image.root([])
    expect("a table of 255 prefixes", image.write(f"{work}/prefixes"), 0)

    image = Image(incompat=XATTR_PREFIXES, compat=PLAIN_XATTR_PFX, prefixes=255)
    record = pack("prefix_record", length=0xFFFF, base_index=1)
    image.superblock["prefix_start"] = image.append(record * 255) // 4
    image.root([])
    expect("a table of 255 prefixes of 65,535 bytes", image.write(f"{work}/lengths"), 1,
           "prefix.length")

    image = Image(incompat=DEVICE_TABLE | CHUNKED_FILE, devices=65535)
    slot = pack("deviceslot", blocks_lo=1000, uniaddr_lo=2000000)
    image.superblock["slots"] = image.append(slot * 65535, 128) // 128
    chunk = struct.pack("<I", 8)
    nid = image.nid(inode(REGULAR, 400000 * BLOCK, 0, CHUNK_BASED))
    image.append(chunk * 400000, 4)
    image.root([(b"file", nid, REGULAR)])
    path = image.write(f"{work}/devices")
    expect("65,535 devices in one place", path, 1, "dev.overlap")
    expect("65,535 devices in one place, and many chunks", path, {1, 2}, "dev.overlap",
           f"--device={write(f'{work}/blob', bytes(BLOCK))}")


# ---- Output ----

OUTPUT = 1 << 20  # bytes, in any format
FORMATS = ("text", "json", "sarif", "tap")


def many_findings():
    """An image of 180 KB with more than 100,000 findings, in files whose paths are as long as paths
    get."""
    image = Image()
    image.fingerprints()
    shared = image.append(xattr(0x80, b"", b"") + xattr(0x80, b"", b""), 4) // 4
    area, icount = xattr_area(shared=[shared] * 255)
    files = [(b"\x01%03d" % i, image.nid(inode(REGULAR, 0, icount=icount) + area), REGULAR)
             for i in range(150)]
    parent, nid = ROOT_NID, image.reserve()
    image.root([(b"\x01" * 255, nid, DIRECTORY)])
    for _ in range(15):
        child = image.reserve()
        image.directory(nid, parent, [(b"\x01" * 255, child, DIRECTORY)])
        parent, nid = nid, child
    image.directory(nid, parent, files)
    return image


def overlapping_inodes():
    """An image of 50 KB with 1,000 inodes, each in the xattr area of those before it, which has 164
    shared ids."""
    image = Image()
    image.fingerprints()
    _, icount = xattr_area(shared=[0] * 255)
    files = [(b"%03d" % i, image.nid(inode(REGULAR, 0, icount=icount)), REGULAR)
             for i in range(1000)]
    image.append(bytes(4096))
    image.root(files)
    return image


def bounded(tool, arguments, says, seconds=1, size=OUTPUT):
    """What is wrong with how much a run prints, or how long it takes without sanitizers."""
    timed = ["prlimit", f"--cpu={seconds}", "--", *tool] if tool[:1] == LIMITS[:1] else tool
    result = judge(timed, *arguments)
    wrong = complaints(tool, result, {1, 2}, says)
    if len(result.out) > size or len(result.err) > size:
        wrong.append(f"{len(result.out)} and {len(result.err)} bytes of output")
    return wrong


def output(work):
    """Small images must not fill a disk, nor take long."""
    images = {"many findings": many_findings().write(f"{work}/many"),
              "overlapping inodes": overlapping_inodes().write(f"{work}/overlapping")}
    for name, path in images.items():
        for form in FORMATS:
            wrong = []
            for tool in tools:
                wrong += bounded(tool, ["check", f"--format={form}", path], "omitted"
                                 if form == "json" else "not shown")
            tap.ok(not wrong, f"{name}: little output in {form}", *wrong)
        for form in FORMATS[:2]:
            wrong = []
            for tool in tools:
                wrong += bounded(tool, ["dump", f"--format={form}", path], "bytes (--limit)",
                                 size=OUTPUT // 4 + 24 * os.path.getsize(path))
            tap.ok(not wrong, f"{name}: little to dump in {form}", *wrong)
    wrong = bounded(tools[-1], ["check", *[images["overlapping inodes"]] * 300], "not shown",
                    seconds=5, size=100 << 20)
    tap.ok(not wrong, "an image named 300 times", *wrong)


# ---- Names ----

TERMINAL = [b"\x1b]0;title\x07", b"\x1b[2J", b"\rno finding", b"\nline", b"\x9b31m",
            "\u202egnp.exe".encode(), b"\x7f",
            "\u009b5n".encode(), b"\xff\xfe", b"\x08\x08"]


def unfit(text):
    """The characters that would drive a terminal, or are not text."""
    return re.findall("[^\n\x20-\x7e\u00a0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\U0010ffff]",
                      text)


def names(work):
    """Names with control sequences for a terminal, as in an untrusted image."""
    image = Image()
    nid = image.reserve()
    area, icount = xattr_area(b"".join(xattr(1, name, b"\x1b[31m") for name in TERMINAL * 2))
    image.place(nid, inode(REGULAR, 0, icount=icount))
    image.append(area, 4)
    del image.bytes[nid * 32 + 32:nid * 32 + 64]
    image.root([(name, nid, DIRECTORY) for name in TERMINAL])
    directory = os.path.join(os.fsencode(work), b"\x1b[41m")
    os.mkdir(directory)
    path = os.path.join(directory, b"image\r")
    image.write(path)
    wrong = []
    for tool in tools:
        for command in (["check"], ["check", "--format=tap"], ["check", "--format=json"],
                        ["check", "--format=sarif"],
                        ["dump"], ["dump", "--format=json"]):
            result = judge(tool, *command, path)
            ended = complaints(tool, result, {0, 1, 2}, None)
            bad = unfit(result.out + result.err)
            if ended or bad or not result.out:
                wrong.append(f"{' '.join(command)}: {ended} {bad[:10]!r}")
        result = judge(tool, "explain", "\x1b[2J")
        if unfit(result.out + result.err):
            wrong.append("explain")
    tap.is_empty(wrong, "no name drives a terminal")


# ---- Bits that have flipped ----

SEEDS = ["digest-512", "xattr-all-shared-512", "chunk-indexes-48bit-512", "metabox-plain-512",
         "prefix-both-512"]
MUTANTS = 500


def mutant(whole, chance):
    """A copy with a few bits or bytes changed, and whether the superblock's checksum must
    notice."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 8))):
        where = chance.randrange(1024, len(data))
        before = data[where]
        data[where] = chance.choice((before ^ 1 << chance.randrange(8), 0, 0xFF, before + 1 & 0xFF))
    covered = slice(1024, 1024 + BLOCK)
    return bytes(data), data[covered] != whole[covered] and data[FEATURE_COMPAT] & SB_CHKSUM


def mutants(work):
    """Real images with a few bytes changed; always the same changes."""
    chance = random.Random(20)
    os.mkdir(f"{work}/mutants")
    for seed in SEEDS:
        whole = real(seed)
        noticed, images = set(), []
        for i in range(MUTANTS):
            data, notices = mutant(whole, chance)
            images.append(write(f"{work}/mutants/{seed}-{i:04}", data))
            if notices:
                noticed.add(images[-1])
        wrong, passed = [], []
        for image, status, complaint in in_batches(images, "--digests"):
            wrong += complaint
            if image in noticed and status == 0:
                passed.append(image)
        tap.is_empty(wrong, f"{MUTANTS} mutants of {seed}: each run ends as it should")
        tap.is_empty(passed, f"{MUTANTS} mutants of {seed}: none with a wrong superblock passes")


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parts = (no_images, block_device, without_permission, truncated, shrinking, cycles,
             overlapping_directories,
             inverse_nids, xattrs, fingerprints, collisions, sizes, budgets, tables, output,
             names, mutants)
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        prepare_tools(work)
        for part in parts:
            os.mkdir(f"{work}/{part.__name__}", 0o755)
            start = time.monotonic()
            part(f"{work}/{part.__name__}")
            print(f"# {part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    tap.done()


if __name__ == "__main__":
    main()
