// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Draws sets of images, has the program judge them, and keeps those that conform, for the guest.
 *
 *	judge --seed=N --from=N --to=N --directory=DIR --tool=PROGRAM [--alone] [--keep]
 *
 * One line a set on stdout: number, exit status of the program, features (a number in hexadecimal),
 * trap, whether it was laid, and the rules that were broken. With --alone each image is judged by
 * itself, as versions of the program before `check --domain` took devices have to; all images
 * without devices are then judged together as well. --keep keeps all.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "set.h"

#define ARGUMENTS 64u
#define PATH 512u

extern char **environ;

static struct {
	uint64_t seed, from, to;
	const char *directory, *tool;
	bool alone, keep;
	int output; /* what the program prints */
} given;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "judge: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- Files ---- */

static const char *path_of(const struct set *set, const char *format, ...)
{
	static char paths[ARGUMENTS][PATH];
	static unsigned int next;
	char *path = paths[next++ % ARGUMENTS];
	int used = snprintf(path, PATH, "%s/%ju/", given.directory, (uintmax_t)set->number);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path + used, PATH - (size_t)used, format, arguments);
	va_end(arguments);
	return path;
}

static const char *image_path(const struct set *set, unsigned int image)
{
	if (set->images[image].twin >= 0)
		image = (unsigned int)set->images[image].twin;
	return path_of(set, "%u.erofs", image);
}

static const char *device_path(const struct set *set, unsigned int image, unsigned int device)
{
	if (set->images[image].twin >= 0)
		image = (unsigned int)set->images[image].twin;
	if (device == 1 && set->images[image].common_device >= 0)
		image = (unsigned int)set->images[image].common_device;
	return path_of(set, "%u.%u", image, device);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd))
		die(path);
}

static void write_images(const struct set *set)
{
	for (unsigned int i = 0; i < set->image_count; i++) {
		const struct image *image = &set->images[i];

		if (image->twin >= 0)
			continue;
		write_file(image_path(set, i), image->devices[0].bytes, image->size);
		for (unsigned int d = 1; d <= image->device_count; d++)
			if (d > 1 || image->common_device < 0)
				write_file(device_path(set, i, d), image->devices[d].bytes,
					   (size_t)image->devices[d].room << image->bits);
	}
}

static void write_contents(const struct set *set)
{
	FILE *file = fopen(path_of(set, "contents"), "w");

	if (!file)
		die("contents");
	for (unsigned int i = 0; i < set->content_count; i++)
		fwrite(set->contents[i].bytes, 1, set->contents[i].size, file);
	if (ferror(file) || fclose(file))
		die("contents");
}

/* ---- The list for the guest ---- */

static void list_name(FILE *list, unsigned int image, int content, const char *name)
{
	fprintf(list, "file %u %d ", image, content);
	while (*name)
		fprintf(list, "%02x", (unsigned char)*name++);
	fprintf(list, "\n");
}

/* Those of an image that the mutator changed are looked up in what the program says of it. */
static void list_files(const struct set *set, FILE *list, unsigned int number)
{
	const struct image *image = &set->images[number];

	if (image->mutated) {
		fprintf(list, "mutated %u\n", number);
		return;
	}
	for (unsigned int i = 0; i < image->file_count; i++) {
		const struct file *file = &image->files[i];
		char name[] = { (char)('a' + i), (char)('a' + i), 0 };
		int content = (int)(file->opaque ? file->content : file->claimed);

		list_name(list, number, file->fingerprint ? content : -1, name + 1);
		if (file->link)
			list_name(list, number, file->fingerprint ? content : -1, name);
	}
}

static void list_image(const struct set *set, FILE *list, unsigned int number)
{
	static const char *const modes[] = { "given", "flat", "not-given" };
	const struct image *image = &set->images[number];

	fprintf(list, "image %u %s %u %s %s", number, modes[image->mode], 1u << image->bits,
		image->on_block ? "block" : "file", image_path(set, number));
	for (unsigned int d = 1; image->mount_devices && d <= image->device_count; d++)
		fprintf(list, " %s", device_path(set, number, d));
	fprintf(list, "\n");
	list_files(set, list, number);
}

static void write_list(struct set *set)
{
	FILE *list = fopen(path_of(set, "list"), "w");
	unsigned long at = 0;

	if (!list)
		die("list");
	fprintf(list, "set %ju %ju %s\n", (uintmax_t)set->number, (uintmax_t)any(&set->random),
		trap_words[set->trap]);
	fprintf(list, "contents %s\n", path_of(set, "contents"));
	for (unsigned int i = 0; i < set->content_count; i++) {
		fprintf(list, "content %u %lu %u\n", i, at, set->contents[i].size);
		at += set->contents[i].size;
	}
	for (unsigned int i = 0; i < set->image_count; i++)
		list_image(set, list, i);
	fprintf(list, "end\n");
	if (ferror(list) || fclose(list))
		die("list");
}

/* ---- The program ---- */

static int run(const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, given.output, 1);
	posix_spawn_file_actions_adddup2(&actions, given.output, 2);
	errno = posix_spawn(&pid, given.tool, &actions, NULL, (char *const *)arguments, environ);
	if (errno || waitpid(pid, &status, 0) != pid)
		die(given.tool);
	posix_spawn_file_actions_destroy(&actions);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + WTERMSIG(status);
}

