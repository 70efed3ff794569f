// SPDX-License-Identifier: GPL-2.0-or-later
/* The mount options as a state machine: every combination at mount, every remount from each state. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "all_topics.h"
#include "klog.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define ODD "a,b=\"c\n\\\377\t'"

static const char *const images[] = { "inline", "featureless", "prefixes" };
static const char *const domains[] = { NULL, "", "d", "e", ODD };
static const char *const flags[] = {
	"",
	"inode_share",
	"dax",
	"inode_share,dax",
	"inode_share,dax=always",
	"inode_share,dax=never",
	"inode_share,nouser_xattr",
	"inode_share,directio",
	"directio",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool dax_is_known;

static const char *shown(const char *domain)
{
	return !domain		      ? "unset"
	       : !*domain	      ? "empty"
	       : !strcmp(domain, ODD) ? "of odd bytes"
				      : domain;
}

static bool has(const char *options, const char *option)
{
	return strstr(options, option) != NULL;
}

static bool wants_dax(const char *options)
{
	return has(options, "dax") && !has(options, "dax=never");
}

/* What share.option-needs-domain and share.dax say of a mount. */
static int wanted_error(const char *domain, const char *options)
{
	if (domain && !*domain)
		return -EINVAL;
	if (has(options, "dax") && !dax_is_known)
		return -EINVAL;
	if (has(options, "inode_share") && (!domain || wants_dax(options)))
		return -EINVAL;
	return 0;
}

static const struct file *some_file(const char *image)
{
	return strcmp(image, "prefixes") ? tree_file("5000") : forged_file("forged-1", "byte");
}

/* Mounted at a; with whom does it share? The partners at p and q are in the domains d and odd. */
static void check_sharing(const char *image, const char *domain, bool on, const char *state)
{
	const struct file *file = some_file(image);
	const char *partner = strcmp(image, "prefixes") ? "other" : "forged-2";
	int shared;

	share(partner, WORK "/p", domain && *domain ? domain : "d");
	shared = shares(WORK "/a", WORK "/p", file);
	ok(shared == on, "%s: %s", state, on ? "shares" : "does not share");
	ok_content(WORK "/a", file, state);
	ok_content(WORK "/p", file, state);
	unmount(WORK "/p");
	drop_caches();
}

static void try_mount(const char *image, const char *domain, const char *options)
{
	int wanted = wanted_error(domain, options), error;
	bool on = has(options, "inode_share") && !strcmp(image, "inline");
	char state[256];

	snprintf(state, sizeof(state), "%s, domain_id %s, options \"%s\"", image,
		 domain && *domain == 'a' ? "of odd bytes" : shown(domain), options);
	error = erofs_mount(image_path(image), WORK "/a", domain, options);
	ok_errno(error, wanted, "mount %s", state);
	if (error)
		return;
	ok(mount_shows(WORK "/a", "inode_share") == on, "%s: /proc/mounts %s", state,
	   on ? "shows inode_share" : "does not show inode_share");
	check_sharing(image, domain, on, state);
	unmount(WORK "/a");
}

static void look_for_dax(void)
{
	int error = erofs_mount(image_path("inline"), WORK "/a", NULL, "dax=never");

	dax_is_known = !error;
	if (!error)
		unmount(WORK "/a");
	else
		diag("this kernel has no DAX: it refuses every dax option");
}

static void try_all_mounts(void)
{
	for (unsigned int i = 0; i < COUNT(images); i++)
		for (unsigned int d = 0; d < COUNT(domains); d++)
			for (unsigned int f = 0; f < COUNT(flags); f++)
				try_mount(images[i], domains[d], flags[f]);
}

/* Two options of one kind in one request. */
static void try_repeated(void)
{
	int error = erofs_mount(image_path("inline"), WORK "/a", NULL,
				"inode_share,domain_id=e,domain_id=d,inode_share");

	ok_errno(error, 0, "two domains in one request");
	if (error)
		return;
	check_sharing("inline", "d", true, "of two domains in one request the last");
	unmount(WORK "/a");
}

