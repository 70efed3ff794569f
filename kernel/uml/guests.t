#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that build and run the kernel under test: their verdicts, and that they change only
their own files.

Needs the guest that GUEST names (plain), so it belongs to `make test-kernel`."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from erofs_ishare import ktap, tap
from erofs_ishare.files import read, write
from erofs_ishare.guests import MOST_SECONDS

GUEST = os.environ.get("GUEST", "plain")
RUN = ["kernel/uml/run-guest", "--guest", GUEST]
INIT = f"{tap.TOP}/build/kernel/tests/init"
FINDINGS = f"{tap.TOP}/kernel/findings"

# The program prints so many lines if it is asked for many.
MANY_LINES = 20000

# Long enough for a guest that ends by itself on a busy machine, and for one that is expected to
# hang.
PATIENCE, SHORT = 120, 5

KTAP = """\
[    0.100000] something else
[    0.200000] KTAP version 1
[    0.200000] 1..3
[    0.210000]     KTAP version 1
[    0.210000]     # Subtest: erofs_super
[    0.210000]     1..3
[    0.210000]     ok 1 sound
[    0.220000]         KTAP version 1
[    0.220000]         # Subtest: broken
[    0.220000]         ok 1 zero
[    0.220000]     # broken: EXPECTATION FAILED at super.c:1
[    0.220000]         not ok 2 ones
[    0.230000]     # broken: pass:1 fail:1 skip:0 total:2
[    0.230000]     not ok 2 broken
[    0.230000]     ok 3 other # SKIP no memory
[    0.230000] not ok 1 erofs_super
[    0.240000]     KTAP version 1
[    0.240000]     # Subtest: erofs_xattr
[    0.240000]     1..2
[    0.240000]     ok 1 name
[    0.250000] ok 3 erofs_mount
"""

AS_TAP = """\
ok 1 - erofs_super.sound
ok 2 - erofs_super.broken.zero
# # broken: EXPECTATION FAILED at super.c:1
not ok 3 - erofs_super.broken.ones
ok 4 - erofs_super.other # SKIP no memory
ok 5 - erofs_xattr.name
not ok 6 - erofs_xattr: 1 of 2 results did not come
not ok 7 - KUnit: 1 results before number 3 are not in the log
ok 8 - erofs_mount
1..8
"""


class Guest:
    """A guest that has been run to its end: status, output, stderr, and the kernel's log."""

    def __init__(self, *arguments, timeout=PATIENCE, init=INIT):
        with tempfile.NamedTemporaryFile(mode="r", errors="replace") as log:
            done = tap.run([*RUN, "--timeout", str(timeout), "--log", log.name,
                            *split(arguments)[0], init,
                            *split(arguments)[1]])
            self.log = log.read()
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def told(self):
        """For who wonders why a test failed."""
        return f"status {self.status}", self.out[-500:], self.err, self.log[-1500:]

    def is_gone(self):
        """Nothing of it is left: no process, no files."""
        return is_gone(directory_of(self.log))


def split(arguments):
    """run-guest's options, and the program's environment."""
    settings = [a for a in arguments if re.match(r"\w+=", a)]
    return [a for a in arguments if a not in settings], settings


def directory_of(log):
    """The directory of a guest, according to its log."""
    found = re.search(r"mconsole .* initialized on (\S+)/guest/mconsole", log)
    return found[1] if found else None


