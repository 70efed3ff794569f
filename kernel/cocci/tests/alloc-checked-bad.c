// SPDX-License-Identifier: GPL-2.0-or-later

int unchecked(struct erofs_inode_fingerprint *fp, const char *domain)
{
	struct request *rq = kzalloc_obj(*rq, GFP_KERNEL); /* reported */
	char *copy = strdup(domain); /* reported */

	rq->domain = domain;
	copy[0] = 'x';
	fp->opaque = kmalloc(fp->size, GFP_KERNEL); /* reported */
	memcpy(fp->opaque, domain, fp->size);
	return 0;
}

int on_one_path(struct kunit *test, bool careful)
{
	u8 *content = kunit_kmalloc(test, SIZE, GFP_KERNEL); /* reported */

	if (careful)
		KUNIT_ASSERT_NOT_NULL(test, content);
	return *content;
}
