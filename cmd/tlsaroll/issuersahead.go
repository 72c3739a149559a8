package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch/issuers"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// issuersAhead are the 2 1 1 records of the CA certificates that a lineage names: in
// files, by their paths, and in known sets. Each record is there once.
func issuersAhead(names []string) (as []tlsa.Association, lists []rollover.IssuerList, err error) {
	for _, name := range names {
		var set issuers.Set
		if strings.Contains(name, "/") {
			set.Certificates, err = readCertificates(name)
		} else if set, err = issuers.Named(name); err == nil {
			lists = append(lists, rollover.IssuerList{Name: set.Name, AsOf: set.AsOf})
		}
		if err != nil {
			return nil, nil, err
		}
		for _, cert := range set.Certificates {
			if !cert.IsCA {
				return nil, nil, fmt.Errorf("%s: %q is not a CA certificate (hint: issuers names the certificates that sign, not those of servers)", name, cert.Subject)
			}
			a, err := tlsa.Associate(tlsa.TA, cert)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			if !slices.Contains(as, a) {
				as = append(as, a)
			}
		}
	}
	return as, lists, nil
}

// roomForIssuers refuses issuers that would fill an RRset so that no rollover has room
// beside them. It is known before anything is published.
func roomForIssuers(lineages []agent.Lineage) error {
	policies := map[string]rollover.LineagePolicy{}
	for _, l := range lineages {
		policies[l.Name] = l.Policy
	}
	var errs []error
	for _, c := range rollover.Crowded(policies) {
		where := "lineage " + c.Lineages[0]
		if len(c.Lineages) > 1 {
			where = "lineages " + list(c.Lineages)
		}
		errs = append(errs, fmt.Errorf("%s: issuers: %s would have %d records of issuers and up to %d of keys, more than senders take (hint: %d of issuers fit; a CA's set for one kind of key, as letsencrypt-ecdsa, is smaller)",
			where, c.Owner, c.Issuers, c.Keys, c.Room))
	}
	return errors.Join(errs...)
}
