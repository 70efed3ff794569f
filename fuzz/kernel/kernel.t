#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The kernel's fuzzer: a guest takes inputs and finds paths, a guest that dies is replaced, its
crash can be reproduced, and memory does not grow. `make test-fuzz-kernel` builds and runs this.
KERNEL_FUZZ_RUNS=1000000 is a long run of the last test."""

import glob
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from erofs_ishare import afl, crashes, tap, TOP
from erofs_ishare.files import read, read_bytes, write


BUILT = f"{TOP}/build/fuzz/kernel"
GUESTS = f"{TOP}/build/kernel"
SEEDS = f"{BUILT}/seeds"
REGRESSIONS = f"{TOP}/fuzz/kernel/regressions"
RUNS = int(os.environ.get("KERNEL_FUZZ_RUNS", "20000"))
UUID = 16 + 1024 + 48  # the header, then the field in the superblock

# In the place of a kernel, for what the launcher and replay make of its words: it dies of an input
# that is a log, saying that; of a B at 7 after an input with an A at 5; of "late" when it has
# answered; and of "unsaid" when it was just about to.
TALKER = r"""
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum { WAITING = 2, RUNNING = 3 };

static struct shared {
	uint32_t announced, phase;
	uint64_t runs;
} *shared;

static void set(uint32_t phase, uint64_t runs)
{
	*shared = (struct shared){ 1, phase, runs };
}

static void die(const char *words, const char *data, size_t size)
{
	if (write(2, words, strlen(words)) >= 0 && write(2, data, size) >= 0)
		_exit(1);
}

int main(void)
{
	struct { uint32_t size; char data[131072]; } *input =
		shmat(atoi(getenv("__AFL_SHM_FUZZ_ID")), NULL, 0);
	int fd = atoi(strrchr(getenv("KERNEL_FUZZ_SHARED"), '/') + 1);
	uint32_t word, words[2] = { 0, atoi(getenv("KERNEL_FUZZ_SELF")) };
	uint64_t runs = 0;
	bool seen = false;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!shared->announced && write(199, words + 1, 4) != 4)
		return 1;
	set(WAITING, runs);
#ifdef EARLY
	_exit(1);