def processes(directory, program=b""):
    """The processes, or those that run this program, of the guest that has this directory."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as cmdline:
                words = cmdline.read().split(b"\0")
                if f"uml_dir={directory}/".encode() in words and words[0].endswith(program):
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return found


def is_gone(directory):
    """No process and no file of this guest is left. A killed process may take a moment to go."""
    for _ in range(50):
        if directory and not processes(directory):
            break
        time.sleep(0.1)
    return bool(directory) and not processes(directory)


def endings():
    """Each way to end has its verdict."""
    for way, status, said in (("end", 0, ""), ("talk", 0, ""), ("panic", 1, "Kernel panic"),
                              ("exit", 1, "Kernel panic"),
                              ("complain", 1, "WARNING: not a real one")):
        guest = Guest(f"WAY={way}")
        tap.ok(guest.status == status and said in guest.err and (status or not guest.err)
               and "pid 1\n" in guest.out, f"{way}: status {status}", *guest.told())
        wrong = [line for line in guest.err.splitlines() if not line.startswith("# ")]
        tap.is_empty(wrong, f"{way}: what is said on stderr is a comment to TAP")
        tap.ok(guest.is_gone() and not os.path.exists(directory_of(guest.log)),
               f"{way}: nothing is left", *guest.told())
    for way in ("hang", "spin"):
        start = time.monotonic()
        guest = Guest(f"WAY={way}", timeout=SHORT)
        tap.ok(guest.status == 3 and "hung" in guest.err and "pid 1\n" in guest.out,
               f"{way}: status 3", *guest.told())
        tap.ok(time.monotonic() - start < SHORT + 20,
               f"{way}: it is not waited for much longer than it may take")
        tap.ok("Call Trace" in guest.log, f"{way}: the log shows where it hung", *guest.told())
        tap.ok(guest.is_gone(), f"{way}: nothing is left", *guest.told())


def channels():
    """Input and output of a guest."""
    guest = Guest("WAY=many")
    lines = re.findall(r"^line (\d+)$", guest.out, re.M)
    tap.ok(guest.status == 0 and lines == [str(n) for n in range(MANY_LINES)],
           "no line is lost or changed", f"{len(lines)} lines", *guest.told())
    tap.ok("Linux version" in guest.log and "Linux version" not in guest.out
           and "line 1\n" not in guest.log,
           "the kernel's log and the program's output are apart", *guest.told())
    word = 'two words, "quoted" and $more'
    guest = Guest("WAY=end", f"WORD={word}")
    tap.ok(f"word: {word}\n" in guest.out, "a setting arrives as it was given", *guest.told())
    tap.ok("cmdline: " in guest.out and "two words" not in guest.out.split("cmdline: ")[1]
           + guest.log,
           "a setting stands neither on the kernel's command line nor in its log", *guest.told())
    with tempfile.TemporaryDirectory(prefix="odd,name:") as odd:
        for name in ("first", "second"):
            write(f"{odd}/{name}", f"this is the {name}".encode().ljust(1 << 16, b"\0"))
        guest = Guest("--disk", f"{odd}/first", "--disk", f"{odd}/second", "WAY=end",
                      "DISK=/dev/ubdb")
        tap.ok(guest.status == 0 and "/dev/ubdb: this is the second\n" in guest.out,
               "disks are disks", *guest.told())


def trouble():
    """Failures that are not the guest's fault."""
    for name, guest in (("no such program", Guest(init="/nonexistent/program")),
                        ("no such disk", Guest("--disk", "/nonexistent/disk")),
                        ("no such guest", Guest("--guest", "nonexistent")),
                        ("more memory than there is", Guest("--mem", "900000G"))):
        said = guest.err.splitlines()
        tap.ok(guest.status == 2 and len(said) == 1 and said[0].startswith("# run-guest: "),
               f"{name}: status 2", *guest.told())
    with tempfile.NamedTemporaryFile() as text:
        text.write(b"no program\n")
        text.flush()
        os.chmod(text.name, 0o755)
        guest = Guest(init=text.name)
        tap.ok(guest.status == 2 and "cannot run" in guest.err, "not a program: status 2",
               *guest.told())


def started(log, way):
    """A run-guest that has come as far as the guest's program, and the guest's directory."""
    process = subprocess.Popen([*RUN, "--timeout", str(PATIENCE), "--log", log, INIT, f"WAY={way}"],
                               cwd=tap.TOP,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.readline()
    return process, directory_of(read(log))


def kernel_of(directory):
    """The guest's first process of its own."""
    return min(processes(directory, b"/linux"))


def session_of(directory):
    """The processes of the guest's session, those that run its programs bear no command line of
    their own; and what has locked it in."""
    guest = kernel_of(directory)
    return lambda: [*processes(directory, b"/confine"),
                    *(p for p in map(int, filter(str.isdigit, os.listdir("/proc")))
                      if session(p) == guest)]


def session(process):
    """The session that a process is in; None if it is gone, or as good as gone."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[3])


def ends(session_left):
    """Does the whole session end? A killed process may take a moment to go."""
    for _ in range(50):
        if not session_left():
            return True
        time.sleep(0.1)
    return False


def kills():
    """If any process is killed, the others end, too."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, victim in (("guest", kernel_of),
                             ("lock", lambda directory: min(processes(directory, b"/confine")))):
            process, directory = started(f"{scratch}/log", "hang")
            left = session_of(directory)
            tap.ok(len(left()) > 3, "a guest has processes to look for", left())
            os.kill(victim(directory), signal.SIGKILL)
            said = process.communicate()[1].decode()
            tap.ok(process.returncode == 3 and "killed" in said, f"a killed {name}: status 3",
                   process.returncode, said)
            tap.ok(ends(left), f"a killed {name}: nothing is left", left())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            process, directory = started(f"{scratch}/log", "spin")
            left = session_of(directory)
            process.send_signal(number)
            process.communicate()
            wanted = -number if number == signal.SIGKILL else 3
            tap.ok(process.returncode == wanted, f"run-guest ends by {number.name}",
                   process.returncode)
            tap.ok(ends(left), f"{number.name}: its guest ends, too", left())
            if directory:
                shutil.rmtree(directory, ignore_errors=True)


