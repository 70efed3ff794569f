#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The kernel's fuzzer: a guest takes inputs and finds paths, a guest that dies is followed by another, what was kept of its
death repeats it, and nothing grows. `make fuzz-kernel-test` builds what it needs and runs it.
KERNEL_FUZZ_RUNS=1000000 is the long run of the last."""

import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = f"{TOP}/build/fuzz/kernel"
GUESTS = f"{TOP}/build/kernel"
SEEDS = f"{BUILT}/seeds"
RUNS = int(os.environ.get("KERNEL_FUZZ_RUNS", "20000"))
UUID = 16 + 1024 + 48  # the header, then the field in the superblock

COUNT = 0
FAILED = 0


def point(good, what, *why):
    """One point of TAP."""
    global COUNT, FAILED
    COUNT += 1
    FAILED += not good
    print(f"{'ok' if good else 'not ok'} {COUNT} - {what}")
    for line in why if not good else ():
        print(f"# {line}")
    sys.stdout.flush()


def drive(directory, guest, *arguments, environment=()):
    """(exit status, what it printed)"""
    done = subprocess.run([f"{BUILT}/drive", *arguments[:-1], f"{GUESTS}/{guest}", *arguments[-1]], text=True, check=False,
                          env=os.environ | {"KERNEL_FUZZ_CRASHES": directory} | dict(environment), stdout=subprocess.PIPE)
    return done.returncode, json.loads(done.stdout or "{}")


def write(path, data):
    """A file."""
    with open(path, "wb") as out:
        out.write(data)
    return path


def read(path):
    """A file's bytes."""
    with open(path, "rb") as data:
        return data.read()


def with_uuid(directory, bytes_of_it):
    """A good input, but for bytes on which nothing depends if no defect is planted."""
    data = bytearray(read(f"{SEEDS}/plain-plain"))
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
    point(status == 0 and result["mounted"] > len(seeds) and not result["refused"], "the kernel takes all seeds as it should",
          f"{len(seeds)} seeds: {result}", *os.listdir(f"{directory}/seeds"))
    point(result.get("shared", 0) > 0, "files share pages", result)


