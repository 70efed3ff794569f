#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The command line: every option, every exit status, and every format, read by independent
parsers."""

import contextlib
import hashlib
import itertools
import json
import os
import random
import re
import shlex
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time

import jsonschema

from erofs_ishare import images as made, tap, terminal
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.tap import parse_tap

IMAGES = f"{tap.TOP}/tests/images"
VECTORS = json.loads(read(f"{tap.TOP}/build/spec/vectors/manifest.json"))
NEED_DIGESTS = sorted({v["rule"] for v in VECTORS if v["digests"]})
GOOD = f"{IMAGES}/digest-512.erofs"
FORMATS = ("text", "json", "sarif", "tap", "github")
NOBODY = 65534

# What the tests change in copies of images: offsets in the superblock's range.
PREFIX_ID = 1024 + 0x69
BLKSZBITS = 1024 + 0x0C


def tool(*arguments, **options):
    """Runs the program under test."""
    return tap.run([*tap.TOOL, *arguments], **options)


def check(*arguments, **options):
    """Runs `check`."""
    return tool("check", *arguments, **options)


@contextlib.contextmanager
def script(command):
    """The path of a program, named erofs-ishare, that runs a command with arguments of its own."""
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/erofs-ishare"
        write(program, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        os.chmod(program, 0o755)
        yield program


def report(*arguments):
    """`check`'s report in JSON."""
    return json.loads(check("--format=json", *arguments).stdout)


def events(kind, *arguments):
    """The events of one type in `check`'s report."""
    return [e for e in report(*arguments)["events"] if e["type"] == kind]


def findings(*arguments):
    """The findings in `check`'s report."""
    return events("finding", *arguments)


def broken_rules(*arguments):
    """Names of the rules that are broken."""
    return {f["rule"] for f in findings(*arguments)}


def ends(done, status, name, out="", err=""):
    """One test point: exit status, and patterns that stdout and stderr match; "" stands for
    silence."""
    def fits(pattern, text):
        return re.search(pattern, text, re.S) if pattern else text == ""
    return tap.ok(done.returncode == status and fits(out, done.stdout) and fits(err, done.stderr),
                  name, f"status {done.returncode}, not {status}", "stdout:", done.stdout[-2000:],
                  "stderr:", done.stderr[-2000:])


class Copies:
    """Copies of images with changes, in a directory of their own."""

    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    def path(self, name):
        """The path for a file of that name."""
        return os.path.join(self.directory, name)

    def make(self, source, *edits, name=None):
        """A copy with bytes replaced: (offset, bytes) each."""
        content = bytearray(read_bytes(source))
        for offset, data in edits:
            content[offset:offset + len(data)] = data
        return self.write(bytes(content), name)

    def write(self, content, name=None):
        """A file with this content."""
        self.count += 1
        path = self.path(name or f"copy-{self.count}.erofs")
        write(path, content)
        return path


def inode(image, path):
    """The inode of a file, as dump shows it."""
    dump = json.loads(tool("dump", "--format=json", image).stdout)
    return next(i for i in dump["inodes"] if i["path"] == path)


def test_help():
    """Help goes to stdout and ends well; a wrong command line goes to stderr with status 2."""
    ends(tool("--version"), 0, "--version", r"^erofs-ishare \d+\.\d+\S*\n$")
    for arguments in (["--help"], ["help"]):
        ends(tool(*arguments), 0, f"{' '.join(arguments)} lists the commands",
             r"check .*\n.*dump .*\n.*explain .*\n.*rules ")
    for command in ("check", "dump", "explain", "rules"):
        ends(tool(command, "--help"), 0, f"{command} --help", f"Usage: erofs-ishare {command} ")
        ends(tool("help", command), 0, f"help {command}", f"Usage: erofs-ishare {command} ")
    ends(tool("help", "help"), 0, "help help", "Commands:")
    for command in ([], ["check"], ["dump"], ["explain"], ["rules"]):
        long, short = tool(*command, "--help"), tool(*command, "-h")
        tap.ok(short.returncode == 0 and short.stdout == long.stdout,
               f"{' '.join([*command, '-h'])} is --help", short.stdout, short.stderr)


def test_usage():
    """Wrong command lines."""
    for arguments, said in (
            ([], "no command given"), (["frobnicate"], "unknown command 'frobnicate'"),
            (["help", "frobnicate"], "unknown command 'frobnicate'"),
            (["help", "check", "dump"], "help takes"),
            (["check", "-h.erofs", GOOD],
             "unknown option '-h.erofs'; if it is a file, write './-h.erofs'"),
            (["dump", "-Version.erofs"], "unknown option '-Version.erofs'"),
            (["check"], "no image given"),
            (["check", "--frobnicate", GOOD], "unrecognized option"),
            (["check", "--format=xml", GOOD], "'xml' is not a format"),
            (["check", "--severity=fatal", GOOD], "'fatal' is not a severity"),
            (["check", "--profile=linux-1.0", GOOD], "unknown profile 'linux-1.0'"),
            (["check", "--limit=", GOOD], "'' is not a number of findings"),
            (["check", "--limit=-1", GOOD], "'-1' is not a number of findings"),
            (["check", "--limit=10k", GOOD], "'10k' is not a number of findings"),
            (["check", "--limit=18446744073709551616", GOOD], "is not a number of findings"),
            (["check", "--rule=no.such-rule", GOOD], "--rule=no.such-rule matches no rule"),
            (["check", "--rule=sb.*", "--rule=no.*", GOOD], "--rule=no.. matches no rule"),
            (["check", "--rule=share.*", GOOD],
             r"--rule=share\.\* names only rules for readers"),
            *((["check", f"--rule={rule}", GOOD], rf"--rule={re.escape(rule)} requires --digests")
              for rule in NEED_DIGESTS),
            *((["check", option, GOOD], "--trust-opaque and --budget require --digests")
              for option in ("--trust-opaque", "--budget=1")),
            *((["check", "--digests", f"--budget={size}", GOOD],
               f"'{size}' is not a number of bytes")
              for size in ("", "-1", "G", "1.5G", "1GB", "1 G", "18446744073709551616",
                           "16777216T", "0x10")),
            (["check", "--rule=sb.reserved-zero", "--severity=error", GOOD],
             "less severe than --severity"),
            (["check", "--device=/dev/null", GOOD, GOOD],
             "--device=/dev/null precedes all images"),
            (["check", "--offset=1K", GOOD, GOOD], "--offset=1K precedes all images"),
            (["check", "-", GOOD, "-"], "can be only one image"),
            (["check", "--offset=1Q", GOOD], "'1Q' is not an offset in bytes"),
            (["dump", "--offset=-1", GOOD], "'-1' is not an offset in bytes"),
            (["dump"], "no image given"), (["dump", GOOD, GOOD], "dump: takes one image"),
            (["dump", "--format=tap", GOOD], "'tap' is not a format"),
            (["dump", "--limit=1M", GOOD], "'1M' is not a number of bytes"),
            (["explain"], "no name given"),
            (["explain", "sb.magic", "sb.size"], "explain: takes one name"),
            (["rules", "--format=sarif"], "'sarif' is not a format"),
            (["rules", "x"], "Too many arguments")):
        ends(tool(*arguments), 2, f"usage error: {' '.join(arguments).replace(tap.TOP, '')}", "",
             said)


def test_statuses(copies):
    """0, 1 and 2, the same in every format."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"))
    nothing = copies.path("nothing.erofs")
    cases = ((0, "conforms", [GOOD]), (1, "an error", [bad]),
             (1, "an error in one of two", [bad, GOOD]),
             (2, "no such file", [nothing]), (2, "no such file wins over an error", [bad, nothing]),
             (2, "something not examined", [f"{IMAGES}/metabox-512.erofs"]),
             (2, "something not examined wins over an error", [bad, f"{IMAGES}/metabox-512.erofs"]))
    for status, name, arguments in cases:
        for form in FORMATS:
            done = check(f"--format={form}", *arguments)
            tap.ok(done.returncode == status and done.stdout, f"status {status} in {form}: {name}",
                   done.returncode, done.stdout[-500:], done.stderr)
            tap.ok(bool(done.stderr) == (nothing in arguments),
                   f"only trouble is on stderr in {form}: {name}", done.stderr)
    done = check(nothing, bad)
    tap.ok("sb.ishare-prefix-id" in done.stdout, "one bad file does not stop the others",
           done.stdout)


def test_not_images(copies):
    """Files that are not images: status 2, with the reason."""
    fifo = copies.path("fifo")
    os.mkfifo(fifo)
    with open(GOOD, "rb") as data:
        head = data.read(1151)
    cases = ((copies.write(b""), r"not an EROFS image.*sb\.size"), (tap.TOP, "is a directory"),
             (fifo, "neither a regular file nor a block device"),
             ("/dev/null", "neither a regular file nor a block device"),
             (f"{tap.TOP}/Makefile", r"not an EROFS image.*sb\.magic"),
             (copies.write(b"\0" * 65536), r"not an EROFS image.*sb\.magic"),
             (copies.write(head), r"not an EROFS image.*sb\.size"),
             (copies.path("nothing.erofs"), "No such file"))
    for path, said in cases:
        for command in ("check", "dump"):
            done = tool(command, path, timeout=60)
            name = f"{command}: {os.path.basename(path)}: {said}"
            tap.ok(done.returncode == 2 and re.search(f"^erofs-ishare: .*{said}.*\n$", done.stderr),
                   name, done.returncode, done.stderr)
            tap.ok(done.stderr.count(path) == 1, f"{name}: names the file once", done.stderr)


def test_no_permission(copies):
    """A file that the user may not read; root becomes the user nobody for this."""
    path = copies.make(GOOD, name="secret.erofs")
    os.chmod(path, 0)
    program = shutil.copy(tap.TOOL[-1], copies.path("program"))
    as_nobody = {"preexec_fn": lambda: os.setuid(NOBODY)} if os.getuid() == 0 else {}
    done = tap.run([*tap.TOOL[:-1], program, "check", path], cwd="/", **as_nobody)
    ends(done, 2, "a file without permission", "1 image not judged",
         "secret.erofs: cannot open: Permission denied")


def test_truncated(copies):
    """An image that ends early is never judged to conform, nor does the program die."""
    content = read_bytes(GOOD)
    wrong = []
    for size in [*range(0, 2048, 61), *range(2048, len(content), 509), len(content) - 1]:
        done = check(copies.write(content[:size], name="truncated.erofs"))
        if done.returncode not in (1, 2) or "ERROR: AddressSanitizer" in done.stderr:
            wrong.append(f"{size} bytes: status {done.returncode}: {done.stderr[-300:]}")
    tap.is_empty(wrong, "truncated images do not conform")
    wrong = []
    for whole in (GOOD, f"{IMAGES}/digest-4096.erofs"):
        content = read_bytes(whole)
        for size in (1, 1100, 1500, 2000, 3000, len(content) // 2, len(content) - 1):
            cut = copies.write(content[:size], name="truncated.erofs")
            first = check(cut).stdout.split("\n")[0]
            number = "1 byte" if size == 1 else f"{size} bytes"
            how = "too" if size < 1152 else "cut"
            if f": the image is {how} short: it has {number}, but " not in first:
                wrong.append(f"{os.path.basename(whole)}, {size} bytes: {first}")
    tap.is_empty(wrong, "that an image is cut short is said before anything that follows from it")


def ones(copies):
    """An image in which rules are broken by one of everything."""
    image = made.Image()
    image.fingerprints()

    def file(name, content, entries):
        area, icount = made.xattr_area(entries)
        block = image.block(content)
        nid = image.nid(made.inode(made.REGULAR, len(content), block, icount=icount) + area)
        return name, nid, made.REGULAR
    almost = b"x" * 511
    image.root([
        file(b"a", b"x", made.xattr(1, b"u", b"")),  # no fingerprint
        file(b"b", b"x", made.xattr(0x80, b"", b"x")),
        file(b"c", b"x", made.xattr(0x81, b"", b"x")),
        file(b"d", almost, made.fingerprint(almost))])
    at = image.bytes.rindex(almost)
    image.bytes[at + 511] = 1
    return image.write(copies.path("ones.erofs"))


def test_singular(copies):
    """One byte is not 1 bytes, in any message."""
    said = [f["message"] for f in findings("--digests", "--limit=0", ones(copies))]
    for words in ("the file of 1 byte has no fingerprint", "the fingerprint of 1 byte is not ",
                  "but the prefix table has 1 entry",
                  "the 1 byte between the end of the file and the end of its last block is not 0"):
        tap.ok(any(re.search(rf"{words}(?!\w)", s) for s in said), f"the singular: {words}", *said)
    vectors = [f"{tap.TOP}/build/spec/vectors/{v['file']}" for v in VECTORS]
    every = said + [e.get("message", "") for e in report("--limit=0", *vectors)["events"]]
    wrong = re.compile(r"(?<![\w.])1 (\w+ )?"
                       r"(bytes|blocks|entries|ids|slots|prefixes|files|inodes)\b|"
                       r"(?<!\b1 )\b[02-9] (byte|block|entry|id|slot)\b")
    tap.is_empty([s for s in every if wrong.search(s)],
                 "no message of a vector has one of several or several of one")


def test_text(copies):
    """The form of a diagnostic, to the byte."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"), name="bad.erofs")
    nothing = copies.path("nothing.erofs")
    lines = check("--rule=sb.ishare-prefix-id", "bad.erofs", "bad.erofs",
                  cwd=copies.directory).stdout.split("\n")
    expected = [
        "bad.erofs: error: sb.ishare-prefix-id: ishare_xattr_prefix_id is 9, but the prefix table "
        "has 1 entry",
        "  0x00000460  00 00 00 00 00 00 00 00 00 09 00 00 00 00 00 00",
        "                                         ^^ ishare_xattr_prefix_id (superblock +0x69)",
        "  run `erofs-ishare explain sb.ishare-prefix-id` for the rule"]
    tap.ok(lines[:4] == expected, "a diagnostic shows the rule, the bytes and the field",
           *lines[:5])
    tap.ok(lines[4:7] == expected[:3], "the hint is given once for each rule", *lines[4:8])
    tap.ok(re.match(r"2 images: \d+ inodes, \d+ regular files, fingerprints unknown$", lines[7]),
           "the summary does not count what has no name", *lines[7:])
    tap.ok(re.match(r"2 errors, 0 warnings, 0 notes; \d+\.\d+ s$", lines[-2]),
           "the summary sums up", *lines[7:])
    long = check("--rule=inode.*",
                 copies.make(bad, (inode(GOOD, "/one")["offset"], b"\xff\xff"))).stdout.split("\n")
    tap.ok(long[0].split(":")[1] == "/one"
           and re.fullmatch(r" {14}\^\^ \^\^ i_format \(inode_compact \+0x00\)", long[2]),
           "a finding names the file inside the image", *long)
    summary = check("--severity=warning", GOOD).stdout
    tap.ok(re.fullmatch(r"1 image: 19 inodes, 10 regular files, 9 with a fingerprint \(100\.0 % of "
                        r"\d+ bytes\)\ncontents not compared \(--digests\)\n"
                        r"0 errors, 0 warnings, 0 notes; \d+\.\d{3} s\n", summary),
           "a good image: only the summary", summary)
    for arguments, said in (([nothing], r"1 image not judged\n0 errors, "),
                            ([nothing, "Makefile"], r".*\n2 images not judged\n1 error, "),
                            ([nothing, GOOD],
                             r"1 image: 19 inodes.*\n1 image not judged\n0 errors, ")):
        ends(check("--severity=warning", *arguments), 2,
             f"what is not judged is no image that was: {len(arguments)}, {said}",
             f"^{said}[^\n]*\n$", ".")
    plain, larger = f"{IMAGES}/plain-512.erofs", f"{IMAGES}/plain-4096.erofs"
    for arguments, named in (([plain], ["this image"]), ([GOOD], []), ([plain, GOOD], [plain]),
                             ([plain, GOOD, larger], [plain, larger]),
                             ([nothing, plain, bad], [plain])):
        end = re.split(r" s\n", check(*arguments).stdout)[-1]
        tap.ok(end == "".join(f"{n} shares no pages: ISHARE_XATTRS is not set\n" for n in named)
               + "`mkfs.erofs --xattr-inode-digest` makes images that can\n" * bool(named),
               f"images without fingerprints are named: {len(named)} of {len(arguments)}", end)
        tap.ok(report(*arguments)["summary"]["without_fingerprints"]
               == ([plain] if named == ["this image"] else named),
               f"JSON names images without fingerprints: {len(named)} of {len(arguments)}")
    end = re.split(r" s\n", check(*[plain] * 13).stdout)[-1]
    tap.ok(end.count(" shares no pages: ") == 10 and "\nthe same of 3 other images\n" in end,
           "not more than ten images without fingerprints are named", end)
    done = check(f"{IMAGES}/metabox-512.erofs").stdout
    tap.ok(re.search(r"^.*metabox-512\.erofs: not examined: ", done, re.M)
           and re.search(r", \d+ not examined;", done), "what was not examined is said", done)
    said = [f["message"] for v in VECTORS if v["rule"] == "inode.bounds"
            for f in findings(f"{tap.TOP}/build/spec/vectors/{v['file']}")
            if f["rule"] == "inode.bounds"]
    named = [re.match(r"nid (\S+) names an inode at byte (\d+)", message) for message in said]
    wrong = [m[0] for m in named if m and int(m[1], 16) * 32 != int(m[2])]
    tap.ok(any(named) and not all(named) and not wrong, "no false offset of an inode", *said)


