// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Limits the hashing of bytes that no image stores: holes and repeatedly used chunks. One budget
 * serves all images of a caller. Zeros cost an attacker the least, so the digest of each number of
 * zeros is computed once.
 */
#include <pthread.h>
#include <stdlib.h>

#include "domain/budget.h"

#define ZEROS 64u /* lengths that are remembered */

struct ishare_budget {
	pthread_mutex_t lock;
	uint64_t left;
	struct zeros zeros[ZEROS];
	size_t zeros_count;
};

struct ishare_budget *ishare_budget_new(uint64_t bytes)
{
	struct ishare_budget *budget = calloc(1, sizeof(*budget));

	if (!budget)
		return NULL;
	pthread_mutex_init(&budget->lock, NULL);
	for (size_t i = 0; i < ZEROS; i++)
		pthread_mutex_init(&budget->zeros[i].lock, NULL);
	budget->left = bytes;
	return budget;
}

void ishare_budget_free(struct ishare_budget *budget)
{
	if (!budget)
		return;
	for (size_t i = 0; i < ZEROS; i++)
		pthread_mutex_destroy(&budget->zeros[i].lock);
	pthread_mutex_destroy(&budget->lock);
	free(budget);
}

static bool take(struct ishare_budget *budget, uint64_t bytes)
{
	if (bytes > budget->left)
		return false;
	budget->left -= bytes;
	return true;
}

bool budget_take(struct ishare_budget *budget, uint64_t bytes)
{
	bool taken;

	pthread_mutex_lock(&budget->lock);
	taken = take(budget, bytes);
	pthread_mutex_unlock(&budget->lock);
	return taken;
}

static struct zeros *find_zeros(struct ishare_budget *budget, uint64_t size)
{
	for (size_t i = 0; i < budget->zeros_count; i++)
		if (budget->zeros[i].size == size)
			return &budget->zeros[i];
	return NULL;
}

bool budget_take_zeros(struct ishare_budget *budget, uint64_t size, struct zeros **zeros)
{
	bool taken = true;

	pthread_mutex_lock(&budget->lock);
	*zeros = find_zeros(budget, size);
	if (!*zeros)
		taken = take(budget, size);
	if (taken && !*zeros && budget->zeros_count < ZEROS) {
		*zeros = &budget->zeros[budget->zeros_count++];
		(*zeros)->size = size;
	}
	pthread_mutex_unlock(&budget->lock);
	return taken;
}
