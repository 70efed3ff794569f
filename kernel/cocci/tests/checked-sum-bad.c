// SPDX-License-Identifier: GPL-2.0-or-later

int direct(struct header *h, unsigned int offset, unsigned int size)
{
	if (offset + le32_to_cpu(h->len) > size) /* reported */
		return -EFSCORRUPTED;
	if (le32_to_cpu(h->start) + le32_to_cpu(h->len) > size) /* reported */
		return -EFSCORRUPTED;
	return size < le32_to_cpu(h->len) + offset; /* reported */
}

int named(struct header *h, unsigned int offset, unsigned int size)
{
	u32 len = le32_to_cpu(h->len);

	if (offset + len > size) /* reported */
		return -EFSCORRUPTED;
	return 0;
}
