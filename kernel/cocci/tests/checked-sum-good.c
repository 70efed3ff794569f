// SPDX-License-Identifier: GPL-2.0-or-later

int bounds(struct header *h, unsigned int offset, unsigned int size, u64 wide)
{
	u32 len = le32_to_cpu(h->len);

	if (len > size || offset > size - len)
		return -EFSCORRUPTED;
	if (wide + le32_to_cpu(h->len) > size)
		return -EFSCORRUPTED;
	if (offset + le16_to_cpu(h->short_len) > size)
		return -EFSCORRUPTED;
	if ((u64)offset + len > size)
		return -EFSCORRUPTED;
	return 0;
}

int limited(struct header *h, unsigned int offset, unsigned int size)
{
	u32 len = le32_to_cpu(h->len);

	if (len > MOST)
		return -EFSCORRUPTED;
	return offset + len > size ? -EFSCORRUPTED : 0;
}
