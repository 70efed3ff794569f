#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""--rule and --severity: a selection of rules exits with 0 only if each of them holds and no
violated rule affects them.

The program has a table of which rule decides about which. Here the answer is worked out without
that table, from the specification's catalogue and from what a check of all rules says:

- a selected rule that the check of all rules finds broken must not pass;
- no selected rule about fingerprints passes while a rule is broken of which the specification says
  that it can lead to wrong data or worse;
- nothing passes that lies behind a structure which breaks a rule;
- where the changes of two vectors are put into one image, the rule of the one must not pass because
  the rule of the other is broken, too.

And the other way round: an image that conforms conforms under every selection.
"""

import collections
import fnmatch
import json
import os
import random
import re
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor

from erofs_ishare import tap, TOP
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.images import (BLOCK, CHUNK_BASED, CHUNKED_FILE, COMPRESSED, fingerprint,
                                 Image as Builder, inode, LZ4_0PADDING, REGULAR, xattr, xattr_area)

# Tens of thousands of checks: without sanitizers, unless a tool is given.
if "ISHARE_TOOL" not in os.environ:
    tap.TOOL = [f"{TOP}/build/erofs-ishare"]

VECTORS = f"{tap.TOP}/build/spec/vectors"
BASES = f"{tap.TOP}/spec/base"
GROUPS = ("sb.*", "dev.*", "prefix.*", "inode.*", "dir.*", "xattr.*", "fingerprint.*", "*digest",
          "fingerprint.s*")
RANDOM = 20
BATCH = 400
CHECKSUM = slice(1024 + 4, 1024 + 8)
CHUNK = 8 * BLOCK

# Rules of which no other depends, and why.
HARMLESS = {
    "sb.size": "an image that breaks it is not judged at all",
    "sb.magic": "an image that breaks it is not judged at all",
    "inode.symlink-target": "the link cannot be followed; that is all",
    "sb.checksum": "the mount fails",
    "sb.compr-algs": "the mount fails, and how data is compressed is not specified",
    "dir.name-end": "it decides by which name a file is found, not what is in it",
    "dir.name-order": "it decides by which name a file is found, not what is in it",
    "dir.type": "it decides what readdir says of a file",
    "dir.dot": "the VFS resolves `.` by itself",
    "dir.dot-present": "the VFS resolves `.` and `..` by itself",
    "fingerprint.digest": "equal fingerprints have equal sizes whatever the contents are",
    "fingerprint.same-content": "the same, and a digest is compared with the file's own content",
    "fingerprint.padding-zero": "no digest is about these bytes",
}

# What lies behind a structure that breaks a rule, by the subjects of rules.
FINGERPRINTS = {"fingerprint", "files"}
XATTRS = {"xattr"} | FINGERPRINTS
TREE = {"inode", "dirent", "ibody"} | XATTRS
BEHIND = {
    "image": {"device", "prefix"} | TREE,
    "superblock": {"device", "prefix"} | TREE,
    "device": {"device", "prefix"} | TREE,
    "prefix": {"prefix"} | XATTRS,
    "inode": {"prefix"} | TREE,  # it may be the metabox, which may hold the prefix table
    "dirent": TREE,
    "ibody": XATTRS,
    "xattr": XATTRS,
    "fingerprint": {"files"},
    "files": {"files"},
}

# Rules that leave some of that as it is, and why.
NO_NAMES = {"device", "inode", "dirent", "ibody"}
LEAVES = {
    "sb.dir-block-bits": ({"device", "prefix"}, "directories alone are read block by block"),
    "sb.root-inode": ({"device", "prefix"}, "directories and files alone are found from the root"),
    "sb.prefix-feature": (NO_NAMES, "it decides about long names alone"),
    "sb.ishare-needs-prefixes": (NO_NAMES, "it decides about long names alone"),
    "sb.ishare-prefix-id": (NO_NAMES, "it decides about long names alone"),
    "prefix.ishare-infix-nul": ({"prefix", "xattr"}, "it is about one name alone"),
    "prefix.ishare-name-length": ({"prefix", "xattr"}, "it is about one name alone"),
    "dir.name": (TREE - {"dirent"}, "it decides by which name a file is found, not what is in it"),
    "xattr.duplicate": ({"xattr"}, "one of the two is read, and the others are what they are"),
    "xattr.name-filter": ({"xattr"}, "an xattr that is not found is one all the same"),
}

# Rules that are behind a structure, too, although others of their subject are not.
ALSO_BEHIND = {
    ("superblock", "sb.root-inode"): "the root is where the superblock says",
    ("fingerprint", "fingerprint.padding-zero"): "the file may not be among those that share",
}

# What cannot be examined: (image, options, rules on which there is no verdict). Images without a
# block size in their name are made by make_images().
UNEXAMINED = [
    ("chunk-table", ["--digests"], ["dev.table-place", "dev.metadata", "prefix.*", "inode.*",
                                    "dir.*", "xattr.*", "fingerprint.*"]),
    ("opaque", ["--digests"], ["fingerprint.same-content"]),
    ("opaque", ["--digests", "--domain"], ["fingerprint.same-content"]),
    ("padding", ["--digests", "--budget=0"], ["fingerprint.padding-zero"]),
    ("digest-512", [], ["fingerprint.digest", "fingerprint.same-content",
                        "fingerprint.padding-zero"]),
    ("blobdev-512", ["--digests"], ["inode.*", "fingerprint.digest", "fingerprint.same-content",
                                    "fingerprint.padding-zero"]),
    ("lz4-512", ["--digests"], ["fingerprint.digest", "fingerprint.same-content"]),
    ("metabox-512", ["--digests"], ["sb.root-inode", "prefix.*", "inode.*", "dir.*", "xattr.*",
                                    "fingerprint.*"]),
]

# A change that breaks the second rule mends the first.
MENDS = {
    ("fingerprint.digest", "fingerprint.size"): "a fingerprint of no bytes is not one of sha256:",
    ("sb.prefix-feature", "sb.ishare-prefix-id"): "no prefixes need no feature",
    ("inode.compression", "sb.compr-algs"): "an image that announces an algorithm, whichever it is,"
                                            " has one",
}

# broken: rules of severity error. blamed: broken rules that were not asked for and matter.
Verdict = collections.namedtuple("Verdict", "status broken blamed")
BLAMED = re.compile(r"what depends on (\S+), which is broken and was not asked for")
Image = collections.namedtuple("Image", "path devices")

catalogue = {rule["name"]: rule
             for rule in json.loads(tap.run([*tap.TOOL, "rules", "--format=json"]).stdout)
             if not rule["runtime"]}


def run(images, *options):
    """Judges images in one process; {path: Verdict}."""
    named = [word for image in images
             for word in (image.path, *(f"--device={d}" for d in image.devices))]
    done = tap.run([*tap.TOOL, "check", "--format=json", "--digests", *options, *named])
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr[-2000:]}")
    found = {image.path: Verdict(0, set(), set()) for image in images}
    for event in json.loads(done.stdout)["events"]:
        status, broken, blamed = found[event["image"]]
        if event["type"] in ("failure", "unexamined"):
            status = 2
            blamed.update(BLAMED.findall(event["reason"]))
        elif event.get("severity") == "error":
            status = max(status, 1)
            broken.add(event["rule"])
        found[event["image"]] = Verdict(status, broken, blamed)
    if done.returncode != max(v.status for v in found.values()):
        raise RuntimeError(f"exit status {done.returncode}, where the events say otherwise")
    return found


def judge(images, *options):
    """The same for any number of images."""
    found = {}
    for i in range(0, len(images), BATCH):
        found.update(run(images[i:i + BATCH], *options))
    return found


def manifest():
    """The vectors: [(image, its line in the manifest)]."""
    return [(Image(f"{VECTORS}/{v['file']}", tuple(f"{VECTORS}/{d}" for d in v["devices"])), v)
            for v in json.loads(read(f"{VECTORS}/manifest.json"))]


# ---- Changes ----

def new_image(path, data, devices=()):
    """An image of these bytes."""
    return Image(write(path, data), devices)


class Change:
    """What a vector changes in its base, as one number: changes of disjoint bytes are combined by
    XOR. So are their checksums, as a CRC is linear."""

    def __init__(self, vector, devices, base, data):
        self.rule, self.devices, self.base = vector["rule"], devices, base
        self.name = vector["file"].replace("/", "-").removesuffix(".erofs")
        self.number = int.from_bytes(base, "big") ^ int.from_bytes(data, "big")
        changed = bytearray(self.number.to_bytes(len(base), "big"))
        changed[CHECKSUM] = bytes(4)
        self.bytes = {i for i, byte in enumerate(changed) if byte}

    def with_other(self, other):
        """An image with both; None: they change the same byte."""
        if self.bytes & other.bytes:
            return None
        return (int.from_bytes(self.base, "big") ^ self.number ^ other.number).to_bytes(
            len(self.base), "big")


def changes(severity="error"):
    """{base: [Change]}: vectors of a severity that fail, of the length of their base."""
    found = collections.defaultdict(list)
    for image, vector in manifest():
        if vector["kind"] != "fails" or vector["severity"] != severity:
            continue
        base, data = read_bytes(f"{BASES}/{vector['base']}.erofs"), read_bytes(image.path)
        if len(base) == len(data):
            found[vector["base"]].append(Change(vector, image.devices, base, data))
    return found


def without_filters(work):
    """Vectors in which name filters do not count: what changes a name breaks xattr.name-filter,
    too, else."""
    off = next(change for change in changes("warning")["plain"]
               if change.rule == "sb.filter-reserved")
    for change in changes()["plain"]:
        data = change.with_other(off)
        if data:
            yield new_image(f"{work}/without-filters-{change.name}", data)


# ---- What may pass ----

def about_fingerprints(rule):
    """Whether what a reader is given depends on it."""
    return catalogue[rule]["subject"] in ("fingerprint",
                                          "files") and catalogue[rule]["harm"] == "wrong-data"


def behind(rule):
    """The subjects of rules about what a reader does not find, or finds elsewhere, where a rule is
    broken."""
    return BEHIND.get(catalogue[rule]["subject"], set()) - LEAVES.get(rule, (set(), ""))[0]


def obstacle(broken, selected):
    """Why a selection must not end with 0 for an image in which these rules are broken; None: it
    may."""
    if broken & selected:
        return f"{min(broken & selected)} is broken"
    reasons = (reason_to_blame(rule, selected) for rule in sorted(broken))
    return next((reason for reason in reasons if reason), None)


def reason_to_blame(rule, selected):
    """Why a selection of other rules means nothing where a rule is broken; None: it may."""
    dangerous = catalogue[rule]["harm"] in ("wrong-data", "memory-safety")
    for other in sorted(selected) if rule not in HARMLESS else ():
        if catalogue[rule]["subject"] == "files" and catalogue[other]["subject"] != "files":
            continue
        if dangerous and about_fingerprints(other):
            return f"{rule} is broken, and {other} is about fingerprints"
        also = (catalogue[rule]["subject"], other) in ALSO_BEHIND and rule not in LEAVES
        if also or catalogue[other]["subject"] in behind(rule):
            return f"{rule} is broken, and {other} is about what is behind"
    return None


def selections():
    """[(options, rules)]: each rule alone, groups, and severities."""
    found = [([f"--rule={rule}"], {rule}) for rule in catalogue]
    found += [([f"--rule={glob}"], set(fnmatch.filter(catalogue, glob))) for glob in GROUPS]
    order = ("error", "warning", "note")
    for i, severity in enumerate(order):
        found.append(([f"--severity={severity}"],
                      {r for r in catalogue if catalogue[r]["severity"] in order[:i + 1]}))
    chance = random.Random(5)
    for _ in range(RANDOM):
        some = set(chance.sample(sorted(catalogue), chance.randrange(2, 20)))
        found.append(([f"--rule={rule}" for rule in sorted(some)], some))
    return found


def complaints(full, said, selected):
    """The errors in the results of a selection."""
    for image, verdict in full.items():
        why = obstacle(verdict.broken, selected)
        name = os.path.relpath(image, VECTORS)
        if why and said[image].status == 0:
            yield f"{name}: 0, but {why}"
        for rule in sorted(verdict.broken - selected - said[image].blamed):
            why = reason_to_blame(rule, selected)
            if why:
                yield f"{name}: {why}, but {rule} is not said to matter"
        if verdict.status == 0 and said[image].status != 0:
            yield f"{name}: {said[image].status}, but it conforms"
        if said[image].broken != verdict.broken & selected and verdict.status != 2:
            yield (f"{name}: finds {sorted(said[image].broken)}, "
                   f"not {sorted(verdict.broken & selected)}")
        if verdict.broken <= set(HARMLESS) and verdict.status == 1 \
                and not verdict.broken & selected \
                and said[image].status != 0:
            yield f"{name}: {said[image].status}, but what is broken decides about nothing selected"


def test_vectors(pool):
    """Every vector, every selection."""
    cases = selections()
    with tempfile.TemporaryDirectory() as work:
        images = [*(image for image, _ in manifest()), *without_filters(work),
                  Image(f"{BASES}/plain.erofs", ())]
        full = judge(images)
        tap.ok({0, 1, 2} <= {v.status for v in full.values()}, "vectors end in all ways")
        for (options, selected), said in zip(cases,
                                             pool.map(lambda case: judge(images, *case[0]), cases)):
            tap.is_empty(complaints(full, said, selected),
                         f"{len(images)} vectors with {' '.join(options)}")


def test_without_devices():
    """What is broken must not pass because the devices that would show it are missing."""
    images = [image for image, _ in manifest() if image.devices]
    wrong = []
    for image, verdict in zip(images, judge(images).values()):
        for rule in sorted(verdict.broken):
            if run([image._replace(devices=())], f"--rule={rule}")[image.path].status == 0:
                wrong.append(f"{os.path.relpath(image.path, VECTORS)} passes {rule}")
    tap.ok(images, "there are vectors with devices")
    tap.is_empty(wrong, f"{len(images)} vectors without their devices")


def make_image(path, entry=b"", chunks=0, length=None, **fields):
    """An image of one file, with an xattr. Each of the file's chunks is the same one, of zeros."""
    image = Builder()
    image.fingerprints()
    image.superblock["incompat"] |= CHUNKED_FILE | LZ4_0PADDING
    zeros = struct.pack("<I", image.block(bytes(CHUNK)))
    area, icount = xattr_area(entry) if entry else (b"", 0)
    file = image.nid(inode(REGULAR, icount=icount, **fields) + area + chunks * zeros)
    image.root([(b"file", file, REGULAR)])
    image.write(path, length)


