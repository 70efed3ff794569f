# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that judge or show an image: erofs-ishare, fsck.erofs, dump.erofs."""

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from cases import TOP

BATCH = 400
TIME = 10
TOLD = 600
FEATURE_ISHARE_XATTRS = 0x20
FEATURE_COMPAT_AT = 1032


def parallel(function, things):
    """A list of function(thing), worked out by all processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, things))


def run(command, errors=subprocess.STDOUT):
    """(how it ended, what it said): `0`, `1`, a signal's name, or `hang`."""
    try:
        done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              check=False, stderr=errors, timeout=TIME)
    except subprocess.TimeoutExpired:
        return "hang", ""
    said = done.stdout.decode(errors="replace")
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name, said
    return str(done.returncode), said


def version(program):
    """The first line that says a number."""
    lines = [line for line in run([program, "--version"])[1].splitlines()
             if any(c.isdigit() for c in line)]
    return lines[0].strip() if lines else "unknown"


# ---- erofs-ishare ----

class Core:
    """erofs-ishare: what is reported of an image, and which files have fingerprints."""

    def __init__(self, program):
        self.program = program

    def check(self, images):
        """[(file, devices)] -> [report], each a list of events."""
        batches, batch = [], []
        for number, (file, devices) in enumerate(images):
            if devices:
                batches.append(([number], devices))
                continue
            batch.append((number, file))
            if len(batch) == BATCH:
                batches.append(([n for n, _ in batch], []))
                batch = []
        if batch:
            batches.append(([n for n, _ in batch], []))
        reports = [None] * len(images)
        for numbers, events in parallel(
                lambda b: (b[0], self.batch([images[n][0] for n in b[0]], b[1])), batches):
            for number in numbers:
                reports[number] = events[images[number][0]]
        return reports

    def batch(self, files, devices):
        """{file: events}."""
        command = [self.program, "check", "--format=json", "--digests",
                   *(f"--device={d}" for d in devices)]
        status, said = run([*command, *files], subprocess.DEVNULL)
        if status not in ("0", "1", "2"):
            raise RuntimeError(f"{' '.join(command[:2])} ends with {status}: {said[-500:]}")
        events = {file: [] for file in files}
        for event in json.loads(said)["events"]:
            # Each image is looked at by itself, and within it, contents of opaque fingerprints were
            # compared.
            if not event.get("reason", "").startswith("the fingerprint is opaque:"):
                events[event["image"]].append(event)
        return events

    def dump(self, image):
        """(file, devices) -> the decoded structures, or None."""
        file, devices = image
        status, said = run([self.program, "dump", "--format=json",
                            *(f"--device={d}" for d in devices), file],
                           subprocess.DEVNULL)
        try:
            return json.loads(said) if status in ("0", "2") else None
        except ValueError:
            return None


# ---- erofs-utils ----

def announces_fingerprints(file):
    """Whether fsck.erofs is to look at digests."""
    with open(f"{TOP}/{file}", "rb") as image:
        image.seek(FEATURE_COMPAT_AT)
        return bool(int.from_bytes(image.read(4), "little") & FEATURE_ISHARE_XATTRS)


def outcome(status, said):
    """The meaning of a tool's exit status, with the end of its output."""
    word = ({"0": "passes", "hang": "hang"}.get(status)
            or ("refuses" if status.isdigit() else "crash"))
    if status == "0" and "<E>" in said:
        word = "complains, ends with 0"
    return {"value": word, "status": status, "said": " ".join(said.split())[-TOLD:]}


class Utils:
    """fsck.erofs and dump.erofs."""

    def __init__(self, directory):
        self.fsck_program, self.dump_program = f"{directory}/fsck.erofs", f"{directory}/dump.erofs"

    def fsck(self, case):
        """Digests are verified if the image says that it has some."""
        options = ["--xattr-inode-digest"] if announces_fingerprints(case.file) else []
        devices = [f"--device={d}" for d in case.devices]
        return outcome(*run([self.fsck_program, "-d1", *options, *devices, case.file]))

    def dump(self, case):
        """The superblock, and the root directory."""
        devices = [f"--device={d}" for d in case.devices]
        return outcome(*run([self.dump_program, "-s", "--path=/", "--ls", *devices, case.file]))
