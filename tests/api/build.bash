# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# api_build NAME: a program of this folder, with the library as it was built, in the directory of
# the bats file.

api_build() {
	gcc -std=c99 -D_GNU_SOURCE -pedantic -Wall -Wextra -Werror -g \
		${RP_SANITIZED:+-fsanitize=address,undefined} -I"$RP_ROOT/include" \
		-o "$BATS_FILE_TMPDIR/$1" "$RP_ROOT/tests/api/$1.c" \
		"${REUSEPORTCTL%/*}/libreuseport-bpf.a" -lbpf -lmnl -lcap -lelf -lz 3>&-
}