def together():
    """Several at once do not get into each other's way."""
    with tempfile.TemporaryDirectory() as scratch:
        ways = [("end", 0), ("panic", 1), ("hang", 3), ("end", 0), ("exit", 1)]
        running = [subprocess.Popen([*RUN, "--timeout", str(2 * SHORT), "--log", f"{scratch}/{n}",
                                     INIT, f"WAY={way}",
                                     f"WORD=guest {n}"], cwd=tap.TOP, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True)
                   for n, (way, _) in enumerate(ways)]
        wrong = []
        for number, (process, (way, status)) in enumerate(zip(running, ways)):
            out = process.communicate()[0]
            if process.returncode != status or f"word: guest {number}\n" not in out:
                wrong.append(f"{way}: status {process.returncode}, {out!r}")
        tap.is_empty(wrong, f"{len(ways)} guests at once, each with its own verdict and output")


def script(path, text):
    """A shell script."""
    write(path, f"#!/bin/sh\n{text}")
    os.chmod(path, 0o755)


def run_probe(scratch, *names):
    """The probe with a directory's own probe and run-guest. The guest is one of a KDIR, which has
    no package whose hash could be told."""
    os.makedirs(f"{scratch}/trial", exist_ok=True)
    with open(f"{scratch}/trial/guest.json", "w", encoding="ascii") as facts:
        json.dump({"version": "7.9.1",
                   "source": {"package": None, "sha256": None, "kdir": "/linux"},
                   "fs_erofs_code_sha256": "0" * 64, "config_sha256": "0" * 64}, facts)
    return tap.run(["kernel/probe/run-probe", "--guest=trial", "--jobs=1",
                    f"--images={scratch}", f"--probe={scratch}/probe",
                    f"--run-guest={scratch}/run-guest", *names],
                   env=os.environ | {"KERNEL_BUILD": scratch})


def topics():
    """A guest of the probe that dies fails the point that it died of, with the end of its log; the
    next topic is run."""
    with tempfile.TemporaryDirectory() as scratch:
        script(f"{scratch}/probe", "printf '%s\\t256M\\t\\n' panics hangs fine\n")
        script(f"{scratch}/run-guest",
               """for word; do case $word in --log=*) echo the log >"${word#--log=}" ;; esac; done
            case "$*" in
            *TOPIC=fine*) echo "ok 1 - a point"; echo 1..1; exit 0 ;;
            *TOPIC=panics*) echo "ok 1 - a point"; status=1 ;;
            *TOPIC=hangs*) status=3 ;;
            esac
            echo "# at risk: the point it dies of"; echo "#   the end of the log, $status" >&2; exit $status\n""")
        done = run_probe(scratch, "panics", "hangs", "fine")
    lines = done.stdout.splitlines()
    for topic, status in (("panics", 1), ("hangs", 3)):
        tap.ok(any(re.fullmatch(rf"not ok \d+ - {topic}: the point it dies of", line)
                   for line in lines)
               and f"#   the end of the log, {status}" in lines,
               f"{topic}: the point is not ok, and the end of the log is shown", done.stdout,
               done.stderr)
    tap.ok(any(re.fullmatch(r"ok \d+ - fine: a point", line) for line in lines)
           and done.returncode == 1,
           "the next topic is run, and the exit status is 1", done.returncode, done.stdout,
           done.stderr)


