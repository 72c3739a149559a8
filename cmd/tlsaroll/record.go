package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// recordOptions are what record was asked for.
type recordOptions struct {
	scheme    string
	params    []string
	force     bool
	ta        string
	endpoints []string
}

func (p *program) recordCommand() *cobra.Command {
	var o recordOptions
	c := &cobra.Command{
		Use:                   "record [--scheme SCHEME] [--params PARAMS]... [--force] [--ta WHICH] [--endpoint URL]... FILE...",
		DisableFlagsInUseLine: true,
		Short:                 "print the TLSA records of a certificate",
		Long: `
			Prints the TLSA records that vouch for the certificate chain in each FILE: PEM, the server's own certificate
			first. A private key in the same file is passed over unread; - reads standard input.

			With --endpoint each line is ready for a zone file. Without it the records' data is printed alone. Several
			files, as for an RSA and an ECDSA certificate, give the records of them all.

			--params asks for other records than those of a scheme. What an RFC advises against is refused with its sentence, and
			printed only with --force: whole certificates and keys (matching type 0), the PKIX usages 0 and 1 for SMTP, certificates
			where keys outlast them (selector 0), SHA2-512 alone. A 2 0 1 is for a CA of your own, whose certificate stays.

			Nothing is looked up and nothing is changed.`,
		Example: `
			The record of a certificate:
			$ tlsaroll record fullchain.pem
			  3 1 1 8f3c21aa…

			Zone lines for two services, with the issuer's key too:
			$ tlsaroll record --scheme ee+ta --endpoint smtp://mx1.example.org --endpoint submissions://mx1.example.org fullchain.pem
			  _25._tcp.mx1.example.org. IN TLSA 2 1 1 41aab07e…
			  _25._tcp.mx1.example.org. IN TLSA 3 1 1 8f3c21aa…
			  _465._tcp.mx1.example.org. IN TLSA 2 1 1 41aab07e…
			  _465._tcp.mx1.example.org. IN TLSA 3 1 1 8f3c21aa…

			Both digests of the key:
			$ tlsaroll record --params "3 1 1" --params "3 1 2" fullchain.pem
			  3 1 1 8f3c21aa…
			  3 1 2 675edb9f…`,
		Annotations: map[string]string{exitStatus: "0\tthe records are printed\n1\tthe chain has no such record\n2\twrong usage, a combination that is advised against or not defined, or a file that holds no certificate"},
		Args:        atLeastOne("FILE"),
		RunE: func(c *cobra.Command, names []string) error {
			if len(o.params) > 0 && !c.Flags().Changed("scheme") {
				o.scheme = ""
			}
			return p.record(o, names)
		},
	}
	c.Flags().StringVar(&o.scheme, "scheme", "ee", "the records' `SCHEME`: a + set of ee (3 1 1, the key of the certificate) and ta (2 1 1, the key of its issuer)")
	c.Flags().StringArrayVar(&o.params, "params", nil, "a combination of `PARAMS`, usage, selector and matching type, as in \"2 0 1\" or \"DANE-TA Cert SHA2-256\", instead of a scheme, or beside --scheme; may be given more than once")
	c.Flags().BoolVar(&o.force, "force", false, "print what an RFC advises against, and say what it says as a warning")
	c.Flags().StringVar(&o.ta, "ta", "intermediate", "`WHICH` certificate of the chain the usages 0 and 2 name: intermediate, the issuer, or root, if it is in the file")
	c.Flags().StringArrayVar(&o.endpoints, "endpoint", nil, "print zone lines for the service at `URL`, as in smtp://mx1.example.org; may be given more than once")
	return c
}

func (p *program) record(o recordOptions, names []string) error {
	wanted, errs := o.parse()
	var chains []*tlsa.Chain
	for _, name := range names {
		chain, err := p.ui.readChain(name)
		if err == nil {
			err = leafFirst(name, chain)
		}
		errs, chains = append(errs, err), append(chains, chain)
	}
	if err := errors.Join(errs...); err != nil {
		return usage(err)
	}
	var records []tlsa.Association
	for i, chain := range chains {
		as, err := wanted.of(chain)
		if err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		if err := p.consider(wanted, names[i], chain, o.force); err != nil {
			return err
		}
		if err := p.vouch(names[i], chain, as); err != nil {
			return err
		}
		for _, e := range wanted.endpoints {
			if asks := namesAsked(as); asks != "" && !chain.IsFor(e.Host) {
				p.ui.warn(fmt.Sprintf("%s: the certificate is not for %s, so no client will take its %s there", names[i], e.Host, asks), "add the name to the certificate, or use --scheme ee")
			}
		}
		records = append(records, as...)
	}
	return p.printRecords(wanted.endpoints, tlsa.NewRRset(0, records...))
}

// leafFirst refuses a file whose first certificate issued another one in it: its
// 3 1 1 would vouch for a CA, and for no server.
func leafFirst(name string, chain *tlsa.Chain) error {
	first := chain.Leaf()
	for i, c := range chain.Certificates()[1:] {
		if bytes.Equal(c.RawIssuer, first.RawSubject) && !bytes.Equal(c.RawSubject, first.RawSubject) && c.CheckSignatureFrom(first) == nil {
			return fmt.Errorf("%s: the first certificate issued number %d (hint: put the server's own certificate first)", name, i+2)
		}
	}
	return nil
}

// vouch makes sure that a client would take the records for this chain: a CA
// certificate that did not issue the leaf vouches for nothing.
func (p *program) vouch(name string, chain *tlsa.Chain, records []tlsa.Association) error {
	ref := tlsa.Reference{Names: chain.Names(), Time: p.now()}
	for _, a := range records {
		_, err := chain.Match(a, ref)
		var miss *tlsa.MatchError
		switch {
		case !errors.As(err, &miss) || miss.Kind == tlsa.KindNames:
		case miss.Kind == tlsa.KindDates:
			p.ui.warn(fmt.Sprintf("%s: %s", name, miss.Reason()), fmt.Sprintf("no client will take a %s for it; 3 1 1 does not ask", a.Params))
		default:
			return fmt.Errorf("%s: %s", name, miss.Reason())
		}
	}
	return nil
}

func (p *program) printRecords(endpoints []config.Endpoint, records tlsa.RRset) error {
	if len(endpoints) == 0 {
		for _, a := range records.Associations {
			p.ui.result(a.String())
		}
	}
	printed := map[tlsa.Owner]bool{}
	for _, e := range endpoints {
		owner, err := tlsa.OwnerOf(e.Port, e.Host)
		if err != nil {
			return usage(err)
		}
		if printed[owner] {
			continue
		}
		printed[owner] = true
		for _, a := range records.Associations {
			p.ui.result(fmt.Sprintf("%s IN TLSA %s", owner, a))
		}
	}
	return nil
}
