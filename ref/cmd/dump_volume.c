// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Opens the volume of an image step by step and shows what there is. It judges nothing: a rule is
 * named only if it prevents something from being shown.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

#define DUMP_LINES 256u /* of the cache */

/*
 * Inodes may share large xattrs, and paths may be long, so the dump of a small image may be any
 * number of times its size. Of images not made to exceed it, it is less than 2 times (measured).
 */
#define SHOWN_FREE (128u * 1024u)
#define SHOWN_FACTOR 24u

enum { INODE_BYTES = 256, XATTR_BYTES = 256 }; /* about what one takes besides its path or name */

/* Why something is not shown: a rule, by its number, or one of these. */
enum {
	IS_COMPRESSED = ISHARE_RULE_COUNT,
	IS_ON_NO_DEVICE,
	OVERLAPS,
	IS_UNKNOWN,
	REASONS,
};

enum { REASON_LIMIT = 1000 }; /* of things that are not shown, those that are named */

/* The state of a dump. */
struct dumper {
	struct dump *dump;
	struct volume *volume;
	struct reader reader;
	struct work work;
	struct walk walk;
	uint8_t *area; /* for the xattr area of one inode */
	bool ended; /* nothing more can be read (which was said) or written */
	uint64_t missed[REASONS];
};

/* ---- What is missing ---- */

void dump_miss(struct dump *dump, const char *reason)
{
	char *path = escape_string(dump->path), *text = escape_text(reason);

	complain("%s: %s", path, text);
	free(path);
	free(text);
	dump->status = STATUS_TROUBLE;
}

static const char *reason_word(uint32_t reason)
{
	static const char *const words[REASONS] = {
		[IS_COMPRESSED] = "is compressed",
		[IS_ON_NO_DEVICE] = "is on a device that was not given",
		[OVERLAPS] =
			"overlaps: with what was shown before it has more bytes than the image",
		[IS_UNKNOWN] = "cannot be found",
	};

	return words[reason] ? words[reason] : "is corrupt";
}

/* path: of a file; or NULL. thing: what is not shown of it. */
static void miss_for(struct dumper *dumper, uint32_t reason, const char *path, const char *thing)
{
	struct text text;
	char *line;

	if (dumper->missed[reason]++ >= REASON_LIMIT)
		return;
	text_begin(&text);
	fprintf(text.out, "not shown: %s%s", path ? path : "", path ? ": " : "");
	if (reason < ISHARE_RULE_COUNT)
		fprintf(text.out, "%s: ", ishare_rules[reason].name);
	fprintf(text.out, "%s %s", thing, reason_word(reason));
	line = text_end(&text);
	dump_miss(dumper->dump, line);
	free(line);
}

static void fail(struct dumper *dumper, const char *why)
{
	dump_miss(dumper->dump, why);
	dumper->ended = true;
}

/* Reports what a read result other than READ_OK means for the dump. */
static void miss(struct dumper *dumper, enum read_result result, const char *path,
		 const char *thing)
{
	switch (result) {
	case READ_OK:
		break;
	case READ_OUTSIDE:
	case READ_CORRUPT: /* without a rule: of the metabox, while it is being opened */
		miss_for(dumper,
			 dumper->reader.rule < ISHARE_RULE_COUNT ? dumper->reader.rule : IS_UNKNOWN,
			 path, thing);
		break;
	case READ_NOTHING:
		miss_for(dumper, IS_UNKNOWN, path, thing);
		break;
	case READ_UNSUPPORTED:
		miss_for(dumper, IS_COMPRESSED, path, thing);
		break;
	case READ_NO_DEVICE:
		miss_for(dumper, IS_ON_NO_DEVICE, path, thing);
		break;
	case READ_FAILED:
		fail(dumper, dumper->reader.error);
		break;
	}
}

