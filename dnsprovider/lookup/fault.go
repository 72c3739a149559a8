package lookup

import "errors"

// A Fault says in one word why a server's answer is not believed.
type Fault string

// The faults. All of them mean: unknown.
const (
	FaultSilent        Fault = "silent"            // no answer: three tries over UDP, then TCP
	FaultNoRoute       Fault = "no-route"          // this host has no route for the address family
	FaultNoAddress     Fault = "no-address"        // the name of the server has no address
	FaultLame          Fault = "lame"              // listed, and not authoritative: REFUSED, AA=0, another zone
	FaultServerFailure Fault = "server-failure"    // SERVFAIL or another RCODE that is no answer
	FaultMalformed     Fault = "malformed"         // an answer that cannot be right
	FaultUnsigned      Fault = "unsigned"          // no signature, in a zone that is signed
	FaultBadSignature  Fault = "bad-signature"     // a signature that does not verify
	FaultExpired       Fault = "signature-expired" // a signature whose time is over
	FaultEarly         Fault = "signature-early"   // a signature whose time has not come
	FaultBadKeys       Fault = "bad-keys"          // a DNSKEY RRset without a chain of trust
	FaultUnproven      Fault = "unproven"          // a denial without its NSEC or NSEC3 proof, or without SOA
)

// Bogus reports whether there is an answer, and it does not validate.
func (f Fault) Bogus() bool {
	switch f {
	case FaultUnsigned, FaultBadSignature, FaultExpired, FaultEarly, FaultBadKeys, FaultUnproven:
		return true
	case FaultSilent, FaultNoRoute, FaultNoAddress, FaultLame, FaultServerFailure, FaultMalformed:
	}
	return false
}

// problem is a fault with its sentence.
type problem struct {
	fault Fault
	text  string
}

func (p *problem) Error() string { return p.text }

// faultOf returns the fault of an error from this package. An error without one is
// that the question could not even be put.
func faultOf(err error) Fault {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.fault
	}
	return FaultSilent
}
