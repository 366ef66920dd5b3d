# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# nginx for the tests: its configuration, master and workers.
#
#   load ../bash/lib.bash
#   load ../bash/servers.bash
#   load nginx.bash

# shellcheck disable=SC2154 # variables from lib.bash

# configure WORKERS
configure() {
	local dir=$BATS_TEST_TMPDIR
	cat >"$dir/nginx.conf" <<-END
		daemon ${NGINX_DAEMON:-off};
		user ${NGINX_USER:-www-data};
		pid $dir/nginx.pid;
		error_log $dir/nginx.log notice;
		worker_processes $1;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen 8080 reuseport ${NGINX_LISTEN:-};
				${NGINX_SERVER:-return 200 "ok\n";}
			}
		}
	END
}

# launch WORKERS: sets $nginx, the master.
launch() {
	configure "$1"
	spawn /dev/null nginx -p "$BATS_TEST_TMPDIR" -e "$BATS_TEST_TMPDIR/nginx.log" \
		-c "$BATS_TEST_TMPDIR/nginx.conf"
	nginx=$spawned
}

start_nginx() {
	launch "$1"
	serves_with "$1"
}

# start_nginx_daemon WORKERS: it takes USR2 and WINCH only as a daemon, and finds its
# new binary only by a whole path.
start_nginx_daemon() {
	NGINX_DAEMON=on
	configure "$1"
	in_ns /usr/sbin/nginx -p "$BATS_TEST_TMPDIR" -e "$BATS_TEST_TMPDIR/nginx.log" \
		-c "$BATS_TEST_TMPDIR/nginx.conf" 3>&-
	wait_until 5 test -s "$BATS_TEST_TMPDIR/nginx.pid"
	nginx=$(cat "$BATS_TEST_TMPDIR/nginx.pid")
	record "$nginx"
	serves_with "$1"
}

serves_with() {
	wait_until 5 workers_are "$1"
	wait_until 5 sockets_are 8080 tcp "$1"
}

# The workers that serve, not those that a reload makes finish.
nginx_workers() {
	children_named "$nginx" 'nginx: worker process'
}

nginx_children() {
	children_named "$nginx" 'nginx: worker process.*'
}

workers_are() {
	[ "$(nginx_workers | wc -l)" -eq "$1" ] && [ "$(nginx_children | wc -l)" -eq "$1" ]
}

# reload WORKERS: until the old workers have gone.
reload() {
	local old
	old=$(nginx_workers)
	configure "$1"
	kill -HUP "$nginx"
	wait_until 10 reloaded "$1" "$old"
}

reloaded() {
	workers_are "$1" && sockets_are 8080 tcp "$1" && [ "$(nginx_workers)" != "$2" ]
}