/* The same for a rule that is broken; ISHARE_RULE_COUNT: none is. */
static bool misses_by(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
		      const char *thing)
{
	if (rule != ISHARE_RULE_COUNT)
		miss_for(dumper, rule, path, thing);
	return rule != ISHARE_RULE_COUNT;
}

static bool affords(struct dumper *dumper, uint64_t bytes, const char *path, const char *thing)
{
	if (spend(&dumper->work, bytes))
		return true;
	miss_for(dumper, OVERLAPS, path, thing);
	return false;
}

/* What REASON_LIMIT has left out. */
static void miss_more(struct dumper *dumper)
{
	char reason[200];

	for (uint32_t i = 0; i < REASONS; i++) {
		if (dumper->missed[i] <= REASON_LIMIT)
			continue;
		snprintf(reason, sizeof(reason), "not shown: %" PRIu64 " times more: %s",
			 dumper->missed[i] - REASON_LIMIT,
			 i < ISHARE_RULE_COUNT ? ishare_rules[i].name : reason_word(i));
		dump_miss(dumper->dump, reason);
	}
}

static void miss_left_out(struct dump *dump)
{
	char reason[100];

	if (!dump->limit.left_out)
		return;
	snprintf(reason, sizeof(reason),
		 "not shown: %" PRIu64 " inodes and xattrs beyond %" PRIu64 " bytes (--limit)",
		 dump->limit.left_out, dump->limit.bytes);
	dump_miss(dump, reason);
}

/* Whether the limit allows about this many more bytes. */
static bool has_room(struct dump_limit *limit, uint64_t bytes)
{
	limit->used += bytes;
	if (!limit->bytes || limit->used <= limit->bytes)
		return true;
	limit->left_out++;
	return false;
}

/* ---- Structures of the image itself ---- */

/* Reads a structure and shows it. */
static bool show_structure(struct dumper *dumper, enum ishare_struct_id id, uint32_t index,
			   uint64_t offset)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE]; /* the largest */
	struct dump_structure structure = { &ishare_structs[id], index, offset, bytes };
	struct dump *dump = dumper->dump;

	if (reader_copy(&dumper->reader, 0, offset, bytes, structure.layout->size) != READ_OK) {
		dump_miss(dump, dumper->reader.error);
		return false;
	}
	dump->format->structure(&dump->stream, &structure);
	return true;
}

static void show_superblock(struct dumper *dumper)
{
	show_structure(dumper, ISHARE_STRUCT_SUPERBLOCK, 0, ISHARE_SUPERBLOCK_OFFSET);
	if (dumper->volume->sb.sb_extslots)
		show_structure(dumper, ISHARE_STRUCT_SUPERBLOCK_EXT, 0,
			       ISHARE_SUPERBLOCK_EXT_OFFSET);
}

static void show_devices(struct dumper *dumper)
{
	uint32_t count = ishare_device_count(&dumper->volume->sb);
	struct dump *dump = dumper->dump;

	if (!count)
		return;
	dump->format->list(&dump->stream, "devices");
	for (uint32_t i = 0; i < count; i++)
		if (!show_structure(dumper, ISHARE_STRUCT_DEVICESLOT, i + 1,
				    slot_offset(dumper->volume, i)))
			break;
	dump->format->list_end(&dump->stream);
}

static void show_prefixes(struct dumper *dumper)
{
	const struct volume *volume = dumper->volume;
	bool named = ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS);
	const struct prefix_table *prefixes = &volume->prefixes;
	struct dump *dump = dumper->dump;

	if (!prefixes->count)
		return;
	dump->format->list(&dump->stream, "prefixes");
	for (uint32_t i = 0; i < prefixes->count; i++) {
		struct dump_prefix prefix = {
			.index = i,
			.space = prefix_space(volume)->name,
			.offset = ishare_prefix_start(&volume->sb) + prefixes->items[i].pos,
			.name = prefix_name(prefixes, i),
			.fingerprint = named && volume->sb.ishare_xattr_prefix_id == i,
		};

		dump->format->prefix(&dump->stream, &prefix);
	}
	dump->format->list_end(&dump->stream);
}