# The ends of logs, and whether finding unmount explains them.
UNMOUNTS = {
    "the inode is in use": (True, """\
[    3.450000] WARNING: fs/super.c:759 at generic_shutdown_super+0x305/0x540, CPU#1: probe/1
[    3.450000] VFS: Busy inodes after unmount of ubdp (erofs)
[    3.460000] Kernel panic - not syncing: Kernel mode fault at addr 0x73d, ip 0x60937ae9
[    3.460000]  [<60937dd7>] ? erofs_map_blocks+0xa47/0x27b0
"""),
    "metadata is read meanwhile": (True, """\
[    3.240000] BUG: failure at fs/inode.c:776/clear_inode()!
[    3.240000] Kernel panic - not syncing: BUG!
[    3.240000]  [<60069b27>] ? clear_inode.cold+0x56/0x158
[    3.240000]  [<6092af0d>] ? erofs_put_super+0x13d/0x2b0
"""),
    "an inode of another filesystem": (False, """\
[    3.240000] BUG: failure at fs/inode.c:776/clear_inode()!
[    3.240000] Kernel panic - not syncing: BUG!
[    3.240000]  [<6092af0d>] ? ramfs_kill_sb+0x13d/0x2b0
"""),
    "another complaint": (False, """\
[    3.240000] BUG: KASAN: slab-use-after-free in inode_init_once+0x1/0x2
[    3.450000] VFS: Busy inodes after unmount of ubdp (erofs)
"""),
}


def explained():
    """A complaint fails a point, unless a known finding explains all of it; what none explains is
    said on standard error."""
    with tempfile.TemporaryDirectory() as scratch:
        script(f"{scratch}/probe", "printf 'finding-unmount-file\\t256M\\t\\n'\n")
        script(f"{scratch}/run-guest",
               f"""for word; do case $word in --log=*) cp {scratch}/end "${{word#--log=}}" ;; esac; done
            echo "# at risk: it is unmounted # TODO finding unmount"
            sed 's/^/# /' {scratch}/end >&2; exit 1\n""")
        for why, (known, log) in UNMOUNTS.items():
            with open(f"{scratch}/end", "w", encoding="ascii") as end:
                end.write(log)
            done = run_probe(scratch, "finding-unmount-file")
            points = [line for line in done.stdout.splitlines() if re.match("(not )?ok ", line)]
            tap.ok(len(points) == 2 and done.returncode == (not known)
                   and all(p.endswith("# TODO finding unmount") == known for p in points),
                   f"a complaint is {'' if known else 'not '}explained by a finding: {why}",
                   done.stdout, done.stderr)
            first = log.splitlines()[0]
            tap.ok((first in done.stderr) == (not known),
                   f"it is {'not ' if known else ''}said on standard error: {why}", done.stderr)


def patches():
    """The findings' patches are such that git am and the mailing list take them, but for what a
    person has to add."""
    found = sorted(glob.glob(f"{FINDINGS}/*/fix.patch"))
    tap.ok(len(found) == len(glob.glob(f"{FINDINGS}/*/README.md")),
           "each finding has a patch", found)
    for path in found:
        name = path.split("/")[-2]
        text = read(path)
        wrong = [what for what in (r"\AFrom 0{40} ", r"^From: .*@",
                                   r"^Subject: \[(RFC )?PATCH\] erofs(?:-utils)?: ", r"^---$",
                                   r"^diff --git a/\S+ b/\S+$")
                 if not re.search(what, text, re.M | re.S)]
        message = text.split("\n---\n")[0].partition("\n\n")[2]
        wrong += [f"too long for a message: {line}" for line in message.splitlines()
                  if len(line) > 75]
        tap.is_empty(wrong, f"{name}: the patch is as git format-patch writes it")
        if "PATCH] erofs: " in text:
            said = tap.run(["perl", "build/kernel/source/scripts/checkpatch.pl", "--no-tree",
                            "--strict", "--terse",
                            "--no-summary", path]).stdout.splitlines()
            tap.ok(len(said) == 1 and said[0].endswith("ERROR: Missing Signed-off-by: line(s)"),
                   f"{name}: checkpatch --strict misses the sign-off only", *said)


def said_by(files):
    """Regular expressions for what these programs may print: their strings, with anything where a
    value is put in."""
    texts = set()
    for path in files:
        joined = re.sub(r'"\s*\n\s*"', "", read(path))
        texts.update(re.findall(r'"((?:[^"\\\n]|\\.)*)"', joined))
    value = r"%[-#0-9.*]*[a-z]+|\$\{[^}]*\}|\$\w+|\{[^{}]*\}"
    parts = [re.split(value, text) for text in texts]
    # A string of values only would be all that there is.
    return [re.compile(".*".join(map(re.escape, part))) for part in parts
            if len("".join(part)) >= 10]