static void try_long_domain(void)
{
	char domain[600];
	int error;

	memset(domain, 'x', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	error = erofs_mount(image_path("inline"), WORK "/a", domain, "inode_share");
	ok(error < 0, "a domain longer than fsconfig(2) takes is refused, not cut");
	if (!error)
		unmount(WORK "/a");
}

/* mount(2) takes a page of options, so a domain can be almost as long. */
static int mount_long(const char *image, const char *at, char last)
{
	char options[4096] = "inode_share,domain_id=";
	size_t start = strlen(options);

	memset(options + start, 'x', 4000);
	options[start + 4000] = last;
	options[start + 4001] = '\0';
	return plain_mount(image_path(image), at, "erofs", options);
}

static void try_very_long_domain(void)
{
	const struct file *file = tree_file("5000");

	ok_errno(mount_long("inline", WORK "/a", 'y'), 0, "a domain of 4001 bytes");
	ok_errno(mount_long("other", WORK "/b", 'y'), 0, "another image in this domain");
	ok_errno(mount_long("flat", WORK "/p", 'z'), 0, "a domain that differs in the last byte");
	ok(shares(WORK "/a", WORK "/b", file) == 1, "domains of 4001 bytes, equal: shared");
	ok(shares(WORK "/a", WORK "/p", file) == 0, "domains of 4001 bytes, different: not shared");
	unmount(WORK "/a");
	unmount(WORK "/b");
	unmount(WORK "/p");
}

static void try_messages(void)
{
	char log[1024];

	erofs_mount_log(image_path("inline"), WORK "/a", NULL, "inode_share", log, sizeof(log));
	ok(strstr(log, "domain_id is needed"), "a refusal for want of a domain says so");
	klog_clear();
	if (!erofs_mount(image_path("featureless"), WORK "/a", "d", "inode_share"))
		unmount(WORK "/a");
	ok(klog_has("Turning off inode_share"),
	   "an image without the feature is mentioned in the log");
}

/* A block device has one superblock, with the options of the first mount. */
static void try_second_mount(void)
{
	const char *source = source_or_skip(ON_UBD, "inline");

	if (!source)
		return;
	if (erofs_mount(source, WORK "/a", "d", "inode_share"))
		give_up(source, -EINVAL);
	ok_errno(erofs_mount(source, WORK "/b", "e", "inode_share"), 0,
		 "a second mount of a device, in another domain");
	share_on(ON_UBD, "other", WORK "/p", "d");
	ok(shares(WORK "/b", WORK "/p", tree_file("4097")) == 1,
	   "the domain of the first mount is kept");
	unmount(WORK "/p");
	share_on(ON_UBD, "other", WORK "/p", "e");
	ok(!shares(WORK "/b", WORK "/p", tree_file("5000")),
	   "the domain of the second is not taken");
	unmount(WORK "/p");
	unmount(WORK "/b");
	unmount(WORK "/a");
}

void topic_options(void)
{
	look_for_dax();
	try_all_mounts();
	try_repeated();
	try_long_domain();
	try_very_long_domain();
	try_messages();
	try_second_mount();
}

/* A remount that may not do harm in this kernel; the others are topics of their own. */
static bool is_harmless(const char *image, const char *domain, const char *request)
{
	return !has(request, "inode_share") || (domain && strcmp(image, "prefixes"));
}

/*
 * What share.remount and the text on remounts say: sharing is on if the request has inode_share and
 * the mount has a domain, the feature, and no DAX. The domain stays.
 */
static void try_remount(const char *image, const char *domain, const char *options,
			const char *new_domain, const char *request)
{
	bool refused = (new_domain && !*new_domain) || (has(request, "dax") && !dax_is_known);
	bool was_on = has(options, "inode_share") && !strcmp(image, "inline");
	bool on = refused ? was_on
			  : has(request, "inode_share") && domain && !strcmp(image, "inline");
	char state[320];
	int error;

	if (!is_harmless(image, domain, request) || (wants_dax(request) && dax_is_known))
		return;
	if (erofs_mount(image_path(image), WORK "/a", domain, options))
		return;
	error = erofs_remount(WORK "/a", new_domain, request);
	snprintf(state, sizeof(state), "%s, domain %s, \"%s\", remounted with domain %s, \"%s\"",
		 image, shown(domain), options, shown(new_domain), request);
	ok_errno(error, refused ? -EINVAL : 0, "%s", state);
	check_sharing(image, domain, on, state);
	if (new_domain && *new_domain && (!domain || strcmp(domain, new_domain)))
		check_sharing(image, new_domain, false, state);
	unmount(WORK "/a");
}

static void try_remounts_from(const char *image, const char *domain, const char *options)
{
	static const char *const requests[] = { "", "inode_share", "nouser_xattr",
						"inode_share,dax=never", "inode_share,dax" };
	static const char *const new_domains[] = { NULL, "", "d", "e" };

	for (unsigned int r = 0; r < COUNT(requests); r++)
		for (unsigned int n = 0; n < COUNT(new_domains); n++)
			try_remount(image, domain, options, new_domains[n], requests[r]);
}

void topic_remount(void)
{
	look_for_dax();
	for (unsigned int i = 0; i < COUNT(images); i++) {
		try_remounts_from(images[i], NULL, "");
		try_remounts_from(images[i], "d", "");
		try_remounts_from(images[i], "d", "inode_share");
	}
}

static long held_resident(int fd)
{
	return resident(fd);
}

/* An inode in memory keeps what was decided; one read in afterwards follows the new options. */
static void try_decided(const char *before, const char *after, bool first, bool then)
{
	const struct file *file = tree_file("5000");
	int fd, again, error = erofs_mount(image_path("inline"), WORK "/a", "d", before);

	if (error)
		give_up("mount", error);
	share("other", WORK "/p", "d");
	read_at(&readers[0], WORK "/p", file);
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	ok((held_resident(fd) > 0) == first, "mounted with \"%s\": %s", before,
	   first ? "shares" : "does not share");
	ok_errno(erofs_remount(WORK "/a", NULL, after), 0, "remount with \"%s\"", after);
	drop_caches();
	read_at(&readers[0], WORK "/p", file);
	again = open_at(WORK "/a", file->name, O_RDONLY);
	ok((held_resident(fd) > 0) == first, "a file that was open goes on as before");
	ok((held_resident(again) > 0) == first,
	   "so does one opened anew, as its inode was in memory");
	ok_content(WORK "/a", file, "while open");
	close(fd);
	close(again);
	drop_caches();
	read_at(&readers[0], WORK "/p", file);
	ok((resident_at(WORK "/a", file->name) > 0) == then, "read in again, it %s",
	   then ? "shares" : "does not share");
	ok_content(WORK "/a", file, "read in again");
	unmount(WORK "/p");
	unmount(WORK "/a");
}

void topic_decided(void)
{
	try_decided("", "inode_share", false, true);
	try_decided("inode_share", "", true, false);
}
