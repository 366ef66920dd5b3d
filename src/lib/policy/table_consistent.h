/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table of policy "consistent": its entries are slot numbers, and depend only on
 * the weights by slot.
 *
 * The number of entries is a power of two, 2^10 to 2^20. A weight is 0 (no entries) to
 * 1000. An entry that no slot can own is CONSISTENT_NONE. The functions return -EINVAL
 * for other arguments, and -ENOMEM; the table is then unchanged.
 */
#ifndef POLICY_TABLE_CONSISTENT_H
#define POLICY_TABLE_CONSISTENT_H

#include <stdint.h>

/* Build the table from scratch. */
int table_consistent_build(uint16_t *table, uint32_t entries, const uint32_t *weights,
			   uint32_t slots);

/* Change a table that was built from the weights "before" to the one that "after"
 * builds; this costs less. */
int table_consistent_change(uint16_t *table, uint32_t entries, const uint32_t *before,
			    const uint32_t *after, uint32_t slots);

/*
 * Build a table in which the shares are exact to one entry, see apportion.h. Most
 * entries are the same as by table_consistent_build(). A change of weights moves a few
 * more entries than necessary.
 */
int table_exact_build(uint16_t *table, uint32_t entries, const uint32_t *weights, uint32_t slots);

#endif