#endif
	while (read(198, &word, 4) == 4) {
		const char *data = input->data;
		size_t size = input->size;
		bool unsaid = size == 6 && !memcmp(data, "unsaid", 6);
		bool late = size == 4 && !memcmp(data, "late", 4);

		set(RUNNING, runs);
		if (seen && size > 7 && data[7] == 'B')
			die("Kernel panic - not syncing: A, B", " and C",
			    size > 90 && data[90] == 'C' ? 6 : 0);
		if (memmem(data, size, "Kernel panic", 12))
			die("", data, size);
		seen |= size > 5 && data[5] == 'A';
		set(WAITING, runs);
		if (!unsaid) {
			if (write(199, words, 8) != 8)
				return 1;
			set(WAITING, ++runs);
		}
		/* Once there is an answer, the next input may be where this one was. */
		if (unsaid || late)
			die("Kernel panic - not syncing: ", late ? "late" : data, size);
	}
	return 0;
}
"""

# Logs of the launcher's, shortened, and what it calls them.
WARNING = """[    0.1] WARNING: fs/iomap/iter.c:39 at iomap_iter+0x3f1/0x4a0, CPU#0: swapper/0/1
[    0.1] Call Trace:
[    0.1]  [<602ab4be>] ? erofs_file_read_iter+0x3d/0x120
"""
FAULT = """[    0.2] RIP: 0033:{rip}
[    0.2] RSP: 000000006087b978  EFLAGS: 00010202
[    0.2] Kernel panic - not syncing: Kernel mode fault at addr 0x{addr}, ip 0x6c
[    0.2] Stack:
[    0.2]  600e0aff 00000000 600e1e3e 6050bde0
[    0.2] Call Trace:
[    0.2]  [<600e0aff>] ? filemap_read_folio+0x1f/0x200
[    0.2]  [<6020bf10>] ? erofs_iget+0x0/0x3d0
[    0.2]  [<6020cc9f>] ? erofs_bread+0x1ff/0x370
[    0.2]  [<6020cf60>] ? erofs_test_lookup+0x80/0xf0
[    0.2]  [<6020cf60>] ? erofs_bread.part.0+0x80/0xf0
[    0.2]  [<6020b301>] ? {caller}+0x111/0xb20
"""
PANIC = "[    0.3] Kernel panic - not syncing: {}\n[    0.3] Call Trace:\n[    0.3]  [<6020cc9f>] ? erofs_fc_get_tree+0x1f/0x37\n"
COMPLAINT = "WARNING: fs/iomap/iter.c:39 at iomap_iter+0x3f1/0x4a0, CPU#0: swapper/0/1"
OTHER_WARNING = WARNING.replace("39", "40").replace("file", "bdev")
NAMES = (
    (FAULT.format(rip="0x0", addr="0", caller="z_erofs_bread"),
     "Kernel-mode-fault-at-addr-N-ip-N+erofs_bread+z_erofs_bread"),
    (FAULT.format(rip="0x0", addr="0", caller="erofs_iget"),
     "Kernel-mode-fault-at-addr-N-ip-N+erofs_bread+erofs_iget"),
    (FAULT.format(rip="0x0", addr="6f3", caller="erofs_iget"),
     "Kernel-mode-fault-at-addr-N-ip-N+erofs_bread+erofs_iget"),
    (FAULT.format(rip="crc32c+0x1e/0x40", addr="0", caller="erofs_iget"),
     "Kernel-mode-fault-at-addr-N-ip-N+crc32c+erofs_bread+erofs_iget"),
    (WARNING + PANIC.format(COMPLAINT),
     "WARNING-fs-iomap-iter.c-39-at-iomap_iter+erofs_file_read_iter"),
    (OTHER_WARNING + WARNING + PANIC.format(COMPLAINT),
     "WARNING-fs-iomap-iter.c-39-at-iomap_iter+erofs_file_read_iter"),
    (WARNING + OTHER_WARNING + PANIC.format(COMPLAINT),
     "WARNING-fs-iomap-iter.c-39-at-iomap_iter+erofs_file_read_iter"),
    (WARNING + "[    0.3] BUG: Bad page state in process swapper/0  pfn:01918\n"
     + PANIC.format("BUG: Bad page state in process swapper/0  pfn:01918"),
     "BUG-Bad-page-state-in-process-swapper-N-pfn-N+erofs_fc_get_tree"),
    (WARNING + PANIC.format("disagreement: share.key: nid 40 does not share"),
     "disagreement-share.key-nid-N-does-not-share"),
    (WARNING + "[    0.3] BUG: KASAN: slab-out-of-bounds in strlen+0x9b/0xb0\n"
     + PANIC.format("kasan.fault=panic set ..."),
     "BUG-KASAN-slab-out-of-bounds-in-strlen+erofs_fc_get_tree"),
    (WARNING + "[    0.3] BUG: KASAN: use-after-free in strlen+0x9b/0xb0\n"
     + PANIC.format("kasan.fault=panic set ..."),
     "BUG-KASAN-use-after-free-in-strlen+erofs_fc_get_tree"),
    ("[    0.3] task:swapper/0       state:D\n" + WARNING.replace("file", "iget")
     + PANIC.format("hang: an input does not end"),
     "hang-an-input-does-not-end+erofs_iget_read_iter"),
    (PANIC.format("hang: an input does not end") + "[    0.3]  [<6020cc9f>] ? erofs_b+0x1/0x3\n[   "
                                                   " 0.3]  [<6020cc9f>] ? erofs_c+0x1/0x3\n"
     "[    0.3]  [<6020cc9f>] ? erofs_d+0x1/0x3\n",
     "hang-an-input-does-not-end+erofs_d+erofs_c+erofs_b"),
)


def drive(directory, guest, *arguments, environment=()):
    """(exit status, what it printed)"""
    done = subprocess.run([f"{BUILT}/drive", *arguments[:-1], os.path.join(GUESTS, guest),
                           *arguments[-1]], text=True, check=False,
                          env=os.environ | {"KERNEL_FUZZ_CRASHES": directory} | dict(environment),
                          stdout=subprocess.PIPE)
    return done.returncode, json.loads(done.stdout or "{}")


def with_uuid(directory, bytes_of_it):
    """A good input, but for bytes on which nothing depends if no defect is planted."""
    data = bytearray(read_bytes(f"{SEEDS}/plain-plain"))
    for at, byte in bytes_of_it.items():
        data[UUID + at] = byte
    return write(f"{directory}/planted", data)


def planted_input(directory):
    """The input that the guest with nested-bytes dies of."""
    return with_uuid(directory, {3: 0x5a, 9: 0xc3, 14: 0x17})


def stateful_input(directory):
    """Not a crash by itself: an image that is refused."""
    return write(f"{directory}/refused", struct.pack("<4BI8x", 0, 0, 0, 0, 4096) + bytes(4096))


def test_seeds(directory):
    """Each seed is mounted, and nothing is wrong with any."""
    seeds = sorted(glob.glob(f"{SEEDS}/*"))
    status, result = drive(f"{directory}/seeds", "fuzz", seeds)
    tap.ok(status == 0 and result["mounted"] > len(seeds) and not result["refused"],
           "the kernel takes all seeds as it should",
          f"{len(seeds)} seeds: {result}", *os.listdir(f"{directory}/seeds"))
    tap.ok(result.get("shared", 0) > 0, "files share pages", result)
    tap.ok(result.get("open") == 0, "and there is no mount of which the core cannot say who does",
           result)


def test_corpus(directory):
    """The inputs of the corpus are small, and crash nothing."""
    inputs = sorted(glob.glob(f"{TOP}/fuzz/corpus/kernel/*"))
    status, result = drive(f"{directory}/corpus", "fuzz", inputs)
    tap.ok(inputs and status == 0 and result["runs"] == len(inputs),
           "no input of the corpus crashes", result, *glob.glob(f"{directory}/corpus/*"))
    everything = sum(os.path.getsize(path) for path in glob.glob(f"{TOP}/fuzz/corpus/*/*"))
    tap.ok(everything < 1 << 20, "the corpora have less than 1 MiB", everything)


def test_refresh(directory):
    """The corpus is chosen from inputs alone, whatever else lies beside them. (In a tree that has
    no corpus.)"""
    tool = f"{directory}/fuzz/kernel/refresh-corpus"
    # With the package, as that says where the tree is.
    shutil.copytree(f"{TOP}/fuzz/kernel", os.path.dirname(tool))
    os.symlink(f"{TOP}/build", f"{directory}/build")
    corpus = sorted(glob.glob(f"{TOP}/fuzz/corpus/kernel/*.input"), key=os.path.getsize)
    places = ("main/queue/id:1", "ours/1.input", "main/queue/1", "main/queue/.state/id:1",
              "main/crashes/id:1", "main/fuzzer_stats")
    for place, path in zip(places, corpus):
        os.makedirs(os.path.dirname(f"{directory}/sync/{place}"), exist_ok=True)
        shutil.copy(path, f"{directory}/sync/{place}")
    for where, wanted in (("sync", corpus[:2]), ("sync/main/queue", corpus[:1])):
        done = tap.run([tool, f"{directory}/{where}"])
        made = {os.path.basename(path): read_bytes(path)
                for path in glob.glob(f"{directory}/fuzz/corpus/kernel/*")}
        tap.ok(made == {os.path.basename(path): read_bytes(path) for path in wanted},
               f"the inputs of {where} become the corpus, and nothing else",
               done.stdout, done.stderr, *made)
        shutil.rmtree(f"{directory}/fuzz/corpus", ignore_errors=True)


def test_campaign(directory):
    """AFL++ finds what the seeds do not reach."""
    environment = afl.ENVIRONMENT | {"AFL_NO_AFFINITY": "1", "AFL_SKIP_CRASHES": "1",
                                     "KERNEL_FUZZ_CRASHES": f"{directory}/found",
                                     "AFL_CUSTOM_MUTATOR_LIBRARY": f"{BUILT}/mutator.so"}
    os.makedirs(f"{directory}/few")
    for name in ("plain-shared", "plain-pair"):
        shutil.copy(f"{SEEDS}/{name}", f"{directory}/few")
    done = subprocess.run(
        ["afl-fuzz", "-V", "10", "-G", "131072", "-t", "20000", "-i", f"{directory}/few", "-o",
         f"{directory}/out", "--",
         f"{BUILT}/launcher", f"{GUESTS}/fuzz"], env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    stats = afl.stats(f"{directory}/out/default")
    tap.ok(int(stats.get("corpus_found", 0)) > 5, "afl-fuzz finds new paths",
           *done.stdout.splitlines()[-8:])
    stability = float(stats.get("stability", "0").rstrip("%"))
    tap.ok(stability >= 95, "and an input takes the same path again", f"stability is {stability} %")


def test_death(directory):
    """A guest dies, and another goes on; what the launcher has kept is enough to repeat it."""
    crashes = f"{directory}/crashes"
    planted, good = planted_input(directory), f"{SEEDS}/plain-plain"
    status, _ = drive(crashes, "fuzz", [planted])
    tap.ok(status == 0, "without the planted defect nothing happens")
    status, result = drive(crashes, "fuzz-nested-bytes",
                           [good, stateful_input(directory), planted, good])
    kept = glob.glob(f"{crashes}/*")
    tap.ok(status == 1 and result["runs"] == 3 and len(kept) == 1, "a planted crash is reported",
           status, result, kept)
    if len(kept) != 1:
        return
    tap.ok(b"BUG: failure at fs/erofs" in read_bytes(f"{kept[0]}/log"), "with the kernel's words",
           read_bytes(f"{kept[0]}/log")[-600:])
    tap.ok(read_bytes(f"{kept[0]}/input") == read_bytes(planted)
           and len(os.listdir(f"{kept[0]}/ring")) == 3,
          "with its input and those before", os.listdir(f"{kept[0]}/ring"))
    status, result = drive(f"{directory}/again", "fuzz-nested-bytes", "-k", "-n", "4",
                           [planted, good])
    tap.ok(status == 1 and result["runs"] == 4 and result["deaths"] == 2,
           "and the next guest starts", status, result)


def replay(*arguments):
    """Runs replay; returns its result."""
    return tap.run([f"{TOP}/fuzz/kernel/replay", *arguments])


def test_replay(directory):
    """Finds one sufficient input, and few bytes of it."""
    drive(directory, "fuzz-nested-bytes", [stateful_input(directory), planted_input(directory)])
    kept = os.path.dirname(glob.glob(f"{directory}/*/input")[0])
    done, small = replay(kept), glob.glob(f"{kept}/minimised/*")
    data = read_bytes(small[0]) if small else b""
    left = len(data) - data.count(0)
    tap.ok(done.returncode == 0 and f"crash with 1 input, the last of {len(data)} bytes, {left} of "
                                    "them not zero: " in done.stdout,
           "replay repeats it, with one input", done.stdout, done.stderr)
    # The superblock's magic, the size of its blocks, and what the defect is behind
    tap.ok(len(small) == 1 and len(data) < os.path.getsize(f"{kept}/input") and 8 <= left < 16,
           "and few bytes", data.hex())
    again = replay(kept)
    tap.ok(again.stdout == done.stdout
           and [read_bytes(path) for path in glob.glob(f"{kept}/minimised/*")]
           == [data], "and again with those", again.stdout, again.stderr)
    done = replay("--guest", "fuzz", kept)
    tap.ok(done.returncode == 1, "but not in a guest without the defect", done.stdout, done.stderr)


def talker(directory, *flags):
    """A guest that says what it is told to; and the directory where its crashes are kept."""
    os.makedirs(f"{directory}/talker")
    shutil.copy(f"{GUESTS}/confine", directory)
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O2", "-static", *flags, "-o",
                    f"{directory}/talker/linux", "-x", "c", "-"],
                   input=TALKER.encode(), check=True)
    return f"{directory}/talker", f"{directory}/deaths"


def test_names(directory):
    """Title and stack."""
    guest, deaths = talker(directory)
    for i, (log, name) in enumerate(NAMES):
        drive(f"{deaths}{i}", guest, [write(f"{directory}/log", log.encode())])
        tap.ok(os.listdir(f"{deaths}{i}") == [name], f"a crash is called {name}",
               *os.listdir(f"{deaths}{i}"))


def test_several(directory):
    """Crashes that take two inputs, and one that must not be taken for another."""
    guest, deaths = talker(directory)
    for c in (b"C", b"-"):
        kept = f"{deaths}/A-B{'-and-C' if c == b'C' else ''}"
        os.makedirs(f"{kept}/ring")
        write(f"{kept}/guest", guest.encode())
        last = b"-----..B" + b"-" * 82 + c + b"-" * 50
        for i, data in enumerate((b"-" * 20, b"-----A--", b"-" * 30, b"-----A--" * 3,
                                  b"+" * 40, last)):
            write(f"{kept}/ring/{i}", data)
        write(f"{kept}/input", last)
        done, small = replay(kept), sorted(glob.glob(f"{kept}/minimised/*"))
        tap.ok("crash with 3 inputs, " in done.stdout and [os.path.basename(path) for path in small]
               == ["3", "4", "5"],
               "replay finds how many inputs it takes", done.stdout, done.stderr, *small)
        wanted = bytes(7) + b"B" + (bytes(82) + b"C" if c == b"C" else b"")
        tap.ok(small and read_bytes(small[-1]) == wanted, "and which bytes of the last",
               small and read_bytes(small[-1]))


def test_late(directory):
    """A guest that dies while it waits for an input: that is kept, and the input gets its answer
    from the next guest. That one does not say again who runs the input, but one that follows a
    death of an input does. A guest that dies between what it says of itself and what it says to
    afl-fuzz has died of the input."""
    guest, deaths = talker(directory)
    inputs = [write(f"{directory}/{n}", data)
              for n, data in enumerate((b"late", b"any", b"unsaid",
                                        b"Kernel panic - not syncing: B"))]
    status, result = drive(deaths, guest, "-k", "-n", "6", inputs)
    tap.ok(status == 1 and result["runs"] == 6 and result["deaths"] == 2
           and sorted(os.listdir(deaths)) == ["B", "late", "unsaid"],
           "a guest that dies between two inputs is kept", status, result, *os.listdir(deaths))


def test_early(directory):
    """afl-fuzz does not wait for a guest that dies without any input, each time."""
    guest, deaths = talker(directory, "-DEARLY")
    done = tap.run([without_seeds(f"{directory}/bare"), guest, write(f"{directory}/any", b"any")],
                   timeout=20, env=os.environ | {"KERNEL_FUZZ_CRASHES": deaths})
    tap.ok(done.returncode == 2 and "does not boot" in done.stderr,
           "a guest that dies before each input does not boot", done)


def test_no_room(directory):
    """What is kept is whole, or is not there; and when there is room, it is kept."""
    guest, _ = talker(directory)
    os.makedirs(f"{directory}/disk")
    log = write(f"{directory}/log", NAMES[0][0].encode() + b"." * 16384)
    script = f"""mount -t tmpfs -o size=16k tmpfs {directory}/disk || exit 99
        export KERNEL_FUZZ_CRASHES={directory}/disk
        {BUILT}/drive {guest} {log}; ls -A {directory}/disk | wc -l
        mount -o remount,size=1m {directory}/disk
        {BUILT}/drive {guest} {log}; ls {directory}/disk/*"""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user",
                                                            "--map-root-user", "--mount"]
    done = tap.run([*own, "sh", "-c", script])
    if done.returncode == 99 or "unshare: " in done.stderr:
        tap.skip("no room for a crash", "no file system can be mounted here")
        return
    tap.ok("cannot write" in done.stderr and "\n0\n" in done.stdout,
           "no part of a crash stays on a full disk", done.stdout, done.stderr)
    tap.ok(done.stdout.split()[-5:] == ["cause", "guest", "input", "log", "ring"],
           "with room it is kept", done.stdout, done.stderr)


def test_other(directory):
    """Another crash than the one that was kept is none."""
    guest, deaths = talker(directory)
    drive(deaths, guest, [write(f"{directory}/log", NAMES[0][0].encode())])
    kept = f"{deaths}/BUG-KASAN-use-after-free-in-strlen"
    os.rename(glob.glob(f"{deaths}/*")[0], kept)
    write(f"{kept}/input", read_bytes(f"{directory}/log"))
    write(f"{kept}/ring/0", read_bytes(f"{directory}/log"))
    done = replay(kept)
    tap.ok(done.returncode == 1 and "another crash" in done.stdout,
           "replay does not take another crash for it", done.stdout, done.stderr)


def test_planted(directory):
    """Defects of the kernel's that only the judge sees; and afl-fuzz finds one."""
    data = bytearray(read_bytes(f"{SEEDS}/plain-pair"))
    data[data.rfind(b"sha256:") + 35] ^= 1
    keys = write(f"{directory}/keys", data)
    status, _ = drive(f"{directory}/sound", "fuzz", [keys])
    tap.ok(status == 0, "two keys that differ behind the 27th byte of their digests: as it "
                        "should be", *os.listdir(f"{directory}/sound"))
    status, _ = drive(f"{directory}/planted", "fuzz-key-length", [keys])
    tap.ok(status == 1 and os.listdir(f"{directory}/planted")
           == ["disagreement-share.key-nids-N-and-N-share-with-other-keys"],
           "a kernel that takes them for one is seen", status, *os.listdir(f"{directory}/planted"))
    done = tap.run([f"{TOP}/fuzz/planted/try", "xattr-bound", "120"])
    tap.ok(done.returncode == 0, "AFL++ finds the planted defect xattr-bound in 120 s", done.stdout,
           done.stderr)


def test_regressions(directory):
    """Each input that once failed; and each has a line that says what it prevents."""
    lines = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", read(f"{REGRESSIONS}/README.md"),
                            re.M))
    names = sorted(set(os.listdir(REGRESSIONS)) - {"README.md"})
    tap.ok(names and names == sorted(lines),
           "each input that once failed has a line on what it prevents", names, sorted(lines))
    for name in names:
        status, _ = drive(f"{directory}/{name}", "fuzz", [f"{REGRESSIONS}/{name}"])
        tap.ok(status == 0, f"{name} no longer fails", *os.listdir(f"{directory}/{name}"))


def test_report(directory):
    """Kept crashes count as one if their replays are the same."""
    guest, deaths = talker(directory)
    target = {"deaths": "{dir}/deaths", "replay": ["fuzz/kernel/replay", "{input}"]}
    for log, name in [named for named in NAMES
                      if re.match(r"Kernel-mode-fault-at-addr-N-ip-N\+erofs|BUG-KASAN", named[1])]:
        drive(deaths, guest, [write(f"{directory}/log", log.encode())])
        # This guest does not tell the launcher its inputs; and there is nothing to make smaller.
        os.makedirs(f"{deaths}/{name}/minimised", exist_ok=True)
        write(f"{deaths}/{name}/minimised/0", log.encode())
    tap.ok(len(os.listdir(deaths)) == 4, "four are kept: numbers do not tell crashes apart",
           *os.listdir(deaths))
    found, silent = crashes.groups(target, directory)
    tap.ok(sorted(len(crash["inputs"]) for crash in found) == [1, 1, 2] and not silent
           and all(c["repeats"] for c in found),
           "two of them differ in what KASAN found behind the bytes: these are one", *found)
    tap.is_empty([c for c in found if c["signature"].count("+") == 0 or not c["stack"]],
                 "each with its stack")


def wait_until(condition):
    """Whether it holds within 10 seconds"""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def drive_for_long(directory):
    """drive, with an input that is as it should be."""
    return subprocess.Popen([f"{BUILT}/drive", "-s", "60", f"{GUESTS}/fuzz",
                             f"{SEEDS}/plain-plain"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL,
                            env=os.environ | {"KERNEL_FUZZ_CRASHES": directory})


def child_of(process):
    """The first process that this one has started, 0 if it does not come."""
    children = f"/proc/{process}/task/{process}/children"
    there = process and wait_until(lambda: os.path.exists(children) and read_bytes(children))
    return int(read_bytes(children).split()[0]) if there else 0


def launcher_of(driver):
    """The launcher that a drive has started."""
    return child_of(driver.pid)


def processes_of(launcher):
    """Those of its guest: what locks it in, the first one there, and the guest itself, when that
    has come so far."""
    confine = child_of(launcher)
    first = child_of(confine)
    guest = child_of(first)
    wait_until(lambda: guest and b"umid=" in read_bytes(f"/proc/{guest}/cmdline")
               and read_bytes(f"/proc/{guest}/comm") == b"linux\n")
    return confine, first, guest


def status_of(process):
    """The kernel's /proc status of a process, as a dictionary."""
    return dict(re.findall(r"^(\w+):\s*(.*)$", read(f"/proc/{process}/status"), re.M))


def test_locked_in(directory):
    """A guest is locked in, and has given up the host's System V IPC: it has confine's filter, and
    one of its own."""
    with drive_for_long(directory) as driver:
        guest = processes_of(launcher_of(driver))[-1]
        tap.ok(guest and wait_until(lambda: status_of(guest).get("Seccomp_filters") == "2"),
               "a guest has both filters")
        status = status_of(guest)
        tap.ok("0" not in status["Uid"].split() and not int(status["CapBnd"], 16)
               and status["NoNewPrivs"] == "1"
               and status["NSpid"].split()[1:], "and no rights", status)
        kept = [name for name in ("ipc", "mnt", "net", "pid", "user", "uts")
                if os.readlink(f"/proc/{guest}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}")]
        tap.ok(kept == ["ipc"] and not os.path.exists(f"/proc/{guest}/root/etc"),
               "and sees nothing else of the host", kept)
        driver.kill()


def test_killed(directory):
    """afl-fuzz ends the launcher by SIGKILL: nothing stays behind."""
    for name, guest_as_well in (("a launcher that is killed leaves nothing behind", False),
                                ("nor if its guest is killed as well", True)):
        with drive_for_long(directory) as driver:
            launcher = launcher_of(driver)
            processes = processes_of(launcher)
            os.kill(launcher, signal.SIGKILL)
            if guest_as_well:
                os.kill(processes[-1], signal.SIGKILL)
            tap.ok(all(processes)
                   and wait_until(lambda: not any(os.path.exists(f"/proc/{process}")
                                                  for process in processes)),
                   name, processes)


def test_killed_early(directory):
    """The same while the guest boots, when for a moment it has a process that is stopped, and that
    keeps pipes open."""
    stuck = []
    for delay in range(100):
        with drive_for_long(directory) as driver:
            launcher = launcher_of(driver)
            time.sleep(delay / 4000)
            os.kill(launcher, signal.SIGKILL)
            try:
                driver.wait(10)
            except subprocess.TimeoutExpired:
                stuck.append(delay / 4)
                subprocess.run(["pkill", "-KILL", "-f", f"umid=fuzz-{launcher}"], check=False)
    tap.is_empty(stuck, "nor one that is killed while its guest boots")


def without_seeds(directory):
    """drive with a launcher that warms up with nothing."""
    os.makedirs(f"{directory}/seeds")
    shutil.copy(f"{BUILT}/launcher", directory)
    return shutil.copy(f"{BUILT}/drive", directory)


def hang(directory):
    """(exit status, what was kept) of an input that does not end; the kernel's timer is late when
    its time is over."""
    environment = {"KERNEL_FUZZ_HANG": "500", "KERNEL_FUZZ_CRASHES": f"{directory}/crashes"}
    with subprocess.Popen([without_seeds(directory), f"{GUESTS}/fuzz-endless",
                           with_uuid(directory, {5: 0x96})],
                          env=os.environ | environment, stdout=subprocess.DEVNULL) as driver:
        guest = processes_of(launcher_of(driver))[-1]
        time.sleep(0.3)
        os.kill(guest, signal.SIGSTOP)
        time.sleep(1)
        os.kill(guest, signal.SIGCONT)
        return driver.wait(), os.listdir(f"{directory}/crashes")


def test_hang(directory):
    """The stack is kept; now and then it is the timer's, if that is at work just then. As
    fuzz/kernel/README.md says, a function may be left over from an earlier call: it may stand
    between the two that have to be there, in their order."""
    for attempt in range(3):
        os.makedirs(f"{directory}/{attempt}")
        status, kept = hang(f"{directory}/{attempt}")
        if kept and re.match(r"hang-an-input-does-not-end\+erofs_fc_get_tree\+(.*\+)?erofs_fc_fill_super(\+|$)", kept[0]):
            break
    else:
        kept = []
    tap.ok(status == 1 and len(kept) == 1, "a hang is reported, with its stack", status,
           *glob.glob(f"{directory}/*/crashes/*"))


def cover(directory, inputs):
    """For each input, in this order, AFL++'s map: the places with the class of their counts."""
    os.makedirs(f"{directory}/in")
    for at, path in enumerate(inputs):
        shutil.copy(path, f"{directory}/in/{at:06}")
    subprocess.run(["afl-showmap", "-q", "-t", "20000", "-i", f"{directory}/in", "-o",
                    f"{directory}/out", "--", f"{BUILT}/launcher",
                    f"{GUESTS}/fuzz"], env=os.environ | afl.ENVIRONMENT
                   | {"KERNEL_FUZZ_CRASHES": f"{directory}/crashes"},
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    return [set(read_bytes(path).split()) for path in sorted(glob.glob(f"{directory}/out/*"))]


def test_stability(directory):
    """Whatever was run before it, an input covers what it covers, but for a few places."""
    seeds = sorted(glob.glob(f"{SEEDS}/*"))
    order = [path for again in range(4) for path in random.Random(again).sample(seeds, len(seeds))]
    maps = cover(directory, order)
    if not tap.ok(len(maps) == len(order), "all seeds are run, four times", len(maps)):
        return
    everything, different = set.union(*maps), set()
    for path in seeds:
        own = [covered for seed, covered in zip(order, maps) if seed == path]
        different |= set.union(*own) - set.intersection(*own)
    varied, places = ({place.split(b":")[0] for place in some} for some in (different, everything))
    tap.ok(len(varied) < len(places) / 50, "they cover the same each time: at least 98 %",
           f"{len(varied)} of {len(places)} places differ")


def test_warm_up(directory):
    """A guest that dies of a seed is kept as any other, and the next ones do without."""
    program = without_seeds(directory)
    shutil.copy(f"{SEEDS}/plain-plain", f"{directory}/seeds")
    planted_input(f"{directory}/seeds")
    done = subprocess.run([program, f"{GUESTS}/fuzz-nested-bytes", stateful_input(directory)],
                          check=False,
                          env=os.environ | {"KERNEL_FUZZ_CRASHES": f"{directory}/crashes"},
                          capture_output=True, text=True)
    kept = glob.glob(f"{directory}/crashes/*/input")
    tap.ok(len(kept) == 1 and read_bytes(kept[0]) == read_bytes(f"{directory}/seeds/planted"),
           "what a seed does to a guest is kept", kept, done)
    result = json.loads(done.stdout or "{}")
    tap.ok(done.returncode == 0 and result.get("runs") == result.get("refused") == 1
           and not result["mounted"],
           "inputs are taken all the same, and nothing else counts", done)


