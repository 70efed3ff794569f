#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""fuzz/campaign/run-campaign with a toy target: its messages, how it ends, and that nothing is
lost."""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from erofs_ishare import afl, tap, terminal
from erofs_ishare.files import read, read_bytes, write

CAMPAIGN = f"{tap.TOP}/fuzz/campaign/run-campaign"

# An input that is trimmed keeps its place, but not its content, where that is compared.
UNTRIMMED = {"AFL_DISABLE_TRIM": "1"}

TABLE = read(f"{tap.TOP}/fuzz/campaign/toy.toml") + """
[[{name}.instances]]
name = "main"
power = "fast"
command = ["{where}/{name}"]

[[{name}.instances]]
name = "asan"
power = "explore"
command = ["{where}/{name}-asan"]
cmplog = "{where}/{name}-cmplog"

[{name}.coverage]
program = "{where}/{name}-coverage"
files = ["fuzz/campaign/toy.c"]
"""


def build(where):
    """Toys that crash and such that do not, as campaign.toml has them, and seeds."""
    for name, flags in (("crashing", ["-DCRASH"]), ("sound", [])):
        for suffix, more, env in (("", [], {}), ("-asan", ["-fsanitize=address,undefined"], {}),
                                  ("-cmplog", [], {"AFL_LLVM_CMPLOG": "1"})):
            done = tap.run(["afl-clang-fast", "-g", "-O1", "-fsanitize=fuzzer", *flags, *more,
                            "fuzz/campaign/toy.c",
                            "-o", f"{where}/{name}{suffix}"],
                           env=os.environ | {"AFL_QUIET": "1"} | env)
            assert done.returncode == 0, done.stderr
        done = tap.run(["clang", "-g", "-fsanitize=fuzzer", "-fprofile-instr-generate",
                        "-fcoverage-mapping", *flags,
                        "fuzz/campaign/toy.c", "-o", f"{where}/{name}-coverage"])
        assert done.returncode == 0, done.stderr
    for directory, seeds in (("good", ("hello", "world")), ("mixed", ("hello", "BAD!", "HANG")),
                             ("bad", ("BAD!", "BAD!!"))):
        os.mkdir(f"{where}/{directory}")
        for seed in seeds:
            write(f"{where}/{directory}/{seed}", seed)
    for table, name, seeds in (("crashing", "crashing", "mixed"), ("sound", "sound", "good"),
                               ("hopeless", "crashing", "bad")):
        write(f"{where}/{table}.toml", TABLE.format(
            what="a toy", name=name, where=where, seeds=seeds))


class Run:
    """A campaign that runs."""

    def __init__(self, where, table, *options, name=None, directory="c", prefix=(), **environment):
        self.dir = f"{where}/{directory}"
        self.command = [*prefix, CAMPAIGN, name or table, "--targets", f"{where}/{table}.toml",
                        "--dir", self.dir, *options]
        self.started = time.time()
        # To a file: a pipe that is not read would stop it.
        self.log = f"{where}/said"
        with open(self.log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, env=os.environ | environment)

    def said(self):
        """The output so far."""
        return read(self.log)

    def wait(self, timeout=180):
        """The exit status."""
        return self.process.wait(timeout)

    def until(self, pattern, timeout=40):
        """Whether it says so in time."""
        return until(lambda: re.search(pattern, self.said()), timeout)

    def runs(self, instance):
        """Whether an instance has begun, in this run."""
        stats = f"{self.dir}/sync/{instance}/fuzzer_stats"
        return until(lambda: os.path.exists(stats) and os.path.getmtime(stats) > self.started, 40)

    def queue(self, instance):
        """The files in its queue."""
        return {n for n in os.listdir(f"{self.dir}/sync/{instance}/queue") if n.startswith("id:")}

    def state(self):
        """campaign.json"""
        return json.loads(read(f"{self.dir}/campaign.json"))


def until(condition, timeout):
    """Whether it becomes true in time."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(.1)
    return True


