#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real guests that die of an image: the image is blamed, the end of the log is kept, and the next
one is tried.

The guests run a program that dies on purpose, instead of run-vectors; no image is mounted.
"""

import os
import subprocess
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import write
import cases
import guest
import matrix

PATIENCE = 6

# What dies, by the name of the image. An end of PID 1 is a panic of the kernel.
PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

int main(void)
{
	unsigned long from = strtoul(getenv("FROM"), NULL, 10);
	unsigned long to = strtoul(getenv("TO"), NULL, 10);
	FILE *list = fopen(getenv("LIST"), "r");
	char line[4096];

	if (getpid() != 1 || !list)
		return 2;
	printf("{\"kernel\":\"planted\"}\n");
	for (unsigned long n = 0; n < to && fgets(line, sizeof(line), list); n++) {
		char *name = strrchr(line, '/') + 1;

		name[strcspn(name, "\n")] = '\0';
		fflush(stdout);
		tcdrain(1);
		if (n < from)
			continue;
		if (!strcmp(name, "exits"))
			return 3;
		if (!strcmp(name, "crashes"))
			*(volatile int *)8 = 1;
		if (!strcmp(name, "killed"))
			printf("kill this guest\n");
		fflush(stdout);
		while (!strcmp(name, "killed") || !strcmp(name, "sleeps"))
			sleep(1000);
		while (!strcmp(name, "spins"))
			;
		printf("{\"n\":%lu,\"mount\":\"\"}\n", n);
	}
	printf("{\"done\":true,\"seconds_alone\":1}\n");
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
}
"""

# Stands between: kills the guest, not run-guest, when the program in it asks for that.
KILLER = """\
#!/usr/bin/python3
import os, signal, subprocess, sys
guest = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
signal.signal(signal.SIGTERM, lambda *_: guest.terminate())
for line in guest.stdout:
    if line.startswith(b"kill this guest"):
        with open(f"/proc/{guest.pid}/task/{guest.pid}/children") as children:
            for pid in children.read().split():
                os.kill(int(pid), signal.SIGKILL)
    else:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
sys.exit(guest.wait())
"""

# name, what is seen of it, and what its log says
PLANTED = (("a", None, ""), ("exits", "panic", "Attempted to kill init"), ("b", None, ""),
           ("crashes", "panic", "exitcode=0x0000000b"), ("c", None, ""),
           ("killed", "killed", "was killed"),
           ("d", None, ""), ("sleeps", "hang", "the guest hung"),
           ("e", None, ""), ("spins", "hang", "the guest hung"), ("f", None, ""))


def observe(directory):
    """The observations."""
    write(f"{directory}/planted.c", PROGRAM)
    subprocess.run(["gcc", "-static", "-o", f"{directory}/planted", f"{directory}/planted.c"],
                   check=True)
    write(f"{directory}/killer", KILLER)
    os.chmod(f"{directory}/killer", 0o755)
    some = [cases.Case(name, name, [], mounted=f"x/{name}") for name, _, _ in PLANTED]
    guests = guest.Guests([f"{directory}/killer", *matrix.GUEST], f"{directory}/planted", PATIENCE)
    return guests.observe(some)


def main():
    if not os.path.isfile(f"{tap.TOP}/{matrix.GUEST_FACTS}"):
        tap.skip("guests that die", "there is no guest plain: make kernel")
        tap.done()
        return
    guest.ANSWER = 5
    os.makedirs(f"{tap.TOP}/build/matrix", exist_ok=True)
    with tempfile.TemporaryDirectory(dir=f"{tap.TOP}/build/matrix") as directory:
        seen = observe(directory)
    tap.ok(len(seen) == len(PLANTED), "there is a result for each image", seen)
    for (name, fault, words), result in zip(PLANTED, seen):
        tap.ok(result.get("fault") == fault, f"{name}: {fault or 'survives'}", result)
        if fault:
            tap.ok(result["alone"] == fault, f"{name}: alone, too", result)
            tap.ok(words in result["tail"], f"{name}: the end of the log says: {words}", result)
    tap.done()


if __name__ == "__main__":
    main()