def vector_findings(rule, *arguments):
    """[(path of a vector that breaks a rule, finding)], of that rule."""
    return [(path, f) for path in (f"{tap.TOP}/build/spec/vectors/{v['file']}" for v in VECTORS
                                   if v["rule"] == rule and v["kind"] == "fails")
            for f in findings("--digests", *arguments, path) if f["rule"] == rule]


def test_places(copies):
    """The bytes that a finding shows are those at fault."""
    wrong, elsewhere = [], 0
    for rule in dict.fromkeys(v["rule"] for v in VECTORS):
        for path, place in ((p, f["place"]) for p, f in vector_findings(rule)):
            if "row" not in place or "image_offset" not in place:
                continue
            start = place["image_offset"] - (place["offset"] - place["row_offset"])
            row, bytes_ = bytes.fromhex(place["row"]), read_bytes(path)
            elsewhere += place["space"] != "image"
            # the rows can begin in a block before
            at = place["offset"] - place["row_offset"]
            if bytes_[place["image_offset"]] != row[at] or (
                    place["space"] == "image" and bytes_[start:start + len(row)] != row):
                wrong.append((path, place))
    tap.is_empty(wrong, "the image has these bytes at image_offset")
    tap.ok(elsewhere >= 20, "also in directories, metaboxes and packed inodes", elsewhere)
    fields = {rule: {f["place"].get("field") for _, f in vector_findings(rule)}
              for rule in ("sb.reserved-zero", "dir.entry-bounds", "dir.cycle")}
    tap.ok(fields == {"sb.reserved-zero": {"reserved", "reserved2", "reserved3"},
                      "dir.entry-bounds": {"nameoff"}, "dir.cycle": {"nid", None}},
           "reserved bytes, nameoff and nid are shown, not what holds them", fields)
    words = [f["message"] for _, f in vector_findings("dir.entry-bounds")]
    tap.ok(len(words) >= 9 and all(re.match(r"nameoff of entry \d+ is \d+, ", w) for w in words),
           "a malformed entry's message names the entry and its nameoff", *words)
    words = [f["message"] for _, f in vector_findings("inode.bounds")]
    tap.ok(any("METABOX is not set: there is none" in w for w in words),
           "a nid in a metabox that is not there", *words)
    image = f"{tap.TOP}/spec/base/chunk.erofs"
    chunks = next(i for i in json.loads(tool("dump", "--format=json", image).stdout)["inodes"]
                  if i["layout"] == "chunk-based" and i["size"] == 600)
    size = chunks["offset"] + 8
    for last, bounds in ((b"\xff\xff\xff\x7f", "i_size"), (b"\x58\x02\0\0", None)):
        told = report("--rule=inode.data-bounds", copies.make(image, (size, last)))
        shown = [e["place"].get("field") for e in told["events"] if e["type"] == "finding"]
        tap.ok(shown == ([bounds] if bounds else []) and told["exit_status"] == len(shown)
               and not told["summary"]["unexamined"],
               "a table of chunks that cannot fit in the image is an error, and no work", told)
    icount = int.from_bytes(read_bytes(image)[chunks["offset"] + 2:][:2], "little")
    second = chunks["offset"] + 32 + (12 + 4 * (icount - 1) if icount else 0) + 4
    shown = [e["place"] for e in findings("--rule=inode.data-bounds",
                                          copies.make(image, (second, b"\xff\xff\0\0")))]
    tap.ok([(p["offset"], p["size"]) for p in shown] == [(second, 4)],
           "a chunk that is nowhere: its record is shown", shown, second)


def test_json(copies):
    """The JSON report against the text report."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"), (1024 + 0x6A, b"\x01"))
    told = report(bad, copies.path("nothing"), f"{IMAGES}/metabox-512.erofs")
    text = re.findall(r"^(\S+): (error|warning|note): (\S+): (.*)$", check(bad).stdout, re.M)
    found = [(e["image"], e["severity"], e["rule"], e["message"]) for e in told["events"]
             if e["type"] == "finding"]
    tap.ok(len(found) >= 2 and found == text, "JSON and text report the same findings", found, text)
    kinds = [e["type"] for e in told["events"]]
    tap.ok("failure" in kinds and "unexamined" in kinds,
           "failures and what was not examined are events", kinds)
    tap.ok(told["exit_status"] == 2 and told["summary"]["images"] == 2
           and told["summary"]["images_not_judged"] == 1, "JSON sums up", told["summary"])
    tap.ok(told["summary"]["fingerprinted_files"] is None
           and told["summary"]["fingerprinted_bytes"] is None,
           "JSON does not count what has no name", told["summary"])
    plain = report(GOOD, f"{IMAGES}/plain-512.erofs")
    tap.ok(plain["summary"]["fingerprinted_files"] == 9
           and plain["summary"]["images_without_fingerprints"] == 1,
           "JSON states images without fingerprints", plain["summary"])
    tap.ok([report(GOOD, *p)["profile"] for p in ([], ["--profile=linux-6.12/64k"])]
           == ["linux-7.3", "linux-6.12/64k"], "JSON states the profile")
    place = next(e for e in told["events"] if e.get("rule") == "sb.ishare-prefix-id")["place"]
    tap.ok((place["space"], place["offset"], place["size"], place["structure"], place["field"],
            place["field_offset"])
           == ("image", PREFIX_ID, 1, "superblock", "ishare_xattr_prefix_id", 0x69),
           "JSON states the place", place)
    tap.ok(bytes.fromhex(place["row"])[PREFIX_ID - place["row_offset"]] == 9,
           "JSON shows the bytes", place)


def conformance(*arguments):
    """Which parts of images conform, as JSON says."""
    return [{k: v for k, v in c.items() if k != "image"} for c in report(*arguments)["conformance"]]


def test_conformance(copies):
    """That a part of an image conforms is said only if it does."""
    vectors = f"{tap.TOP}/build/spec/vectors"
    table, nothing = f"{vectors}/prefix.length/fails-0.erofs", copies.path("nothing")
    zeros = copies.write(b"\0" * 65536)
    cases = {
        "a good image": (GOOD, True, True),
        "a broken superblock": (copies.make(GOOD, (PREFIX_ID, b"\x09")), False, True),
        "a broken table": (table, True, False),
        "a table that cannot be read": (f"{IMAGES}/metabox-512.erofs", True, None),
        "no table is reached": (copies.make(GOOD, (BLKSZBITS, b"\x14")), False, None),
        "no EROFS image": (zeros, False, None)}
    words = {"superblock": {True: "conforms", False: "does not conform"},
             "prefixes": {True: "conform", False: "do not conform", None: "not examined"}}
    for name, (image, superblock, prefixes) in cases.items():
        parts = {"superblock": superblock} | ({} if prefixes is None else {"prefixes": prefixes})
        told = conformance(image)
        tap.ok(told == [parts], f"{name}: JSON", told)
        log = json.loads(check("--format=sarif", image).stdout)
        tap.ok([c | {"image": 0} for c in log["runs"][0]["properties"]["conformance"]]
               == [parts | {"image": 0}], f"{name}: SARIF", log["runs"][0]["properties"])
        shown = check("--verbose", image).stdout.splitlines()
        lines = [f"{image}: superblock: {words['superblock'][superblock]}",
                 f"{image}: prefixes: {words['prefixes'][prefixes]}"]
        tap.ok([line for line in shown if line in lines] == lines, f"{name}: --verbose", *shown)
        tap.ok(not re.search(r": (superblock|prefixes): ", check(image).stdout),
               f"{name}: nothing without --verbose")
    tap.ok(conformance(nothing) == [], "what cannot be opened neither conforms nor does not")
    tap.ok(conformance("--rule=sb.magic", cases["a broken superblock"][0], GOOD)
           == [{"superblock": False, "prefixes": True}, {"superblock": True, "prefixes": True}],
           "each image has its answers, whatever rules are selected")
    conforms_with_findings(sorted({f"{vectors}/{v['file']}" for v in VECTORS}))


def conforms_with_findings(images):
    """The answers on many images agree with what is reported of them."""
    told = report("--limit=0", *images)
    broken = {(e["image"], e["rule"].split(".")[0]) for e in told["events"]
              if e["type"] == "finding" and e["severity"] == "error"
              and e["rule"] != "sb.root-inode"}
    wrong = [c for c in told["conformance"]
             if c["superblock"] == ((c["image"], "sb") in broken)
             or c.get("prefixes") == ((c["image"], "prefix") in broken)]
    tap.is_empty(wrong, "the answers on all vectors agree with their findings")
    answers = [c.get(part) for part in ("superblock", "prefixes") for c in told["conformance"]]
    tap.ok(len(told["conformance"]) == len(images) and {True, False, None} == set(answers),
           "all vectors have answers, and all answers have vectors", len(told["conformance"]))


def schema():
    """The JSON schema of SARIF."""
    done = tap.run([f"{tap.TOP}/tests/tools/sarif-schema"])
    if not tap.ok(done.returncode == 0, "the SARIF schema can be had", done.stderr):
        return None
    return json.loads(read(done.stdout.strip()))


def first_sentence_of(short, text):
    """Whether the one is the first sentence of the other, which the entry names `.` and `..` do not
    end."""
    rest = text[len(short):]
    return text.startswith(short) and re.match(r"\.?$|\. [A-Z]",
                                               rest) and not re.search(r"[ .]$|\w\w\. [A-Z]", short)


def sarif_cases(copies):
    """Names and arguments of runs whose SARIF is looked at."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"), name="bad 100% #1: \u00e9.erofs")
    return {"conforms": [GOOD], "an error": [bad], "trouble": [bad, copies.path("nothing"), GOOD],
            "not examined": [f"{IMAGES}/metabox-512.erofs"],
            "not shown": ["--limit=1", f"{IMAGES}/prefix-part-512.erofs"],
            "pairs": ["--domain", GOOD, resized(copies)]}


