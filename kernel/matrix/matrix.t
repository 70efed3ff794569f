#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix itself: how it handles guests that die, and conflicting results; no kernel is
needed."""

import contextlib
import io
import os
import signal
import subprocess
import tempfile
import threading
import time
from unittest import mock

from erofs_ishare import tap
from erofs_ishare.files import write
from erofs_ishare.structures import specification
import cases
import guest
import hexview
import matrix
import tools
from judge import (ACCEPTS, AGREES, cell, DISAGREES, errors_in, EXPLAINED, Judge, Known, NAMED,
                   number_of, Open, point, REFUSES, unexamined, UNSPECIFIED, worst)

PATIENCE = 3
guest.ANSWER = 1

# Replaces run-guest: reports that each image mounts, except that some images kill it.
FAKE = """\
#!/usr/bin/python3
import json, os, sys, time
given = dict(a.split("=", 1) for a in sys.argv if "=" in a)
images = [line.split("\\t") for line in open(given["LIST"]).read().splitlines()]
if os.path.basename(images[0][0]) == "no-boot":
    sys.exit("cannot boot: no memory")
print(json.dumps({"kernel": "7.fake"}), flush=True)
for n in range(int(given["FROM"]), int(given["TO"])):
    name = os.path.basename(images[n][0])
    if name == "panic" or (name == "panic-later" and n != int(given["FROM"])):
        print(*(f"line {i}" for i in range(100)), "half a line", sep="\\n", end="", flush=True)
        sys.exit("Kernel panic - not syncing: of " + name)
    print(json.dumps({"step": "access"}), flush=True)
    if name == "kill":
        os.kill(os.getpid(), 9)
    if name == "hang":
        time.sleep(100)
    if name == "failed":
        print(json.dumps({"failed": "tmpfs: ENOMEM"}), flush=True)
        sys.exit(0)
    print(json.dumps({"n": n, "mount": "", "devices": images[n][1:]}), flush=True)
print(json.dumps({"done": True, "seconds_alone": 0.001}), flush=True)
"""


def observe(directory, *names, patience=PATIENCE):
    """The stand-in's observations of images with these names."""
    fake = f"{directory}/run-guest"
    write(fake, FAKE)
    os.chmod(fake, 0o755)
    some = [cases.Case(name, name, [], mounted=f"x/{name}", mounted_devices=["x/device"])
            for name in names]
    guests = guest.Guests([fake], "runner", patience)
    return guests, guests.observe(some)


def test_guests(directory):
    """A bad image costs only its own result."""
    guests, seen = observe(directory, "a", "b", "c")
    tap.ok([s["n"] for s in seen] == [0, 1, 2] and len(guests.started) == 1,
           "sound images: one guest", seen)
    tap.ok(guests.kernel == "7.fake", "the kernel's version is noted")
    tap.ok(seen[0]["devices"] == [f"{tap.TOP}/x/device"], "devices are passed on", seen[0])
    for fault, kind in (("panic", "panic"), ("kill", "killed"), ("hang", "hang")):
        before = time.monotonic()
        guests, seen = observe(directory, "a", fault, "b", fault)
        tap.ok([s.get("fault") for s in seen] == [None, kind, None, kind],
               f"{fault}: only the image at fault is blamed", seen)
        tap.ok(seen[1]["alone"] == kind, f"{fault}: it is tried alone", seen[1])
        tap.ok(time.monotonic() - before < 60, f"{fault}: it takes seconds")
        if fault == "panic":
            end = ["line 98", "line 99", "half a line", "Kernel panic - not syncing: of panic"]
            kept = seen[1]["tail"].splitlines()
            tap.ok(kept[-4:] == end and len(kept) == guest.TAIL,
                   "panic: the end of the log is kept, and no more", kept)
        at = "mount" if fault == "panic" else "access"
        tap.ok(seen[1]["at"] == at, f"{fault}: the step is the one that was reported last", seen[1])
    _, seen = observe(directory, "a", "panic-later", "b")
    tap.ok(seen[1]["alone"] == "survives" and "fault" not in seen[2],
           "an image that is harmless alone is told apart", seen)
    with mock.patch("guest.LEAST", 2):
        guests, seen = observe(directory, "a", "panic", "b", "hang", "c")
    tap.ok([s["n"] for s in seen] == list(range(5)) and
           [s.get("fault") for s in seen] == [None, "panic", None, "hang", None],
           "several guests share the images, and what they say is in order", seen)
    tap.ok(len(guests.started) == 5 and guests.timed == 1,
           "each has its part; only those that come to the end are measured", guests.timed)
    for name, words in (("no-boot", "no memory"), ("failed", "ENOMEM")):
        try:
            observe(directory, name)
            tap.ok(False, f"{name} is trouble")
        except guest.Trouble as trouble:
            tap.ok(words in str(trouble), f"{name} is trouble, and the reason is reported", trouble)


