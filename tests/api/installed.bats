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
		share/man/man8/reuseportctl-status.8 share/man/man7/reuseport-recipes.7; do
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

# Without -s, so that it shows what it does.
make_here() {
	make --no-print-directory -C "$RP_ROOT" ${RP_SANITIZED:+SANITIZE=1} "$@" 3>&-
}

@test "installed: uninstall removes what install put there" {
	local root=$BATS_TEST_TMPDIR/root
	local where=(DESTDIR="$root" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu)
	make_here -s install "${where[@]}"
	[ -e "$root/usr/lib/x86_64-linux-gnu/libreuseport-bpf.so.0" ] || fail "LIBDIR is not honoured"
	# What others have installed there stays.
	touch "$root/usr/include/other.h"
	mkdir "$root/usr/share/other"
	make_here -s uninstall "${where[@]}"
	equal "$(find "$root" -mindepth 1 | sort | xargs)" \
		"$(echo "$root"/usr{,/include{,/other.h},/share{,/other}})" "what is left"
	rm -r "$root/usr/include/other.h" "$root/usr/share/other"
	make_here -s install "${where[@]}"
	make_here -s uninstall "${where[@]}"
	equal "$(find "$root" -mindepth 1)" "" "what is left"
	# Again, with nothing there.
	make_here -s uninstall "${where[@]}"
}

@test "installed: uninstall without DESTDIR" {
	local prefix=$BATS_TEST_TMPDIR/opt/rp
	make_here -s install PREFIX="$prefix"
	"$prefix/sbin/reuseportctl" --version
	make_here -s uninstall PREFIX="$prefix"
	[ ! -e "$prefix" ] || fail "left: $(find "$prefix")"
	[ -d "$BATS_TEST_TMPDIR/opt" ]
	# The system's own directories stay, empty or not.
	! make_here -n uninstall PREFIX=/usr/local | grep -A1 'for dir in' | grep /usr ||
		fail "a directory of the system"
}

# commands ARGS...: those that make everything, without running them.
commands() {
	env -u WERROR make --no-print-directory -C "$RP_ROOT" -nB V=1 BUILD="$BATS_TEST_TMPDIR/build" \
		"$@" all helpers unit 3>&- | sed -e ':more' -e '/\\$/N; s/\\\n[[:space:]]*//; tmore'
}

# each_has FLAG...: each line of standard input, of which there are some, has them all.
each_has() {
	local lines flag
	lines=$(cat)
	[ "$lines" ] || fail "no such command"
	for flag in "$@"; do
		! grep -vF -e " $flag" <<<"$lines" || fail "without $flag"
	done
}

@test "build: a packager's flags are in each command" {
	skip_if_sanitized "commands only"
	local out=$BATS_TEST_TMPDIR/commands compile='^rp-cc .* -c ' link='^rp-cc .* -o [^ ]*'
	CC=rp-cc CPPFLAGS="-DRP_CPP -I/rp" CFLAGS="-O1 -DRP_C" LDFLAGS=-Wl,-rp \
		commands AR=rp-ar LD=rp-ld OBJCOPY=rp-objcopy CLANG=clang-rp >"$out"
	! grep -E '^(gcc|cc|ar|ld|objcopy|clang) ' "$out" || fail "another tool"
	grep -E "$compile" "$out" | each_has -DRP_CPP -O1 -DRP_C
	# Headers of ours come before those in a packager's directory.
	grep -E "$compile" "$out" | sed 's/ -I\/rp.*//' | each_has -Iinclude
	grep -E "$link/(libreuseport-bpf.so|reuseportctl)" "$out" | each_has -O1 -DRP_C -Wl,-rp
	equal "$(grep -cE "$link/(libreuseport-bpf.so|reuseportctl)" "$out")" 2 "library and command"
	grep -E "$link/(helpers|unit)/" "$out" | each_has -DRP_CPP -O1 -DRP_C -Wl,-rp
	grep -q '^rp-ar ' "$out" && grep -q '^rp-ld -r ' "$out" && grep -q '^rp-objcopy ' "$out"
	# They are for this machine, not for the kernel's.
	grep '^clang-rp ' "$out" | each_has '-target bpf'
	! grep '^clang-rp ' "$out" | grep -e -DRP || fail "a flag for BPF"
}