/* ---- Inodes and their xattrs ---- */

/* shown: the inode that has it was. */
static void show_xattr(struct dump *dump, const struct xattr_walk *walk, bool shown)
{
	const struct xattr *at = &walk->at;
	uint8_t buffer[NAME_ROOM];
	struct ishare_name name;
	bool named = xattr_name(walk, buffer, &name);
	struct dump_xattr xattr = {
		.shared = at->shared,
		.offset = at->base + at->entry.pos,
		.entry = &at->entry,
		.name_space = named ? name_space(name.base_index) : "",
		.name = named ? &name : NULL,
		.value = xattr_value(walk),
		.fingerprint = is_fingerprint(walk),
	};
	uint64_t name_size = named ? name.bytes.size : 0;

	if (has_room(&dump->limit, XATTR_BYTES + ISHARE_ESCAPED_MAX * name_size) && shown)
		dump->format->xattr(&dump->stream, &xattr);
}

static void miss_xattr(struct dumper *dumper, const struct xattr_walk *walk,
		       enum xattr_status status, const char *path)
{
	if (status == XATTR_BAD_ENTRY)
		miss_for(dumper, ISHARE_RULE_XATTR_ENTRY_BOUNDS, path, "an xattr");
	else if (status == XATTR_BAD_ID)
		miss_for(dumper, ISHARE_RULE_XATTR_SHARED_ID, path, "a shared xattr");
	else
		miss(dumper, walk->result, path, "a shared xattr");
}

static bool affords_xattr(struct dumper *dumper, const struct xattr *at, const char *path)
{
	return !at->shared ||
	       affords(dumper, at->holder.size / SHARED_DISCOUNT, path, "a shared xattr");
}

static void show_entries(struct dumper *dumper, const struct file *file,
			 const struct ishare_view *area, const char *path, bool shown)
{
	enum xattr_status status;
	struct xattr_walk walk;

	start_xattr_walk(&walk, &dumper->reader, file, area);
	if (!xattr_shared_count(&walk.header, file->inode.xattr_isize)) {
		miss_for(dumper, ISHARE_RULE_XATTR_SHARED_COUNT, path, "the xattr area");
		return;
	}
	while (!dumper->ended && (status = next_xattr(&walk)) != XATTR_END) {
		if (!affords_xattr(dumper, &walk.at, path))
			return;
		if (status != XATTR_OK)
			miss_xattr(dumper, &walk, status, path);
		else if (!is_fill(&walk))
			show_xattr(dumper->dump, &walk, shown);
	}
}

static void show_xattrs(struct dumper *dumper, const struct file *file, const char *path,
			bool shown)
{
	const struct ishare_inode *inode = &file->inode;
	struct ishare_view area;
	enum read_result result;

	if (!inode->xattr_isize || !inode_xattr_icount(inode))
		return;
	if (!inode_xattr_bounds(inode, file->offset, file->space->size)) {
		miss_for(dumper, ISHARE_RULE_INODE_XATTR_BOUNDS, path, "the xattr area");
		return;
	}
	if (!affords(dumper, inode->xattr_isize, path, "the xattr area"))
		return;
	result = copy_xattr_area(&dumper->reader, file, dumper->area, &area);
	miss(dumper, result, path, "the xattr area");
	if (result == READ_OK)
		show_entries(dumper, file, &area, path, shown);
}

/* What an inode has: its own fields, then its xattrs. */
static void show_file(struct dumper *dumper, const struct file *file, const char *path)
{
	struct dump *dump = dumper->dump;
	struct dump_inode inode = { path, file->nid, file->offset, &file->inode };
	bool shown = has_room(&dump->limit, INODE_BYTES + strlen(path));

	if (shown)
		dump->format->inode(&dump->stream, &inode);
	if (!misses_by(dumper, inode_data_fault(&file->inode), path, "what the inode has"))
		show_xattrs(dumper, file, path, shown);
	if (shown)
		dump->format->inode_end(&dump->stream);
	dumper->ended = dumper->ended || is_unwritten();
}

