package rollover

// processCodes are about the process that runs the rules. The rules tell none of
// them; who runs them does, with [NewWarning].
var processCodes = []Explanation{
	{
		Code: CodeClockSet, Severity: Warn,
		Means:  "The wall clock was set. This process goes on by its own time, so that no wait gets shorter.",
		Shows:  "When the wall clock and the time of this process are apart.",
		Clears: "When they agree again, or with a restart.",
		Do:     "Look at the clock. If it is right now, restart tlsaroll; open waits start again then.",
	}, {
		Code: CodeConfigStale, Severity: Danger, Person: true,
		Means:  "The configuration file was changed and could not be read. The one that was read before is in force.",
		Shows:  "When it was to be read again.",
		Clears: "When it could be read.",
		Do:     "Mend the file at the place that is named, then reload.",
	}, {
		Code: CodePassFailed, Severity: Danger,
		Means:  "A pass could not be made: most often the journal cannot be written. Nothing is done that is not remembered first.",
		Shows:  "With the pass that failed.",
		Clears: "With the next one that succeeds.",
		Do:     "Look at the error, at the room on the disk, and at the permissions of the state directory.",
	}, {
		Code: CodeNotifyFailed, Severity: Warn, Person: true,
		Means:  "A notify command failed, so nobody may know of what it was to tell.",
		Shows:  "When the command could not be started, ended with an error or took too long.",
		Clears: "When it succeeds.",
		Do:     "Run the command by hand with a warning as JSON on its standard input.",
	},
}
