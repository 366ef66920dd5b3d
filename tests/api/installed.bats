#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The library as a stranger gets it: installed, found through pkg-config, used
# through its header alone.
load ../bash/lib.bash

setup_file() {
	export ROOT=$BATS_FILE_TMPDIR/root
	make -s -C "$RP_ROOT" ${RP_SANITIZED:+SANITIZE=1} install DESTDIR="$ROOT" PREFIX=/usr 3>&-
	# Without the shared library, -l takes the archive.
	cp -a "$ROOT" "$ROOT-static"
	rm "$ROOT-static"/usr/lib/*.so*
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# pkg ROOT ARGS...: of a library that is installed below ROOT.
pkg() {
	PKG_CONFIG_SYSROOT_DIR=$1 PKG_CONFIG_LIBDIR=$1/usr/lib/pkgconfig \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
		pkg-config "${@:2}" libreuseport-bpf
}

# build ROOT NAME PKG_ARGS...: in the test's directory.
build() {
	local root=$1 name=$2
	shift 2
	gcc -std=c99 -D_GNU_SOURCE -pedantic -Wall -Wextra -Werror \
		${RP_SANITIZED:+-fsanitize=address,undefined} \
		-o "$BATS_TEST_TMPDIR/$name" "$RP_ROOT/tests/api/$name.c" \
		$(pkg "$root" --cflags) $(pkg "$root" "$@" --libs)
}

# As the linker finds it in a real installation.
run_shared() {
	in_ns env LD_LIBRARY_PATH="$ROOT/usr/lib" "$BATS_TEST_TMPDIR/$1" "${@:2}" 3>&-
}

# consumer RUNNER...: finds, attaches, sees a worker join, detaches.
consumes() {
	local out=$BATS_TEST_TMPDIR/out pid
	start_worker --port 8080 --sockets 2
	"$@" 8080 1500 >"$out" &
	pid=$!
	wait_until 5 grep -q ^attached "$out"
	start_worker --port 8080
	wait $pid || fail "consumer: $(cat "$out")"
	grep -qx "found: 1" "$out" || fail "$(cat "$out")"
	grep -qx "attached: 2 0 $PINS/tcp-0_0_0_0-8080-$NS_INODE" "$out" || fail "$(cat "$out")"
	grep -qx "workers: 3" "$out" || fail "$(cat "$out")"
	grep -qx "status: 1" "$out" || fail "$(cat "$out")"
	grep -qx "group: linux39 reuseport_steer 1 3 0" "$out" || fail "$(cat "$out")"
	equal "$(sed -n 's/^worker: [0-9]* \([0-9]*\) active$/\1/p' "$out" | sort -n)" \
		"$(truth_tcp 8080)" cookies
	grep -qx "detached: 1" "$out" || fail "$(cat "$out")"
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "installed: the files" {
	local file
	for file in sbin/reuseportctl include/reuseport_bpf.h lib/libreuseport-bpf.a \
		lib/libreuseport-bpf.so lib/libreuseport-bpf.so.0 \
		lib/pkgconfig/libreuseport-bpf.pc share/man/man8/reuseportctl.8 \
		share/man/man7/reuseport-recipes.7; do
		[ -e "$ROOT/usr/$file" ] || fail "$file is not installed"
	done
	equal "$(ls "$ROOT")" usr "outside the prefix"
	"$ROOT/usr/sbin/reuseportctl" --version
	equal "$(readelf -d "$ROOT/usr/lib/libreuseport-bpf.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" \
		libreuseport-bpf.so.0 soname
	# Links stay valid wherever DESTDIR is copied to.
	[[ $(readlink "$ROOT/usr/lib/libreuseport-bpf.so") != /* ]]
}

@test "installed: the pkg-config file names the prefix it was installed with" {
	local root=$BATS_TEST_TMPDIR/other
	grep -qx "prefix=/usr" "$ROOT/usr/lib/pkgconfig/libreuseport-bpf.pc"
	# After a build for another prefix, too.
	make -s -C "$RP_ROOT" ${RP_SANITIZED:+SANITIZE=1} install DESTDIR="$root" PREFIX=/opt/rp 3>&-
	grep -qx "prefix=/opt/rp" "$root/opt/rp/lib/pkgconfig/libreuseport-bpf.pc"
	equal "$(PKG_CONFIG_LIBDIR=$root/opt/rp/lib/pkgconfig pkg-config --cflags libreuseport-bpf |
		xargs)" -I/opt/rp/include
	equal "$(PKG_CONFIG_LIBDIR=$root/opt/rp/lib/pkgconfig pkg-config --modversion libreuseport-bpf)" \
		"$("$REUSEPORTCTL" --version | cut -d' ' -f2)" version
}

@test "installed: a program that links the shared library" {
	build "$ROOT" consumer
	readelf -d "$BATS_TEST_TMPDIR/consumer" | grep -q 'NEEDED.*libreuseport-bpf.so.0' ||
		fail "it does not need the library"
	# It pulls in nothing that only the library needs.
	! readelf -d "$BATS_TEST_TMPDIR/consumer" | grep -Eq 'NEEDED.*lib(bpf|mnl|elf)' ||
		fail "it needs the library's own needs"
	consumes run_shared consumer
}

@test "installed: a program that links the archive" {
	build "$ROOT-static" consumer --static
	! readelf -d "$BATS_TEST_TMPDIR/consumer" | grep -q 'NEEDED.*libreuseport' ||
		fail "it needs the shared library"
	consumes in_ns "$BATS_TEST_TMPDIR/consumer"
}

@test "installed: what every call promises" {
	start_worker --port 8080 --sockets 2
	build "$ROOT" contract
	run run_shared contract 8080
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}

@test "header: C++" {
	local standard
	for standard in c++11 c++20; do
		echo '#include <reuseport_bpf.h>
		      int main() { return reuseport_version() == nullptr; }' |
			g++ -std=$standard -Wall -Wextra -pedantic -Werror -fsyntax-only \
				-I"$ROOT/usr/include" -x c++ -
	done
	echo '#include <reuseport_bpf.h>
	      int main() { return reuseport_version() == nullptr; }' |
		g++ -x c++ - -o "$BATS_TEST_TMPDIR/plusplus" ${RP_SANITIZED:+-fsanitize=address,undefined} \
			$(pkg "$ROOT" --cflags --libs)
	run_shared plusplus
}

@test "header: alone, C99" {
	gcc -std=c99 -pedantic -Wall -Wextra -Werror -Wstrict-prototypes -fsyntax-only \
		-x c "$ROOT/usr/include/reuseport_bpf.h"
	clang -std=c99 -Wall -Wextra -Werror -Wno-pragma-once-outside-header -fsyntax-only \
		-x c "$ROOT/usr/include/reuseport_bpf.h"
}
