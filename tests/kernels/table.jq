# The table of kernels and features, in Markdown: from an array of what was seen of each.

# "6.1.0-56-cloud-amd64" as numbers, to sort by.
def version: [scan("[0-9]+") | tonumber];

def row: "| " + join(" | ") + " |";

def word: {"available": "yes", "missing": "no"}[.] // .;

# "15.4 k"
def thousands: if . == null then "" elif . < 1000 then tostring
	else (. / 100 | round / 10 | tostring) + " k" end;

def has_plain_reads: any(.features[]; .name == "plain-reads" and .state == "available");

# In bare selects; of a program with plain reads only where there are some.
def ratio($program): .cost.rows // [] | map(select(.program == $program)) | .[0].ratio.median
	| if . then (. * 100 | round / 100 | tostring) else "" end;
def plain($program): if has_plain_reads then ratio($program) else "" end;

# The most that a program took: of "steer", or of the other objects.
def insns($compiler; $of): [.verifier[] | select(.compiler == $compiler
	and (.object == "steer") == ($of == "steer") and .result == "accepted") | .insns]
	| max | thousands;

sort_by(.kernel | version) as $kernels
| ($kernels[0].features | map({name, since})) as $features
| ([$kernels[].verifier[].compiler] | unique) as $compilers
| (["", "since Linux"] + [$kernels[] | "`\(.kernel)`"] | row),
  (["---", "---"] + [$kernels[] | "---"] | row),
  ($features[] as $f | ["`\($f.name)`", $f.since]
	+ [$kernels[] | .features[] | select(.name == $f.name).state | word] | row),
  (["run as", ""] + [$kernels[] | {"none": "the host\u0027s", "kvm": "guest", "tcg":
	"guest, emulated"}[.run.accel]] | row),
  (("hash", "least-queue") as $policy
	| (["`\($policy)`, in bare selects", ""] + [$kernels[] | plain($policy)] | row),
	  (["the same by probe reads", ""] + [$kernels[] | ratio($policy + ", probe reads")] | row)),
  ($compilers[] as $c | ("steer", "others") as $of
	| ["verified instructions, \($of), \($c)", ""] + [$kernels[] | insns($c; $of)] | row),
  (["tests passed, failed, skipped", ""]
	+ [$kernels[] | "\(.passed), \(.failed), \(.skipped)"] | row)
