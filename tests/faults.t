#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""No failure looks like success.

Each allocation, system call, thread start and digest of a run fails in turn
(tests/faults/faults.c), once or from there on. The run must then exit with status 2 and a message
on stderr, or exactly as without the failure: with the same status and the same output to the byte.
Never with a signal, a hang, or status 0 or 1 and incomplete output.

FAULTS_POSITIONS=N tries at most N calls of a kind in a run, chosen by FAULTS_SEED; 0 tries all.
FAULTS_ONLY=WORD tries only the series whose names contain it.
"""
import concurrent.futures
import errno
import os
import platform
import random
import re
import resource
import struct
import subprocess
import tempfile
import threading

from erofs_ishare import images, tap
from erofs_ishare.files import read_bytes, write

TOOL = os.environ.get("ISHARE_TOOL", f"{tap.TOP}/build/erofs-ishare")
# Relative, because a space in LD_PRELOAD ends a path.
LIBRARY = "build/tests/faults/faults.so"
IMAGES = f"{tap.TOP}/tests/images"
POSITIONS = int(os.environ.get("FAULTS_POSITIONS", "20"))
SEED = int(os.environ.get("FAULTS_SEED", random.randrange(1 << 32)))
ONLY = os.environ.get("FAULTS_ONLY", "")
SECONDS = 20  # for one run, which takes milliseconds
FOREVER = 1 << 62

KINDS = ("memory", "thread", "digest", "read", "stat", "open", "write", "close")
MEMORY, THREAD, DIGEST, READ, STAT, OPEN, WRITE, CLOSE = KINDS

# How calls of a kind fail. Those of HARMLESS are no failures: a program goes on.
WAYS = {
    MEMORY: ["-ENOMEM"], THREAD: ["-EAGAIN"], DIGEST: ["0"], READ: ["-EIO", "0", "-EINTR", "short"],
    STAT: ["-EIO"],
    OPEN: ["-EMFILE"], WRITE: ["-ENOSPC", "-EPIPE", "short"], CLOSE: ["-EIO"],
}
HARMLESS = {(READ, "-EINTR"), (READ, "short"), (WRITE, "short")}


class Run:
    """One run of the tool: how it ended, what it said, and how often it called each kind of
    function."""

    def __init__(self, work, arguments, kind="", first=0, last=0, how="0"):
        counts = f"{work}/counts-{threading.get_ident()}"
        write(counts, bytes(8 * len(KINDS)))
        how = str(-getattr(errno, how[1:])) if how.startswith("-E") else how
        environment = os.environ | {"LD_PRELOAD": LIBRARY, "FAULTS_COUNTS": counts,
                                    "FAULTS_KIND": kind, "FAULTS_HOW": how,
                                    "FAULTS_FIRST": str(first), "FAULTS_LAST": str(last),
                                    "NO_COLOR": "1",
                                    "MALLOC_PERTURB_": "165"}  # what is freed, or not set, shows
        with subprocess.Popen([TOOL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment,
                              cwd=tap.TOP) as process:
            try:
                out, err = process.communicate(timeout=SECONDS)
                self.status = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                self.status = None
        self.out, self.err = timeless(out.decode()), err.decode()
        self.counts = dict(zip(KINDS, struct.unpack(f"{len(KINDS)}Q", read_bytes(counts))))

    def is_like(self, other):
        """Whether two runs are indistinguishable."""
        return (self.status, self.out, self.err) == (other.status, other.out, other.err)

    def gives_up(self):
        """Whether it says that it could not do its job."""
        return self.status == 2 and re.search(r"^erofs-ishare[ a-z]*: (?!\(null\)).*\w{2}",
                                              self.err)


def timeless(text):
    """The output without the times."""
    return re.sub(r"[0-9.]+( s)$|(\"seconds\": )[-+.e0-9]+", r"\1\2", text, flags=re.M)


def complaint(run, undisturbed, kind, how, lasting):
    """The error in a run with an injected failure, or None."""
    if run.status is None:
        return f"does not end within {SECONDS} s"
    if run.status < 0:
        return f"dies by signal {-run.status}"
    if run.is_like(undisturbed):
        return None
    if (kind, how) in HARMLESS:
        return f"status {run.status} or its output differs, though nothing has failed"
    if run.gives_up():
        return None
    if run.status == 2 and kind == WRITE and how == "-EPIPE":
        return None  # who reads no more needs no sentence
    if run.status == 2 and kind == WRITE and (lasting or undisturbed.status == 2):
        return None  # it was the sentence that could not be written
    return (f"status {run.status}, of {len(undisturbed.out)} bytes {len(run.out)}, "
            f"stderr: {run.err.strip()[-200:]!r}")


def positions(count, chance):
    """Which calls fail; the first few are always among them."""
    if not POSITIONS or count <= POSITIONS:
        return range(1, count + 1)
    few = POSITIONS // 6
    return sorted({*range(1, few + 1), *chance.sample(range(few + 1, count + 1), POSITIONS - few)})


class Series:
    """All failures of one kind in one way in runs of one command."""

    def __init__(self, work, arguments, undisturbed, kind, how, lasting):
        self.work, self.arguments, self.undisturbed = work, arguments, undisturbed
        self.kind, self.how, self.lasting = kind, how, lasting
        chance = random.Random(f"{SEED} {self.name()}")
        self.positions = positions(undisturbed.counts[kind], chance)

    def name(self):
        """The name of the series."""
        words = " ".join(os.path.basename(a) if "/" in a else a for a in self.arguments)
        return f"{words}: {self.kind} {self.how}{' from there on' if self.lasting else ''}"

    def try_one(self, position):
        """Returns what is wrong, or None."""
        last = FOREVER if self.lasting else position
        run = Run(self.work, self.arguments, self.kind, position, last, self.how)
        said = complaint(run, self.undisturbed, self.kind, self.how, self.lasting)
        return said and f"call {position} of {self.undisturbed.counts[self.kind]}: {said}"


# ---- A report that cannot be written, while threads hash ----

RUNS = 1000  # in all; of the sanitized program a tenth


def busy_image(path):
    """Says something of each of its files, and each takes a while to hash."""
    image = images.Image()
    image.fingerprints()
    area, icount = images.xattr_area(images.fingerprint(bytes(1 << 20)))
    block = image.block(bytes(1 << 20))
    nids = [image.nid(images.inode(images.REGULAR, 1 << 20, block, icount=icount) + area)
            for _ in range(3000)]
    # which they are not
    image.root([(f"{i:05}".encode(), nid, images.DIRECTORY) for i, nid in enumerate(nids)])
    return image.write(path)


def to_full_device(command):
    """Each write fails."""
    with open("/dev/full", "wb") as full:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, check=False, timeout=SECONDS)


def to_reader_of_one_line(command):
    """As in a pipe to head -1."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        return subprocess.CompletedProcess(command, process.wait(SECONDS), stderr=err)


