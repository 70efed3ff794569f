// SPDX-License-Identifier: GPL-2.0-or-later

int checked(struct erofs_inode_fingerprint *fp, const char *domain)
{
	struct request *rq = kzalloc_obj(*rq, GFP_KERNEL | __GFP_NOFAIL);
	char *copy = strdup(domain);

	rq->domain = domain;
	fp->opaque = kmalloc(fp->size, GFP_KERNEL);
	if (!fp->opaque)
		return -ENOMEM;
	memcpy(fp->opaque, domain, fp->size);
	if (copy)
		copy[0] = 'x';
	return 0;
}

int in_a_test(struct kunit *test)
{
	u8 *content = kunit_kmalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, content);
	return content[0];
}