def test_interruption(directory):
    """An interrupted program ends its guests. What a shell starts in the background ignores
    the signal at first."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with mock.patch("guest.LEAST", 1):
            observe(directory, "hang", "hang", "hang", patience=30)
        tap.ok(False, "an interruption is not a result")
    except KeyboardInterrupt:
        try:
            left = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            left = None
        tap.ok(left is None, "an interruption ends the guests", left)


def test_runner():
    """On the host it does nothing."""
    done = subprocess.run([f"{tap.TOP}/build/matrix/run-vectors"], capture_output=True, check=False,
                          env={"LIST": "/dev/null"}, timeout=10)
    tap.ok(done.returncode == 2 and b"guest" in done.stderr and not done.stdout,
           "run-vectors refuses to run on the host", done)


def finding(rule, severity="error", path=None):
    """An event of the core."""
    return ({"type": "finding", "rule": rule, "severity": severity}
            | ({"path": path} if path else {}))


UNEXAMINED = {"type": "unexamined", "reason": "it is compressed"}
FAILURE = {"type": "failure", "reason": "it is too short"}
NIDS = {"/f": 1, "/g": 2, "/none": 3}


def mounted(*errors, shared=(), private=(), other_data=()):
    """An observation of an image that mounts."""
    return {"n": 0, "mount": "", "errors": [["/f", "read", "", e] for e in errors],
            "share_mount": "", "shared": shared,
            "private": private, "other_data": other_data, "nids": NIDS}


def refused(error):
    """An observation of one that does not."""
    return {"n": 0, "mount": error, "share_mount": error}


def decoded(fingerprints, feature=0x20, sizes=()):
    """A dump of files and their fingerprints."""
    return {"superblock": {"fields": {"feature_compat": feature}},
            "inodes": [{"path": p, "nid": NIDS[p], "type": "regular file", "layout": "flat-plain",
                        "size": dict(sizes).get(p, 1),
                        "xattrs": [{"fingerprint": True, "value": v, "name": "the.name",
                                    "offset": 100,
                                    "shared": False}]
                        if v else []} for p, v in fingerprints.items()]}


def test_kernel(judge):
    """Verdicts on what a kernel does."""
    both = decoded({"/f": "1", "/g": "1", "/none": None})
    fault = {"n": 0, "fault": "panic", "alone": "panic", "at": "mount", "tail": ""}
    for name, rule, kind, events, seen, column, verdict in (
            ("a sound image mounts", None, "image", [], mounted(), "mount", AGREES),
            ("a sound image is refused", None, "image", [], refused("EINVAL"), "mount", DISAGREES),
            ("a broken one is refused as the rule says", "sb.magic", "fails", [finding("sb.magic")],
             refused("EINVAL"),
             "mount", AGREES),
            ("it is refused with another error", "sb.magic", "fails", [finding("sb.magic")],
             refused("EIO"), "mount",
             DISAGREES),
            ("it mounts", "sb.magic", "fails", [finding("sb.magic")], mounted(),
             "mount", DISAGREES),
            ("it mounts, and only a tool is known to diverge", "sb.checksum", "fails",
             [finding("sb.checksum")],
             mounted(), "mount", DISAGREES),
            ("a root that cannot be read is refused", "inode.mode", "fails",
             [finding("inode.mode", path="/")],
             refused("EUCLEAN"), "mount", AGREES),
            ("another inode that cannot be read is no reason", "inode.mode", "fails",
             [finding("inode.mode", path="/f")],
             refused("EUCLEAN"), "mount", DISAGREES),
            ("EFSCORRUPTED is EUCLEAN", "sb.ishare-prefix-id", "fails",
             [finding("sb.ishare-prefix-id")],
             refused("EUCLEAN"), "mount", AGREES),
            ("a mount that may fail fails", "prefix.location", "fails",
             [finding("prefix.location")], refused("EIO"),
             "mount", AGREES),
            ("a mount that may fail succeeds", "prefix.location", "fails",
             [finding("prefix.location")], mounted(),
             "mount", AGREES),
            ("a mount that may fail fails otherwise", "prefix.location", "fails",
             [finding("prefix.location")],
             refused("EINVAL"), "mount", DISAGREES),
            ("a superblock that is not there", "sb.size", "fails", [finding("sb.size"), FAILURE],
             refused("EIO"),
             "mount", AGREES),
            ("mounting with inode_share ends otherwise", None, "image", [],
             mounted() | {"share_mount": "EINVAL"},
             "mount", DISAGREES),
            ("a sound image cannot be read", None, "image", [], mounted("EIO"),
             "access", DISAGREES),
            ("a broken inode cannot be read", "inode.mode", "fails",
             [finding("inode.mode", path="/f")],
             mounted("EUCLEAN"), "access", AGREES),
            ("a broken inode can be read", "inode.mode", "fails",
             [finding("inode.mode", path="/f")], mounted(),
             "access", DISAGREES),
            ("it fails otherwise", "inode.mode", "fails", [finding("inode.mode", path="/f")],
             mounted("EIO"), "access",
             DISAGREES),
            ("what the core could not examine fails", None, "image", [UNEXAMINED],
             mounted("EIO"), "access",
             UNSPECIFIED),
            ("nobody fails on a vector of the kind either", "inode.bounds", "either", [],
             mounted("ENOTDIR"), "access",
             UNSPECIFIED),
            ("a warning in the kernel log", None, "image", [], mounted() | {"alarm": "WARNING: "},
             "access", DISAGREES),
            ("files with fingerprints share", None, "image", [],
             mounted(shared=["/f", "/g"], private=["/none"]),
             "sharing", AGREES),
            ("one with a fingerprint does not share", None, "image", [],
             mounted(shared=["/f"], private=["/g"]),
             "sharing", DISAGREES),
            ("one without a fingerprint shares", None, "image", [],
             mounted(shared=["/f", "/g", "/none"]), "sharing",
             DISAGREES),
            ("one that the rules say does not share shares", "fingerprint.size", "fails",
             [finding("fingerprint.size", path="/f")], mounted(shared=["/f", "/g"]),
             "sharing", DISAGREES),
            ("another one does not share, either", "fingerprint.size", "fails",
             [finding("fingerprint.size", path="/f")], mounted(private=["/f", "/g"]),
             "sharing", DISAGREES),
            ("none shares, as the rule says", "prefix.ishare-infix-nul", "fails",
             [finding("prefix.ishare-infix-nul")], mounted(private=["/f", "/g"]),
             "sharing", AGREES),
            ("one shares, though the rule says that none does", "prefix.ishare-infix-nul", "fails",
             [finding("prefix.ishare-infix-nul", path="/f")],
             mounted(private=["/f"], shared=["/g"]), "sharing", DISAGREES),
            ("one shows other data", None, "image", [],
             mounted(shared=["/f", "/g"], other_data=["/g"]), "sharing",
             DISAGREES),
            ("one shows other data, as its fingerprint lies", "fingerprint.digest", "fails",
             [finding("fingerprint.digest", path="/g")],
             mounted(shared=["/f", "/g"], other_data=["/g"]), "sharing",
             AGREES),
            ("what could not be examined shares or not", None, "image", [UNEXAMINED],
             mounted(shared=["/f"], private=["/g"]), "sharing", UNSPECIFIED),
            ("content that could not be examined is no excuse", None, "image",
             [{"type": "unexamined", "reason": "the content is compressed"}],
             mounted(shared=["/f"], private=["/g"]),
             "sharing", DISAGREES),
            ("an inode with any other error shares or not", "inode.bounds", "either",
             [finding("inode.bounds", path="/f")],
             mounted(private=["/f"], shared=["/g"]), "sharing", UNSPECIFIED),
            ("directories have no say in sharing", "dir.type", "fails",
             [finding("dir.type", path="/f")],
             mounted(private=["/f"], shared=["/g"]), "sharing", DISAGREES),
            ("a filter that hides the fingerprint", "xattr.name-filter", "fails",
             [finding("xattr.name-filter", path="/f") | {"message": "it hides the xattr the.name"}],
             mounted("ENODATA", private=["/f"], shared=["/g"]), "sharing", AGREES),
            ("a filter that hides something else", "xattr.name-filter", "fails",
             [finding("xattr.name-filter", path="/f") | {"message": "it hides the xattr user.x"}],
             mounted("ENODATA", private=["/f"], shared=["/g"]), "sharing", DISAGREES),
            ("an entry that is read after the fingerprint", "xattr.entry-bounds", "fails",
             [finding("xattr.entry-bounds", path="/f")
              | {"place": {"space": "image", "offset": 200}}],
             mounted("EUCLEAN", private=["/f"], shared=["/g"]), "sharing", DISAGREES),
            ("an entry that is read before it", "xattr.entry-bounds", "fails",
             [finding("xattr.entry-bounds", path="/f")
              | {"place": {"space": "image", "offset": 50}}],
             mounted("EUCLEAN", private=["/f"], shared=["/g"]), "sharing", UNSPECIFIED),
            ("a panic", "sb.magic", "fails", [finding("sb.magic")], fault, "mount", DISAGREES),
            ("a hang", "sb.magic", "fails", [finding("sb.magic")], fault | {"fault": "hang"},
             "mount", DISAGREES),
            ("a hang after the mount", None, "image", [], fault | {"at": "access"},
             "mount", AGREES),
            ("a hang in a read", None, "image", [], fault | {"at": "access"}, "access", DISAGREES),
            ("a hang when files are shared", None, "image", [], fault | {"at": "sharing"},
             "sharing", DISAGREES)):
        case = cases.Case("x", "x", [], rule, kind)
        judged = judge.kernel(case, events, both, seen)[column]
        tap.ok(judged["verdict"] == verdict, f"kernel: {name}: {verdict}", judged)
    test_keys(judge, both)
    sizes = decoded({"/f": "1", "/g": "1"}, sizes={"/f": 1, "/g": 2}.items())
    for name, dump, seen, verdict in (
            ("one of two sizes shares", sizes, mounted(shared=["/g"], private=["/f"]), AGREES),
            ("files of two sizes share", sizes, mounted(shared=["/f", "/g"]), DISAGREES),
            ("without the feature none shares", decoded({"/f": "1", "/g": "1"}, 0),
             mounted(private=["/f", "/g"]),
             AGREES),
            ("without the feature one shares", decoded({"/f": "1", "/g": "1"}, 0),
             mounted(private=["/f"], shared=["/g"]), DISAGREES)):
        judged = judge.kernel(cases.Case("x", "x", []), [], dump, seen)["sharing"]
        tap.ok(judged["verdict"] == verdict, f"kernel: {name}: {verdict}", judged)


def test_keys(judge, dump):
    """What the key `sharing` says has to be seen."""
    results = [(cases.Case("x", "x", [], rule, "fails"), [finding(rule, path=path) | more], dump,
                seen)
               for rule, path, more, seen in (
                   ("fingerprint.size", "/f", {}, mounted(private=["/f"], shared=["/g"])),
                   ("fingerprint.digest", "/g", {},
                    mounted(shared=["/f", "/g"], other_data=["/g"])),
                   ("fingerprint.same-content", "/g", {},
                    mounted(shared=["/f", "/g"], other_data=["/g"])),
                   ("prefix.ishare-infix-nul", None, {}, mounted(private=["/f", "/g"])),
                   ("xattr.entry-bounds", "/f", {"place": {"space": "image", "offset": 50}},
                    mounted(private=["/f"], shared=["/g"])),
                   ("xattr.name-filter", "/f", {"message": "it hides the xattr the.name"},
                    mounted(private=["/f"], shared=["/g"])))]
    tap.is_empty(judge.unshown(results), "what all keys say is seen")
    for number, (case, *_) in enumerate(results):
        wrong = list(judge.unshown(results[:number] + results[number + 1:]))
        tap.ok(len(wrong) == 1 and wrong[0].startswith(f"{case.rule}, sharing: "),
               f"{case.rule}: and missed where it is not", *wrong)
    for rule, effect in (("dir.type", "file"), ("fingerprint.single", "other-content")):
        changed = Judge(specification())
        changed.effects = judge.effects | {rule: effect}
        wrong = list(changed.unshown(results))
        tap.ok(wrong == [f"{rule}, sharing: {effect}: nothing shows that"],
               f"{rule}, sharing: {effect}, is not seen", *wrong)


def test_tools(judge):
    """Verdicts on erofs-ishare, fsck.erofs and dump.erofs."""
    broken = [finding("sb.magic")]
    for name, rule, kind, events, value, verdict in (
            ("passes a sound image", None, "image", [], "passes", AGREES),
            ("refuses a broken one", "sb.magic", "fails", broken, "refuses", AGREES),
            ("refuses a sound one", None, "image", [], "refuses", DISAGREES),
            ("passes a broken one", "sb.magic", "fails", broken, "passes", DISAGREES),
            ("complains of a broken one and ends with 0", "sb.magic", "fails", broken,
             "complains, ends with 0",
             DISAGREES),
            ("passes a broken one that nobody needs to refuse", "sb.magic", "either", broken,
             "passes", UNSPECIFIED),
            ("refuses what could not be examined", None, "image", [UNEXAMINED], "refuses",
             UNSPECIFIED),
            ("crashes", "sb.magic", "fails", broken, "crash", DISAGREES),
            ("hangs", "sb.magic", "fails", broken, "hang", DISAGREES)):
        seen = {"value": value, "status": "SIGSEGV", "said": ""}
        judged = judge.fsck(cases.Case("x", "x", [], rule, kind), events, seen)
        tap.ok(judged["verdict"] == verdict, f"fsck.erofs {name}: {verdict}", judged)
    for value, events, verdict in (("passes", broken, AGREES), ("refuses", broken, AGREES),
                                   ("refuses", [], DISAGREES),
                                   ("crash", broken, DISAGREES)):
        judged = judge.dump(cases.Case("x", "x", []), events,
                            {"value": value, "status": "SIGSEGV", "said": ""})
        tap.ok(judged["verdict"] == verdict,
               f"dump.erofs: {value}, {len(events)} rules broken: {verdict}", judged)
    for kind, events, verdict in (("fails", broken, AGREES), ("fails", [], DISAGREES),
                                  ("holds", [], AGREES),
                                  ("holds", broken, DISAGREES)):
        judged = judge.core(cases.Case("x", "x", [], "sb.magic", kind), events)
        tap.ok(judged["verdict"] == verdict,
               f"erofs-ishare: {kind}, {len(events)} rules reported: {verdict}", judged)


def test_known(judge):
    """The table explains what it names, and nothing else; no line outlives its reason."""
    known = Known(["# a comment\n", "a/*\taccess\trefuses\tEIO\tbecause\n",
                   "sb.magic\tfsck\taccepts\tpasses\tso\n",
                   "b/*\taccess\trefuses\tEIO\tnever seen\n"])
    rules = [judge.spec.rule(name) for name in ("sb.magic", "sb.checksum")]

    def told(name, column, *points):
        cell = {"value": "?", "verdict": DISAGREES, "why": "?", "points": points}
        return known.explain(name, {column: cell})[column]

    explained = told("a/1", "access", point(REFUSES, "EIO", []))
    tap.ok(explained["verdict"] == EXPLAINED and "because" in explained["why"],
           "known: what is named is explained", explained)
    tap.ok(told("c/1", "fsck", point(ACCEPTS, "passes", rules[:1]))["verdict"] == EXPLAINED,
           "known: a rule's name explains")
    for name, on, column, points in (
            ("another image", "c/1", "access", [point(REFUSES, "EIO", [])]),
            ("another column", "a/1", "mount", [point(REFUSES, "EIO", [])]),
            ("another direction", "a/1", "access", [point(ACCEPTS, "EIO", [])]),
            ("anything else that is seen", "a/1", "access", [point(REFUSES, "ENOENT", [])]),
            ("one error of two", "a/1", "access",
             [point(REFUSES, "EIO", []), point(REFUSES, "ENOENT", [])]),
            ("one rule of two that are broken", "x", "fsck",
             [point(ACCEPTS, "passes", [r]) for r in rules])):
        tap.ok(told(on, column, *points)["verdict"] == DISAGREES, f"known: {name} is not explained")
    tap.ok(known.stale() == ["b/*\taccess\trefuses\tEIO"], "known: lines without use are reported",
           known.stale())
    for line in ("a\taccess\tEIO\twhy\n", "a\tkernel\trefuses\tEIO\twhy\n",
                 "a\taccess\tmaybe\tEIO\twhy\n",
                 "a\taccess\trefuses\tEIO\t\n", "a\taccess\trefuses\tEIO\n",
                 "a\taccess\trefuses\tEIO\twhy\tmore\n",
                 "a\taccess\trefuses\tEIO\tkernel/findings/no-such\n"):
        try:
            Known([line])
            tap.ok(False, f"known: {line!r} is refused")
        except ValueError:
            tap.ok(True, f"known: {line!r} is refused")


def test_open():
    """What the specification leaves open has a line, and is of the number that this says."""
    lines = ["# a comment\n", "mount\tit is compressed\t1\t2\n"]

    def settled(column, *kinds, why="it is compressed"):
        left = Open(lines)
        verdicts = [left.limit(cases.Case("x", "x", [], kind=kind),
                               {column: cell("EIO", UNSPECIFIED, why)})[column]["verdict"]
                    for kind in kinds]
        return left, verdicts

    left, verdicts = settled("mount", "fails", "sweep", "sweep")
    tap.ok(verdicts == [UNSPECIFIED] * 3 and not left.wrong(True),
           "open: what has a line, as often as it says", left.wrong(True))
    for name, kinds, words in (("an image more", "fails fails sweep sweep",
                                ["2 images instead of 1"]),
                               ("an image less", "sweep sweep", ["0 images instead of 1"]),
                               ("a change more", "image sweep sweep sweep",
                                ["3 changes instead of 2"]),
                               ("a change less", "image sweep", ["1 changes instead of 2"])):
        left, _ = settled("mount", *kinds.split())
        told = [w.rpartition(": ")[2] for w in left.wrong(True)]
        tap.ok(told == words, f"open: {name} is reported", told)
    left, _ = settled("mount", "fails")
    tap.ok(not left.wrong(False) and left.wrong(True),
           "open: changes are not looked at without the sweep")
    for name, column, why in (("another reason", "mount", "it is not"),
                              ("another column", "access", "it is compressed")):
        tap.ok(settled(column, "fails", why=why)[1] == [DISAGREES], f"open: {name} disagrees")
    for wrong in (["mount\twhy\t1\n"], ["mount\twhy\t1\t2\t3\n"], ["kernel\twhy\t1\t2\n"],
                  ["mount\t\t1\t2\n"],
                  ["mount\twhy\tsome\t2\n"], lines * 2):
        try:
            Open(wrong)
            tap.ok(False, f"open: {wrong} is refused")
        except ValueError:
            tap.ok(True, f"open: {wrong} is refused")


def test_names(spec):
    """A rule that the judge names by a wrong name is noticed."""
    class Less:
        """The specification without one rule."""
        def __init__(self, name):
            self.rules = [r for r in spec.rules if r.name != name]

    for name in sorted(NAMED):
        try:
            Judge(Less(name))
            tap.ok(False, f"the judge needs {name}")
        except ValueError as error:
            tap.ok(name in str(error), f"the judge needs {name}", error)


def test_telling(judge):
    """An image that ends a guest is reported, known or not; with the end of the log, if not. Of
    others, what is unexplained."""
    fault = {"n": 0, "fault": "hang", "alone": "hang", "at": "access",
             "tail": "a line\nthe last line"}

    def told(name, lines, seen):
        cells = Known(lines).explain(name, judge.kernel(cases.Case(name, name, []), [], None, seen))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            matrix.tell([{"name": name, "cells": cells,
                          "verdict": worst(c["verdict"] for c in cells.values()),
                          "kernel": seen}])
        return out.getvalue()

    said = told("v/1", [], fault)
    tap.ok(said.startswith("not ok - v/1: access: hang: ")
           and said.endswith("#   a line\n#   the last line\n"), "reported: a hang, with the log", said)
    said = told("v/1", ["v/1\taccess\tdiffers\thang\tbecause\n"], fault)
    tap.ok(said.startswith("not ok - v/1: access: hang # TODO: ") and "because" in said
           and "last line" not in said, "reported: a hang that is known, without the log", said)
    tap.ok(told("v/1", [], refused("EIO")).startswith("not ok - v/1: mount: EIO: "),
           "reported: a disagreement")
    tap.ok(told("v/1", [], mounted()) == "", "reported: nothing of what is as specified")


def test_programs(directory):
    """How a program ended."""
    for name, script, value in (("passes", "exit 0", "passes"), ("refuses", "exit 1", "refuses"),
                                ("crashes", "kill -SEGV $$", "crash"),
                                ("complains", "echo '<E> x'", "complains, ends with 0"),
                                ("hangs", "exec sleep 60", "hang")):
        path = f"{directory}/{name}"
        write(path, f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)
        tools.TIME = 5
        seen = tools.outcome(*tools.run([path]))
        tap.ok(seen["value"] == value, f"a program that {name}: {value}", seen)


def test_padding(directory):
    """The kernel's copies fill their last page."""
    padder = cases.Padder(os.path.relpath(directory, tap.TOP))
    case = padder.pad(next(c for c in cases.vectors() if c.devices))
    for file, copy in zip([case.file, *case.devices], [case.mounted, *case.mounted_devices]):
        with open(f"{tap.TOP}/{file}", "rb") as original, open(f"{tap.TOP}/{copy}", "rb") as padded:
            before, after = original.read(), padded.read()
        tap.ok(len(after) % 4096 == 0 and after == before + bytes(len(after) - len(before)),
               f"{file} is padded with zeros")