def processes(directory):
    """Processes that have this directory in their command line: {id: command}."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = read_bytes(path).replace(b"\0", b" ").decode(errors="replace")
            if directory in command and "campaign.t" not in command:
                found[int(path.split("/")[2])] = command
    return found


def execs(run, instance):
    """The number of executions, as AFL++ reports it at the end."""
    return int(afl.stats(f"{run.dir}/sync/{instance}")["execs_done"])


def test_usage(where):
    """One line for each mistake."""
    for name, words, said in (
            ("an unknown target", ["other", "--targets", f"{where}/sound.toml"],
             "TARGET is 'other', not one of: sound"),
            ("no target", [], "target"),
            ("a time without unit", ["sound", "--time", "8"], "TIME is '8'"),
            ("a time that is none", ["sound", "--time", "h"], "TIME is 'h'"),
            ("no time at all", ["sound", "--time", "0s"], "TIME is 0"),
            ("no jobs", ["sound", "--jobs", "0"], "JOBS is '0'"),
            ("jobs that are no number", ["sound", "--jobs", "x"], "JOBS is 'x'"),
            ("a directory without a name", ["sound", "--dir", ""], "DIR is empty"),
            ("a table that is none", ["sound", "--targets", f"{where}/good/hello"], "Expected"),
            ("a host's name that AFL++ cannot have", ["sound", "--host", "a/b"],
             "host's name is 'a/b'")):
        done = tap.run([CAMPAIGN, *words])
        tap.ok(done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
               and not done.stdout,
               f"{name}: one line, exit status 2", done.returncode, done.stdout, done.stderr)


def test_directories(where):
    """A directory is empty, or a campaign of this target; its name may have a space."""
    for name, file, data, said in (
            ("one with other things", "thesis.tex", "",
             "is neither empty nor a campaign's directory"),
            ("another target's", "campaign.json", '{"target": "kernel", "sessions": []}',
             "holds a campaign of kernel, not of crashing"),
            ("one whose campaign.json is damaged", "campaign.json", "{",
             "campaign.json is damaged")):
        os.makedirs(f"{where}/{name}")
        write(f"{where}/{name}/{file}", data)
        done = tap.run([CAMPAIGN, "crashing", "--targets", f"{where}/crashing.toml", "--dir",
                        f"{where}/{name}", "--time", "2s"])
        tap.ok(done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
               and os.listdir(f"{where}/{name}") == [file],
               f"a directory: {name}: one line, and nothing is written", done.returncode,
               done.stderr, *os.listdir(f"{where}/{name}"))
    run = Run(where, "crashing", "--time", "3s", "--jobs", "1", directory="a space")
    run.wait()
    lines = re.findall(r"crash: .*; replay: (.*)", run.said())
    tap.ok(lines and all(tap.run(["sh", "-c", line]).returncode for line in lines),
           "what is stated can be typed", run.said())


def test_packages(where):
    """Missing programs are named."""
    for package, there in (("afl++", []), ("clang", ["afl-fuzz"])):
        os.makedirs(f"{where}/bin", exist_ok=True)
        for program in there:
            os.symlink(shutil.which(program), f"{where}/bin/{program}")
        done = tap.run([CAMPAIGN, "sound", "--targets", f"{where}/sound.toml"],
                       env={"PATH": f"{where}/bin"})
        tap.ok(done.returncode == 2 and f"install the package {package}," in done.stderr
               and done.stderr.count("\n") == 1,
               f"without {package}: one line names it", done.returncode, done.stderr)


def test_crashes(where):
    """Seeds that fail are set aside; what fails is stated; the campaign goes on."""
    run = Run(where, "crashing", "--time", "10m", "--jobs", "2")
    found = run.until(r"crash: \S+ \(found by (main|asan)\)",
                      120) and run.runs("main") and run.runs("asan")
    run.process.send_signal(signal.SIGINT)
    status, said = run.wait(), run.said()
    tap.ok(status == 1, "exit status 1 with crashes", status, said)
    tap.ok("seed BAD! crashes at the start: set aside as" in said,
           "a seed that crashes is named", said)
    tap.ok("seed HANG hangs at the start: set aside as" in said, "a seed that hangs is named", said)
    aside, seeds = sorted(os.listdir(f"{run.dir}/set-aside")), os.listdir(f"{run.dir}/seeds")
    tap.ok(aside == ["BAD!", "HANG"] and seeds == ["hello"], "both are set aside, the other stays",
           aside, seeds)
    stated = re.findall(r"^(?:crash|hang): (\S+) ", said, re.M)
    tap.ok(len(stated) >= 2 and all(os.path.getsize(p) for p in stated),
           "each is stated with a path", said)
    tap.ok(found, "what an instance finds is stated as well", said)
    tap.ok(sorted(stated) == sorted(glob.glob(f"{run.dir}/crashes/*")),
           "no crash is unstated, none stated twice", said)
    replay = re.search(r"^crash: .*replay: (.*)", said, re.M)
    tap.ok(replay and tap.run(replay[1].split()).returncode not in (0, 2),
           "the line that replays it does", said)
    tap.ok(all(execs(run, i) > 100 for i in ("main", "asan")), "the campaign went on", said)
    tap.is_empty(processes(where).values(), "no process is left")
    commands = {i: read_command(run, i) for i in ("main", "asan")}
    tap.ok(" -M main " in commands["main"] and " -p fast " in commands["main"],
           "main: -M, its schedule", commands)
    tap.ok(all(w in commands["asan"]
               for w in (" -S asan ", " -p explore ", f" -c {where}/crashing-cmplog ")),
           "secondary: -S, its schedule, CMPLOG", commands)
    tap.ok("crashing: stopped by SIGINT after 0:" in said
           and re.search(r"^\d+ new crash", said, re.M), "it sums up", said)


def read_command(run, instance):
    """How AFL++ was called."""
    return afl.stats(f"{run.dir}/sync/{instance}")["command_line"]


def test_hopeless(where):
    """No seed is left."""
    run = Run(where, "hopeless", "--time", "20s", "--jobs", "1", name="crashing",
              directory="hopeless")
    status, said = run.wait(), run.said()
    tap.ok(status == 2 and "main does not run" in said and "seed that does not crash" in said,
           "nothing but seeds that crash: exit status 2, and why", status, said)


def test_stop_and_resume(where):
    """Signals stop it, and it goes on."""
    known = set()
    for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM"),
                         (signal.SIGHUP, "SIGHUP")):
        run = Run(where, "sound", "--time", "1h", "--jobs", "2", directory="r", **UNTRIMMED)
        ready = (run.runs("main") and run.runs("asan")
                 and until(lambda: len(run.queue("main")) > 2, 40))
        before = execs(run, "main") if known else 0
        run.process.send_signal(number)
        status, said = run.wait(), run.said()
        tap.ok(ready and status == 0 and f"stopped by {name}" in said,
               f"{name}: exit status 0, a summary", status, said)
        tap.is_empty(processes(where).values(), f"{name}: no process is left")
        tap.ok(run.state()["sessions"][-1]["outcome"] == f"stopped by {name}",
               f"{name}: what the report reads is right")
        contents = queue_contents(f"{run.dir}/sync")
        tap.ok(known <= contents and len(contents) > 2,
               f"{name}: the corpus is there, with what was there before")
        tap.ok(execs(run, "main") > before, f"{name}: execs are counted on")
        known = contents
    tap.ok(len(run.state()["sessions"]) == 3, "three sessions are known")
    contents = queue_contents(f"{run.dir}/sync", "main")
    for words in ("empty", "gone"):
        stats = f"{run.dir}/sync/main/fuzzer_stats"
        if words == "gone":
            os.unlink(stats)
        else:
            os.truncate(stats, 0)
        status = Run(where, "sound", "--time", "3s", "--jobs", "2", directory="r",
                     **UNTRIMMED).wait()
        before, contents = contents, queue_contents(f"{run.dir}/sync", "main")
        tap.ok(status == 0 and len(before) > 2 and before <= contents,
               f"AFL++'s figures are {words}: it goes on with its queue", status, before - contents)


def queue_contents(sync, instance="*"):
    """Each content in its queue, or in all. Empty is what AFL++ could not write: it is found again,
    sooner or later."""
    contents = set()
    for path in glob.glob(f"{sync}/{instance}/queue/id:*"):
        contents.add(read_bytes(path))
    return contents - {b""}


def test_one_at_a_time(where):
    """One campaign for each directory; it ends with its driver; an instance that dies is
    reported."""
    run = Run(where, "sound", "--time", "1h", "--jobs", "2", directory="o")
    ready = run.runs("main") and run.runs("asan")
    second = tap.run(run.command)
    tap.ok(ready and second.returncode == 2 and "already running in" in second.stderr
           and second.stderr.count("\n") == 1,
           "a second campaign in the same directory: one line", second.returncode, second.stderr)
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = read_bytes(path).split(b"\0")
            if words[0] == b"afl-fuzz" and b"asan" in words and f"{run.dir}/sync".encode() in words:
                os.kill(int(path.split("/")[2]), signal.SIGKILL)
    tap.ok(run.until("asan ended at once"), "an instance that dies is reported", run.said())
    tap.ok(run.process.poll() is None, "the others go on")
    run.process.kill()
    run.wait()
    tap.ok(until(lambda: not processes(run.dir), 20),
           "a driver that is killed takes its instances along", processes(run.dir))
    # But not what AFL++ forgets.
    for pid in processes(f"{where}/sound"):
        os.kill(pid, signal.SIGKILL)


def test_unseen(where):
    """What is put aside while no driver looks is stated by the next one, once; deaths are what the
    target itself keeps: of one that was moved away there may be another."""
    table = read(f"{where}/sound.toml")
    write(f"{where}/deaths.toml",
          table.replace('what = "a toy"', 'what = "a toy"\ndeaths = "{dir}/deaths"'))
    new, old, gone, again = ((True, 1, "is stated at the next start"),
                             (True, 0, "is stated no more"),
                             (False, 0, "is forgotten when it has gone"),
                             (True, 1, "is stated when it is there again"))
    for name, path, stated, steps in (
            ("sound", "sync/main/crashes/id:000000,sig:06",
             r"^crash: .*crashes/crash-\w{16} \(found by main\)", (new, old)),
            ("deaths", "deaths/hang-of-a-toy/input",
             r"^hang: .*deaths/hang-of-a-toy \(kept by the target\)", (new, old, gone, again))):
        Run(where, name, "--time", "2s", "--jobs", "1", name="sound",
            directory=f"unseen-{name}").wait()
        path = f"{where}/unseen-{name}/{path}"
        for there, times, words in steps:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(path, "unseen")
            if not there:
                shutil.rmtree(os.path.dirname(path))
            run = Run(where, name, "--time", "2s", "--jobs", "1", name="sound",
                      directory=f"unseen-{name}")
            tap.ok(run.wait() == times and len(re.findall(stated, run.said(), re.M)) == times,
                   f"{name}: what nobody saw {words}", run.said())


def test_full_disk(where):
    """On a full disk, it stops with a message, and resumes when there is space."""
    disk = f"{where}/disk"
    os.mkdir(disk)
    # A private file system, which is unmounted when the shell ends.
    script = f"""mount -t tmpfs -o size=24m tmpfs {disk} || exit 99
        {CAMPAIGN} sound --targets {where}/sound.toml --dir {disk}/c --time 90s --jobs 2 & pid=$!
        for name in main asan; do
            while [ ! -e {disk}/c/sync/$name/fuzzer_stats ]; do sleep .1; done
        done
        sleep 2
        cat /dev/zero >{disk}/full 2>/dev/null
        wait $pid; echo "status $?"
        cp -r {disk}/c/sync {where}/before
        rm {disk}/full
        {CAMPAIGN} sound --targets {where}/sound.toml --dir {disk}/c --time 5s --jobs 2
        echo "status $?"
        cp -r {disk}/c/sync {where}/after
        cp {disk}/c/campaign.json {where}/full.json"""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user",
                                                            "--map-root-user", "--mount"]
    done = tap.run([*own, "sh", "-c", script], env=os.environ | UNTRIMMED, timeout=240)
    if done.returncode == 99 or "unshare: " in done.stderr:
        tap.skip("a full disk", "no file system can be mounted here")
        return
    said = done.stdout
    tap.ok("sound: the disk is full after" in said and "status 2" in said,
           "a full disk: it stops, exit status 2", said, done.stderr)
    tap.ok("the same command goes on from there" in done.stderr, "it says that nothing is lost",
           done.stderr)
    before, after = queue_contents(f"{where}/before"), queue_contents(f"{where}/after")
    tap.ok("status 0" in said, "with room again it goes on", said, done.stderr)
    tap.ok(len(before) > 2 and before <= after, "the corpus is there, with what was there before",
           before, after - before, before - after)
    sessions = json.loads(read(f"{where}/full.json"))["sessions"]
    tap.ok(len(sessions) == 2, "both sessions are known", sessions)


def test_terminal(where):
    """A table that is redrawn."""
    status, said = terminal.run([CAMPAIGN, "sound", "--targets", f"{where}/sound.toml",
                                 "--dir", f"{where}/t", "--time", "6s", "--jobs", "1"],
                                streams=("stdin", "stdout", "stderr"))
    text = said.decode()
    tap.ok(status == 0 and text.count("instance") > 3 and "\x1b[3A" in text,
           "on a terminal the table is redrawn", repr(text))
    widest = max(len(re.sub(r"\x1b\[\w+", "", line)) for line in text.splitlines()
                 if "execs" in line or "main" in line)
    tap.ok(widest < 80, "it fits 80 columns", widest)
    tap.ok(re.search(r"0:00:0\d of 0:00:06, 0:00:0\d left", text), "the time that is left is shown",
           repr(text))
    tap.ok("sound: time is over after 0:0" in text, "and when it is over", repr(text))


def test_two_machines(where):
    """Two campaigns exchange their finds, with the commands of fuzz/README.md."""
    runs = {host: Run(where, "sound", "--time", "1h", "--jobs", "2", "--host", host, directory=host)
            for host in "ab"}
    ready = all(run.runs(f"{host}_main") and run.runs(f"{host}_asan") for host, run in runs.items())
    time.sleep(2)
    for source, target in (("a", "b"), ("b", "a")):
        done = tap.run(["rsync", "-a", "--mkpath", f"{runs[source].dir}/sync/{source}_main/queue",
                        f"{runs[target].dir}/sync/{source}_main/"])
        ready = ready and done.returncode == 0
    for run in runs.values():
        run.process.send_signal(signal.SIGINT)
        run.wait()
    tap.ok(ready, "two campaigns run, and are copied", runs["b"].said())
    # AFL++ imports first when it goes on.
    runs = {host: Run(where, "sound", "--time", "8s", "--jobs", "2", "--host", host, directory=host)
            for host in "ab"}
    for run in runs.values():
        run.wait()
    for host, other in ("ab", "ba"):
        said = f"{runs[host].dir}/sync/{host}_main/.synced/{other}_main"
        tap.ok(os.path.exists(said), f"{host}'s main instance has read what {other}'s found",
               os.listdir(os.path.dirname(said)))


def main():
    # Under nohup a campaign ignores it, as it should.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="campaign-") as where:
        build(where)
        test_usage(where)
        test_directories(where)
        test_packages(where)
        test_crashes(where)
        test_hopeless(where)
        test_stop_and_resume(where)
        test_one_at_a_time(where)
        test_unseen(where)
        test_full_disk(where)
        test_terminal(where)
        test_two_machines(where)
    tap.done()


if __name__ == "__main__":
    main()
