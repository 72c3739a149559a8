package rollover

// Findings of who looks at a host's own configuration and state, beside its services.
const (
	CodeConfigDoubtful Code = "config-doubtful"
	CodeStateExposed   Code = "state-exposed"
	CodeStateReadable  Code = "state-readable"
	CodeColdStart      Code = "cold-start"
	CodeNotPermitted   Code = "not-permitted"
)

// hereCodes are told by tlsaroll check.
var hereCodes = []Explanation{
	{
		Code: CodeConfigDoubtful, Severity: Warn,
		Means:  "The configuration is in force, and something in it may not be what was meant, or costs safety.",
		Shows:  "When the configuration is read.",
		Clears: "When it is put right.",
		Do:     "Do what the sentence says, at the line that it names.",
	}, {
		Code: CodeStateExposed, Severity: Danger, Person: true,
		Means:  "Others than its owner may write to the state directory, and so choose the certificate that is served. The daemon refuses one that everyone may write to.",
		Shows:  "When the directory is looked at.",
		Clears: "When its mode is 0700.",
		Do:     "chmod 700 the directory, and see who owns the files in it.",
	}, {
		Code: CodeStateReadable, Severity: Warn,
		Means:  "Others than its owner may list the state directory. The keys in it have modes of their own, but no second guard.",
		Shows:  "When the directory is looked at.",
		Clears: "When its mode is 0700.",
		Do:     "chmod 700 the directory.",
	}, {
		Code: CodeColdStart, Severity: Info,
		Means:  "There is no journal, so nothing is known of what caches may hold: the first new certificate waits as if the longest TTL that is possible had been served until now.",
		Shows:  "While there is no journal.",
		Clears: "With the first pass of run, once or rollover; the wait begins then.",
		Do:     "Start the daemon well before the next certificate is due. If you know how long the TTL was at most, write that under known-ttl: in the lineage.",
	}, {
		Code: CodeNotPermitted, Severity: Warn,
		Means:  "The user who ran the command has no permission to read something, so nothing can be said of it.",
		Shows:  "When it is looked at.",
		Clears: "When it is asked for by a user who may.",
		Do:     "Run the command as root, or as the user that the daemon runs as.",
	},
}