def plain_report(done, path):
    """The status and the JSON of a run, without the image's path and the time that it took."""
    text = re.sub(r'"seconds": [0-9.e-]+', "", done.stdout)
    return done.returncode, text.replace(json.dumps(path), '"IMAGE"')


def test_standard_input(copies):
    """An image called -."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"))
    for command, image in itertools.product((["check", "--digests"], ["dump"]), (GOOD, bad)):
        name = f"{command[0]} of {'bad' if image == bad else 'good'} bytes"
        expected = plain_report(tool(*command, "--format=json", image), image)
        command = [*tap.TOOL, *command, "--format=json", "-"]
        with open(image, "rb") as file:
            tap.ok(plain_report(tap.run(command, stdin=file), "-") == expected,
                   f"{name} on standard input, a file")
        piped = tap.run(["sh", "-c", 'image=$1; shift; cat "$image" | "$@"', "sh", image, *command])
        tap.ok(plain_report(piped, "-") == expected, f"{name} on standard input, a pipe",
               piped.stdout, piped.stderr)
    for arguments in (["-"], ["--domain", GOOD, "-"]):
        done = tap.run(["sh", "-c", '"$@" <&-', "sh", *tap.TOOL, "check", *arguments])
        ends(done, 2, f"closed standard input: {' '.join(arguments[:1])}", "1 image not judged",
             "-: is neither a regular file nor a block device")
    copies.make(GOOD, name="-")
    ends(tap.run([*tap.TOOL, "check", "./-"], cwd=os.path.dirname(copies.path("-"))), 0,
         "a file called -", "0 errors")


def test_offset(copies):
    """Images that begin inside their files."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"))
    before_it = (b"", b"\x55", b"\xe2" * 1024, read_bytes(GOOD))
    for image, before in itertools.product((GOOD, bad), before_it):
        larger = copies.path("larger")
        write(larger, before + read_bytes(image))
        at = f"--offset={len(before)}"
        for command in (["check", "--digests"], ["dump"]):
            shown = tool(*command, "--format=json", at, larger)
            expected = tool(*command, "--format=json", image)
            tap.ok(plain_report(shown, larger) == plain_report(expected, image),
                   f"{command[0]} {at}: {'bad' if image == bad else 'good'} bytes",
                   shown.stdout[-500:], shown.stderr)
    ends(check(larger, f"--offset={len(before)}", GOOD), 1, "the offset of one image of several",
         "2 images: .*2 errors")
    ends(check("--offset=6657", GOOD), 2, "an image cannot begin after the end of its file",
         "1 image not judged", "no image can begin at byte 6657 of 6656")
    ends(check("--offset=6656", GOOD), 2, "nor does it end there", "sb.size", "too short")


def annotation(line):
    """(command, properties, message) of a workflow command, decoded; None for another line."""
    match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
    if not match:
        return None

    def decode(text):
        return re.sub("%(25|3A|2C)", lambda m: chr(int(m[1], 16)), text)
    properties = dict(p.split("=", 1) for p in match[2].split(","))
    return match[1], {k: decode(v) for k, v in properties.items()}, decode(match[3])


def test_github(copies):
    """Annotations of GitHub: what the JSON report says, a line each."""
    odd = copies.make(GOOD, (PREFIX_ID, b"\x09"), name="::error,a=b:c 100%25.erofs")
    cases = {**sarif_cases(copies), "an odd name": [odd],
             "an image that says %0A": ["--rule=inode.*", names_image(copies, broken=True)]}
    for name, arguments in cases.items():
        done, events = check("--format=github", *arguments), report(*arguments)["events"]
        lines = [annotation(line) for line in done.stdout.splitlines()]
        notes = [line for line in lines if line]
        told = [line for line in notes if line[1].get("title", "advisory") != "advisory"]
        findings = [e for e in events if e["type"] == "finding"]
        tap.ok([(c, p["file"], p["title"]) for c, p, _ in told][:len(findings)]
               == [({"note": "notice"}.get(e["severity"], e["severity"]), e["image"], e["rule"])
                   for e in findings], f"an annotation for each finding: {name}", done.stdout)
        tap.is_empty([e for e, (_, _, m) in zip(findings, told)
                      if e["message"] not in m or (e.get("path") or "") not in m],
                     f"annotations have the message and the file: {name}")
        tap.ok(len(notes) == len(events), f"an annotation for each event: {name}", done.stdout)
        untimed = re.sub(r"[0-9.]+ s$", "", done.stdout)
        points = re.sub(r"[0-9.]+ s$", "", check("--format=tap", *arguments).stdout)
        tap.ok([line for line in untimed.splitlines() if not annotation(line)]
               == [line[2:] for line in points.splitlines()
                   if line.startswith("# ") and ": advisory: " not in line],
               f"the rest is the summary: {name}", done.stdout)
    warned = f"{tap.TOP}/build/spec/vectors/sb.feature-compat/fails-0.erofs"
    lax, strict = (check("--format=github", *how, warned).stdout.split(" ", 1)
                   for how in ([], ["--strict"]))
    tap.ok(lax[0] == "::warning" and strict[0] == "::error", "--strict makes warnings errors",
           (lax, strict))


