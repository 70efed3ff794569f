// SPDX-License-Identifier: GPL-2.0-or-later
/* PID 1 of a guest that ends, or does not, in the way that WAY asks for. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY_LINES 20000

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/* The first bytes of a file, for who wants to know which one it is. */
static void show(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		perror(path);
	else
		printf("%s: %s\n", path, text);
}

static void show_command_line(void)
{
	char text[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		printf("cmdline: %s\n", text);
}

int main(void)
{
	const char *way = getenv("WAY");
	const char *disk = getenv("DISK");
	const char *word = getenv("WORD");

	/* Outside of a guest this would be the end of the host. */
	if (getpid() != 1)
		return 1;
	mount("proc", "/proc", "proc", 0, NULL);
	printf("pid %d\n", (int)getpid());
	if (word)
		printf("word: %s\n", word);
	if (disk)
		show(disk);
	fflush(stdout);
	if (!way || strcmp(way, "end") == 0)
		show_command_line();
	else if (strcmp(way, "many") == 0)
		for (int line = 0; line < MANY_LINES; line++)
			printf("line %d\n", line);
	else if (strcmp(way, "panic") == 0)
		write_to("/proc/sysrq-trigger", "c");
	else if (strcmp(way, "complain") == 0)
		write_to("/dev/kmsg", "<4>WARNING: not a real one\n");
	else if (strcmp(way, "talk") == 0)
		write_to("/dev/kmsg", "<4>said: WARNING: only quoted\n");
	else if (strcmp(way, "exit") == 0)
		return 3;
	else if (strcmp(way, "hang") == 0)
		pause();
	else if (strcmp(way, "spin") == 0)
		for (;;)
			;
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