def test_lost(directory):
    """Finding failed-mount-leak: guests that have lost much memory end themselves, and nobody
    notices."""
    image = bytearray(read_bytes(f"{TOP}/tests/images/metabox-4096.erofs"))
    image[0x470] = 0x88  # the root's number: a regular file
    path = write(f"{directory}/leak", struct.pack("<4BI8x", 4, 4, 2, 0, len(image)) + image)
    status, result = drive(f"{directory}/lost", "fuzz", "-n", "10000", [path])
    tap.ok(status == 0 and result["runs"] == 10000 and result["refused"] == 20000,
           "all inputs are taken", result)
    # A finding: when the kernel loses nothing, there is nothing to count, and nothing grows.
    grown = result["last"]["slab_pages"] - result["first"]["slab_pages"]
    tap.ok(result["lost"] == 20000 or not result["lost"] and grown < 64,
           "what two failed mounts an input lose is counted", grown, result)
    tap.ok(result["last"]["run"] == (0 if result["lost"] else 8192),
           "a guest is relieved in time", result)
    tap.ok(not os.listdir(f"{directory}/lost"), "and it is no crash",
           os.listdir(f"{directory}/lost"))


def test_warning(directory):
    """The kernel warns, and goes on; the guest is ended after the input."""
    status, result = drive(f"{directory}/warning", "fuzz-endless",
                           [with_uuid(directory, {6: 0x69})])
    titles = os.listdir(f"{directory}/warning")
    tap.ok(status == 1 and len(titles) == 1 and titles[0].startswith("WARNING-fs-erofs-")
           and "super.c" in titles[0],
          "a warning is reported", status, result, titles)


