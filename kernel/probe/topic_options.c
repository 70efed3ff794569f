// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount options as a state machine: mounts with each combination of images[], domains[] and
 * flags[]; from each that succeeds, remounts with each combination of domains[] and flags[] (see
 * is_wanted).
 *
 * In each of four domains there is a partner that has one file of its own in memory. So which files
 * of a mount are in memory when it has only just opened them tells which domain it is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "all_topics.h"
#include "klog.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define LONGEST 4001
#define FINDING "remount-unchecked"

/* With fingerprints; without feature and prefixes; with prefixes alone; with the feature alone. */
static const char *const images[] = { "inline", "featureless", "prefixes", "prefixless" };

static char long_domain[LONGEST + 1];

static const struct domain {
	const char *value, *shown, *file, *forged;
} domains[] = {
	{ "d", "d", "513", "byte" },
	{ "e", "e", "4095", "binary" },
	{ "a,b=\"c\n\\\377\t'", "of odd bytes", "4097", "long" },
	{ long_domain, "of 4001 bytes", "6500", "plain" },
	{ "", "empty", NULL, NULL },
	{ NULL, "unset", NULL, NULL },
};

#define PARTNERS 4

static const char *const flags[] = {
	"", "inode_share", "inode_share,nouser_xattr", "inode_share,directio", "directio",
};

static bool has(const char *options, const char *option)
{
	return strstr(options, option) != NULL;
}

static bool has_fingerprints(const char *image)
{
	return !strcmp(image, "inline");
}

/* User-Mode Linux has no DAX, so that every dax option is refused for itself. */
static void skip_dax(const char *what)
{
	if (!erofs_mount(image_path("inline"), WORK "/a", NULL, "dax=never"))
		ok(false, "this kernel has DAX: %s are tested", what);
	else
		skip("no DAX (CONFIG_FS_DAX) in User-Mode Linux", "%s", what);
}

static const struct file *file_of(const char *image, const struct domain *domain)
{
	return strcmp(image, "prefixes") ? tree_file(domain->file)
					 : forged_file("forged-1", domain->forged);
}

/* Its pages stay as long as the guest does. */
static void hold(const char *image, const char *partner, const struct domain *domain)
{
	const struct file *file = file_of(image, domain);
	char at[64];
	int fd;

	snprintf(at, sizeof(at), WORK "/%s-%td", partner, domain - domains);
	mkdir(at, 0755);
	share(partner, at, domain->value);
	fd = open_at(at, file->name, O_RDONLY);
	if (mmap(NULL, file->size, PROT_READ, MAP_SHARED | MAP_POPULATE | MAP_LOCKED, fd, 0) ==
	    MAP_FAILED)
		give_up(at, -errno);
	close(fd);
}

static void mount_partners(void)
{
	memset(long_domain, 'x', LONGEST);
	for (unsigned int i = 0; i < PARTNERS; i++) {
		hold("inline", "other", &domains[i]);
		hold("prefixes", "forged-2", &domains[i]);
	}
}

/* Opens and reads the partner's file at a; whether its pages were there before. */
static enum sharing look(const char *image, const struct domain *domain)
{
	const struct file *file = file_of(image, domain);
	int fd = open_at(WORK "/a", file->name, O_RDONLY);
	const char *wrong;
	long n;

	if (fd < 0) {
		diag("%s: %s", file->name, strerror(errno));
		return FAILED;
	}
	n = resident(fd);
	wrong = read_plainly(fd, file);
	if (!wrong)
		wrong = read_private_mapping(fd, file);
	close(fd);
	if (wrong || n < 0) {
		diag("%s: %s", file->name, wrong ? wrong : "mincore fails");
		return FAILED;
	}
	return !n ? APART : n == pages(file->size) ? SHARED : PARTLY;
}

#define WRONG (-1)

/* A bit for each domain in which what is mounted at a shares, or WRONG content. */
static int domains_shared(const char *image)
{
	int bits = 0;

	for (int i = 0; i < PARTNERS; i++) {
		enum sharing got = look(image, &domains[i]);

		if (got == FAILED || got == PARTLY)
			return WRONG;
		bits |= (got == SHARED) << i;
	}
	return bits;
}

static int bit(const struct domain *domain)
{
	return 1 << (domain - domains);
}

/* A point: the content is right, and it shares in @domain alone; NULL: in none. */
static bool ok_shares_in(const struct domain *domain, const char *image, const char *state)
{
	int wanted = domain ? bit(domain) : 0, got = domains_shared(image);

	ok(got == wanted, "%s: %s", state,
	   domain ? "shares, in its domain alone" : "does not share");
	if (got != wanted && got != WRONG)
		diag("shares in the domains 0x%x instead of 0x%x", got, wanted);
	return got == wanted;
}

