package main

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/certwatch/selfsigned"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// wireIssuer gives a lineage whoever issues its certificates, if it has one of its own.
func (p *program) wireIssuer(l config.Lineage, out *agent.Lineage) {
	out.KeyType = certwatch.KeyType(l.KeyType)
	if l.SelfSigned {
		out.Issuer, out.Names = selfsigned.Issuer{Lifetime: l.Lifetime, Now: p.now}, hosts(l)
	}
}

// hosts are those of a lineage's endpoints, each once, in the order of the configuration.
func hosts(l config.Lineage) []string {
	var names []string
	for _, e := range l.Endpoints {
		if !slices.Contains(names, e.Host) {
			names = append(names, e.Host)
		}
	}
	return names
}