/* Shows an inode; whether the data of it can be read. */
static bool show_inode(struct dumper *dumper, uint64_t nid, const char *path, struct file *file)
{
	enum read_result result = read_inode(&dumper->reader, nid, file);

	miss(dumper, result, path, "the inode");
	if (result != READ_OK ||
	    misses_by(dumper, inode_form_fault(&file->inode), path, "the inode"))
		return false;
	show_file(dumper, file, path);
	return inode_data_fault(&file->inode) == ISHARE_RULE_COUNT;
}

/* ---- The tree ---- */

static void show_child(struct dumper *dumper, uint32_t directory, const struct dirent_walk *walk)
{
	struct ishare_view name = dirent_name(walk);
	struct tree *tree = dumper->walk.tree;
	char path[PATH_SHOWN];
	struct file file;

	if (is_dot(&name) || is_dotdot(&name))
		return;
	switch (walk_meet(&dumper->walk, walk->dirent.nid)) {
	case SEEN_NO_MEMORY:
		fail(dumper, "out of memory");
		return;
	case SEEN_BEFORE:
		return;
	case SEEN_NEW:
		break;
	}
	tree_path(tree, directory, name.data, name.size, path, sizeof(path));
	if (show_inode(dumper, walk->dirent.nid, path, &file) &&
	    ishare_inode_is_directory(&file.inode) &&
	    tree_add(tree, file.nid, directory, name.data, name.size) == NO_DIRECTORY)
		fail(dumper, "out of memory");
}

static void show_children(struct dumper *dumper, uint32_t directory, const struct file *file,
			  const char *path)
{
	enum dirent_status status = DIRENT_OK;
	struct dirent_walk walk;

	start_dirents(&walk, &dumper->reader, file, dumper->walk.block);
	while (!dumper->ended && (status = next_dirent(&walk)) == DIRENT_OK)
		show_child(dumper, directory, &walk);
	if (status == DIRENT_MALFORMED)
		miss_for(dumper, ISHARE_RULE_DIR_ENTRY_BOUNDS, path, "the directory");
	else if (status == DIRENT_UNREADABLE)
		miss(dumper, walk.result, path, "the directory");
}

static void show_directory(struct dumper *dumper, uint32_t directory)
{
	const struct tree *tree = dumper->walk.tree;
	char path[PATH_SHOWN];
	struct file file;
	enum read_result result;

	tree_path(tree, directory, NULL, 0, path, sizeof(path));
	result = read_inode(&dumper->reader, tree->directories[directory].nid, &file);
	miss(dumper, result, path, "the directory");
	if (result == READ_OK && affords(dumper, file.inode.size, path, "the directory"))
		show_children(dumper, directory, &file, path);
}

static bool show_root(struct dumper *dumper)
{
	uint64_t nid = ishare_root_nid(&dumper->volume->sb);
	struct file root;

	if (tree_add(dumper->walk.tree, nid, 0, NULL, 0) == NO_DIRECTORY ||
	    walk_meet(&dumper->walk, nid) == SEEN_NO_MEMORY) {
		fail(dumper, "out of memory");
		return false;
	}
	if (!show_inode(dumper, nid, "/", &root))
		return false;
	if (!sb_root_inode(&root.inode))
		miss_for(dumper, ISHARE_RULE_SB_ROOT_INODE, "/", "the tree");
	return sb_root_inode(&root.inode);
}

static void show_tree(struct dumper *dumper)
{
	enum walk_status status = WALK_OK;
	uint32_t directory;

	if (!show_root(dumper))
		return;
	while (!dumper->ended && (status = walk_next(&dumper->walk, &directory)) == WALK_OK)
		show_directory(dumper, directory);
	if (status == WALK_NO_MEMORY)
		fail(dumper, "out of memory");
}

