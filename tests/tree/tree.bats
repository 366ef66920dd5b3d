#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The source tree is what docs/architecture.md says: who may include whom, no circles,
# no name twice, no file too long, one format. Each check is seen to fail as well, on
# a copy of the tree with a fault in it.
bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/checks.bash"

setup_file() {
	export ROOT=${BATS_TEST_DIRNAME%/tests/tree}
}

# copy: of the tree, to plant faults in; sets $COPY.
copy() {
	COPY=$BATS_TEST_TMPDIR/copy
	mkdir "$COPY"
	cp -r "$ROOT"/{bpf,docs,include,src} "$COPY"
	mkdir "$COPY/tests"
}

# plant FILE TEXT: appends a line, in the copy.
plant() {
	echo "$2" >>"$COPY/$1"
}

# finds TEXT...: the last run failed, with a line for each, and none for anything else
# that was planted.
finds() {
	local text
	echo "$output"
	[ "$status" -ne 0 ] || return 1
	for text in "$@"; do
		grep -qF -- "$text" <<<"$output" || { echo "not found: $text"; return 1; }
	done
	[ "$(grep -c planted <<<"$output")" -eq $# ]
}

# header ROOM: of those that it has, the first.
header() {
	(cd "$COPY/src/lib" && echo "$1"/*.h | cut -d' ' -f1)
}

@test "includes: all go where docs/architecture.md allows" {
	check_directions "$ROOT"
}

@test "includes: one that is not allowed is found" {
	local host=src/lib/host/planted.c state=src/lib/state/planted.c cli=src/cli/cmd/planted.c
	local bad fault
	copy
	touch "$COPY"/src/{lib/state,lib/host,cli/cmd}/planted.h "$COPY/src/lib/host/error.h"
	bad=(
		"src/lib/planted.c $(header host)"
		"$host $(header sockets)"
		"$host $(header state)"
		"$host $(header keeper)"
		"$host error.h"
		"src/lib/policy/planted.c $(header host)"
		"$state sockets/socket_visit.h"
		"$state planted.h"
		"$state ../host/planted.h"
		"$state maps.h"
		"src/lib/state/planted.h $(header api)"
		"src/lib/keeper/planted.c $(header explain)"
		"src/lib/simulate/planted.c $(header state)"
		"src/lib/explain/planted.c $(header keeper)"
		"src/lib/api/planted.c $(header simulate)"
		"$cli planted.h"
		"$cli abi.h"
		"$cli state/planted.h"
		"$cli steer.skel.h"
		"include/planted_public.h abi.h"
		"bpf/planted_kernel.h reuseport_bpf.h"
		"bpf/decide/planted_shared.h kernel.h"
	)
	for fault in "${bad[@]}"; do
		plant "${fault% *}" "#include \"${fault#* }\""
	done
	# As the preprocessor reads it too.
	plant "$host" "  #  include <$(header simulate)> // of another room"
	bad+=("$host $(header simulate)")
	# And what is allowed.
	plant "$state" '#include <errno.h>
#include "reuseport_bpf.h"
#include "abi.h"
#include "decide/hash.h"
#include "error.h"
#include "sockets/group_key.h"
#include "host/planted.h"
#include "state/planted.h"'
	plant "$cli" '#include <reuseport_bpf.h>
#include "cmd/planted.h"'
	run check_directions "$COPY"
	finds "${bad[@]/ / includes }"
}

@test "includes: a skeleton that a second room loads is found" {
	copy
	plant src/lib/host/planted.c '#include "steer.skel.h"'
	run check_directions "$COPY"
	finds "includes steer.skel.h: so does"
}

@test "includes: a room without a row is found, a row without a room, and a row that points up" {
	copy
	mkdir "$COPY/src/lib/planted"
	: >"$COPY/src/lib/planted/planted.h"
	run check_directions "$COPY"
	finds "docs/architecture.md: no row for the room of src/lib/planted/planted.h"
	mv "$COPY"/src/lib/{planted,planted_late}
	sed -i 's/^| api |/| planted_late | |\n| planted_never | |\n&/' "$COPY/docs/architecture.md"
	run check_directions "$COPY"
	finds "docs/architecture.md: no room for the row planted_never"
	sed -i 's/^| host | *|$/| host | state |/' "$COPY/docs/architecture.md"
	run check_directions "$COPY"
	grep -qF "docs/architecture.md: host may not include state" <<<"$output"
}

@test "paths: each file that docs/architecture.md names exists" {
	check_paths "$ROOT"
}

@test "paths: a file that does not exist is found" {
	copy
	plant docs/architecture.md 'See `state/planted.c`, [planted](planted.md), `planted.h` and
`src/planted/`, not `planted words.c`, `planted`, nor `planted.skel.h`.'
	run check_paths "$COPY"
	finds "no state/planted.c" "no docs/planted.md" "no planted.h" "no src/planted/"
}

@test "includes: no circle" {
	check_include_circles "$ROOT"
}

@test "includes: a circle is found" {
	copy
	plant src/lib/state/planted.h '#include "state/planted_too.h"'
	plant src/lib/state/planted_too.c '#include "state/planted.h"'
	: >"$COPY/src/lib/state/planted_too.h"
	run check_include_circles "$COPY"
	finds src/lib/state/planted src/lib/state/planted_too
}

@test "calls: no circle of files" {
	check_call_circles "$ROOT" "$(dirname "${REUSEPORTCTL:-$ROOT/build/reuseportctl}")"
}

@test "calls: a circle is found" {
	local file
	cd "$BATS_TEST_TMPDIR"
	mkdir -p src/{lib/state,cli}
	echo 'int b(void); int a(void) { return b(); }' >src/lib/state/planted.c
	echo 'int a(void); int b(void) { return a(); }' >src/lib/planted_too.c
	# The other part may have a function of that name.
	cp src/lib/planted_too.c src/cli/planted_there.c
	for file in lib/state/planted lib/planted_too cli/planted_there; do
		gcc -c -o "src/$file.o" "src/$file.c"
	done
	run check_call_circles . src
	finds lib/state/planted lib/planted_too
}

@test "names: no two functions have the same" {
	check_function_names "$ROOT"
}

@test "names: a second function is found" {
	copy
	plant src/cli/planted.c 'static int planted_once(void) { return 0; }'
	plant bpf/planted.bpf.c 'SEC("iter/tcp")
int BPF_PROG(planted_once, struct sock *sk)
{
	return 0;
}'
	plant bpf/decide/planted.h 'static inline __attribute__((always_inline)) struct planted *
planted_twice(void)
{
	return 0;
}'
	plant src/lib/planted.c 'static struct planted *planted_twice(void) { return 0; }'
	plant src/lib/planted.c 'int main(void) { return 0; }'
	run check_function_names "$COPY"
	finds "planted_once(): bpf/planted.bpf.c:2 src/cli/planted.c:1" \
		"planted_twice(): bpf/decide/planted.h:2 src/lib/planted.c:1"
}

@test "names: no public type has a function's" {
	check_type_names "$ROOT"
}

@test "names: a public type with a function's is found" {
	copy
	plant include/planted.h 'struct planted_struct { int x; };
enum planted_enum { PLANTED };
typedef int planted_type;
int planted_struct(const struct planted_other *other);'
	plant src/lib/planted.c 'static int planted_enum(void) { return 0; }'
	plant src/cli/planted.c 'static int planted_type(void) { return 0; }'
	run check_type_names "$COPY"
	finds "planted_struct: a type in include/planted.h:1" "planted_enum: a type" \
		"planted_type: a type"
}

# Other versions format differently.
same_clang_format() {
	[[ $(clang-format --version) == *"version 14."* ]] || skip "not clang-format 14"
}

@test "format: as .clang-format has it" {
	same_clang_format
	make -s -C "$ROOT" check-format
}

@test "format: another one is found" {
	same_clang_format
	cp "$ROOT/.clang-format" "$BATS_TEST_TMPDIR"
	echo 'int planted(int a){return a;}' >"$BATS_TEST_TMPDIR/planted.h"
	run make -s -C "$ROOT" check-format FORMATTED="$BATS_TEST_TMPDIR/planted.h"
	[ "$status" -ne 0 ]
	[[ $output == *"planted.h:1:"* ]]
}

@test "sizes: no file is too long" {
	check_sizes "$ROOT"
}

@test "sizes: a file that is too long is found" {
	copy
	yes '' | head -500 >"$COPY/src/lib/host/planted.c"
	yes '' | head -501 >"$COPY/src/lib/host/planted.h"
	yes '' | head -650 >"$COPY/tests/planted.bash"
	yes '' | head -651 >"$COPY/tests/planted.bats"
	run check_sizes "$COPY"
	finds src/lib/host/planted.h tests/planted.bats
}