def test_campaign(directory):
    """AFL++ finds what the seeds do not reach."""
    environment = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_SKIP_CRASHES": "1",
                   "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "KERNEL_FUZZ_CRASHES": f"{directory}/found",
                   "AFL_CUSTOM_MUTATOR_LIBRARY": f"{BUILT}/mutator.so"}
    os.makedirs(f"{directory}/few")
    for name in ("plain-shared", "plain-pair"):
        shutil.copy(f"{SEEDS}/{name}", f"{directory}/few")
    done = subprocess.run(
        ["afl-fuzz", "-V", "10", "-G", "131072", "-t", "20000", "-i", f"{directory}/few", "-o", f"{directory}/out", "--",
         f"{BUILT}/launcher", f"{GUESTS}/fuzz"], env=os.environ | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    stats = {}
    if os.path.exists(f"{directory}/out/default/fuzzer_stats"):
        with open(f"{directory}/out/default/fuzzer_stats", encoding="utf-8") as text:
            stats = dict(map(str.strip, line.split(":", 1)) for line in text)
    point(int(stats.get("corpus_found", 0)) > 5, "afl-fuzz finds new paths", *done.stdout.splitlines()[-8:])
    stability = float(stats.get("stability", "0").rstrip("%"))
    point(stability >= 95, "and an input takes the same path again", f"stability is {stability} %")


def test_death(directory):
    """A guest dies, and another goes on; what the launcher has kept is enough to repeat it."""
    crashes = f"{directory}/crashes"
    planted, good = planted_input(directory), f"{SEEDS}/plain-plain"
    status, _ = drive(crashes, "fuzz", [planted])
    point(status == 0, "without the planted defect nothing happens")
    status, result = drive(crashes, "fuzz-nested-bytes", [good, stateful_input(directory), planted, good])
    kept = glob.glob(f"{crashes}/*")
    point(status == 1 and result["runs"] == 3 and len(kept) == 1, "a planted crash is reported", status, result, kept)
    if len(kept) != 1:
        return
    point(b"BUG: failure at fs/erofs" in read(f"{kept[0]}/log"), "with the kernel's words", read(f"{kept[0]}/log")[-600:])
    point(read(f"{kept[0]}/input") == read(planted) and len(os.listdir(f"{kept[0]}/ring")) == 3,
          "with its input and those before", os.listdir(f"{kept[0]}/ring"))
    status, result = drive(f"{directory}/again", "fuzz-nested-bytes", "-k", "-n", "4", [planted, good])
    point(status == 1 and result["runs"] == 4 and result["deaths"] == 2, "and the next guest starts", status, result)
    done = subprocess.run([f"{TOP}/fuzz/kernel/replay", kept[0]], capture_output=True, text=True, check=False)
    point(done.returncode == 0 and "crash with 1 input:" in done.stdout, "replay repeats it, with one input",
          done.stdout, done.stderr)
    done = subprocess.run([f"{TOP}/fuzz/kernel/replay", "--guest", "fuzz", kept[0]], capture_output=True, text=True, check=False)
    point(done.returncode == 1, "but not in a guest without the defect", done.stdout, done.stderr)


def wait_until(condition):
    """Whether it holds within 10 seconds"""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_killed(directory):
    """afl-fuzz ends the launcher by SIGKILL: nothing stays behind."""
    with subprocess.Popen([f"{BUILT}/drive", "-s", "60", f"{GUESTS}/fuzz", f"{SEEDS}/plain-plain"], stderr=subprocess.DEVNULL,
                          env=os.environ | {"KERNEL_FUZZ_CRASHES": directory}, stdout=subprocess.DEVNULL) as driver:
        children = f"/proc/{driver.pid}/task/{driver.pid}/children"
        wait_until(lambda: read(children))
        launcher = int(read(children).split()[0])
        own = f"/dev/shm/kernel-fuzz-uml/fuzz-{launcher}"
        there = wait_until(lambda: os.path.exists(f"{own}/pid"))
        guest = int(read(f"{own}/pid")) if there else 0
        os.kill(launcher, signal.SIGKILL)
        point(there and wait_until(lambda: not os.path.exists(own)) and wait_until(lambda: not os.path.exists(f"/proc/{guest}")),
              "a launcher that is killed leaves nothing behind", there, glob.glob(f"{own}/*"))


def test_hang(directory):
    """An input that does not end: the stack is kept."""
    status, result = drive(f"{directory}/hang", "fuzz-endless", [with_uuid(directory, {5: 0x96})],
                           environment={"KERNEL_FUZZ_HANG": "500"})
    logs = [read(log) for log in glob.glob(f"{directory}/hang/*/log")]
    point(status == 1 and len(logs) == 1 and b"hang: an input does not end" in logs[0] and b"erofs_fc_fill_super" in logs[0],
          "a hang is reported, with its stack", status, result, *logs)


def test_warning(directory):
    """The kernel warns, and goes on; the guest is ended after the input."""
    status, result = drive(f"{directory}/warning", "fuzz-endless", [with_uuid(directory, {6: 0x69})])
    titles = os.listdir(f"{directory}/warning")
    point(status == 1 and len(titles) == 1 and titles[0].startswith("WARNING-fs-erofs-") and "super.c" in titles[0],
          "a warning is reported", status, result, titles)


def test_growth(directory):
    """Memory, inodes and mounts after many runs."""
    seeds = sorted(glob.glob(f"{SEEDS}/*"))
    status, result = drive(f"{directory}/growth", "fuzz", "-n", str(RUNS), seeds)
    first, last = result["first"], result["last"]
    point(status == 0 and last["run"] > first["run"], f"a guest lives for {RUNS} inputs", status, result)
    for what in ("inodes", "mounts"):
        point(last[what] <= first[what], f"{what} do not grow", first, last)
    lost = (first["free_pages"] - last["free_pages"]) / max(last["run"] - first["run"], 1)
    point(lost < 0.002, "memory does not grow", f"{lost:.5f} pages a run", first, last)


def main():
    """All of them, each with a directory of its own."""
    needed = [f"{BUILT}/drive", f"{BUILT}/launcher", f"{BUILT}/mutator.so", f"{GUESTS}/fuzz/linux",
              f"{GUESTS}/fuzz-nested-bytes/linux", f"{GUESTS}/fuzz-endless/linux", f"{SEEDS}/plain-plain"]
    missing = [os.path.relpath(path, TOP) for path in needed if not os.path.exists(path)]
    missing += [] if shutil.which("afl-fuzz") else ["afl-fuzz (package afl++)"]
    if missing:
        print(f"Bail out! `make fuzz-kernel fuzz-kernel-planted` has not built {', '.join(missing)}")
        return 1
    for test in (test_seeds, test_campaign, test_death, test_killed, test_hang, test_warning, test_growth):
        with tempfile.TemporaryDirectory() as directory:
            test(directory)
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
