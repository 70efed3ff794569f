// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* image/volume.h: a view of a space survives views of other spaces through the same reader. */
#include "unit.h"

#include <fcntl.h>

#include "image/image.h"

#define IMAGE "tests/images/metabox-plain-512.erofs"

/* The file /f, whose inode is in the metabox; it serves as packed inode, too. */
#define FILE_NID (UINT64_C(1) << 63 | 25)

enum { SIZE = 496, CACHE_LINES = 2, ROOM = 1 << 16 };

struct fixture {
	struct ishare_image *image;
	struct reader reader;
	struct space spaces[SPACES];
};

static int open_image(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct volume *volume;
	struct file file;

	assert_non_null(f);
	assert_int_equal(ishare_image_open(IMAGE, &f->image), ISHARE_OK);
	image_begin(f->image, false);
	volume = &f->image->volume;
	assert_true(reader_init(&f->reader, volume, CACHE_LINES));
	assert_int_equal(read_superblock(&f->reader, volume), READ_OK);
	assert_int_equal(read_devices(&f->reader, volume), READ_OK);
	assert_int_equal(find_metabox(&f->reader, volume), READ_OK);
	assert_int_equal(open_space(&f->reader, &volume->metabox, volume->ext.metabox_nid),
			 READ_OK);
	assert_int_equal(open_space(&f->reader, &volume->packed, FILE_NID), READ_OK);
	assert_int_equal(read_inode(&f->reader, FILE_NID, &file), READ_OK);
	f->spaces[SPACE_IMAGE] = volume->image;
	f->spaces[SPACE_METABOX] = volume->metabox;
	f->spaces[SPACE_PACKED] = volume->packed;
	f->spaces[SPACE_FILE] = file_space(&file, "file");
	*state = f;
	return 0;
}

static int close_image(void **state)
{
	struct fixture *f = *state;

	reader_release(&f->reader);
	ishare_image_close(f->image);
	free(f);
	return 0;
}

/* Different bytes of each space, so that none can pass for those of another. */
static uint64_t place(enum space_id id)
{
	return id == SPACE_IMAGE ? 1024 : id == SPACE_PACKED ? 16 : 0;
}

static struct ishare_view view_of(struct fixture *f, enum space_id id)
{
	struct ishare_view view = { 0 };

	assert_int_equal(f->spaces[id].id, id);
	assert_int_equal(space_view(&f->reader, &f->spaces[id], place(id), SIZE, &view), READ_OK);
	return view;
}

/* What is viewed of each space is in one piece in the image. */
static void assert_from_image(const struct ishare_view *view)
{
	static uint8_t bytes[ROOM];
	int fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	close(fd);
	assert_true(size > 0 && size < ROOM);
	assert_non_null(memmem(bytes, (size_t)size, view->data, view->size));
}

/* One view is kept while the other spaces are read. */
static void test_view_survives(void **state)
{
	struct fixture *f = *state;

	for (unsigned int kept = 0; kept < SPACES; kept++) {
		struct ishare_view view = view_of(f, kept);
		uint8_t before[SIZE];

		assert_from_image(&view);
		memcpy(before, view.data, sizeof(before));
		for (unsigned int i = 1; i < SPACES; i++) {
			struct ishare_view other = view_of(f, (kept + i) % SPACES);

			assert_from_image(&other);
			assert_memory_not_equal(other.data, before, sizeof(before));
		}
		assert_memory_equal(view.data, before, sizeof(before));
	}
}

/* Reading a file's bytes leaves all views alone. */
static void test_file_read(void **state)
{
	struct fixture *f = *state;
	struct ishare_view views[SPACES];
	uint8_t before[SPACES][SIZE], bytes[SIZE];

	for (unsigned int id = 0; id < SPACES; id++) {
		views[id] = view_of(f, id);
		memcpy(before[id], views[id].data, sizeof(before[id]));
	}
	for (unsigned int id = SPACE_METABOX; id < SPACES; id++)
		assert_int_equal(file_read(&f->reader, &f->spaces[id].file, 0, bytes, SIZE),
				 READ_OK);
	for (unsigned int id = 0; id < SPACES; id++)
		assert_memory_equal(views[id].data, before[id], sizeof(before[id]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_view_survives, open_image, close_image),
		cmocka_unit_test_setup_teardown(test_file_read, open_image, close_image),
	};

	return report_tests(tests);
}
