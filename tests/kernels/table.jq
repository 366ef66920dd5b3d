# The table of kernels and features, in Markdown: from an array of what was seen of each.

# "6.1.0-56-cloud-amd64" as numbers, to sort by.
def version: [scan("[0-9]+") | tonumber];

def row: "| " + join(" | ") + " |";

def word: {"available": "yes", "missing": "no"}[.] // .;

# "15.4 k"
def thousands: if . == null then "" else (. / 100 | round / 10 | tostring) + " k" end;

def ratio($program): (.cost.rows // [] | map(select(.program == $program)) | .[0].ratio.median
	| if . then (. * 100 | round / 100 | tostring) else "" end);

# The most that a program of this object took, by one compiler.
def insns($compiler; $object): [.verifier[] | select(.compiler == $compiler
	and .object == $object and .result == "accepted") | .insns] | max | thousands;

sort_by(.kernel | version) as $kernels
| ($kernels[0].features | map({name, since})) as $features
| ([$kernels[].verifier[].compiler] | unique) as $compilers
| (["", "since Linux"] + [$kernels[].kernel | "`" + . + "`"] | row),
  (["---", "---"] + [$kernels[] | "---"] | row),
  ($features[] as $f | ["`" + $f.name + "`", $f.since]
	+ [$kernels[] | .features[] | select(.name == $f.name).state | word] | row),
  (["`hash`, x bare select", ""] + [$kernels[] | ratio("hash")] | row),
  (["`least-queue`, x bare select", ""] + [$kernels[] | ratio("least-queue")] | row),
  (["the same by probe reads", ""] + [$kernels[] | ratio("least-queue, probe reads")] | row),
  ($compilers[] as $c | ("steer", "watch", "groups", "queues") as $o
	| ["instructions verified, " + $o + ", " + $c, ""]
	+ [$kernels[] | insns($c; $o)] | row),
  (["tests passed, failed", ""] + [$kernels[] | "\(.passed), \(.failed)"] | row)