@test "build: warnings are errors in the tests' builds only" {
	skip_if_sanitized "commands only"
	! commands CLANG=clang | grep -e -Werror || fail "-Werror"
	commands CLANG=clang WERROR=1 | grep -E '^(cc|gcc|clang) .* -c ' | each_has -Werror
}

# As dpkg-buildflags has them, with hardening=+all and optimize=+lto. The archive, which
# the command is linked with, is what -flto breaks first: it must hold machine code.
@test "build: hardened, with LTO" {
	skip_if_sanitized "the same sources with other flags"
	local build=$BATS_TEST_TMPDIR/build from
	from=$(dirname "$REUSEPORTCTL")
	mkdir "$build"
	cp -a "$from"/{bpf,skel} "$build"
	CPPFLAGS="-Wdate-time -D_FORTIFY_SOURCE=2" \
		CFLAGS="-g -O1 -ffile-prefix-map=$RP_ROOT=. -flto=auto -fstack-protector-strong" \
		LDFLAGS="-flto=auto -Wl,-z,relro -Wl,-z,now" \
		make --no-print-directory -s -j2 -C "$RP_ROOT" BUILD="$build" all 3>&-
	"$build/reuseportctl" --version
	readelf -d "$build/libreuseport-bpf.so" | grep -q BIND_NOW || fail "library: not hardened"
	readelf -d "$build/reuseportctl" | grep -q BIND_NOW || fail "command: not hardened"
	BUILD=$build bats --tap -f "archive|shared library" "$BATS_TEST_DIRNAME/symbols.bats" 3>&-
	! grep -rlaF "$RP_ROOT" "$build"/{libreuseport-bpf.a,libreuseport-bpf.so,reuseportctl} ||
		fail "the directory of the build is in it"
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

@test "installed: a worker where nothing is steered" {
	build "$ROOT" worker
	run run_shared worker
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}

@test "installed: a server that keeps its own group" {
	build "$ROOT" handle
	run run_shared handle 8080
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}

# steers: the program on standard input, as it stands in a document, built and run. It
# keeps a group until that is detached.
steers() {
	local name=$BATS_TEST_TMPDIR/example
	cat >"$name.c"
	grep -q 'int main' "$name.c" || fail "no program"
	gcc -Wall -Wextra -Werror ${RP_SANITIZED:+-fsanitize=address,undefined} \
		-o "$name" "$name.c" $(pkg "$ROOT" --cflags --libs)
	start_worker --port 8080 --sockets 2
	spawn "$BATS_TEST_TMPDIR/out" env LD_LIBRARY_PATH="$ROOT/usr/lib" "$name"
	wait_until 5 in_sync 8080 tcp
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	ctl detach --port 8080
}

@test "header: the first example" {
	steers < <(sed -n '/^ \*     #include/,/^ \*     }$/s/^ \* \{0,5\}//p' \
		"$ROOT/usr/include/reuseport_bpf.h")
	wait_until 5 grep -q "is being detached" "$BATS_TEST_TMPDIR/spawned.log"
}

@test "README: the example" {
	# It frees nothing: the end of the process does.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
	steers < <(sed -n '/^```c$/,/^```$/{/^```/!p}' "$RP_ROOT/README.md")
}

@test "header: C++" {
	local standard
	for standard in c++11 c++20; do
		echo '#include <reuseport_bpf.h>
		      #include <reuseport_explain.h>
		      #include <reuseport_simulate.h>
		      #include <reuseport_doctor.h>
		      #include <reuseport_list.h>
		      #include <reuseport_worker.h>
		      reuseport_status *s; reuseport_drain_status *d; reuseport_rollout_step *r;
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

# alone HEADER: compiles, installed, as C99.
alone() {
	local header=$ROOT/usr/include/$1
	gcc -std=c99 -pedantic -Wall -Wextra -Werror -Wstrict-prototypes -fsyntax-only -x c "$header"
	clang -std=c99 -Wall -Wextra -Werror -Wno-pragma-once-outside-header -fsyntax-only \
		-x c "$header"
}

@test "header: each alone, C99" {
	local header
	for header in "$RP_ROOT"/include/*.h; do
		alone "${header##*/}"
	done
}
