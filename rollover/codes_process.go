package rollover

// processCodes are about the process that runs the rules. The rules tell none of
// them; who runs them does, with [NewWarning].
var processCodes = []Explanation{
	{
		Code: CodeClockSet, Severity: Warn,
		Means:  "The wall clock was set. This process goes on by its own time, so that no wait gets shorter.",
		Shows:  "When the wall clock and the time of this process are apart.",
		Clears: "When they agree again, or with a restart.",
		Do:     "Set the clock right. Then systemctl restart tlsaroll; open waits start again with it.",
	}, {
		Code: CodeConfigStale, Severity: Danger, Person: true,
		Means:  "The configuration file was changed and could not be read. The one that was read before is in force.",
		Shows:  "When it was to be read again.",
		Clears: "When it could be read.",
		Do:     "Correct the file at the line that is named; tlsaroll check says whether it is in order. Then systemctl reload tlsaroll.",
	}, {
		Code: CodePassFailed, Severity: Danger,
		Means:  "A pass could not be made: most often the journal cannot be written. Nothing is done that is not remembered first.",
		Shows:  "When a pass fails.",
		Clears: "When a pass succeeds.",
		Do:     "Look at the error (journalctl -u tlsaroll), at the space on the disk, and at the owner and mode of the state directory.",
	}, {
		Code: CodeNotifyFailed, Severity: Warn, Person: true,
		Means:  "A notify command failed, so perhaps nobody was told of a warning.",
		Shows:  "When the command could not be started, ended with an error or took too long.",
		Clears: "When it succeeds.",
		Do:     "tlsaroll notify test sends a test message the same way and shows the error.",
	},
}