def test_sarif(copies):
    """SARIF by its schema, and what it says."""
    rules = json.loads(tool("rules", "--format=json").stdout)
    validator = jsonschema.Draft4Validator(schema() or {"not": {}})
    logs = {}
    for name, arguments in sarif_cases(copies).items():
        done = check("--format=sarif", *arguments)
        log = logs[name] = json.loads(done.stdout)
        errors = [f"{list(e.path)}: {e.message}"[:300] for e in validator.iter_errors(log)]
        tap.is_empty(errors, f"SARIF follows its schema: {name}")
        run = log["runs"][0]
        tap.ok(run["invocations"][0]["exitCode"] == done.returncode
               and run["invocations"][0]["executionSuccessful"] == (done.returncode != 2),
               f"SARIF states the exit status: {name}", run["invocations"])
        driver = run["tool"]["driver"]["rules"]
        tap.ok([(r["id"], r["defaultConfiguration"]["level"], r["properties"]["harm"])
                for r in driver]
               == [(r["name"], r["severity"], r["harm"]) for r in rules],
               f"SARIF has the catalogue: {name}")
        tap.is_empty([r for r in run["results"] if driver[r["ruleIndex"]]["id"] != r["ruleId"]],
                     f"SARIF's rule indexes are right: {name}")
        tap.is_empty([r["id"] for r in driver if not first_sentence_of(
            r["shortDescription"]["text"], r["fullDescription"]["text"])],
                     f"SARIF's short descriptions are sentences: {name}")
        tap.ok(run["properties"]["profile"] == "linux-7.3", f"SARIF states the profile: {name}",
               run["properties"])
    tap.ok(not logs["conforms"]["runs"][0]["results"], "no result without a finding")
    place = logs["an error"]["runs"][0]["results"][-1]["locations"][0]["physicalLocation"]
    tap.ok(place["region"] == {"byteOffset": PREFIX_ID, "byteLength": 1},
           "SARIF states the bytes", place)
    tap.ok(place["artifactLocation"]["uri"].startswith("file:///")
           and place["artifactLocation"]["uri"].endswith("/bad%20100%25%20%231%3A%20%C3%A9.erofs"),
           "SARIF's URIs are encoded", place)
    for name in ("trouble", "not examined"):
        told = [n for n in logs[name]["runs"][0]["invocations"][0]["toolExecutionNotifications"]
                if not n["message"]["text"].startswith("advisory: ")]
        tap.ok(told and all(n["level"] == "error" for n in told), f"SARIF notifies: {name}", told)
    pair = logs["pairs"]["runs"][0]["results"][0]
    tap.ok(pair["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "/inline"
           and pair["relatedLocations"][0]["logicalLocations"][0]["fullyQualifiedName"]
           == "/inline", "SARIF names the files inside, both of a pair", pair)


def test_tap(copies):
    """TAP by Perl's own parser."""
    rules = json.loads(tool("rules", "--format=json").stdout)
    judged = [r["name"] for r in rules if not r["runtime"] and r["name"] not in NEED_DIGESTS]
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"), name="bad # TODO \u00e9.erofs")
    points, errors = parse_tap(check("--format=tap", GOOD).stdout)
    tap.ok(sorted(p[2] for p in points) == sorted(f"- {GOOD}: {r}" for r in judged)
           and all(p[0] for p in points)
           and not errors, "TAP: one point for each rule", points, errors)
    points, errors = parse_tap(check("--format=tap", bad).stdout)
    failed = {p[2].rsplit(" ", 1)[1] for p in points if not p[0]}
    tap.ok(failed == {f["rule"] for f in findings(bad) if f["severity"] == "error"} and not errors,
           "TAP: a point fails for each rule that is broken", failed, errors)
    tap.ok(not any(p[1] for p in points), "TAP: a file's name makes no directive", points)
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.\n", check("--format=tap", bad).stdout, re.M | re.S)
    tap.ok(blocks and all(yaml_block(b)["first"] for b in blocks),
           "TAP: the diagnostics are YAML", *blocks)
    for name, arguments in (("not an image", ["/dev/null"]),
                            ("not examined", [f"{IMAGES}/metabox-512.erofs"]),
                            ("no such file among others", [GOOD, copies.path("nothing")])):
        points, errors = parse_tap(check("--format=tap", *arguments).stdout)
        tap.ok(any(not p[0] for p in points) and not errors, f"TAP: {name} fails", points, errors)
    points, _ = parse_tap(check("--format=tap", "/dev/null").stdout)
    tap.ok(len(points) == 1, "TAP: no rule holds for what could not be judged", points)
    points, _ = parse_tap(check("--format=tap", "--domain", GOOD, resized(copies)).stdout)
    tap.ok((False, "", "- trust domain: fingerprint.same-size") in points
           and sum(p[2].endswith("fingerprint.same-size") for p in points) == 1,
           "TAP: one point for a trust domain", points)
    first = yaml_block(re.search(r"trust domain: fingerprint\.same-size\n  ---\n(.*?)^  \.\.\.\n",
                                 check(
        "--format=tap", "--domain", GOOD, resized(copies, "resized.erofs")).stdout,
                                 re.M | re.S)[1])["first"][0]
    tap.ok({first["image"], first["other_image"]} == {GOOD, copies.path("resized.erofs")}
           and first["path"] == first["other_path"] == "/inline",
           "TAP: both files of a pair are named", first)
    tap.ok("bad \\# TODO" in check("--format=tap", bad).stdout, "TAP: a # in a name is escaped")
    tap_cut_short(copies, judged)
    with script([*tap.TOOL, "check", "--format=tap", "--rule=sb.*"]) as program:
        done = tap.run(["prove", "-e", program, GOOD, GOOD])
    ends(done, 0, "prove can run it", r"Result: PASS")


def tap_cut_short(copies, judged):
    """Rules that a broken one keeps from being judged have no point."""
    cut = copies.make(GOOD, (BLKSZBITS, b"\x14"))
    text = check("--format=tap", cut).stdout
    points, errors = parse_tap(text)
    tap.ok(points == [(False, "", f"- {cut}: sb.block-size")] and not errors,
           "TAP: no point for what was not reached", points, errors)
    told = re.findall(r"^# \S+: a broken rule hides the rest of the image; no verdict on: (.*)$",
                      text, re.M)
    tap.ok(sorted(" ".join(told).split()) == sorted(set(judged) - {"sb.block-size"}),
           "TAP: a comment names them", told)
    points, _ = parse_tap(check("--format=tap", "--domain", cut, GOOD).stdout)
    ours = [p[2] for p in points if not p[2].startswith(f"- {cut}")]
    tap.ok(sorted(ours) == sorted(f"- {GOOD}: {r}" for r in judged if r != "fingerprint.same-size"),
           "TAP: a domain with such an image has no point, other images have", ours)
    points, _ = parse_tap(check("--format=tap", cut, GOOD).stdout)
    tap.ok(len(points) == 1 + len(judged), "TAP: the next image has all points", points)
    hidden = check(f"{IMAGES}/metabox-512.erofs")
    tap.ok(hidden.returncode == 2 and "judged in part" not in hidden.stdout,
           "an image whose root is in a compressed metabox breaks no rule by that", hidden.stdout)
    ends(check(cut), 1, "an image that is cut short is judged in part",
         "\n1 image: .*, fingerprints unknown\ncontents not compared .--digests.\n"
         "1 image judged in part: a broken rule hides the rest\n1 error, ")
    told = report(cut, GOOD)["summary"]
    tap.ok((told["images"], told["images_cut_short"], told["fingerprinted_files"]) == (2, 1, None),
           "JSON states that an image was cut short", told)


def yaml_block(text):
    """A YAML block as TAP has them."""
    import yaml  # pylint: disable=import-outside-toplevel
    return yaml.safe_load(text)


def resized(copies, name=None):
    """An image in which /inline is a byte shorter than its fingerprint's other bearers."""
    at = inode(GOOD, "/inline")
    return copies.make(GOOD, (at["offset"] + 8, struct.pack("<I", at["size"] - 1)), name=name)


def test_domain(copies):
    """--domain: what is right in each image may be wrong in both."""
    other = resized(copies)
    tap.ok("fingerprint.same-size" not in broken_rules(GOOD, other),
           "without --domain images are judged apart")
    pairs = [f for f in findings("--domain", GOOD, other) if f["rule"] == "fingerprint.same-size"]
    tap.ok(len(pairs) == 1 and {pairs[0]["image"], pairs[0]["other_image"]} == {GOOD, other}
           and pairs[0]["path"] == pairs[0]["other_path"] == "/inline",
           "--domain finds a pair across images", pairs)
    done = check("--domain", GOOD, other)
    ends(done, 1, "--domain in text",
         r"fingerprint.same-size: .*\n  the other file: [^\n]+:/inline\n")
    ends(check("--domain", GOOD, f"{IMAGES}/digest-small-512.erofs"), 0,
         "--domain: good images", "2 images")


def kinds_of_data(*names):
    """{fingerprint: [files with plain data, with compressed data]} of images."""
    kinds = {}
    for name in names:
        dump = json.loads(tool("dump", "--format=json", f"{IMAGES}/{name}.erofs").stdout)
        for found in {i["nid"]: i for i in dump["inodes"]}.values():
            for value in [x["value"] for x in found["xattrs"] if x["fingerprint"]][:1]:
                kinds.setdefault(value, [0, 0])[found["layout"].startswith("compressed")] += 1
    return kinds


def test_apart():
    """Files of one fingerprint, of which some are compressed."""
    names = ("digest-512", "lz4-512", "chunk-512", "fragments-plain-512", "dedupe-plain-512",
             "ztailpacking-512")
    seen = set()
    for count in range(1, len(names) + 1):
        apart = sum(map(min, kinds_of_data(*names[:count]).values()))
        chosen = ["--domain", "--severity=error", *(f"{IMAGES}/{n}.erofs" for n in names[:count])]
        told = report(*chosen)["summary"]["apart_files"]
        text = re.findall(r"^(\d+) files? not sharing pages with others", check(*chosen).stdout,
                          re.M)
        tap.ok(told == apart and text == [str(apart)] * (apart > 0),
               f"files that share no pages, as others are compressed: {count} images", told, apart,
               text)
        seen.add(apart > 0)
    tap.ok(seen == {False, True}, "some do, some do not", seen)


def test_digests(copies):
    """--digests: the content is read."""
    content = read_bytes(GOOD)
    target = inode(GOOD, "/block")
    value = next(bytes.fromhex(x["value"]) for x in target["xattrs"] if x["fingerprint"])
    blocks = [i for i in range(0, len(content), 512)
              if hashlib.sha256(content[i:i + 512]).digest() == value[len(b"sha256:"):]]
    tap.ok(blocks, "the test knows where /block is")
    bad = copies.make(GOOD, *((at + 7, bytes([content[at + 7] ^ 1])) for at in blocks))
    ends(check(bad), 0, "without --digests no content is read", "1 image")
    ends(check("--digests", GOOD), 0, "--digests: a good image", "1 image")
    ends(check("--digests", bad), 1, "--digests: a flipped bit",
         r":/\S+: error: fingerprint\.digest: ")
    tap.ok(broken_rules("--digests", "--rule=fingerprint.digest", bad) == {"fingerprint.digest"},
           "--digests with --rule")
    told = report("--digests", GOOD)["summary"]
    tap.ok(told["digested_files"] == told["fingerprinted_files"] > 0,
           "--digests counts the files", told)
    ends(check("--digests", GOOD), 0, "--digests: text counts them, too",
         rf"\n{told['digested_files']} digests compared\n")
    tap.ok("digests compared" not in check(GOOD).stdout, "without --digests none are counted")
    not_done()
    points, _ = parse_tap(check("--format=tap", "--digests", bad).stdout)
    tap.ok((False, "", f"- {bad}: fingerprint.digest") in points, "--digests in TAP", points)
    elsewhere = copies.make(GOOD, (target["offset"] + 16, b"\xff\xff\xff\x7f"))
    for bounds in (["--rule=inode.*"], []):
        told = report("--digests", "--rule=fingerprint.*", *bounds, elsewhere)
        shown = [e["rule"] for e in told["events"] if e["type"] == "finding"]
        tap.ok((shown, told["exit_status"], told["summary"]["unexamined"])
               == ((["inode.data-bounds"], 1, 0) if bounds else ([], 2, 1)),
               "--digests: content that is nowhere is a finding, or if that was not asked for, not "
               "examined", told)
    # inodes in the metabox, with shared xattrs in the image's page of the same number
    stale = f"{IMAGES}/metabox-plain-512.erofs"
    ends(check(stale), 0, "without --digests nothing is said of what Linux takes for a fingerprint",
         "1 image")
    ends(check("--digests", stale), 2, "--digests: a fingerprint that Linux may look for elsewhere "
                                       "is not examined",
         r"not examined: .*metabox-stale-page")
    ends(check("--digests", f"{IMAGES}/lz4-512.erofs"), 2,
         "--digests: compressed files are not examined", "not examined: .*compressed")
    opaque_fingerprints(copies)
    padding(copies)


def not_done():
    """What options would have judged in addition, and what no option judges."""
    contents, pairs = "contents not compared (--digests)", \
        "images not compared with each other (--domain)"
    plain, small = f"{IMAGES}/plain-512.erofs", f"{IMAGES}/digest-small-512.erofs"
    for arguments, expected in (
            ([GOOD], {contents}), (["--digests", GOOD], set()), ([plain], set()),
            ([GOOD, small], {contents, pairs}), (["--domain", GOOD, small], {contents}),
            (["--digests", GOOD, small], {pairs}), (["--digests", "--domain", GOOD, small], set()),
            ([GOOD, plain], {contents}), ([plain, plain], set())):
        done = check(*arguments)
        lines = done.stdout.split("\n")
        tap.ok({line for line in lines if line in (contents, pairs)} == expected,
               f"what was not done is said: {' '.join(arguments).replace(IMAGES, '')}", *lines)
        summary = report(*arguments)["summary"]
        tap.ok((summary["digests"], summary["domain"])
               == ("--digests" in arguments, "--domain" in arguments),
               f"JSON says what was done: {' '.join(arguments).replace(IMAGES, '')}", summary)
    for name in ("lz4-512", "zstd-512", "fragments-plain-512", "ztailpacking-512", "digest-512"):
        image = f"{IMAGES}/{name}.erofs"
        dump = json.loads(tool("dump", "--format=json", image).stdout)
        compressed = {i["nid"] for i in dump["inodes"] if i["type"] == "regular file" and i["size"]
                      and i["layout"].startswith("compressed") and i["path"].startswith("/")}
        said = re.findall(r"^data of (\d+) compressed files? not judged$", check(image).stdout, re.M)
        tap.ok(list(map(int, said)) == [len(compressed)] * bool(compressed)
               and report(image)["summary"]["compressed_files"] == len(compressed)
               and bool(compressed) == (name != "digest-512"),
               f"compressed files whose data was not judged are counted: {name}", compressed, said)


def opaque_fingerprints(copies):
    """Fingerprints that are no SHA-256: only the contents of all files that share show what they
    are worth."""
    content = read_bytes(f"{IMAGES}/no-checksum-512.erofs").replace(b"sha256:", b"blake3:")
    image, again = copies.write(content), copies.write(content)
    at = 4 * 512  # the first byte of /d/f
    other = copies.make(image, (at, bytes([content[at] ^ 1])))
    ends(check("--digests", image), 2, "--digests: opaque fingerprints are not examined",
         r"not examined: the fingerprint is opaque: .*--domain.*--trust-opaque")
    told = report("--domain", "--digests", image, again)["summary"]
    tap.ok(told["hashed_files"] == told["fingerprinted_files"] > 0 and told["digested_files"] == 0,
           "--digests counts opaque fingerprints", told)
    ends(check("--digests", "--domain", image, again), 0,
         "--domain: opaque fingerprints of equal content",
         rf"\n0 digests compared, {told['hashed_files']} files with opaque fingerprints hashed\n")
    done = check("--digests", "--domain", "--severity=error", image, other)
    ends(done, 1, "--domain: opaque fingerprints of other content",
         rf"^{re.escape(other)}:/d/f: error: fingerprint\.same-content: .*\n  the other file: "
         rf"{re.escape(image)}:/d/f\n")
    ends(check("--digests", "--domain", "--trust-opaque", image, other), 0,
         "--trust-opaque: no comparison", r"\n0 digests compared\n")
    ends(check("--digests", "--trust-opaque", image), 0, "--trust-opaque without --domain",
         r"\n0 digests compared\n")
    ends(check("--digests", "--rule=fingerprint.digest", image), 0,
         "fingerprint.digest says nothing of them", "1 image")
    ends(check("--digests", "--rule=fingerprint.same-content", "--domain", image, other), 1,
         "fingerprint.same-content alone", "same-content")
    packed = copies.write(read_bytes(f"{IMAGES}/lz4-512.erofs").replace(b"sha256:", b"blake3:"))
    ends(check("--digests", "--domain", "--rule=fingerprint.*", packed), 2,
         "--digests: compressed, and no SHA-256",
         "not examined: the file's content, to compare with that of others, is compressed")


def short_files(image, *devices):
    """Files of less than a block, as dump shows them."""
    dump = json.loads(tool("dump", "--format=json", *devices, image).stdout)
    return [i for i in dump["inodes"] if i["type"] == "regular file" and 0 < i["size"] < 512]


def padding(copies):
    """--digests: what is behind the end of a file."""
    for image, data in (("no-inline-512.erofs", None), ("chunk-512.erofs", None),
                        ("blobdev-512.erofs", "blobdev-512.blob")):
        image, data = f"{IMAGES}/{image}", f"{IMAGES}/{data or image}"
        content = read_bytes(data)
        devices = [f"--device={data}"] if data != image else []
        at, file = next((at + f["size"], f) for f in short_files(image, *devices)
                        for at in range(0, len(content), 512)
                        for x in f["xattrs"] if not any(content[at + f["size"]:at + 512])
                        and x["value"].endswith(
                            hashlib.sha256(content[at:at + f["size"]]).hexdigest()))
        bad = copies.make(data, (at, b"\1"))
        arguments = [f"--device={bad}", image] if devices else [bad]
        found = [f for f in findings("--digests", *arguments) if f["severity"] == "error"]
        tap.ok({f["rule"] for f in found} == {"fingerprint.padding-zero"}
               and file["path"] in {f["path"] for f in found}
               and all(f["place"]["offset"] in (i["offset"] for i in short_files(image, *devices))
                       if devices else f["place"]["offset"] == at for f in found),
               f"{os.path.basename(data)}: a byte behind the end of a file", at,
               file["path"], found)
        ends(check(*arguments), 0, f"{os.path.basename(data)}: without --digests nobody looks",
             "1 image")


def test_devices_of_many(copies):
    """--device after each of several images; names that are like options or lists."""
    image, blob = f"{IMAGES}/blobdev-512.erofs", f"{IMAGES}/blobdev-512.blob"
    odd = copies.make(blob, name="a,b:c=--device=d")
    merged = [f"{IMAGES}/merged-512.erofs", f"--device={IMAGES}/layer-small-512.erofs",
              f"--device={IMAGES}/layer-other-512.erofs"]
    ends(check("--digests", "--domain", GOOD, image, f"--device={odd}", *merged), 0,
         "--device of each of several images", "3 images")
    ends(check("--digests", "--domain", *merged, image), 2, "devices of one of several images",
         f"{re.escape(image)}: not examined: .*device that was not given")
    ends(check(image, image, f"--device={blob}", f"--device={blob}"), 2,
         "devices of the image before that",
         "1 image not judged", "the image has 1 extra device, but 2 were given")


def test_flat(copies):
    """--flat: an image that holds its devices itself, and one that would be read differently."""
    image, blob = f"{IMAGES}/blobdev-512.erofs", f"{IMAGES}/blobdev-512.blob"
    slot = json.loads(tool("dump", "--format=json", image).stdout)["devices"][0]["fields"]
    start = slot["uniaddr_lo"] * 512
    whole = copies.make(image, (start, read_bytes(blob)))
    ends(check("--digests", "--flat", whole), 0, "--flat: the device's data is in the image",
         "1 image")
    ends(check("--digests", whole), 2, "without --flat it is not examined",
         "not examined: the file's data is on a device that was not given")
    dumped = tool("dump", "--format=json", "--flat", whole)
    tap.ok(dumped.returncode == 0 and json.loads(dumped.stdout)["complete"], "dump --flat",
           dumped.stderr)
    ends(check("--flat", image), 1, "--flat: the data is not there", "error: inode.data-bounds: ")
    ends(check("--digests", "--flat", image, f"--device={blob}"), 0,
         "--flat: with a device it means nothing", "1 image")


def test_device(copies):
    """--device."""
    image, blob = f"{IMAGES}/blobdev-512.erofs", f"{IMAGES}/blobdev-512.blob"
    ends(check("--digests", f"--device={blob}", image), 0, "--device: data is read from it",
         "1 image")
    ends(check("--digests", image), 2, "without --device data is not examined", "not examined: ")
    ends(check(f"--device={blob}x", image), 2, "--device: no such file", "1 image not judged",
         f"{re.escape(image)}: {re.escape(blob)}x: cannot open: No such file")
    # A slot of a block less, of so many as the device has, and of none, which says nothing.
    base = f"{tap.TOP}/spec/base/blob.erofs"
    slot = json.loads(tool("dump", "--format=json", base).stdout)["devices"][0]["offset"]
    for blocks, rules, paths in ((2, {"inode.data-bounds"}, {"/d/h"}), (3, set(), set()),
                                 (0, set(), set())):
        told = report("--rule=inode.data-bounds", copies.make(base, (slot + 64, bytes([blocks]))))
        found = [e for e in told["events"] if e["type"] == "finding"]
        tap.ok({e["rule"] for e in found} == rules and {e["path"] for e in found} == paths
               and told["summary"]["unexamined"] and told["exit_status"] == 2,
               f"a device that was not given, with {blocks} blocks: its slot refutes what it can",
               told)
    merged = [f"--device={IMAGES}/layer-small-512.erofs",
              f"--device={IMAGES}/layer-other-512.erofs"]
    ends(check("--digests", *merged, f"{IMAGES}/merged-512.erofs"), 0, "--device twice", "1 image")
    # /h is on device 1 alone, /d/h on device 2
    for cut, path in ((0, "/h"), (1, "/d/h")):
        devices = [f"--device={copies.write(b'')}" if i == cut else d for i, d in enumerate(merged)]
        found = {f.get("path") for f in findings(*devices, f"{IMAGES}/merged-512.erofs")
                 if f["severity"] == "error"}
        tap.ok(found & {"/h", "/d/h"} == {path},
               f"--device: the order counts: device {cut + 1} is empty", found)
    for arguments, said in (([f"--device={blob}", GOOD], "the image has 0 extra devices, but 1 "),
                            ([f"--device={blob}"] * 2 + [image], "the image has 1 extra device"),
                            ([merged[0], f"{IMAGES}/merged-512.erofs"],
                             "the image has 2 extra devices, but 1 ")):
        for command in ("check", "dump"):
            done = tool(command, *arguments)
            tap.ok(done.returncode == 2 and said in done.stderr, f"{command}: {said}",
                   done.returncode, done.stderr)
    unset = copies.make(GOOD, (1024 + 0x56, b"\x03"))
    tap.ok("devices" not in json.loads(tool("dump", "--format=json", unset).stdout),
           "dump: without DEVICE_TABLE extra_devices means nothing")
    ends(tool("dump", f"--device={blob}", image), 0, "dump --device", "deviceslot 1 at 0x")
    ends(tool("dump", f"--device={blob}x", image), 2, "dump --device: no such file", "",
         "No such file")


def test_profile(copies):
    """--profile, and --strict on what it warns of."""
    ends(check("--profile=linux-7.3/16k", f"{IMAGES}/digest-16384.erofs"), 0,
         "--profile: page size", "1 image")
    ends(check(f"{IMAGES}/digest-16384.erofs"), 1, "the default profile has 4 KiB pages",
         "sb.block-size")
    old = ["--profile=linux-6.12", GOOD]
    ends(check(*old), 0, "--profile: an older kernel", "warning: sb.feature-compat")
    ends(check("--strict", *old), 1, "--strict: a warning fails", "warning: sb.feature-compat")
    ends(check("--strict", GOOD), 0, "--strict: nothing to warn of", "0 warnings")
    for arguments, wanted in ((old, True), (["--strict", *old], False)):
        points, _ = parse_tap(check("--format=tap", *arguments).stdout)
        tap.ok([p[0] for p in points if p[2].endswith(": sb.feature-compat")] == [wanted],
               f"{' '.join(arguments[:-1])} in TAP", points)
    for name in ("linux-6.12", "linux-6.12/4k", "linux-6.12/16k", "linux-6.12/64k", "linux-7.3",
                 "linux-7.3/4k",
                 "linux-7.3/16k", "linux-7.3/64k"):
        ends(check(f"--profile={name}", GOOD), 0, f"--profile={name}", "1 image")
    bad = copies.make(GOOD, (BLKSZBITS, b"\x11"))
    tap.ok("sb.block-size" in broken_rules("--profile=linux-7.3/64k", bad),
           "no profile takes blocks of 128 KiB")


FINDINGS = f"{tap.TOP}/kernel/findings"
PAGES = {"4k": 4096, "16k": 16384, "64k": 65536}


def advisory_heads():
    """{finding: (its kernels, the images it concerns)}, as the findings' pages say."""
    heads = {}
    for name in os.listdir(FINDINGS):
        if os.path.exists(f"{FINDINGS}/{name}/README.md"):
            head = re.search(r"^- Advisory: ([^:]*): ", read(f"{FINDINGS}/{name}/README.md"), re.M)
            if head:
                *kernels, images = head[1].split(", ")
                heads[name] = kernels, images
    return heads


def superblock_of(image):
    """Its fields, as dump shows them, and the largest size of a file that has an index."""
    dump = json.loads(tool("dump", "--format=json", image).stdout)
    return dump["superblock"]["fields"] | {"largest indexed": max(
        (i["size"] for i in dump["inodes"] if not i["layout"].startswith("flat")), default=0)}


def is_concerned(images, superblock, page):
    """Whether an image is of a kind that a finding concerns, on pages of a size."""
    shared = superblock["feature_compat"] & 0x10 and \
        superblock["ishare_xattr_prefix_id"] < superblock["xattr_prefix_count"]
    return bool({"shared": shared, "metabox": superblock["feature_incompat"] & 0x100,
                 "small-blocks": shared and 1 << superblock["blkszbits"] < page,
                 "huge-files": superblock["largest indexed"] >= 1 << 40}[images])


def chunk_based(copies, size):
    """An image with a chunk-based file of that size, whose table of chunks is not there."""
    base = f"{tap.TOP}/spec/base/extended.erofs"
    start = inode(base, "/d/h")["offset"]
    return copies.make(base, (start, b"\x09\0"), (start + 8, size.to_bytes(8, "little")),
                       (start + 16, bytes(4)))


def expected_advice(superblock, profile):
    """{finding: where} for an image, by the findings' pages and its superblock; profile: None for
    all."""
    advice = {}
    for name, (kernels, kind) in advisory_heads().items():
        where = [f"{k}/{p}" for k in kernels for p in PAGES
                 if is_concerned(kind, superblock, PAGES[p])]
        if profile:
            where = [profile] if (profile if "/" in profile else f"{profile}/4k") in where else []
        elif len(where) == len(PAGES):
            where = kernels
        if where:
            advice[name] = " and ".join(where)
    return advice


def test_advisories(copies):
    """Who is told what kernels do to images that conform, and where."""
    base = f"{tap.TOP}/spec/base"
    images = [GOOD, f"{base}/noxattr.erofs", f"{base}/big.erofs", f"{base}/metabox.erofs",
              copies.make(GOOD, (PREFIX_ID, b"\x09")), chunk_based(copies, (1 << 40) - 1),
              chunk_based(copies, 1 << 40)]
    wrong, seen = [], set()
    for image, profile in itertools.product(images, (None, "linux-7.3", "linux-7.3/4k",
                                                     "linux-7.3/16k", "linux-7.3/64k",
                                                     "linux-6.12")):
        chosen = [f"--profile={profile}"] if profile else []
        superblock = superblock_of(image)
        found = {e["finding"]: re.fullmatch(r"on (.*?) this image \((.*?)\) .*", e["message"])
                 for e in events("advisory", *chosen, image)}
        expected = expected_advice(superblock, profile)
        if {name: m and m[1] for name, m in found.items()} != expected:
            wrong.append((image, profile, found, expected))
        if "block-size" in found and not found["block-size"][2].startswith(
                f"{1 << superblock['blkszbits']}-byte"):
            wrong.append((image, found["block-size"][0]))
        seen |= found.keys()
    tap.is_empty(wrong, "advisories are on the images, kernels and pages that findings name")
    tap.ok(seen == advisory_heads().keys(), "each advisory was seen", seen)
    advice = expected_advice(superblock_of(GOOD), None)
    for name in advice:
        ends(tool("explain", name), 0, f"explain {name}", f"kernel/findings/{name}")
    for option in ("--severity=warning", "--rule=*"):
        tap.ok(not events("advisory", option, GOOD), f"{option}: no advisories")
    tap.ok(check(GOOD).returncode == check("--severity=warning", GOOD).returncode == 0,
           "advisories do not change the exit status")
    lines = [line for line in check(GOOD, GOOD, GOOD).stdout.splitlines() if "advisory:" in line]
    general = sorted(n for n, (_, images) in advisory_heads().items() if images == "shared")
    tap.ok(len(lines) == len(advice) - len(general) + 1
           and all(line.endswith("; the same of 2 other images") for line in lines)
           and any(f"sharing has known bugs on linux-7.3: {', '.join(general)};" in line
                   for line in lines),
           "text says each once for all images, and what concerns all that share in one line",
           *lines)
    log = json.loads(check("--format=sarif", GOOD).stdout)
    notes = [n["message"]["text"] for n in log["runs"][0]["invocations"][0]
             ["toolExecutionNotifications"] if n["level"] == "note"]
    tap.ok(len(notes) == len(advice) and all(n.startswith("advisory: ") for n in notes),
           "SARIF has them as notes", *notes)
    lines = [line for line in check("--format=tap", GOOD).stdout.splitlines()
             if line.startswith("# ") and ": advisory: " in line]
    tap.ok(len(lines) == len(advice), "TAP has them as comments", *lines)
    lines = [line for line in check("--format=github", GOOD).stdout.splitlines()
             if line.startswith("::notice") and "title=advisory::" in line]
    tap.ok(len(lines) == len(advice), "GitHub has them as notices", *lines)


def test_selection(copies):
    """--rule and --severity choose what is judged."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"), (1024 + 0x40, b"name"))
    every = broken_rules(bad)
    tap.ok({"sb.checksum", "sb.ishare-prefix-id"} <= every, "two rules are broken", every)
    tap.ok(broken_rules("--rule=sb.check*", bad) == {"sb.checksum"}, "--rule: a glob")
    tap.ok(broken_rules("--rule=sb.checksum", "--rule=sb.ishare-prefix-id", bad)
           == {"sb.checksum", "sb.ishare-prefix-id"}, "--rule twice")
    ends(check("--rule=dir.*", bad), 0, "--rule: what is not selected is not judged", "0 errors")
    ends(check("--rule=fingerprint.*", bad), 2,
         "--rule: what is not selected may decide about what is",
         "not examined: what depends on sb.ishare-prefix-id, which is broken and was not "
         "asked for\n")
    chunked = f"{IMAGES}/chunk-4096.erofs"
    huge = copies.make(chunked, (inode(chunked, "/first")["offset"] + 8, b"\xff\xff\xff\xff"))
    ends(check("--rule=fingerprint.*", huge), 2,
         "--rule: a table of chunks that cannot be there may decide, too",
         "not examined: what depends on inode.data-bounds, which is broken")
    os.truncate(huge, 8 << 20)  # the table fits, but in bytes that the file does not have
    ends(check("--rule=fingerprint.*", huge), 2,
         "--rule: a chunk table that is not examined holds metadata, too",
         "not examined: the table of the file's chunks overlaps")
    plain = f"{IMAGES}/prefix-part-512.erofs"
    told = {s: {f["severity"] for f in findings(f"--severity={s}", "--profile=linux-6.12", plain)}
            for s in ("error", "warning", "note")}
    tap.ok(told == {"error": set(), "warning": {"warning"}, "note": {"warning", "note"}},
           "--severity", told)
    ends(check("--strict", "--severity=error", "--profile=linux-6.12", plain), 0,
         "--severity: what is less severe is not judged", "0 warnings")
    points, _ = parse_tap(check("--format=tap", "--rule=prefix.*", GOOD).stdout)
    tap.ok(points and all(": prefix." in p[2] for p in points), "--rule in TAP", points)


def test_limit(copies):
    """--limit: what is not shown is counted and said, in every format."""
    image = f"{IMAGES}/prefix-part-512.erofs"
    rule = "fingerprint.name-encoding"
    bad = copies.make(GOOD,
                      *((inode(GOOD, path)["offset"], b"\xff\xff") for path in ("/one", "/inline")))
    chosen = f"--rule={rule}"  # no advisories
    every = report(chosen, image)
    tap.ok([e["type"] for e in every["events"]] == ["finding"] * 4
           and every["summary"]["omitted"] == 0, "without --limit four findings are shown", every)
    tap.ok(report(chosen, "--limit=0", image)["events"] == every["events"], "--limit=0 shows all")
    tap.ok(report(chosen, "--limit=4", image)["events"] == every["events"],
           "a limit that is not exceeded changes nothing")
    cut = report(chosen, "--limit=2", image)
    omitted = {"type": "omitted", "image": image, "rule": rule, "severity": "note",
               "harm": every["events"][0]["harm"],
               "count": 2}
    tap.ok(cut["events"] == every["events"][:2] + [omitted], "--limit=2 in JSON", cut["events"])
    tap.ok(cut["summary"]["notes"] == 4 and cut["summary"]["omitted"] == 2,
           "what is not shown is counted", cut["summary"])
    tap.ok([e["type"] for e in report(chosen, "--limit=2", image, image)["events"]]
           == ["finding", "finding", "omitted"] * 2, "each image has its own limit")
    text = check("--limit=2", image).stdout
    tap.ok(text.count(f"note: {rule}: the ") == 2
           and "\n  and 2 more (--limit=0 shows all)\n" in text
           and "\n2 findings not shown (--limit)\n0 errors, 0 warnings, 4 notes;" in text,
           "--limit=2 in text", text)
    run = json.loads(check(chosen, "--limit=2", "--format=sarif", image).stdout)["runs"][0]
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    tap.ok(len(run["results"]) == 2 and [n["level"] for n in notifications] == ["note"]
           and notifications[0]["associatedRule"]["id"] == rule
           and run["tool"]["driver"]["rules"][notifications[0]["associatedRule"]["index"]]["id"]
           == rule
           and notifications[0]["message"]["text"] == "2 more findings not shown",
           "--limit=2 in SARIF", notifications)
    points = check("--limit=2", "--format=tap", f"--rule={rule}", image).stdout
    tap.ok("\n  findings: 4\n" in points and points.count("    - message: ") == 2,
           "--limit=2 in TAP", points)
    tap.ok(report("--limit=1", bad)["exit_status"] == report("--limit=0", bad)["exit_status"] == 1,
           "--limit does not change the exit status")


# How often each rule is broken in repeated_findings(), and for what cause, in the order in which a
# check meets the first one.
CAUSES = {("inode.format", "i_format 0xffff has bits that mean nothing"): 10000,
          ("fingerprint.present", "the file of 1 byte has no fingerprint"): 5,
          ("dir.cycle", r"`\.\.` names nid 0x\w+, but the directory that holds this one is 0x\w+"): 1500,
          ("dir.cycle", r"the directory has no entry `\.\.`"): 4}


def repeated_findings(copies):
    """An image in which a few rules are broken again and again, in turn."""
    image = made.Image()
    image.fingerprints()
    formats, absent, wrong, missing = CAUSES.values()
    entries = []
    for i in range(formats):
        nid = image.nid(made.inode(made.REGULAR, 0))
        image.bytes[nid * 32:nid * 32 + 2] = b"\xff\xff"
        entries.append((b"%05d" % i, nid, made.REGULAR))
    for i in range(absent):
        nid = image.nid(made.inode(made.REGULAR, 1, image.block(b"x")))
        entries.append((b"%05d-file" % (i * 1000), nid, made.REGULAR))
    for i in range(wrong + missing):
        nid = image.reserve()
        data = made.dirents([(b".", nid, made.DIRECTORY)]
                            + [(b"..", nid, made.DIRECTORY)] * (i < wrong))
        image.place(nid, made.inode(made.DIRECTORY, len(data), image.block(data), links=2))
        entries.append((b"directory-%05d" % i, nid, made.DIRECTORY))
    image.root(entries)
    return image.write(copies.path("repeated.erofs"))


def cause_of(rule, message):
    """The key of CAUSES that a finding is of."""
    return next(c for c in CAUSES if c[0] == rule and re.fullmatch(c[1], message))


def groups_in(text, image):
    """[cause, [(path, has bytes)], "and ... more"] for each group of findings in a text report."""
    groups = []
    pattern = re.compile(rf"{re.escape(image)}:(\S+): \w+: (\S+): (.*)")
    for line in text.split("\n"):
        if found := pattern.fullmatch(line):
            cause = cause_of(found[2], found[3])
            if not groups or groups[-1][0] != cause:
                groups.append([cause, [], None])
            groups[-1][1].append([found[1], False])
        elif re.match(r"  0x\w{8}  ", line):
            groups[-1][1][-1][1] = True
        elif more := re.fullmatch(r"  and ([\d,]+) more \(--limit=0 shows all\)", line):
            groups[-1][2] = int(more[1].replace(",", ""))
    return groups


def test_groups(copies):
    """Thousands of equal findings: a few examples of each cause, and how many there are."""
    image, total = repeated_findings(copies), sum(CAUSES.values())
    by_rule = {}
    for (rule, _), count in CAUSES.items():
        by_rule[rule] = by_rule.get(rule, 0) + count
    every = [(cause_of(f["rule"], f["message"]), f["path"])
             for f in findings("--limit=0", image)]
    tap.ok({c: sum(c == d for d, _ in every) for c in CAUSES} == CAUSES
           and list(dict.fromkeys(c for c, _ in every)) == list(CAUSES),
           "the test breaks each rule as often as it means to")
    whole = json.loads(check("--format=json", image).stdout)
    shown = {r: sum(e.get("rule") == r for e in whole["events"] if e["type"] == "finding")
             for r in by_rule}
    omitted = {e["rule"]: e["count"] for e in whole["events"] if e["type"] == "omitted"}
    tap.ok({r: n + omitted.get(r, 0) for r, n in shown.items()} == by_rule
           and all(0 < n <= 1000 for n in shown.values()) and max(shown.values()) > 500,
           "JSON lists findings as far as 1000 of each rule go, and counts the others", shown,
           omitted)
    run = json.loads(check("--format=sarif", image).stdout)["runs"][0]
    for name, summary in (("JSON", whole["summary"]), ("SARIF", run["properties"]["summary"])):
        tap.ok(summary["findings_by_rule"] == by_rule, f"{name} counts the findings of each rule",
               summary)
    default = check(image)
    tap.ok(default.stdout.count("\n") < 60, "the report fits a screen or two", default.stdout)
    for limit in (None, 1, 4, 100000):
        done = check(*[f"--limit={limit}"] * (limit is not None), image)
        name, most = (f"--limit={limit}", limit) if limit else ("without --limit", 3)
        expected = [[cause, [[path, True] for c, path in every if c == cause][:most],
                     count - most if count > most else None] for cause, count in CAUSES.items()]
        tap.ok(groups_in(done.stdout, image) == expected,
               f"findings are grouped by rule and cause, with their bytes: {name}",
               done.stdout[-3000:])
        table = re.search(r"^ *count  severity  rule\n((?: *[\d,]+  \w+ +\S+\n)+)(?=1 image)",
                          done.stdout, re.M)
        rows = [line.split() for line in table[1].splitlines()] if table else []
        severities = [row[1] for row in rows]
        tap.ok({row[2]: int(row[0].replace(",", "")) for row in rows} == by_rule
               and severities == sorted(severities, key=["error", "warning", "note"].index),
               f"a table counts the findings of each rule: {name}", done.stdout[-1000:])
        errors = by_rule["inode.format"] + by_rule["dir.cycle"]
        left = sum(max(count - most, 0) for count in CAUSES.values())
        words = f"{left} findings not shown (--limit)\n" if left else ""
        tap.ok(re.search(rf"\n{re.escape(words)}{errors} errors, 0 warnings, "
                         rf"{total - errors} notes; [0-9.]+ s\n", done.stdout)
               and done.returncode == 1, f"the last lines sum up: {name}", done.stdout[-500:])
    done = check("--limit=0", image)
    tap.ok([(c, p[0]) for c, paths, more in groups_in(done.stdout, image) for p in paths
            if more is None] == every and "--limit" not in done.stdout,
           "--limit=0 shows all findings, as they come")
    twice = check("--rule=inode.*", image, GOOD, image).stdout
    tap.ok(twice.count(f"\n  and {by_rule['inode.format'] - 3:,} more ") == 2,
           "each image has its own groups", twice)
    one = check("--rule=sb.ishare-prefix-id", copies.make(GOOD, (PREFIX_ID, b"\x09"))).stdout
    tap.ok(" severity " not in one and " more " not in one,
           "one finding has neither a table nor more of its kind", one)


def test_quiet(copies):
    """--quiet: the exit status, and nothing else but errors of the program."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"))
    for status, image in ((0, GOOD), (1, bad), (2, f"{IMAGES}/metabox-512.erofs")):
        for form in FORMATS:
            ends(check("--quiet", f"--format={form}", image), status,
                 f"--quiet, status {status}, --format={form}")
    ends(check("--quiet", "--strict", "--profile=linux-6.12", GOOD), 1, "--quiet --strict")
    ends(check("--quiet", "--digests", "--domain", GOOD, resized(copies)), 1, "--quiet --domain")
    ends(check("--quiet"), 2, "--quiet: an error of use", "", "no image given")
    ends(check("--quiet", copies.path("nothing")), 2, "--quiet: a file that cannot be read", "",
         "No such file")
    done = tap.run(["sh", "-c", '"$@" >&-', "sh", *tap.TOOL, "check", "--quiet", GOOD])
    ends(done, 0, "--quiet needs no standard output")
    tap.ok(on_terminal(["check", "--quiet", *[GOOD] * 2000], err=True) == "",
           "--quiet shows no progress")