/* ---- The volume ---- */

static void open_and_show(struct dumper *dumper, struct space *space, uint64_t nid)
{
	struct file file;

	if (!show_inode(dumper, nid, space->name, &file))
		open_space(&dumper->reader, space, nid); /* it is not: the inode has been missed */
	else if (open_space(&dumper->reader, space, nid) == READ_CORRUPT)
		miss(dumper, READ_CORRUPT, space->name, "what the inode holds");
}

/* In the order in which a kernel opens them. */
static void show_special_inodes(struct dumper *dumper)
{
	struct volume *volume = dumper->volume;

	if (has_packed_inode(volume))
		open_and_show(dumper, &volume->packed, volume->sb.packed_nid);
	if (!has_metabox(volume) || dumper->ended)
		return;
	if (find_metabox(&dumper->reader, volume) == READ_OK)
		open_and_show(dumper, &volume->metabox, volume->ext.metabox_nid);
	else
		miss(dumper, READ_CORRUPT, NULL, "the metabox");
}

static void open_devices(struct dumper *dumper)
{
	enum read_result result = read_devices(&dumper->reader, dumper->volume);

	if (result == READ_OK)
		result = match_devices(&dumper->reader);
	if (result == READ_FAILED)
		fail(dumper, dumper->reader.error);
}

static void show_inodes(struct dumper *dumper)
{
	if (!has_block_size(&dumper->volume->sb)) {
		miss_for(dumper, ISHARE_RULE_SB_BLOCK_SIZE, NULL, "what the image holds");
		return;
	}
	open_devices(dumper);
	if (!dumper->ended)
		show_special_inodes(dumper);
	if (!dumper->ended)
		miss(dumper, read_prefixes(&dumper->reader, dumper->volume), NULL,
		     "the table of long xattr name prefixes");
	if (!dumper->ended)
		show_tree(dumper);
}

static void set_limit(struct dump *dump)
{
	if (!dump->limit.given)
		dump->limit.bytes = SHOWN_FREE + SHOWN_FACTOR * ishare_image_held(dump->image);
}

static void show(struct dumper *dumper)
{
	struct dump *dump = dumper->dump;

	dump->format->begin(&dump->stream, dump->image);
	show_superblock(dumper);
	show_devices(dumper);
	set_limit(dump);
	dump->format->list(&dump->stream, "inodes");
	show_inodes(dumper);
	miss_more(dumper);
	dump->format->list_end(&dump->stream);
	miss_left_out(dump);
	show_prefixes(dumper);
	dump->format->end(&dump->stream, dump->status == STATUS_CONFORMS);
}

static void dumper_init(struct dumper *dumper, struct dump *dump)
{
	struct volume *volume = &dump->image->volume;

	*dumper = (struct dumper){ .dump = dump, .volume = volume };
	image_begin(dump->image, dump->flat);
	work_start(&dumper->work, volume, 0);
	allocated(reader_init(&dumper->reader, volume, DUMP_LINES) ? dumper : NULL);
	allocated(walk_init(&dumper->walk, volume, &dump->image->tree) ? dumper : NULL);
	dumper->area = allocate(XATTR_AREA_MAX, 1);
}

void dump_volume(struct dump *dump)
{
	struct dumper dumper;

	dumper_init(&dumper, dump);
	switch (read_superblock(&dumper.reader, dumper.volume)) {
	case READ_OK:
		show(&dumper);
		break;
	case READ_FAILED:
		dump_miss(dump, dumper.reader.error);
		break;
	default:
		dump_miss(dump, not_erofs(dumper.reader.rule));
		break;
	}
	reader_release(&dumper.reader);
	walk_release(&dumper.walk);
	free(dumper.area);
}
