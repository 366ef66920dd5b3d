# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Prints results.json for people.  jq -r -f table.jq results.json

def spaces($n): if $n > 0 then " " * $n else "" end;
def left($n): tostring | . + spaces($n - length);
def right($n): tostring | spaces($n - length) + .;

# With exactly $d decimals (1 or more).
def fixed($d):
	(. * pow(10; $d) | round) as $n | pow(10; $d) as $scale
	| ($n % $scale | if . < 0 then -. else . end | tostring) as $rest
	| (if $n < 0 then "-" else "" end)
	  + ($n / $scale | if . < 0 then -. else . end | floor | tostring)
	  + "." + ("0" * ($d - ($rest | length)) // "") + $rest;

def number: if . >= 1000 then round | tostring else fixed(1) end;
def spread($d): "\(.q1 | fixed($d)) - \(.q3 | fixed($d))";

def runtime_first:
	(.ns.median | fixed(1) | right(9))
	+ ("\(.ns.q1 | fixed(1)) - \(.ns.q3 | fixed(1))" | right(17))
	+ (.ratio.median | fixed(2) | right(8)) + (.ratio | spread(2) | right(14))
	+ (.added_ns | fixed(1) | right(9));

# One kind of packets; more workers stand beside the fewest.
def runtime_rows:
	sort_by(.members) | .[0] as $first | .[1:] as $more
	| "  \($first.what)" + (if $more == [] then ", \($first.members) workers" else "" end),
	($first.rows[] | .program as $program
	 | "    " + ($program | left(26)) + runtime_first
	 + ([$more[].rows[] | select(.program == $program)
	     | (.ns.median | fixed(1) | right(11)) + (.ratio.median | fixed(2) | right(8))]
	    | join("")));

def runtime:
	(map(select(.packets == "udp")) | sort_by(.members) | map(.members)) as $members
	| "Run time of the program per packet, in ns (\(.[0].rounds) rounds)",
	"    " + ("" | left(26)) + ("\($members[0]) workers" | right(57))
	+ ($members[1:] | map("\(.) workers" | right(19)) | join("")),
	"    " + ("" | left(26)) + ("median" | right(9)) + ("quartiles" | right(17))
	+ ("x bare" | right(8)) + ("quartiles" | right(14)) + ("added" | right(9))
	+ ($members[1:] | map(("median" | right(11)) + ("x bare" | right(8))) | join("")),
	(("udp", "tcp", "flows", "known", "new") as $packets | map(select(.packets == $packets))
	 | select(length > 0) | runtime_rows),
	"";

def build_rows($change; $members):
	[.rows[] | select(.change == $change)] | group_by(.table)
	| sort_by(-(map(.ms.median) | max))[] | . as $rows
	| "    " + (.[0].table | left(40))
	+ ($members | map(. as $n | $rows[] | select(.workers == $n)
			  | .ms.median | fixed(2) | right(10)) | join(""));

def build:
	([.rows[].workers] | unique) as $members
	| "Compiling a table, in ms of CPU time (median of \(.times)); weights 1 to 1000",
	"    " + ("workers" | left(40)) + ($members | map(right(10)) | join("")),
	"    " + ("entries" | left(40))
	+ (.rows as $rows | $members
	   | map(. as $n | first($rows[] | select(.workers == $n)) | .entries | right(10)) | join("")),
	"  from scratch", build_rows(false; $members),
	"  one worker's change", build_rows(true; $members),
	"";

def change:
	"A change of a living attachment, \(.members) workers, in ms (\(.times) times)",
	"    " + ("" | left(26)) + (["p50", "p99", "max"] | map(right(10)) | add),
	(.rows[] | "    " + (.what | left(26))
	 + ([.p50_ms, .p99_ms, .max_ms] | map(fixed(2) | right(10)) | add)),
	"";

def endtoend_rows:
	.unit as $unit | "  \(.what), \($unit)",
	(.rows[] | "    " + (.arm | left(14)) + (.per_second.median | number | right(10))
	 + ("\(.per_second.q1 | number) - \(.per_second.q3 | number)" | right(18))
	 + (.ratio.median | fixed(3) | right(10)) + (.ratio | spread(3) | right(16))
	 + (.ratio_cpu.median | fixed(3) | right(10)) + (.ratio_cpu | spread(3) | right(16)));

def endtoend:
	"End to end (\(.[0].rounds) rounds, \(.[0].workers) workers, all on one CPU)",
	"    " + ("" | left(14)) + ("median" | right(10)) + ("quartiles" | right(18))
	+ ("x kernel" | right(10)) + ("quartiles" | right(16))
	+ ("by CPU" | right(10)) + ("quartiles" | right(16)),
	(.[] | endtoend_rows),
	"";

# A line of the table: one cell of each row, "-" where it was not measured.
def host_line($what; $rows; cell):
	"    " + ($what | left(34)) + ([$rows[] | ((cell // "-") | right(10))] | join(""));

def host_elsewhere($what; $name):
	host_line($what + ", ns"; .rows; .[$name].ns),
	host_line("  to none"; .rows; .[$name].ratio.median | fixed(3)),
	host_line("  from"; .rows; .[$name].ratio.min | fixed(3)),
	host_line("  to"; .rows; .[$name].ratio.max | fixed(3));

def host_join($proto):
	host_line("\($proto), p50, us"; .rows; .join[$proto].p50_us | select(.) | fixed(0)),
	host_line("\($proto), p99, us"; .rows; .join[$proto].p99_us | select(.) | fixed(0)),
	host_line("\($proto), missed"; .rows; .join[$proto].missed);

def host:
	"A host with many attachments, in \(.namespaces) namespaces (\(.rounds) rounds up and down)",
	host_line("attachments"; .rows; .attachments),
	"  CPU time elsewhere on the host",
	host_elsewhere("UDP bind, close"; "udp_bind_close"),
	host_elsewhere("TCP bind, listen, close"; "tcp_listen_close"),
	host_elsewhere("TCP connect, accept, close"; "tcp_connection"),
	host_line("keepers meanwhile, % of that"; .rows; .keepers_share * 100 | fixed(1)),
	"  from listen() or bind() to the slot",
	host_join("tcp"), host_join("udp"),
	"  keepers",
	host_line("processes"; .rows; .keepers),
	host_line("memory (PSS), MB"; .rows; .pss_mb),
	host_line("memory (RSS), MB"; .rows; .rss_mb),
	host_line("descriptors"; .rows; .descriptors),
	host_line("  of maps"; .rows; .map_descriptors),
	host_line("idle CPU, %"; .rows; .idle_percent),
	"  by the clock",
	host_line("first attached, ms"; .rows; .first_attach_ms),
	host_line("all attached, s"; .rows; .attach_s),
	host_line("status of all, s"; .rows; .status_s),
	"";

def large:
	"One group of \(.[0].members) workers, in ms (median of \(.[0].times))",
	"    " + ("" | left(34)) + (map(.proto | right(10)) | join("")),
	((.[0].rows | keys[]) as $i
	 | "    " + (.[0].rows[$i].what | left(34))
	 + (map(.rows[$i].ms.median | fixed(1) | right(10)) | join(""))),
	"    " + ("join, p50" | left(34)) + (map(.join.p50_us / 1000 | fixed(1) | right(10)) | join("")),
	"    " + ("join, p99" | left(34)) + (map(.join.p99_us / 1000 | fixed(1) | right(10)) | join("")),
	"";

def sockopt:
	"Socket options, CPU time in ns, with an attachment and without (\(.rounds) rounds)",
	"    " + ("" | left(34)) + (["without", "with", "added"] | map(right(9)) | add)
	+ ("quartiles" | right(17)) + ("ratio" | right(8)),
	(.rows[] | "    " + (.what | left(34))
	 + ([.without_ns, .with_ns, .added_ns] | map(.median | fixed(1) | right(9)) | add)
	 + (.added_ns | spread(1) | right(17)) + (.ratio.median | fixed(2) | right(8))),
	"  CPU time elsewhere on the host, to none",
	(.elsewhere[] | "    " + (.what | left(34)) + (.ratio.median | fixed(3) | right(9))
	 + (.ratio | spread(3) | right(17))),
	"";

def join_rows:
	"From listen() or bind() to the slot, in us",
	"    " + ("" | left(20)) + ("joins" | right(7)) + ("missed" | right(8))
	+ (["p50", "p99", "max"] | map(right(10)) | add),
	(.[] | "    " + ("\(.proto), \(.members) members" | left(20)) + (.joins | right(7))
	 + (.missed | right(8)) + ([.p50_us, .p99_us, .max_us] | map(fixed(1) | right(10)) | add)),
	"";

"reuseport-bpf: what it costs",
"  Linux \(.kernel), \(.cpu), \(.cpus) CPUs, load \(.load_before) before, \(.date)",
"  made by: \(.command)",
"",
(.runtime | select(length > 0) | runtime),
(.build // empty | build),
(.change // empty | change),
(.host // empty | host),
(.sockopt // empty | sockopt),
(.large // [] | select(length > 0) | large),
(.endtoend | select(length > 0) | endtoend),
(.join | select(length > 0) | join_rows),
"Bars",
(.bars[] | "    " + (.what | left(66)) + (.value | tostring | right(9)) + "   "
 + (.limit | left(15)) + (if .holds then "holds" else "DOES NOT HOLD" end))
