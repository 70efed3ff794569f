// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Opens the volume of an image step by step and shows what there is. It judges nothing: a rule is
 * named only if it prevents something from being shown.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dumper.h"

#define DUMP_LINES 256u /* of the cache */

/*
 * Inodes may share large xattrs, and paths may be long, so the dump of a small image may be any
 * number of times its size. For images not made for this, it is less than 2 times (measured).
 */
#define SHOWN_FREE (128u * 1024u)
#define SHOWN_FACTOR 24u

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

/* ---- The tree ---- */

static void show_child(struct dumper *dumper, uint32_t directory, const struct dirent_walk *walk)
{
	struct ishare_view name = dirent_name(walk);
	struct tree *tree = dumper->walk.tree;
	char path[PATH_SHOWN];
	struct file file;

	if (is_dot(&name) || is_dotdot(&name))
		return;
	switch (walk_meet(&dumper->walk, walk->dirent.stored.nid)) {
	case SEEN_NO_MEMORY:
		fail(dumper, "out of memory");
		return;
	case SEEN_BEFORE:
		return;
	case SEEN_NEW:
		break;
	}
	tree_path(tree, directory, name.data, name.size, path, sizeof(path));
	if (show_inode(dumper, walk->dirent.stored.nid, path, &file) &&
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
		miss_broken(dumper, ISHARE_RULE_DIR_ENTRY_BOUNDS, path, "the rest of the directory",
			    "is corrupt");
	else if (status == DIRENT_UNREADABLE)
		miss_unread(dumper, walk.result, path, "the directory");
}

static void show_directory(struct dumper *dumper, uint32_t directory)
{
	const struct tree *tree = dumper->walk.tree;
	char path[PATH_SHOWN];
	struct file file;
	enum read_result result;

	tree_path(tree, directory, NULL, 0, path, sizeof(path));
	result = read_inode(&dumper->reader, tree->directories[directory].nid, &file);
	miss_unread(dumper, result, path, "the directory");
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
		miss_broken(dumper, ISHARE_RULE_SB_ROOT_INODE, "/", "it", "is not a directory");
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
		miss_unread(dumper, READ_CORRUPT, space->name, "what it holds");
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
		miss_unread(dumper, READ_CORRUPT, NULL, "the metabox");
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
	if (!ishare_has_block_size(&dumper->volume->sb)) {
		miss_broken(dumper, ISHARE_RULE_SB_BLOCK_SIZE, NULL, "nothing else",
			    "can be found in the image");
		return;
	}
	open_devices(dumper);
	if (!dumper->ended)
		show_special_inodes(dumper);
	if (!dumper->ended)
		miss_unread(dumper, read_prefixes(&dumper->reader, dumper->volume), NULL,
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
	miss_unnamed(dumper);
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
	char recognised[RECOGNISED_ROOM], sentence[sizeof(recognised) + 64];
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
		recognise(&dumper.reader, recognised);
		not_erofs(dumper.reader.rule, recognised, sentence, sizeof(sentence));
		dump_miss(dump, sentence);
		break;
	}
	reader_release(&dumper.reader);
	walk_release(&dumper.walk);
	free(dumper.area);
}