def test_words():
    tap.ok(number_of({"nid": 80}) == 80, "a nid is an inode number")
    tap.ok(number_of({"nid": "0x8000000000000008"}) == 0x80000008,
           "in the metabox, its topmost bit is bit 31")
    tap.ok(unexamined([UNEXAMINED, FAILURE, finding("sb.magic")]) == "it is compressed; not judged",
           "what is not examined is reported in a few words, which have no numbers in them")
    tap.ok(errors_in("EIO, EFSCORRUPTED") == {"EIO", "EUCLEAN"},
           "a key lists errors", errors_in("EIO, EFSCORRUPTED"))
    view = hexview.view(bytes(64), bytes(20) + b"\xff" + bytes(43))
    tap.ok("00000010" in view and view.count("<ins>") == 1 and "<ins>ff</ins>" in view
           and view.count("<del>") == 1,
           "the hex view marks the byte that was changed, and no other", view)
    tap.ok("64 bytes became 10" in hexview.view(bytes(64), bytes(10)),
           "the hex view shows a cut")
    tap.ok("base image" in hexview.view(bytes(64), bytes(64)),
           "the hex view says that nothing was changed")


def main():
    spec = specification()
    judge = Judge(spec)
    os.makedirs(f"{tap.TOP}/build/matrix", exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        test_guests(directory)
        test_interruption(directory)
        test_programs(directory)
    with tempfile.TemporaryDirectory(dir=f"{tap.TOP}/build/matrix") as directory:
        test_padding(directory)
    test_runner()
    test_kernel(judge)
    test_tools(judge)
    test_known(judge)
    test_open()
    test_names(spec)
    test_telling(judge)
    test_words()
    tap.done()


if __name__ == "__main__":
    main()
