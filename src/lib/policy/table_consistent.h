/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table of policy "consistent": its entries are slot numbers, and depend on
 * the weights by slot alone.
 *
 * A table has a power of two of entries, 2^10 to 2^20. A weight is 0 (takes no
 * part) to 1000. An entry that nobody may have is CONSISTENT_NONE. All return
 * -EINVAL for what is not such a table, and -ENOMEM; the table is then as it
 * was.
 */
#ifndef POLICY_TABLE_CONSISTENT_H
#define POLICY_TABLE_CONSISTENT_H

#include <stdint.h>

int table_consistent_build(uint16_t *table, uint32_t entries, const uint32_t *weights,
			   uint32_t slots);

/* From a table that was built by "before" to what "after" builds; it costs less. */
int table_consistent_change(uint16_t *table, uint32_t entries, const uint32_t *before,
			    const uint32_t *after, uint32_t slots);

/*
 * Shares that are right to the entry, see apportion.h; most entries are where
 * table_consistent_build() has them, and a change moves a few more than it has to.
 */
int table_exact_build(uint16_t *table, uint32_t entries, const uint32_t *weights, uint32_t slots);

#endif
