package certwatch

// Severity says how much a finding matters.
type Severity string

// The severities, least first.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
)

// A Finding is something about a pair that was repaired or that somebody should
// know; the pair is usable all the same.
type Finding struct {
	Code     string   // one of the Code constants
	Severity Severity // what is an error is returned as one, and is no finding
	Text     string   // a sentence that names the file
}

// The codes of findings.
const (
	CodeReordered     = "chain-reordered"       // the chain was put in order
	CodeDoubled       = "certificate-doubled"   // a certificate stood there twice
	CodeUnrelated     = "certificate-unrelated" // a certificate that is no issuer in this chain was left out
	CodeNoIssuer      = "chain-incomplete"      // the leaf's issuer is not in the chain
	CodeGroupReadable = "key-group-readable"    // the key's file may be read or written by its group
	CodeWritable      = "certificate-writable"  // the certificate's file may be written by everybody
	CodeOtherChain    = "chain-not-preferred"   // the CA has no chain of the preferred root
	CodeFuture        = "file-from-the-future"  // a file's time of change is far ahead of the clock
)
