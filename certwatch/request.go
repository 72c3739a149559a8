package certwatch

import (
	"crypto/x509"
	"fmt"
	"time"
)

// A Request is an order for a certificate.
type Request struct {
	Names    []string          // without trailing dots; the first becomes the common name, if there is one
	Key      Key               // the certificate is for exactly this key
	Replaces *x509.Certificate // what it is to follow (RFC 9773, section 5); nil: nothing
}

// A Renewal says when a certificate is to be renewed.
type Renewal struct {
	At     time.Time // then
	Again  time.Time // ask again then: the answer may be another one; zero: it will not
	Reason string    // whose word that is, for people
}

// A LaterError is an order that is useless to repeat before a moment: the CA limits
// how often it is asked (RFC 8555, section 6.6), or has named the time itself.
type LaterError struct {
	Until time.Time
	Err   error
}

func (e *LaterError) Error() string {
	return fmt.Sprintf("%v (not before %s)", e.Err, stampText(e.Until))
}

func (e *LaterError) Unwrap() error { return e.Err }
