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

def runtime_rows($name; $title):
	.[$name].rows | "  \($title)",
	(.[] | "    " + (.program | left(26)) + (.ns.median | fixed(1) | right(8))
	 + ("\(.ns.q1 | fixed(1)) - \(.ns.q3 | fixed(1))" | right(18))
	 + (.ns.min | fixed(1) | right(9)) + (.ns.max | fixed(1) | right(9))
	 + (.ratio.median | fixed(2) | right(9)) + (.ratio | spread(2) | right(15))
	 + (.added_ns | fixed(1) | right(9)));

def runtime:
	"Run time of the program per packet, in ns (\(.rounds) rounds, \(.members) workers)",
	"    " + ("" | left(26)) + ("median" | right(8)) + ("quartiles" | right(18))
	+ ("min" | right(9)) + ("max" | right(9)) + ("x bare" | right(9))
	+ ("quartiles" | right(15)) + ("added" | right(9)),
	runtime_rows("udp"; "UDP datagrams at full rate (warm)"),
	runtime_rows("tcp"; "TCP SYNs (cold)"),
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
(.runtime // empty | runtime),
(.endtoend | select(length > 0) | endtoend),
(.join | select(length > 0) | join_rows),
"Bars",
(.bars[] | "    " + (.what | left(66)) + (.value | tostring | right(9)) + "   "
 + (.limit | left(15)) + (if .holds then "holds" else "DOES NOT HOLD" end))
