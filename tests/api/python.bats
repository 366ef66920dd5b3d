#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# python/reuseport.py, as it is installed: its structures are those of the headers, the library
# does by it what it does, and the socket options.
load ../bash/lib.bash

setup_file() {
	export ROOT=$BATS_FILE_TMPDIR/root
	make -s -C "$RP_ROOT" install DESTDIR="$ROOT" PREFIX=/usr 3>&-
}

setup() {
	begin_test
	export PYTHONPATH=$ROOT/usr/share/reuseport-bpf/python PYTHONDONTWRITEBYTECODE=1
	export LD_LIBRARY_PATH=$ROOT/usr/lib
}

teardown() {
	end_test
}

# The file, and no other one, is what Python finds.
python() {
	/usr/bin/python3 "$@"
}

@test "python: the structures and numbers are those of the headers" {
	local layout=$RP_ROOT/tests/api/python_layout.py
	equal "$(python -c 'import reuseport; print(reuseport.__file__)')" "$PYTHONPATH/reuseport.py"
	python "$layout" >"$BATS_TEST_TMPDIR/python"
	python "$layout" c >"$BATS_TEST_TMPDIR/layout.c"
	gcc -Wall -Werror -I"$ROOT/usr/include" -o "$BATS_TEST_TMPDIR/layout" "$BATS_TEST_TMPDIR/layout.c"
	"$BATS_TEST_TMPDIR/layout" >"$BATS_TEST_TMPDIR/headers"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/headers")" -gt 100 ]
	diff "$BATS_TEST_TMPDIR/headers" "$BATS_TEST_TMPDIR/python"
}

@test "python: status and control of a real group" {
	start_workers 3 --port 8080
	attach --port 8080 --admit manual
	client --to 127.0.0.1:8080 --count 30
	run in_ns /usr/bin/python3 "$RP_ROOT/tests/api/python_control.py" 8080 "${worker_ids[@]}"
	equal "$output" fine
}

@test "python: the socket options of a worker" {
	skip_without socket-options
	start_worker --port 8080
	attach --port 8080 --admit manual
	run in_ns /usr/bin/python3 "$RP_ROOT/tests/api/python_options.py" 8080
	equal "$output" fine
}

@test "python: without the library the socket options are there, and the rest says what is missing" {
	unset LD_LIBRARY_PATH
	# Bound, for other programs on this host may have the toolkit remember what others ask.
	run in_ns /usr/bin/python3 -c 'import reuseport, socket
with socket.socket() as sock:
    sock.bind(("", 8080))
    assert reuseport.ready(sock) is False and reuseport.ready(sock.fileno()) is False
    assert reuseport.drain(sock) is False and reuseport.undrain(sock) is False
    assert reuseport.weight(sock, 3) is False and reuseport.set_id(sock, 4294967295) is False
    assert reuseport.state(sock) is None and reuseport.wait(sock, 0, 1) is False
    assert reuseport.drained(sock, 0) is True
    for wrong in (lambda: reuseport.weight(sock, 1001), lambda: reuseport.set_id(sock, -1)):
        try:
            wrong()
        except ValueError:
            continue
        raise AssertionError
try:
    reuseport.Control(port=1, library="libreuseport-bpf-not-here.so")
except OSError as failure:
    print(failure)'
	equal "$status" 0 "$output"
	[[ $output == *libreuseport-bpf-not-here.so* ]] || fail "$output"
}