def to_nothing(command):
    """Standard output is closed: the image may get its number."""
    return subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False, timeout=SECONDS)


def to_full_disk(command):
    """The disk has room for a part of the report; only root can have such a one, in a namespace of
    its own."""
    script = 'mount -t tmpfs -o size=16k tmpfs /mnt || exit 77; exec "$@" >/mnt/report'
    return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *command],
                          stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False, timeout=SECONDS)


def unwritten(pool, tool, image, write, runs):
    """One test point: each run ends with status 2, and says that it could not write; unless the
    reader has gone, who knows."""
    name = f"{os.path.relpath(tool, tap.TOP)} {write.__name__.replace('_', ' ')}"

    def run_once(number):
        form = ("text", "json")[number % 2]  # the others have nothing to write while threads run
        done = write([tool, "check", "--digests", "--limit=0", f"--format={form}", image])
        if done.returncode == 77 or (done.returncode == 1 and b"unshare" in done.stderr):
            return None
        said = b"erofs-ishare: cannot write to standard output: " in done.stderr
        good = done.returncode == 2 and (said or (write is to_reader_of_one_line
                                                  and not done.stderr))
        return "" if good else f"status {done.returncode}: {done.stderr.decode()[-300:]}"

    if run_once(0) is None:
        tap.skip(name, "it takes root, and a namespace, to have a disk of 16 KiB")
        return
    tap.is_empty(filter(None, pool.map(run_once, range(runs))), f"{name}: {runs} runs")