def make_images(directory):
    """Images that mkfs.erofs would not make, each with one part that is not examined."""
    # The table fits in the image, but in bytes that the file does not have.
    make_image(f"{directory}/chunk-table.erofs", length=32 << 20, size=1 << 31, layout=CHUNK_BASED)
    make_image(f"{directory}/opaque.erofs", xattr(0x80, b"", b"opaque"), size=1, layout=COMPRESSED)
    # The content and 63 bytes are 64 times the image, which is what may be read without a budget;
    # from the end of the file to that of its block there are 511 bytes.
    length = 3 * CHUNK + 1
    size = 64 * length - 63
    make_image(f"{directory}/padding.erofs", fingerprint(bytes(size)), -(-size // CHUNK),
               length, size=size, u=(CHUNK // BLOCK).bit_length() - 1, layout=CHUNK_BASED)


def test_unexamined(pool):
    """On what is not examined there is no verdict, and there is one on everything else."""
    with tempfile.TemporaryDirectory() as made:
        make_images(made)
        for name, options, patterns in UNEXAMINED:
            where = f"{TOP}/tests/images" if re.search(r"\d$", name) else made
            command = [*tap.TOOL, "check", *options, f"{where}/{name}.erofs"]
            done = pool.map(tap.run, ([*command, f"--rule={rule}"] for rule in catalogue))
            silent = {rule for rule, end in zip(catalogue, done) if end.returncode == 2}
            wanted = set().union(*(fnmatch.filter(catalogue, pattern) for pattern in patterns))
            tap.is_empty(sorted(silent ^ wanted),
                         f"{' '.join([name, *options])}: no verdict on {', '.join(patterns)}")


def test_root():
    """Whether the root is a directory is unknown if it is no inode; of other inodes this says
    nothing."""
    with open(f"{BASES}/plain.erofs", "rb") as base, tempfile.TemporaryDirectory() as work:
        whole = base.read()
        bits, root_nid = struct.unpack_from("<BxH", whole, 1024 + 12)
        (meta_block,) = struct.unpack_from("<I", whole, 1024 + 40)
        inodes = {i["path"]: i["offset"] for i in json.loads(
            tap.run([*tap.TOOL, "dump", "--format=json", f"{BASES}/plain.erofs"]).stdout)["inodes"]}
        tap.ok(inodes["/"] == (meta_block << bits) + root_nid * 32,
               "the root is where the superblock says")
        for path, status in ("/", 2), (max(inodes), 0):
            image = new_image(f"{work}/{status}", whole[:inodes[path]] + b"\xff\xff"
                          + whole[inodes[path] + 2:])
            said = run([image], "--rule=sb.root-inode")[image.path].status
            tap.ok(said == status, f"i_format of {path} is broken, with --rule=sb.root-inode: "
                                   f"{status}", said)


# ---- Two images ----

def test_domain(pool):
    """A vector and a good image, as one domain: rules about several files."""
    good = f"{BASES}/plain.erofs"
    images = [image for image, _ in manifest()]
    rules = [rule for rule in catalogue if catalogue[rule]["subject"] == "files"]

    def ends(image, *options):
        done = tap.run([*tap.TOOL, "check", "--format=json", "--domain", "--digests", *options,
                        good, image.path,
                        *(f"--device={d}" for d in image.devices)])
        return done.returncode, {e["rule"] for e in json.loads(done.stdout)["events"]
                                 if e["type"] == "finding" and e["severity"] == "error"}
    full = list(pool.map(ends, images))
    for rule in rules:
        wrong = []
        for image, (whole, broken), (status, _) in zip(
                images, full, pool.map(lambda image: ends(image, f"--rule={rule}"), images)):
            why = obstacle(broken, {rule})
            if (why and not status) or (whole == 0 and status):
                wrong.append(f"{os.path.relpath(image.path, VECTORS)}: {status}; {why}")
        tap.is_empty(wrong, f"{len(images)} vectors in a domain with a good image, with "
                            f"--rule={rule}")


# ---- Two rules ----

def pairs(work):
    """[(image, rule that it is about, rule that is broken, too)]: one change for each rule of a
    base, with every other."""
    for base, some in changes().items():
        firsts = {change.rule: change for change in reversed(some)}
        for first in firsts.values():
            for other in some:
                data = first.with_other(other) if other.rule != first.rule else None
                if data is None:
                    continue
                path = f"{work}/{base}-{first.name}-{other.name}"
                yield new_image(path, data, first.devices), first.rule, other.rule


def test_pairs(pool):
    """Two rules are broken, one of them is asked for."""
    with tempfile.TemporaryDirectory() as work:
        made = collections.defaultdict(list)
        for image, rule, other in pairs(work):
            made[rule].append((image, other))
        full = dict(zip(made,
                        pool.map(lambda rule: judge([image for image, _ in made[rule]]), made)))
        said = dict(zip(made,
                        pool.map(lambda rule: judge([image for image, _ in made[rule]],
                                                    f"--rule={rule}"), made)))
        for rule, images in made.items():
            wrong = []
            for image, other in images:
                verdict, status = full[rule][image.path], said[rule][image.path].status
                unheard = other in verdict.broken and rule not in verdict.broken and (
                    rule, other) not in MENDS
                if status == 0 and (rule in verdict.broken or unheard):
                    wrong.append(f"{other} is broken, too, and "
                                 f"{os.path.basename(image.path)} passes")
            tap.is_empty(wrong, f"{len(images)} images that break {rule} and another rule, with "
                                f"--rule={rule}")


def main():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        test_vectors(pool)
        test_without_devices()
        test_unexamined(pool)
        test_root()
        test_domain(pool)
        test_pairs(pool)
    tap.done()


if __name__ == "__main__":
    main()