def names_image(copies, broken):
    """An image with files whose names hold what a name should not; if broken, these files break a
    rule."""
    content = read_bytes(GOOD)
    edits = []
    for old, new in ((b"block-minus-1", b"b\x1b[2J\xff\xc2\x9b\\aaaa"),
                     (b"long-symlink", b"l\xe2\x80\xae{}\"'\n\taa")):
        at = content.index(old)
        edits.append((at, new[:len(old)]))
    for path in ("/block-minus-1", "/long-symlink") if broken else ():
        edits.append((inode(GOOD, path)["offset"], b"\xff\xff"))
    return copies.make(GOOD, *edits)


def test_hostile_names(copies):
    """Names must not drive a terminal nor spoil a format."""
    image = names_image(copies, True)
    done = check("--rule=inode.*", image)
    tap.ok("b\\x1b[2J\\xff\\xc2\\x9b\\\\aa" in done.stdout,
           "control characters are escaped in text", done.stdout)
    tap.ok(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\udc80-\udcff\u202e]", done.stdout),
           "text holds printable UTF-8 alone", ascii(done.stdout))
    paths = {f.get("path") for f in findings("--rule=inode.*", image)}
    tap.ok("/b\\x1b[2J\\xff\\xc2\\x9b\\\\aaaa" in paths
           and "/l\\xe2\\x80\\xae{}\"'\\x0a\\x09aa" in paths, "JSON has the same escapes", paths)
    log = json.loads(check("--format=sarif", "--rule=inode.*", image).stdout)
    tap.ok(len(log["runs"][0]["results"]) == len(findings("--rule=inode.*", image)),
           "SARIF stays JSON")
    points, errors = parse_tap(check("--format=tap", "--rule=inode.*", image).stdout)
    tap.ok(points and not errors, "TAP stays TAP", points, errors)
    for form in ("text", "json"):
        done = tool("dump", f"--format={form}", names_image(copies, False))
        tap.ok("\x1b" not in done.stdout and r"b\x1b[2J" in done.stdout.replace(r"\\", "\\"),
               f"dump escapes names in {form}", done.stdout)
    odd = copies.make(GOOD, name="odd\n\udcff'\u001b.erofs")
    done = check("--profile=linux-6.12", odd)
    tap.ok("odd\\x0a\\xff'\\x1b.erofs: " in done.stdout, "an image's own name is escaped",
           done.stdout)
    log = json.loads(check("--format=sarif", "--profile=linux-6.12", odd).stdout)
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"]["uri"]
    tap.ok(uri.endswith("/odd%0A%FF%27%1B.erofs"), "an image's name is encoded in a URI", uri)


