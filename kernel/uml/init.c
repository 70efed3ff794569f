// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first program in a guest: executes the program under test. The program's name and environment
 * come from a file, not from the kernel's command line, which is short, needs quoting, and appears
 * in the kernel's log. The program's output goes to a separate console, on which the kernel prints
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#define CONSOLE "/dev/tty1"
#define MAX_STRINGS 1024

/* In the kernel's log, where run-guest looks for it. */
static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	char message[512] = "run-guest: ";
	size_t length = strlen(message);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message + length, sizeof(message) - length, format, arguments);
	va_end(arguments);
	if (fd < 0 || write(fd, message, strlen(message)) < 0)
		perror("/dev/kmsg");
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* Bytes arrive as the program wrote them. */
static void open_console(void)
{
	struct termios settings;
	int fd = open(CONSOLE, O_RDWR | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &settings) < 0)
		fail("cannot open " CONSOLE ": %s", strerror(errno));
	cfmakeraw(&settings);
	if (tcsetattr(fd, TCSANOW, &settings) < 0)
		fail("cannot set up " CONSOLE ": %s", strerror(errno));
	for (int to = 0; to <= 2; to++)
		if (dup2(fd, to) < 0)
			fail("cannot use " CONSOLE ": %s", strerror(errno));
	if (fd > 2)
		close(fd);
}

/* The whole file, which ends with a NUL. */
static char *contents(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	char *data = end > 0 ? malloc(end) : NULL;

	if (!data || pread(fd, data, end, 0) != end || data[end - 1] != '\0')
		fail("cannot read %s", path);
	close(fd);
	*size = end;
	return data;
}

int main(int argc, char *argv[])
{
	char *strings[MAX_STRINGS + 1];
	size_t count = 0, size;
	char *data;

	/* Outside of a guest this would be the end of the host. */
	if (getpid() != 1)
		return 1;
	if (argc < 2)
		fail("init was not told what to run");
	data = contents(argv[1], &size);
	for (char *at = data; at < data + size && count < MAX_STRINGS; at += strlen(at) + 1)
		strings[count++] = at;
	strings[count] = NULL;

	open_console();
	execve(strings[0], (char *[]){ strings[0], NULL }, strings + 1);
	fail("cannot run %s: %s", strings[0], strerror(errno));
}