def try_unwritten(work, pool):
    """All ways not to write."""
    image = busy_image(f"{work}/busy.erofs")
    ways = (to_full_device, to_reader_of_one_line, to_nothing, to_full_disk)
    sanitized = f"{tap.TOP}/build/asan/erofs-ishare"
    for way in ways:
        unwritten(pool, TOOL, image, way, RUNS // len(ways))
        if TOOL == f"{tap.TOP}/build/erofs-ishare" and os.access(sanitized, os.X_OK):
            unwritten(pool, sanitized, image, way, RUNS // len(ways) // 10)


# ---- What is run ----

def quarrelling_image(path):
    """Its files have fingerprints in common, and not much else; some have other faults, and one has
    two names."""
    image = images.Image()
    image.fingerprints()
    digest, opaque = images.fingerprint(b"something else"), images.xattr(0x80, b"", b"opaque")
    entries = []
    for i, (entry, size, block) in enumerate([
            (digest, 700, image.block(b"a" * 900)), (digest, 800, image.block(b"a" * 800)),
            (opaque, 600, image.block(b"b" * 600)), (opaque, 600, image.block(b"c" * 600)),
            (opaque, 601, image.block(b"c" * 601)), (digest, 1 << 16, 0xFFFFFFFF),
            (opaque, 1 << 16, 0xFFFFFFFF)]):
        area, icount = images.xattr_area(entry)
        nid = image.nid(images.inode(images.REGULAR, size, block, icount=icount) + area)
        entries += [(f"{i}".encode(), nid, images.REGULAR),
                    (f"{i}-again".encode(), nid, images.DIRECTORY)]
    image.root(entries)
    return image.write(path)


def all_images(work):
    """One image with nothing wrong, one that breaks rules."""
    data = bytearray(read_bytes(f"{IMAGES}/digest-512.erofs"))
    data[1024 + 80] ^= 8  # feature_incompat: the reader does not know it
    data[-300] ^= 1
    write(f"{work}/broken.erofs", data)
    return f"{IMAGES}/digest-512.erofs", f"{work}/broken.erofs", f"{IMAGES}/lz4-512.erofs"


def commands(work):
    """Every command in every format."""
    good, broken, compressed = all_images(work)
    for form in ("text", "json", "sarif", "tap"):
        yield ["check", f"--format={form}", broken]
        yield ["check", f"--format={form}", "--digests", "--domain", good,
               f"{IMAGES}/digest-other-512.erofs", broken]
    yield ["check", "--digests", good]
    yield ["check", "--digests", compressed]
    yield ["check", "--digests", f"--device={IMAGES}/blobdev-512.blob",
           f"{IMAGES}/blobdev-512.erofs"]
    yield ["check", "--digests", "--domain", quarrelling_image(f"{work}/quarrelling.erofs")]
    yield ["check", "--limit=1", f"{IMAGES}/metabox-plain-512.erofs", f"{work}/quarrelling.erofs"]
    yield ["check", f"{work}/nothing"]
    for form in ("text", "json"):
        for image in (good, broken, compressed, LIBRARY):
            yield ["dump", f"--format={form}", image]
        yield ["rules", f"--format={form}"]
    yield ["dump", f"--device={IMAGES}/blobdev-512.blob", f"{IMAGES}/blobdev-512.erofs"]
    yield ["explain", "sb.magic"]
    yield ["explain", "sb.magik"]
    for name in ("check", "dump", "explain", "rules", "help"):
        yield ["help", name]
        yield [name, "--help"]
        yield [name, "--usage"]
        yield [name, "--frobnicate"]
    yield ["dump", "--format=x", good]
    yield from (["help"], ["--help"], ["-h"], ["--version"], ["--usage"], ["frobnicate"],
                [], ["check"])


def all_series(work):
    """Everything that is to be tried."""
    for arguments in commands(work):
        undisturbed = Run(work, arguments)
        if undisturbed.status not in (0, 1, 2) or not undisturbed.counts[CLOSE]:
            tap.ok(False, f"{' '.join(arguments)} works if nothing fails", undisturbed.status,
                   undisturbed.err)
        for kind in KINDS:
            for how in WAYS[kind]:
                for lasting in (False, True):
                    if undisturbed.counts[kind] > lasting and not (lasting and how == "-EINTR"):
                        yield Series(work, arguments, undisturbed, kind, how, lasting)


def try_all(work, pool):
    """One test point for each series."""
    tried = 0
    for series in all_series(work):
        if ONLY not in series.name():
            continue
        tried += len(series.positions)
        wrong = [said for said in pool.map(series.try_one, series.positions) if said]
        tap.is_empty(wrong, f"{series.name()} ({len(series.positions)} of "
                            f"{series.undisturbed.counts[series.kind]})")
    print(f"# {tried} failures tried; FAULTS_SEED={SEED} tries the same again", flush=True)


def has_library():
    """Whether calls can be made to fail here; one test point if not."""
    if platform.machine() != "x86_64":
        tap.skip("each call fails in turn", "system calls are trapped on x86-64 only")
        return False
    status, said = tap.make(LIBRARY)
    return status == 0 or tap.ok(False, "the library that makes calls fail is built", said)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(f"# FAULTS_SEED={SEED}", flush=True)
    with tempfile.TemporaryDirectory() as work, \
            concurrent.futures.ThreadPoolExecutor(max_workers=2 * os.cpu_count()) as pool:
        if not ONLY:
            try_unwritten(work, pool)
        if has_library():
            try_all(work, pool)
    tap.done()


if __name__ == "__main__":
    main()