def test_rules():
    rules = json.loads(tool("rules", "--format=json").stdout)
    text = tool("rules").stdout.splitlines()
    tap.ok([line.split()[:3] for line in text[:-2]]
           == [[r["name"], r["severity"], r["subject"]] for r in rules],
           "text and JSON list the same rules", *text)
    tap.is_empty([line for line, r in zip(text, rules)
                  if not first_sentence_of(line[50:], r["requirement"])],
                 "text has the first sentence of each rule, from column 51 on")
    tap.ok(text[-2] == "" and "Rules with the subject runtime concern readers" in text[-1]
           and all(r["runtime"] == (r["subject"] == "runtime") for r in rules),
           "text says which rules are not for images", text[-1])
    tap.ok(len(rules) >= 60 and len({r["name"] for r in rules}) == len(rules),
           "the catalogue has its rules", len(rules))
    wrong = []
    for rule in rules:
        done = tool("explain", rule["name"])
        words = " ".join(done.stdout.split())
        if (done.returncode or rule["name"] not in words
                or " ".join(rule["requirement"].split()) not in words):
            wrong.append(f"{rule['name']}: status {done.returncode}: {done.stdout[:300]}")
    tap.is_empty(wrong, "explain knows every rule")
    for asked, meant in (("sb.ishare-prefixid", "sb.ishare-prefix-id"), ("sb_magic", "sb.magic"),
                         ("magic", "sb.magic"), ("xattr.duplicates", "xattr.duplicate"),
                         ("sb.root", "sb.root-inode")):
        ends(tool("explain", asked), 2, f"explain {asked}", "",
             f"unknown rule '{asked}'; did you mean '{meant}'")
    ends(tool("explain", "quite-another-thing"), 2, "explain without a guess", "",
         "`erofs-ishare rules` lists all rules")
    ends(tool("explain", "\x1b[2J"), 2, "explain escapes what it does not know", "",
         r"unknown rule '\\x1b\[2J'")


