package main

import (
	"github.com/tlsaroll/tlsaroll/certwatch/selfsigned"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// wireIssuer gives a lineage whoever issues its certificates, if it has one of its own.
func (p *program) wireIssuer(cfg *config.Config, l config.Lineage, out *agent.Lineage, providers []agent.Provider) error {
	out.KeyType = l.KeyType
	switch {
	case l.SelfSigned:
		out.Issuer, out.Names = selfsigned.Issuer{Lifetime: l.Lifetime, Now: p.now}, l.Names
	case len(l.ACME) > 0:
		issuer, err := p.wireACME(cfg, l, providers)
		if err != nil {
			return err
		}
		out.Issuer, out.Names, out.KeyType = issuer, l.Names, l.ACME[0].KeyType
	}
	return nil
}