def damaged(directory, seeds):
    """Each seed with a byte changed in the first image's superblock, or behind it: what fails has
    to clean up as well."""
    chance = random.Random(1)
    os.makedirs(f"{directory}/damaged")
    for path in seeds:
        data = bytearray(read_bytes(path))
        data[chance.randrange(16 + 1024, len(data))] ^= 1 << chance.randrange(8)
        yield write(f"{directory}/damaged/{os.path.basename(path)}", data)


def test_growth(directory):
    """Memory, inodes and mounts after many runs."""
    seeds = sorted(glob.glob(f"{SEEDS}/*"))
    status, result = drive(f"{directory}/growth", "fuzz", "-n", str(RUNS),
                           [*seeds, *damaged(directory, seeds)])
    tap.ok(result["refused"] > RUNS / 100, "many mounts fail", result)
    first, last = result["first"], result["last"]
    tap.ok(status == 0 and last["run"] > first["run"], f"a guest lives for {RUNS} inputs",
           status, result)
    for what in ("inodes", "mounts"):
        tap.ok(last[what] <= first[what], f"{what} do not grow", first, last)
    # Caches still fill a bit; what leaks does so again and again.
    lost, runs = first["free_pages"] - last["free_pages"], last["run"] - first["run"]
    tap.ok(lost < 64 + runs / 2000, "memory does not grow", f"{lost} pages in {runs} runs",
           first, last)


def main():
    """All of them, each with a directory of its own."""
    needed = [f"{BUILT}/drive", f"{BUILT}/launcher", f"{BUILT}/mutator.so", f"{SEEDS}/plain-plain",
              f"{GUESTS}/confine", *(
        f"{GUESTS}/fuzz{guest}/linux" for guest in ("", "-nested-bytes", "-endless", "-key-length",
                                                    "-xattr-bound"))]
    missing = [os.path.relpath(path, TOP) for path in needed if not os.path.exists(path)]
    missing += [] if shutil.which("afl-fuzz") else ["afl-fuzz (package afl++)"]
    if missing:
        print("Bail out! `make fuzzers-kernel fuzzers-kernel-planted` has not built "
              f"{', '.join(missing)}")
        return 1
    for test in (test_seeds, test_corpus, test_refresh, test_campaign, test_names, test_several,
                 test_late, test_early, test_no_room,
                 test_other, test_report, test_planted, test_regressions, test_death, test_replay,
                 test_locked_in, test_killed,
                 test_killed_early, test_hang, test_stability, test_warm_up, test_lost,
                 test_warning, test_growth):
        with tempfile.TemporaryDirectory() as directory:
            test(directory)
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