/* What share.option-needs-domain and sb.ishare-prefix-id require of a mount. */
static int wanted_error(const char *image, const char *domain, const char *options)
{
	if (domain ? !*domain : has(options, "inode_share"))
		return -EINVAL;
	return strcmp(image, "prefixless") ? 0 : -EUCLEAN;
}

static void try_mount(const char *image, const struct domain *domain, const char *options)
{
	int wanted = wanted_error(image, domain->value, options), error;
	bool on = has(options, "inode_share") && has_fingerprints(image);
	char state[256];

	snprintf(state, sizeof(state), "%s, domain_id %s, options \"%s\"", image, domain->shown,
		 options);
	error = erofs_mount(image_path(image), WORK "/a", domain->value, options);
	ok_errno(error, wanted, "mount %s", state);
	if (error)
		return;
	ok(mount_shows(WORK "/a", "inode_share") == on, "%s: /proc/mounts %s", state,
	   on ? "shows inode_share" : "does not show inode_share");
	ok_shares_in(on ? domain : NULL, image, state);
	unmount(WORK "/a");
}

static void try_all_mounts(void)
{
	for (unsigned int f = 0; f < COUNT(flags); f++)
		for (unsigned int i = 0; i < COUNT(images); i++)
			for (unsigned int d = 0; d < COUNT(domains); d++)
				try_mount(images[i], &domains[d], flags[f]);
}

/* Two options of one kind in one request. */
static void try_repeated(void)
{
	int error = erofs_mount(image_path("inline"), WORK "/a", NULL,
				"inode_share,domain_id=e,domain_id=d,inode_share");

	ok_errno(error, 0, "two domains in one request");
	if (error)
		return;
	ok_shares_in(&domains[0], "inline", "of two domains in one request the last counts");
	unmount(WORK "/a");
}

/* Domains that differ in the last byte alone. */
static void try_long_domains(void)
{
	char last = long_domain[LONGEST - 1];
	int error;

	long_domain[LONGEST - 1] = 'y';
	error = erofs_mount(image_path("inline"), WORK "/a", long_domain, "inode_share");
	long_domain[LONGEST - 1] = last;
	ok_errno(error, 0, "a domain whose 4001st byte is another");
	if (error)
		return;
	ok_shares_in(NULL, "inline", "a domain whose 4001st byte is another");
	unmount(WORK "/a");
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
	ok_shares(SHARED, WORK "/b", WORK "/p", tree_file("4096"),
		  "the domain of the first mount is kept");
	unmount(WORK "/p");
	share_on(ON_UBD, "other", WORK "/p", "e");
	ok_shares(APART, WORK "/b", WORK "/p", tree_file("5000"),
		  "the domain of the second is not taken");
	unmount(WORK "/p");
	unmount(WORK "/b");
	unmount(WORK "/a");
}

void topic_options(void)
{
	mount_partners();
	try_all_mounts();
	try_repeated();
	try_long_domains();
	try_messages();
	try_second_mount();
	skip_dax("mounts with inode_share and dax");
}

struct remount {
	const char *image;
	const struct domain *domain;
	const char *options;
	const struct domain *new_domain;
	const char *request;
};

static bool is_refused(const struct remount *r)
{
	return r->new_domain->value && !*r->new_domain->value;
}

/* Asks for what a mount would have refused, or taken no notice of: share.remount. */
static bool is_unfounded(const struct remount *r)
{
	return has(r->request, "inode_share") && !is_refused(r) &&
	       (!r->domain->value || !has_fingerprints(r->image));
}

#define UNREAD (-2)

/* What a remount came to; @domains: as domains_shared() has them, or UNREAD. */
struct seen {
	int error;
	bool shown;
	int domains;
};

/*
 * Sharing without a domain, as a kernel with the bug may have it: the next inode takes the guest
 * down that has a fingerprint, or an attribute that prefix 0 stands for.
 */
static bool is_deadly(const struct remount *r, bool shown)
{
	return shown && !r->domain->value && strcmp(r->image, "featureless");
}

static struct seen mount_and_remount(const struct remount *r)
{
	struct seen seen;
	int error = erofs_mount(image_path(r->image), WORK "/a", r->domain->value, r->options);

	if (error)
		give_up(r->image, error);
	seen.error = erofs_remount(WORK "/a", r->new_domain->value, r->request);
	seen.shown = mount_shows(WORK "/a", "inode_share");
	seen.domains = is_deadly(r, seen.shown) ? UNREAD : domains_shared(r->image);
	unmount(WORK "/a");
	return seen;
}

/*
 * Sharing is on after a remount that asks for it and may, and off after one that does not ask. One
 * that is refused leaves it as it was. The domain stays.
 */
