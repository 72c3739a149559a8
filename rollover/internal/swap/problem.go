package swap

// Severity says how much a problem matters.
type Severity string

// The severities, least first.
const (
	Warning  Severity = "warning"
	Critical Severity = "error" // a switch would fail, or do harm
)

// A Problem is a sentence about the installation that somebody should read.
type Problem struct {
	Code     string // one of the Code constants
	Severity Severity
	Text     string
}

// The codes of problems.
const (
	CodeCommand   = "command-unusable" // a check or reload command cannot be run
	CodeTarget    = "target-unusable"  // an install target cannot be what it should be
	CodeOwner     = "owner-unusable"   // its owner is unknown or not to be had
	CodeExposed   = "key-exposed"      // a file with the key would be open to everybody
	CodeTwoSteps  = "not-one-step"     // key and chain are in files of their own
	CodeDiffers   = "install-differs"  // an installed file is not the entry's
	CodeLeftover  = "leftover"         // something old could not be cleared up
	CodeLabel     = "label-failed"     // restorecon did not work
	CodeTookPlace = "replaced-symlink" // a file was installed where a symlink was
)
