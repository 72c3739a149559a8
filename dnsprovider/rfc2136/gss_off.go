//go:build !gsstsig

package rfc2136

import "errors"

// newNegotiator says that there is none: Kerberos is a lot of code for the few who need it.
func newNegotiator(*Provider, Config) (negotiator, error) {
	return nil, errors.New("GSS-TSIG: this program was built without it (hint: build it with -tags gsstsig)")
}
