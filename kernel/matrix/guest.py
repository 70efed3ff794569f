# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs images through a kernel in guests, several at a time; if an image stops its guest, continues
with the next image in a new guest."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from cases import BASES, IMAGES, PADDED, SWEEP, TOP, VECTORS

LEAST = 100     # images that are worth the start of a guest
TAIL = 40       # lines of the kernel's log
LONG = 3600     # seconds
START = 60      # seconds that a guest may take to start on a busy machine
ANSWER = 20     # seconds that one which hangs is given to say where
HUNG = 3        # exit status of run-guest, of a guest that was killed as well
KILLED = "the guest was killed"  # then it says so


# Where images are, which the guest sees
PLACES = [f"{TOP}/{place}" for place in (BASES, IMAGES, PADDED, SWEEP, VECTORS)]


class Trouble(Exception):
    """The guest could not do its work, through no fault of an image."""


class Guests:
    """Starts guests for one list of images."""

    def __init__(self, command, runner, patience, log=False):
        self.command, self.runner, self.patience, self.log = command, runner, patience, log
        self.kernel = None
        self.seconds_alone, self.timed = 0.0, 0  # as the guests measured, those that came to an end
        self.lock, self.started, self.ended = threading.Lock(), [], False

    def observe(self, cases):
        """The observation of each case, in order."""
        with tempfile.TemporaryDirectory(dir=f"{TOP}/build/matrix") as scratch:
            list_name = f"{scratch}/list"
            with open(list_name, "w", encoding="utf-8") as out:
                for case in cases:
                    names = [case.mounted, *case.mounted_devices]
                    out.write("\t".join(f"{TOP}/{n}" for n in names) + "\n")
            return self.all(list_name, len(cases), scratch)

    def all(self, list_name, count, scratch):
        """One observation for each line of the list. There are more parts than guests at a time, so
        that the others go on where one hangs."""
        at_a_time = os.cpu_count()
        size = max(LEAST, count // (4 * at_a_time))
        with ThreadPoolExecutor(at_a_time) as pool:
            parts = [pool.submit(self.part, list_name, start, min(start + size, count), scratch)
                     for start in range(0, count, size)]
            try:
                return [seen for part in parts for seen in part.result()]
            except BaseException:
                self.end()
                raise

    def part(self, list_name, start, end, scratch):
        """One observation for each of these lines."""
        seen = []
        while start + len(seen) < end:
            run = Run(self, list_name, start + len(seen), end, scratch)
            seen += run.seen
            if start + len(seen) < end:
                seen.append(self.at_fault(run, list_name, start + len(seen), scratch))
        return seen

    def start(self, command):
        """The process of a new guest, unless all are to end."""
        with self.lock:
            if self.ended:
                raise Trouble("interrupted")
            process = subprocess.Popen(command, cwd=TOP, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.started.append(process)
        return process

    def end(self):
        """Ends all guests; no other is started."""
        with self.lock:
            self.ended = True
            for process in self.started:
                process.terminate()

    def measured(self, seconds, images):
        """Adds what a guest measured that came to an end."""
        with self.lock:
            self.seconds_alone += seconds
            self.timed += images

    def at_fault(self, run, list_name, number, scratch):
        """What is said of the image at which a guest ended: whether it does so alone, too."""
        again = Run(self, list_name, number, number + 1, scratch, self.patience)
        return {"n": number, "fault": run.fault, "alone": again.fault or "survives",
                "at": again.step if again.fault else "mount", "tail": again.tail or run.tail}


class Run:
    """One guest: reads its output until it ends or is silent for too long. One that is given
    a time of its own is asked at the end of it where it hangs."""

    def __init__(self, guests, list_name, start, end, scratch, seconds=None):
        self.guests, self.start, self.end = guests, start, end
        self.patience = guests.patience + ANSWER if seconds else guests.patience
        self.seen, self.other, self.fault, self.tail = [], [], None, ""
        self.greeted = self.done = False
        self.step = "mount"
        log = f"{scratch}/console-{start}"
        command = [*guests.command, "--timeout", str(seconds or LONG), "--log", log,
                   f"--file={list_name}",
                   *(f"--file={place}" for place in PLACES if os.path.isdir(place)), guests.runner,
                   f"LIST={list_name}", f"FROM={start}", f"TO={end}",
                   *(["LOG=1"] if guests.log else []),
                   *(["CONSOLE=1"] if seconds else [])]
        with guests.start(command) as process:
            try:
                in_time = self.read(process)
            except BaseException:
                end_process(process)
                raise
            if not in_time:
                end_process(process)
            said = process.stderr.read().decode(errors="replace")
        self.conclude(process.returncode, in_time, said)

    def read(self, process):
        """Takes in lines; False if the guest said nothing for too long."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not self.done:
                if not selector.select(self.patience if self.greeted else START):
                    return False
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.line(line.rstrip(b"\r").decode(errors="replace"))
        if rest:
            self.other.append(rest.decode(errors="replace"))
        return True

    def line(self, text):
        """A line: an observation, or the kernel's output while it dies."""
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            self.other.append(text)
        elif said.get("n") == self.start + len(self.seen):
            self.seen.append(said)
        elif "step" in said:
            self.step = said["step"]
        elif "kernel" in said:
            self.greeted = True
            self.guests.kernel = said["kernel"]
        elif "done" in said:
            self.done = True
            self.guests.measured(said["seconds_alone"], len(self.seen))
        elif "failed" in said:
            raise Trouble(f"in the guest: {said['failed']}")

    def conclude(self, status, in_time, said):
        """How it ended."""
        if self.done and self.start + len(self.seen) == self.end:
            return
        if not self.greeted:
            raise Trouble(f"the guest did not start (status {status}): {said.strip()[-1000:]}")
        if in_time and (status < 0 or KILLED in said):
            self.fault = "killed"
        else:
            self.fault = "hang" if status == HUNG or not in_time else "panic"
        self.tail = "\n".join([*self.other, *said.splitlines()][-TAIL:])


def end_process(process):
    """Sends a polite signal first, so that the process that started a guest can end it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