def logs():
    """No log is older than the program that wrote it: the points that it has are still the
    program's."""
    scripts = sorted(glob.glob(f"{FINDINGS}/*/reproduce"))
    missing = [path for path in scripts if not os.path.isfile(path.replace("/reproduce", "/log"))]
    tap.ok(scripts and not missing, "each finding that can be reproduced has a log", missing)
    probe = said_by([f"{tap.TOP}/kernel/probe/run-probe",
                     *glob.glob(f"{tap.TOP}/kernel/probe/*.c")])
    for path in sorted(glob.glob(f"{FINDINGS}/*/log")):
        known = said_by([path.replace("/log", "/reproduce")]) + probe
        points = re.findall(r"^(?:not )?ok (\d+ - (.*?)(?: # TODO .*)?)$", read(path), re.M)
        stale = [point for point, words in points
                 if not any(r.fullmatch(said) for r in known
                            for said in (point, words, words.partition(": ")[2]))]
        tap.ok(points and not stale, f"{path.split('/')[-2]}: the log has the points that are "
                                     "made today", *stale)


def seconds():
    """How long the guests took to build, of which only a machine that does nothing else can be the
    judge: CI's."""
    for path in sorted(glob.glob(f"{tap.TOP}/build/kernel/*/guest.json")):
        facts = json.loads(read(path))
        if facts["guest"] in ("plain", "debug", "strict"):
            objects, took = facts.get("objects", 0), facts.get("seconds", 0)
            in_time = objects > 0 and took <= MOST_SECONDS
            words = (f"{facts['guest']}: {objects} objects were built in {took} s, "
                     f"{MOST_SECONDS} s are allowed")
            if os.environ.get("CI") == "true":
                tap.ok(in_time, words)
            else:
                print(f"# {'' if in_time else 'warning: '}{words}")


def order(top):
    """Goals that are asked for together are made one after the other: each calls make, often for
    the same."""
    write(f"{top}/goals.mk", f"include {tap.TOP}/Makefile\n"
          "first second: ; @echo $@ begins; sleep 0.5; echo $@ ends\n")
    for goals in (["first", "second"], ["second", "first"]):
        status, said = tap.make("-f", f"{top}/goals.mk", *goals)
        tap.ok(status == 0 and said.split() == f"{goals[0]} begins {goals[0]} ends {goals[1]} "
                                               f"begins {goals[1]} ends".split(),
               f"make {' '.join(goals)}: one after the other", status, said)


class Sandbox:
    """A copy of the programs that build, with a build directory of its own, and a source directory
    that looks like Linux to them."""

    FILES = {"Makefile": "VERSION = 7\nPATCHLEVEL = 9\nSUBLEVEL = 1\nEXTRAVERSION = -test\nNAME "
                         "= none\n",
             "Kconfig": "", "arch/um/Makefile": "", "fs/erofs/Kconfig": "", "fs/erofs/Makefile": "",
             "fs/erofs/ishare.c": "int ishare;\n", "fs/erofs/super.c": "int super;\n",
             "fs/erofs/super.o": "built",
             "sound/card.c": "int card;\n", "sound/Kconfig": ""}

    def __init__(self, top):
        self.top, self.kdir, self.source = top, f"{top}/linux", f"{top}/build/kernel/source"
        shutil.copytree(f"{tap.TOP}/kernel/uml", f"{top}/kernel/uml")
        self.describe("bare", "")
        os.makedirs(f"{top}/tests/tools")
        shutil.copy(f"{tap.TOP}/tests/tools/private-apt", f"{top}/tests/tools/")
        for name, text in self.FILES.items():
            os.makedirs(os.path.dirname(f"{self.kdir}/{name}"), exist_ok=True)
            self.write(name, text)
        os.symlink("nowhere", f"{self.kdir}/dangling")
        os.symlink("sound", f"{self.kdir}/directory")

    def describe(self, name, text):
        """A guest's directory."""
        os.makedirs(f"{self.top}/{name}")
        write(f"{self.top}/{name}/guest.toml", text)

    def write(self, name, text):
        """A file of the source directory."""
        write(f"{self.kdir}/{name}", text)

    def run(self, program, *arguments, kdir=None, path=None):
        """Runs one of the programs."""
        environment = os.environ | {"KDIR": kdir or ""} | ({"PATH": path} if path else {})
        return tap.run([f"{self.top}/kernel/uml/{program}", *arguments], cwd=self.top,
                       env=environment)

    def without_mirror(self):
        """A PATH with an apt-get that reaches no server."""
        os.makedirs(f"{self.top}/bin")
        script(f"{self.top}/bin/apt-get", "echo 'E: Could not resolve the mirror' >&2\nexit 100\n")
        return f"{self.top}/bin:{os.environ['PATH']}"

    def state(self):
        """All files of the source directory with their times."""
        return {p: os.lstat(p).st_mtime_ns for p in glob.glob(f"{self.kdir}/**", recursive=True)}