static unsigned int add_image(const struct set *set, unsigned int image, const char **arguments,
			      unsigned int count)
{
	arguments[count++] = image_path(set, image);
	for (unsigned int d = 1;
	     set->images[image].mode == GIVEN && d <= set->images[image].device_count; d++) {
		char *option = (char *)path_of(set, "");

		snprintf(option, PATH, "--device=%s", device_path(set, image, d));
		arguments[count++] = option;
	}
	return count;
}

static unsigned int begin(const char **arguments)
{
	arguments[0] = given.tool;
	arguments[1] = "check";
	arguments[2] = "--digests";
	arguments[3] = "--domain";
	return 4;
}

static int judge_together(const struct set *set)
{
	const char *arguments[ARGUMENTS] = { NULL };
	unsigned int count = begin(arguments);

	if (set->flat)
		arguments[count++] = "--flat";
	for (unsigned int i = 0; i < set->image_count; i++)
		count = add_image(set, i, arguments, count);
	return run(arguments);
}

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int judge_alone(const struct set *set)
{
	const char *together[ARGUMENTS] = { NULL };
	unsigned int all = begin(together), none = all;
	int worst = 0;

	for (unsigned int i = 0; i < set->image_count; i++) {
		const char *arguments[ARGUMENTS] = { NULL };

		if (!set->images[i].device_count) {
			all = add_image(set, i, together, all);
			continue;
		}
		add_image(set, i, arguments, begin(arguments));
		worst = worse(worst, run(arguments));
	}
	return all > none ? worse(worst, run(together)) : worst;
}

/* The rules that the program named, each once. */
static void print_rules(void)
{
	static char text[1 << 16];
	ssize_t size = pread(given.output, text, sizeof(text) - 1, 0);
	char seen[4096] = "", rule[64], *at = text;

	text[size > 0 ? size : 0] = '\0';
	while ((at = strstr(at, " error: "))) {
		at += strlen(" error: ");
		if (sscanf(at, "%63[a-z0-9.-]:", rule) != 1 || !strchr(rule, '.') ||
		    strstr(seen, rule) || strlen(seen) + sizeof(rule) > sizeof(seen))
			continue;
		strcat(strcat(seen, *seen ? "," : ""), rule);
	}
	printf(" %s", *seen ? seen : "-");
}

/* ---- Sets ---- */

static void remove_set(const struct set *set)
{
	for (unsigned int i = 0; i < set->image_count; i++) {
		unlink(image_path(set, i));
		for (unsigned int d = 1; d <= set->images[i].device_count; d++)
			unlink(device_path(set, i, d));
	}
	rmdir(path_of(set, ""));
}

static bool was_drawn(const struct set *set)
{
	for (unsigned int i = 0; i < set->image_count; i++)
		if (set->images[i].trap == TRAP_COUNT)
			return false;
	return true;
}

static bool was_trapped(const struct set *set)
{
	for (unsigned int i = 0; i < set->image_count; i++)
		if (set->images[i].trapped)
			return true;
	return false;
}

static void judge_set(struct set *set, uint64_t number)
{
	int status;

	draw_set(set, given.seed, number);
	if (!was_drawn(set)) {
		printf("%ju none\n", (uintmax_t)number);
		return;
	}
	if (mkdir(path_of(set, ""), 0755) && errno != EEXIST)
		die(path_of(set, ""));
	write_images(set);
	if (ftruncate(given.output, 0) || lseek(given.output, 0, SEEK_SET))
		die("output");
	status = given.alone ? judge_alone(set) : judge_together(set);
	printf("%ju %d %jx %u %d", (uintmax_t)number, status, (uintmax_t)set->features, set->trap,
	       was_trapped(set));
	print_rules();
	printf("\n");
	if (!status || given.keep) {
		write_contents(set);
		write_list(set);
	} else {
		remove_set(set);
	}
}

static void print_words(void)
{
	for (unsigned int i = 0; i < FEATURE_COUNT; i++)
		printf("feature %s\n", feature_words[i]);
	for (unsigned int i = 0; i < TRAP_COUNT; i++)
		printf("trap %s\n", trap_words[i]);
	exit(0);
}

static void take_options(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "directory", required_argument, NULL, 'd' },
		{ "tool", required_argument, NULL, 'p' },
		{ "alone", no_argument, NULL, 'a' },

		{ "keep", no_argument, NULL, 'k' },
		{ "words", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 's')
			given.seed = strtoull(optarg, NULL, 0);
		else if (option == 'f')
			given.from = strtoull(optarg, NULL, 0);
		else if (option == 't')
			given.to = strtoull(optarg, NULL, 0);
		else if (option == 'd')
			given.directory = optarg;
		else if (option == 'p')
			given.tool = optarg;
		else if (option == 'a')
			given.alone = true;
		else if (option == 'k')
			given.keep = true;
		else if (option == 'w')
			print_words();
		else
			exit(2);
	}
	if (!given.directory || !given.tool) {
		fprintf(stderr, "judge: --directory and --tool are needed\n");
		exit(2);
	}
}

int main(int argc, char *argv[])
{
	static struct set set;
	char output[PATH];

	take_options(argc, argv);
	snprintf(output, sizeof(output), "%s/output-XXXXXX", given.directory);
	given.output = mkostemp(output, O_CLOEXEC);
	if (given.output < 0)
		die(output);
	unlink(output);
	for (uint64_t number = given.from; number < given.to; number++)
		judge_set(&set, number);
	if (fflush(stdout))
		die("stdout");
	return 0;
}