static bool is_specified(const struct remount *r, const struct seen *seen)
{
	bool was_on = has(r->options, "inode_share") && has_fingerprints(r->image),
	     on = is_refused(r) ? was_on : has(r->request, "inode_share") && !is_unfounded(r),
	     error_is_right = seen->error == (is_refused(r) ? -EINVAL : 0) ||
			      (is_unfounded(r) && seen->error == -EINVAL);

	return error_is_right && seen->shown == on && seen->domains == (on ? bit(r->domain) : 0);
}

/*
 * Turned on all the same. Without the feature it depends on what is in memory behind the name of
 * prefix 0 whether there is a fingerprint.
 */
static bool is_known_bug(const struct remount *r, const struct seen *seen)
{
	return is_unfounded(r) && !seen->error && seen->shown &&
	       (!seen->domains || seen->domains == UNREAD ||
		(r->domain->value && seen->domains == bit(r->domain)));
}

/* Of the requests from one state. */
struct tally {
	unsigned int tried, unread, known, wrong;
};

static void try_remount(const struct remount *r, struct tally *tally)
{
	struct seen seen = mount_and_remount(r);

	tally->tried++;
	tally->unread += seen.domains == UNREAD;
	if (is_specified(r, &seen))
		return;
	if (is_known_bug(r, &seen)) {
		tally->known++;
		return;
	}
	tally->wrong++;
	diag("wrong: remount with domain_id %s, options \"%s\": %s, inode_share is %s, shares in the domains 0x%x",
	     r->new_domain->shown, r->request, seen.error ? strerror(-seen.error) : "success",
	     seen.shown ? "shown" : "not shown", (unsigned int)seen.domains);
}

/*
 * Whether to try a request here: all of them with REMOUNTS=all in the environment, as in the plain
 * guest. The debug guest needs ten times as long for each, and is there for what KASAN and lockdep
 * find: so only all options without a domain, and all domains with one set of options.
 */
static bool is_wanted(const struct domain *domain, const char *options)
{
	return getenv("REMOUNTS") || !domain->value || !strcmp(options, "inode_share");
}

/* Each request to a new mount. */
static void try_remounts_from(const char *image, const struct domain *domain, const char *options)
{
	struct tally tallies[2] = { 0 }, *founded = &tallies[0], *unfounded = &tallies[1];
	char state[256];

	for (unsigned int d = 0; d < COUNT(domains); d++)
		for (unsigned int f = 0; f < COUNT(flags); f++) {
			struct remount r = { image, domain, options, &domains[d], flags[f] };

			if (is_wanted(&domains[d], flags[f]))
				try_remount(&r, is_unfounded(&r) ? unfounded : founded);
		}
	snprintf(state, sizeof(state), "%s, domain_id %s, options \"%s\"", image, domain->shown,
		 options);
	ok(!founded->wrong, "%s: %u remounts, after each sharing is as asked for", state,
	   founded->tried);
	if (!unfounded->tried)
		return;
	ok_known(FINDING, !unfounded->wrong, !unfounded->wrong && !unfounded->known,
		 "%s: %u remounts that may not turn sharing on do not", state, unfounded->tried);
	if (unfounded->unread)
		skip("finding " FINDING ": takes the guest down, as in finding-remount",
		     "%s: open and read after %u of them", state, unfounded->unread);
}

/* From each state that a mount can bring about. */
static void try_remounts_of(const char *image, const struct domain *domain)
{
	for (unsigned int f = 0; f < COUNT(flags); f++)
		if (!wanted_error(image, domain->value, flags[f]))
			try_remounts_from(image, domain, flags[f]);
}

/* The prefixes alone, with a domain: topic_finding_remount_feature() has these states. */
void topic_remount(void)
{
	mount_partners();
	for (unsigned int i = 0; i < COUNT(images); i++)
		for (unsigned int d = 0; d < COUNT(domains); d++)
			if (strcmp(images[i], "prefixes") || !domains[d].value)
				try_remounts_of(images[i], &domains[d]);
	skip_dax("remounts with inode_share and dax");
}

/*
 * An image without the feature, but with prefixes: where the kernel has the bug, number 0 is taken
 * for the fingerprint's name and read beyond its end.
 */
void topic_finding_remount_feature(void)
{
	mount_partners();
	at_risk(FINDING, "remounts of an image without the feature, but with prefixes");
	for (unsigned int d = 0; d < COUNT(domains); d++)
		if (domains[d].value)
			try_remounts_of("prefixes", &domains[d]);
	ok(true, "remounts of an image without the feature, but with prefixes");
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
	ok((resident(fd) > 0) == first, "mounted with \"%s\": %s", before,
	   first ? "shares" : "does not share");
	ok_errno(erofs_remount(WORK "/a", NULL, after), 0, "remount with \"%s\"", after);
	drop_caches();
	read_at(&readers[0], WORK "/p", file);
	again = open_at(WORK "/a", file->name, O_RDONLY);
	ok((resident(fd) > 0) == first, "a file that was open goes on as before");
	ok((resident(again) > 0) == first, "so does one opened anew, as its inode was in memory");
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