def one_line(name, done, *words):
    """The command failed, with one line of explanation."""
    tap.ok(done.returncode == 1 and done.stderr.count("\n") == 1
           and all(w in done.stderr for w in words)
           and "Traceback" not in done.stderr, name, f"status {done.returncode}", done.stdout,
           done.stderr)


def sources(box):
    """The origin of the source, and its handling."""
    one_line("KDIR is not there", box.run("get-source", kdir="/nonexistent"), "KDIR=/nonexistent")
    one_line("KDIR is no Linux", box.run("get-source", kdir=f"{box.kdir}/fs"), "KDIR=")
    one_line("neither KDIR nor apt", box.run("get-source", path="/nonexistent"), "KDIR=")
    one_line("neither KDIR nor a mirror", box.run("get-source", path=box.without_mirror()), "KDIR=")
    before = box.state()
    done = box.run("get-source", kdir=box.kdir)
    copied = {n for n in box.FILES if os.path.exists(f"{box.source}/{n}")}
    tap.ok(done.returncode == 0 and copied == set(box.FILES) - {"sound/card.c", "fs/erofs/super.o"},
           "KDIR is copied without what is not needed", copied, done.stdout, done.stderr)
    tap.ok("warning" in done.stderr and "7.9.1-test" in done.stderr,
           "an unknown source is worth a warning", done.stderr)
    tap.ok(box.state() == before, "KDIR itself stays as it is")
    tap.ok(not box.run("get-source", kdir=box.kdir).stderr, "the warning comes once")

    unchanged = os.stat(f"{box.source}/fs/erofs/super.c").st_mtime_ns
    box.write("fs/erofs/ishare.c", "int changed;\n")
    os.unlink(f"{box.kdir}/sound/Kconfig")
    done = box.run("get-source", kdir=box.kdir)
    tap.ok(read(f"{box.source}/fs/erofs/ishare.c") == "int changed;\n"
           and not os.path.exists(f"{box.source}/sound/Kconfig"),
           "a change of KDIR arrives", done.stdout, done.stderr)
    tap.ok(os.stat(f"{box.source}/fs/erofs/super.c").st_mtime_ns == unchanged,
           "what did not change is not copied anew")

    with open(f"{box.source}/fs/erofs/super.c", "a", encoding="utf-8") as copy:
        copy.write("int ours;\n")
    one_line("changed code of fs/erofs is not built", box.run("build-guest", "bare", kdir=box.kdir),
             "fs/erofs")
    os.unlink(f"{box.kdir}/fs/erofs/ishare.c")
    one_line("KDIR cannot share page cache", box.run("get-source", kdir=box.kdir),
             "ishare.c", "7.0")


def descriptions(box):
    """An error in a guest's directory is reported in one line."""
    one_line("no directory of a guest", box.run("build-guest", "nowhere"), "nowhere/guest.toml: No")
    for name, text, why in (("typo", "extend = 'bare'\n", "typo/guest.toml: unknown key extend"),
                            ("orphan", "extends = '../gone'\n", "gone/guest.toml: No such file"),
                            ("unread", "extends\n", "unread/guest.toml: ")):
        box.describe(name, text)
        one_line(f"a guest that cannot be read: {name}", box.run("build-guest", name), why)


def main():
    status, said = tap.make("build/kernel/tests/init")
    if not tap.ok(status == 0 and os.path.exists(f"{tap.TOP}/build/kernel/{GUEST}/linux"),
                  "there is a guest to try", said, f"make guests makes build/kernel/{GUEST}/linux"):
        tap.done()
    tap.ok(ktap.tap(KTAP) == AS_TAP, "KUnit's results become TAP", ktap.tap(KTAP))
    tap.ok("not ok 1" in ktap.tap("[    0.100000] nothing\n"), "no results at all are a failure")
    endings()
    channels()
    trouble()
    kills()
    together()
    topics()
    explained()
    patches()
    logs()
    seconds()
    with tempfile.TemporaryDirectory() as top:
        order(top)
        box = Sandbox(top)
        descriptions(box)
        sources(box)
    tap.done()


if __name__ == "__main__":
    main()