def test_dump(copies):
    """dump against check and against the image's own bytes."""
    wrong = []
    for name in sorted(n for n in os.listdir(IMAGES) if n.endswith(".erofs")):
        image = f"{IMAGES}/{name}"
        done = tool("dump", "--format=json", image)
        dump, checked = json.loads(done.stdout), report("--profile=linux-7.3/64k", image)
        summary = checked["summary"]
        missed = [e for e in checked["events"] if e["type"] == "unexamined"
                  and not e["reason"].startswith("the file's data ")]  # of which dump shows nothing
        fingerprints = sum(any(x["fingerprint"] for x in i["xattrs"]) for i in dump["inodes"])
        if len({i["nid"] for i in dump["inodes"]
                if i["path"].startswith("/")}) != summary["inodes"]:
            wrong.append(f"{name}: {len(dump['inodes'])} inodes, not {summary['inodes']}")
        if summary["fingerprinted_files"] not in (fingerprints, None):
            wrong.append(f"{name}: {fingerprints} fingerprints, not "
                         f"{summary['fingerprinted_files']}")
        if dump["complete"] != (done.returncode
                                == 0) or dump["superblock"]["fields"]["magic"] != 0xE0F5E1E2:
            wrong.append(f"{name}: complete: {dump['complete']}, status {done.returncode}")
        if dump["complete"] != (not missed) or (None in summary.values() and dump["complete"]):
            wrong.append(f"{name}: complete: {dump['complete']}, but {summary}")
        if len(dump.get("prefixes", [])) != dump["superblock"]["fields"][
                "xattr_prefix_count"] and dump["complete"]:
            wrong.append(f"{name}: prefixes are missing: {dump.get('prefixes')}")
    tap.is_empty(wrong, "dump shows what check counts, in every image")
    text = tool("dump", GOOD)
    ends(text, 0, "dump as text", r"superblock at 0x00000400:\n +0x00000400  magic +0xe0f5e1e2 "
                                  r"\(3774210530\)\n"
         r".*  feature_compat +0x37 \(55\): SB_CHKSUM, MTIME, XATTR_FILTER, PLAIN_XATTR_PFX, "
         r"ISHARE_XATTRS\n"
         r".*  feature_incompat +0x40 \(64\): XATTR_PREFIXES\n.*0x00000469  ishare_xattr_prefix_id "
         r"+0x0 \(0\)\n.*"
         r"  /one\n +0x\w+  nid \d+, compact, flat-inline, regular file, mode 0644, 25 links, "
         r"1 byte\n"
         r" +0x\w+  xattr erofs\.fingerprint\.v1 = \"sha256:\" " + hashlib.sha256(b"1").hexdigest()
         + r" \(fingerprint\)\n.*"
         r"prefix 0 at 0x\w+: base_index 0, infix \"erofs\.fingerprint\.v1\" \(names "
         r"fingerprints\)\n")
    tap.ok(not re.search(r"(?<!\d)1 (links|bytes)", text.stdout) and ", 1 link, " in text.stdout,
           "dump knows the singular")
    features = {f"{field}_{bit}" for image in ("digest-512", "metabox-512", "blobdev-512",
                                               "48bit-512", "ztailpacking-512")
                for field, bit in feature_bits(f"{IMAGES}/{image}.erofs")}
    tap.ok({"feature_compat_ISHARE_XATTRS", "feature_incompat_METABOX",
            "feature_incompat_DEVICE_TABLE",
            "feature_incompat_48BIT", "feature_incompat_ZTAILPACKING"} <= features,
           "dump names features", features)
    packed = tool("dump", packed_prefixes(copies))
    ends(packed, 0, "dump shows a prefix table in the packed inode",
         r"xattr erofs\.fingerprint\.v1 = .*\(fingerprint\)\n.*prefix 0 at 0x00000000 of the "
         r"packed inode: base_index 0, "
         r"infix \"erofs\.fingerprint\.v1\" \(names fingerprints\)\n")
    tap.ok("... (300 bytes)" in text.stdout and "trusted.overlay.opaque = \"y\"" in text.stdout,
           "dump cuts long values and names namespaces", text.stdout)
    box = json.loads(tool("dump", "--format=json",
                          f"{IMAGES}/metabox-plain-512.erofs").stdout)["inodes"]
    tap.ok(any(i["space"] == "metabox" for i in box) and all(
        (i["space"] == "metabox") == bool(re.fullmatch("0x8[0-9a-f]{15}", str(i["nid"])))
        for i in box),
           "dump writes nids that JSON cannot hold as strings", box)
    ends(tool("dump", f"{IMAGES}/metabox-plain-512.erofs"), 0, "dump says what is in the metabox",
         r"  /f\n +0x\w+  nid \d{1,3} of the metabox, ")
    long = next(x for x in inode(GOOD, "/xattrs")["xattrs"] if x["name"] == "long")
    tap.ok(long["namespace"] == "user." and long["value_size"] == 300
           and bytes.fromhex(long["value"]) == b"x" * 64, "dump cuts long values in JSON", long)


def packed_prefixes(copies):
    """An image whose packed inode is /block, and whose prefix table is the data of that."""
    dump, at = json.loads(tool("dump", "--format=json", GOOD).stdout), inode(GOOD, "/block")
    content = read_bytes(GOOD)
    table = dump["prefixes"][0]["offset"]
    block = struct.unpack_from("<I", content, at["offset"] + 16)[0]
    fields = dump["superblock"]["fields"]
    return copies.make(GOOD, (512 * block, content[table:table + 64]),
                       (1024 + 0x08, struct.pack("<I", fields["feature_compat"] & ~0x10)),
                       (1024 + 0x50, struct.pack("<I", fields["feature_incompat"] | 0x20)),
                       (1024 + 0x5C, struct.pack("<IQ", 0, at["nid"])))


def feature_bits(image):
    """The features that dump names in text, with the fields that have them. JSON must name the
    same."""
    text = re.findall(r"  (feature_\w+) +0x\w+ \(\d+\): (.*)", tool("dump", image).stdout)
    bits = [(field, bit) for field, names in text for bit in names.split(", ")]
    told = json.loads(tool("dump", "--format=json", image).stdout)["superblock"]
    set_ = sum(bin(told["fields"][f]).count("1") for f in ("feature_compat", "feature_incompat"))
    tap.ok(sorted(told["features"]) == sorted(b for _, b in bits) and len(bits) == set_,
           f"dump names all features of {os.path.basename(image)}", told["features"], bits)
    return bits


def test_dump_hidden(copies):
    """dump fails if something could not be shown, and only then."""
    def moved(path):
        at = inode(GOOD, path)["offset"]
        form = struct.unpack_from("<H", read_bytes(GOOD), at)[0]
        return copies.make(GOOD, (at, struct.pack("<H", form & ~0xE)),
                           (at + 16, b"\xff\xff\xff\x0f"))
    at = {path: inode(GOOD, path)["offset"] for path in ("/block", "/xattrs")}
    shown = (("page size", f"{IMAGES}/digest-65536.erofs"),
             ("an error", copies.make(GOOD, (PREFIX_ID, b"\x09"))),
             ("a file's data is nowhere", moved("/block")))
    for name, image in shown:
        ends(tool("dump", image), 0, f"dump shows all: {name}", "inodes:")
        tap.ok(json.loads(tool("dump", "--format=json", image).stdout)["complete"],
               f"dump is complete: {name}")
    tap.ok("inode.data-bounds" in broken_rules(shown[2][1]), "check finds that data is nowhere")
    hidden = (("no inode", copies.make(GOOD, (at["/block"], b"\xff\xff")),
               "/block: inode.format: "),
              ("a directory's data is nowhere", moved("/deep"), "/deep: inode.data-bounds: "),
              ("an xattr area", copies.make(GOOD, (at["/xattrs"] + 2, b"\xff\xff")),
               "/xattrs: inode.xattr-bounds: "),
              ("block size", copies.make(GOOD, (BLKSZBITS, b"\x14")), "sb.block-size: "))
    for name, image, said in hidden:
        ends(tool("dump", image), 2, f"dump misses: {name}", "Not everything could be shown",
             f"not shown: {said}")
        tap.ok(not json.loads(tool("dump", "--format=json", image).stdout)["complete"],
               f"dump is not complete: {name}")


def test_dump_limit():
    """dump --limit: what is left out is said."""
    whole = json.loads(tool("dump", "--format=json", GOOD).stdout)
    tap.ok(json.loads(tool("dump", "--format=json", "--limit=0", GOOD).stdout) == whole,
           "dump --limit=0 shows all")
    cut = tool("dump", "--format=json", "--limit=2000", GOOD)
    told, part = re.search(r"not shown: (\d+) inodes and xattrs beyond 2000 bytes \(--limit\)\n$",
                           cut.stderr), \
        json.loads(cut.stdout)
    tap.ok(cut.returncode == 2 and part["inodes"]
           and part["inodes"] == whole["inodes"][:len(part["inodes"])]
           and not part["complete"] and part["prefixes"] == whole["prefixes"],
           "dump --limit=2000 in JSON", cut.stderr, part)
    left = (sum(1 + len(i["xattrs"]) for i in whole["inodes"])
            - sum(1 + len(i["xattrs"]) for i in part["inodes"]))
    tap.ok(told and int(told[1]) == left, "dump counts what it leaves out", told, left)
    ends(tool("dump", "--limit=2000", GOOD), 2, "dump --limit=2000 in text",
         "\nNot everything could be shown: see the errors.\n$", "--limit")


def test_dump_garbage(copies):
    """dump and check live through garbage, and what they print stays in form."""
    content = read_bytes(GOOD)
    chance = random.Random(512)
    wrong = []
    for round_ in range(150):
        edits = [(chance.randrange(1028, len(content)), bytes([chance.randrange(256)]))
                 for _ in range(1 + round_ % 20)]
        image = copies.make(GOOD, *edits, name="garbage.erofs")
        for command in ("check", "dump"):
            done = tool(command, "--format=json", image, timeout=120)
            try:
                json.loads(done.stdout)
                if done.returncode in (0, 1, 2) and "Sanitizer" not in done.stderr:
                    continue
            except ValueError:
                pass
            wrong.append(f"{command} {edits}: status {done.returncode}: {done.stderr[-300:]}")
    tap.is_empty(wrong, "garbage does no harm")


def test_output_errors():
    """A report that cannot be written is trouble."""
    for arguments in (*(["check", f"--format={f}", GOOD] for f in FORMATS), ["dump", GOOD],
                      ["dump", "--format=json", GOOD], ["rules"], ["rules", "--format=json"],
                      ["explain", "sb.magic"], ["--help"], ["--version"], ["help"],
                      ["check", "--help"]):
        name = " ".join(arguments).replace(GOOD, "IMAGE")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = tool(*arguments, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        tap.ok(done.returncode == 2 and "No space left on device" in done.stderr,
               f"full disk: {name}", done.returncode, done.stderr)
        reading, writing = os.pipe()
        os.close(reading)
        done = tool(*arguments, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        tap.ok(done.returncode == 2 and not done.stderr, f"a closed pipe is silent: {name}",
               done.returncode, done.stderr)


def on_terminal(arguments, out=False, err=False, columns=0, **environment):
    """Runs the program with stdout or stderr on a terminal; returns what that shows."""
    environment = {**os.environ, "TERM": "xterm", **environment}
    environment.pop("NO_COLOR", None) if not environment.get("NO_COLOR") else None
    _, shown = terminal.run([*tap.TOOL, *arguments], columns=columns, environment=environment,
                            streams=["stdout"] * out + ["stderr"] * err)
    return shown.decode(errors="replace")


def test_colour(copies):
    """Colour is for terminals."""
    bad = copies.make(GOOD, (PREFIX_ID, b"\x09"))
    tap.ok("\x1b[1;31merror:\x1b[0m" in on_terminal(["check", bad], out=True),
           "colour on a terminal")
    tap.ok("\x1b" not in check(bad).stdout, "no colour elsewhere")
    tap.ok("\x1b" not in on_terminal(["check", bad], out=True, NO_COLOR="1"), "NO_COLOR")
    tap.ok("\x1b" not in on_terminal(["check", bad], out=True, TERM="dumb"),
           "no colour on a dumb terminal")
    for form in FORMATS[1:]:
        tap.ok("\x1b" not in on_terminal(["check", f"--format={form}", bad], out=True),
               f"no colour in {form}")


def narrow_help():
    """--help on 40 columns: lines that begin options or commands stand out, and the words have
    room."""
    for command in ([], ["check"], ["dump"], ["explain"], ["rules"]):
        name = " ".join([*command, "--help"])
        shown = on_terminal([*command, "--help"], out=True, columns=40).split("\r\n")
        tap.is_empty([line for line in shown if len(line) > 40], f"{name} fits 40 columns")
        body = [line for line in shown if line.startswith("        ") and line.strip()]
        tap.ok(body and all(line.index(line.lstrip()) <= 13 for line in body),
               f"{name} leaves room for words on 40 columns", *shown)
    tap.ok("  help       show this list, or the\n             options of a command\n"
           in on_terminal(["--help"], out=True, columns=40).replace("\r\n", "\n"),
           "--help on 40 columns goes on under the description")


def paragraphs(text):
    """The paragraphs of prose in `explain`, and the items of its list: lists of lines, and the
    indent of further lines."""
    for block in text.rstrip("\n").split("\n\n"):
        lines = block.split("\n")
        if block.startswith("Vectors:"):
            for item in re.split(r"\n(?=  \S)", block)[1:]:
                yield item.split("\n"), 4
        elif not block.startswith("    "):
            yield lines, len(block) - len(block.lstrip(" "))


def code_lines(text):
    """The lines of the predicate in `explain`, without the breaks for want of room."""
    lines = []
    for line in re.findall(r"(?<=Formally:\n\n).*?(?=\n\n|\Z)", text, re.S)[0].split("\n"):
        indent = len(line) - len(line.lstrip())
        if (lines and indent == lines[-1][1] + 4
                and lines[-1][2] + 1 + len(line.split()[0]) > 78):
            lines[-1] = (f"{lines[-1][0]} {line.strip()}", lines[-1][1], len(line))
        else:
            lines.append((line, indent, len(line)))
    return [line for line, _, _ in lines]


def narrow_explanations():
    """`explain` on fewer columns than its text was wrapped to."""
    rules = [r["name"] for r in json.loads(tool("rules", "--format=json").stdout)]
    ragged, other, code = [], [], []
    for rule, columns in itertools.product(rules, (40, 60, 77)):
        wide = tool("explain", rule).stdout
        shown = on_terminal(["explain", rule], out=True, columns=columns).replace("\r\n", "\n")
        for lines, indent in paragraphs(shown):
            ragged += [f"{rule}, {columns} columns: {above}" for above, below
                       in zip(lines, lines[1:])
                       if len(above) + 1 + len(below.split()[0]) <= columns
                       or len(below) - len(below.lstrip()) != indent]
        if [" ".join(" ".join(p).split()) for p, _ in paragraphs(shown)] != [
                " ".join(" ".join(p).split()) for p, _ in paragraphs(wide)]:
            other.append(f"{rule}, {columns} columns")
        code += [f"{rule}, {columns} columns: {line}"
                 for line in (code_lines(wide) if "Formally:" in wide else [])
                 if len(line) <= columns and line not in shown.split("\n")]
    tap.is_empty(ragged, "explain fills the lines of a narrow terminal")
    tap.is_empty(other, "explain has the same paragraphs on a narrow terminal")
    tap.is_empty(code, "explain leaves lines of code as they are if they fit")
    tap.ok(on_terminal(["explain", rules[0]], out=True, columns=78).replace("\r\n", "\n")
           == tool("explain", rules[0]).stdout, "explain fits 78 columns as it is")


def test_width():
    """Words fit the terminal."""
    commands = (["rules"], ["explain", "dir.cycle"], ["--help"], ["check", "--help"])
    for command in commands:
        name, wide = " ".join(command), tool(*command).stdout
        wide = " ".join(wide.split())
        for columns in (40, 60, 100):
            shown = on_terminal(command, out=True, columns=columns)
            tap.is_empty([line for line in shown.split("\r\n") if len(line) > columns
                          and " " in line.strip()],
                         f"{name} fits {columns} columns")
            if "--help" not in command and (command != ["rules"] or columns >= 48):
                tap.ok(" ".join(shown.split()) == wide, f"{name} is the same in {columns} columns",
                       shown)
    narrow_help()
    narrow_explanations()
    for environment, columns in (({"COLUMNS": "60"}, 60), ({"COLUMNS": ""}, 80)):
        longest = max(map(len, on_terminal(["rules"], out=True, **environment).split("\r\n")))
        tap.ok(columns - 15 < longest <= columns,
               f"a terminal that does not know its width: {environment}", longest)
    tap.ok(max(map(len, tool("rules").stdout.split("\n"))) > 200,
           "without a terminal no line is broken")


def many_inodes(copies, count):
    """An image of one directory with so many empty files."""
    block, per_block = 4096, 4096 // 20
    names = [b".", b".."] + [b"%08d" % i for i in range(count)]
    nids = [0, 0] + list(range(1, count + 1))
    directory = b""
    for start in range(0, len(names), per_block):
        part = list(zip(names, nids))[start:start + per_block]
        offset = 12 * len(part)
        heads = tails = b""
        for name, nid in part:
            heads += struct.pack("<QHBB", nid, offset + len(tails),
                                 2 if name in (b".", b"..") else 1, 0)
            tails += name
        directory += (heads + tails).ljust(block, b"\0")

    def an_inode(mode, size, start):
        return struct.pack("<HHHHIIIIHHI", 0, 0, mode, 1, size, 0, start, 1, 0, 0, 0)

    inodes = an_inode(stat.S_IFREG | 0o644, 0, 0) * count
    first = 1 + -(-32 * (count + 1) // block)
    inodes = (an_inode(stat.S_IFDIR | 0o755, len(directory), first)
              + inodes).ljust((first - 1) * block, b"\0")
    superblock = struct.pack("<IIIBBHQQIIII", 0xE0F5E1E2, 0, 0, 12, 0, 0, count + 1, 0, 0,
                             first + len(directory) // block, 1, 0).ljust(128, b"\0")
    return copies.write((b"\0" * 1024 + superblock).ljust(block, b"\0") + inodes + directory,
                        name="many.erofs")


def test_progress(copies):
    """A bar on stderr for those who wait before a terminal."""
    image = many_inodes(copies, 20000)
    ends(check(image), 0, "an image of 20,000 files", "20001 inodes")
    many = long_work(["check"], image)
    shown = on_terminal(many, err=True, columns=len(image) + 80)
    tap.ok(re.search(r"\r\S*/many\.erofs: \[[#-]{30}\] \d+ inodes\x1b\[K", shown),
           "a progress bar appears", shown[:500])
    tap.ok(shown.endswith("\r\x1b[K"), "the progress bar is cleared", ascii(shown[-200:]))
    start = time.monotonic()
    shown = on_terminal(["check", image], err=True)
    tap.ok(shown == "" or time.monotonic() - start >= 1, "no bar for what takes less than a second",
           ascii(shown))
    tap.ok(tool(*many).stderr == "", "no bar without a terminal")
    progress_widths(image, many)


def long_work(command, image):
    """A command with so many images that a bar is seen for some time."""
    many, took = [*command, image], 0
    while took < 2.5:
        many += [image] * many.count(image)
        start = time.monotonic()
        tool(*many)
        took = time.monotonic() - start
    return many


def frames(shown):
    """The lines that a terminal has shown, one after the other in the same place."""
    return [frame.removesuffix("\x1b[K") for frame in shown.split("\r") if frame]


def progress_widths(image, command):
    """The bar on terminals of several widths."""
    for columns in (1, 2, 20, 40, 60, 80, 200):
        while not (shown := frames(on_terminal(command, err=True, columns=columns))):
            command = [*command, *[image] * command.count(image)]  # the machine is less busy now
        tap.is_empty([f for f in shown if len(f) >= columns or "\n" in f],
                     f"the progress fits {columns} columns")
        if columns >= 40:
            form = r"\S+/many\.erofs: \[[#-]{8,30}\] \d+ inodes"
            tap.ok(shown and all(re.fullmatch(form, f) for f in shown if f),
                   f"the end of a name, a bar and inodes are shown on {columns} columns",
                   *shown[:3])


def one_large_file(copies, size):
    """An image, in a sparse file, of one file with a fingerprint, which is wrong."""
    image = made.Image()
    image.fingerprints()
    area, icount = made.xattr_area(made.fingerprint(b""))
    nid = image.reserve()
    image.append(area, 4)
    image.root([(b"large", nid, made.REGULAR)])
    image.append(b"", made.BLOCK)
    image.place(nid, made.inode(made.REGULAR, size, len(image.bytes) // made.BLOCK,
                                icount=icount, extended=True))
    return image.write(copies.path("large.erofs"), len(image.bytes) + size)


def test_progress_content(copies):
    """The bar moves while the content of one file is read."""
    image = one_large_file(copies, 3 << 30)
    command = long_work(["check", "--digests"], image)
    for columns in (40, 60):
        start = time.monotonic()
        shown = frames(on_terminal(command, err=True, columns=columns))
        seconds = time.monotonic() - start
        tap.is_empty([f for f in shown if len(f) >= columns],
                     f"the progress of content fits {columns} columns")
        counts = [re.fullmatch(r".*2 inodes, (\d+\.\d\d)/3\.00 GiB", f) for f in shown]
        moved = len({m[1] for m in counts if m})
        tap.ok(moved >= 2 * (seconds - 1) - 1,
               f"on {columns} columns, it moves twice a second", f"{moved} times in {seconds} s",
               *shown[:5])
        tap.is_empty([f for f in shown if f and not re.search(r" \d inodes, [\d.]+/3\.00 GiB$", f)],
                     f"on {columns} columns, bytes are counted")


def test_manual():
    """The manual: form, and no option forgotten."""
    page = f"{tap.TOP}/ref/cmd/erofs-ishare.1"
    lint = tap.run(["mandoc", "-Tlint", page])
    about_here = re.compile(r"referenced manual not found|mandoc\.db")
    tap.is_empty([line for line in (lint.stdout + lint.stderr).splitlines()
                  if not about_here.search(line)],
                 "mandoc has nothing to say")
    text = re.sub(".\b", "", tap.run(["mandoc", "-Tascii", page]).stdout)
    source = read(page).replace("\\-", "-")
    tap.ok("erofs-ishare" in text, "the manual can be shown")
    wrong = [f"{command}: --{option}" for command in ("check", "dump", "rules")
             for option in options_of(command) if f"Fl -{option}" not in source]
    tap.is_empty(wrong, "the manual has every option")
    version = tool("--version").stdout.split()[-1]
    tap.ok(f"\nThis page describes version {version}.\n" in source,
           "the manual describes this version", version)
    newest = re.search(r"^(\d\S*)", read(f"{tap.TOP}/NEWS"), re.M)
    tap.ok(newest[1] == version, "NEWS begins with this version", newest[1], version)


def options_of(command):
    """The long options in a command's help."""
    found = re.findall(r"^ {6}--([a-z-]+)", tool(command, "--help").stdout, re.M)
    return [o for o in found if o != "usage"]


COMPLETE = r"""
source "$1/ref/cmd/erofs-ishare.bash"
shift
compopt() { :; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_erofs_ishare "$1"
printf '%s\n' "${COMPREPLY[@]}"
"""


def complete(*words, directory=tap.TOP):
    """What bash would offer for the last word. The program is found on PATH as it would be."""
    with script(tap.TOOL) as program:
        path = f"{os.path.dirname(program)}:{os.environ['PATH']}"
        done = tap.run(["bash", "-uc", COMPLETE, "bash", tap.TOP, "erofs-ishare", *words],
                       cwd=directory, env={**os.environ, "PATH": path})
    if done.stderr:
        tap.ok(False, "completion is silent on stderr", done.stderr)
    return done.stdout.split()


def test_completion():
    """bash completion."""
    rules = [r["name"] for r in json.loads(tool("rules", "--format=json").stdout)]
    tap.ok(complete("") == ["check", "dump", "explain", "rules", "help", "--help", "--version"],
           "commands are offered", complete(""))
    tap.ok(complete("ex") == ["explain"], "a command is completed")
    tap.ok(complete("help", "d") == ["dump"], "help's command is completed")
    tap.ok(complete("explain", "") == rules + ["--help"], "rules are offered",
           complete("explain", ""))
    tap.ok(complete("explain", "sb.ma") == ["sb.magic"], "a rule is completed")
    tap.ok(complete("check", "--rule", "=", "sb.ma") == ["sb.magic"], "--rule= is completed")
    tap.ok(complete("check", "--rule", "sb.ma") == ["sb.magic"],
           "--rule without an equals sign is completed")
    tap.ok(complete("check", "--strict", "digest-51", directory=IMAGES) == ["digest-512.erofs"],
           "a file after an option without value is completed")
    tap.ok(complete("check", "--rule", "=") == rules, "--rule= offers rules")
    tap.ok(complete("check", "--format", "=", "") == list(FORMATS), "check --format=")
    tap.ok(complete("dump", "--format", "=", "") == ["text", "json"], "dump --format=")
    tap.ok(complete("check", "--severity", "=", "w") == ["warning"], "--severity=")
    said = re.search(r"Profiles: (.*)", check("--profile=", GOOD).stderr)
    tap.ok(said and sorted(complete("check", "--profile", "=", "")) == sorted(said[1].split()),
           "--profile= offers all", said and said[1], complete("check", "--profile", "=", ""))
    for command in ("check", "dump", "rules"):
        offered = {o.strip("-=") for o in complete(command, "--")}
        tap.ok(offered == set(options_of(command)) | {"help"}, f"{command}'s options are offered",
               offered)
    for words in (["check", "digest-51"], ["dump", "digest-51"],
                  ["check", "--device", "=", "digest-51"]):
        tap.ok(complete(*words, directory=IMAGES) == ["digest-512.erofs"],
               f"files: {' '.join(words)}")


def test_pkg_config(copies):
    """The pkg-config file."""
    text = read(f"{tap.TOP}/ref/libishare.pc.in")
    for name, value in (("PREFIX", "/p"), ("LIBDIR", "/p/lib"), ("INCLUDEDIR", "/p/include"),
                        ("VERSION", "1.2")):
        text = text.replace(f"@{name}@", value)
    tap.ok("@" not in text, "libishare.pc.in has no other variables", text)
    path = copies.write(text.encode(), name="libishare.pc")
    ends(tap.run(["pkg-config", "--validate", path]), 0, "libishare.pc is valid")
    ends(tap.run(["pkg-config", "--cflags", "--libs", path]), 0, "libishare.pc says what it takes",
         "-I/p/include/ishare.*-L/p/lib.*-lishare")


def main():
    """Every function here whose name begins with test_, or those that the command line names."""
    tests = [globals()[n] for n in sys.argv[1:] or [n for n in globals() if n.startswith("test_")]]
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        copies = Copies(directory)
        for test in tests:
            try:
                test(*[copies][:test.__code__.co_argcount])
            except Exception as error:  # pylint: disable=broad-except
                tap.ok(False, f"{test.__name__} runs to its end", repr(error))
    tap.done()


if __name__ == "__main__":
    main()
