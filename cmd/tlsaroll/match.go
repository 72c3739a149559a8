package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// matchOptions are what match was asked.
type matchOptions struct {
	records  []string
	names    []string
	endpoint string
	roots    string
	at       string
}

func (p *program) matchCommand() *cobra.Command {
	var o matchOptions
	c := &cobra.Command{
		Use:                   "match FILE --tlsa RECORD [--tlsa RECORD]... [--name HOST]... [--endpoint URL] [--roots FILE] [--at TIME]",
		DisableFlagsInUseLine: true,
		Short:                 "ask whether a DANE client would accept a certificate chain",
		Long: `
			Answers as a sending mail server would (RFC 7671, RFC 7672) if the receiving server presented the certificates in
			FILE, in this order, and the records given with --tlsa were published. FILE is PEM; a private key in it is not
			read; - reads standard input. Nothing is looked up.

			Of records with the same usage and selector only those with the strongest digest count. Records that
			no client can use are passed over: those with values that no RFC defines, digests of a wrong length, and the PKIX usages 0
			and 1, as they are not for SMTP. A 3 x x asks only for the certificate or its key, whatever its names and dates. A 2 x x asks
			for a chain up to a certificate that is in FILE, for dates, and for one of the names given with --name or
			--endpoint: without a name it never matches.

			With an --endpoint that is not SMTP the usages 0 and 1 count too (RFC 7673). Beside a name and dates they ask for a
			chain up to a CA that the client trusts: one of those in --roots. Without that it is not judged whether one is trusted.`,
		Example: `
			$ tlsaroll match fullchain.pem --tlsa "3 1 1 8f3c21aa…"
			  match: 3 1 1 depth 0

			Will the issuer's record still do next month?
			$ tlsaroll match fullchain.pem --tlsa "2 1 1 41aab07e…" --name mx1.example.org --at 2027-01-31
			  no match: the certificate at depth 0 ended at 2027-01-14T09:30:00Z

			Another service, where a public CA may have a say:
			$ tlsaroll match fullchain.pem --tlsa "1 1 1 8f3c21aa…" --endpoint imaps://mx1.example.org --roots /etc/ssl/certs/ca-certificates.crt
			  match: 1 1 1 depth 0`,
		Annotations: map[string]string{exitStatus: "0\tmatch: USAGE SELECTOR MATCHING depth N: the certificate N steps above the leaf is the one\n1\tno match: REASON, of the record that came nearest\n2\twrong usage, or input that can't be used"},
		Args:        exactlyOne("FILE"),
		RunE:        func(_ *cobra.Command, args []string) error { return p.match(o, args[0]) },
	}
	c.Flags().StringArrayVar(&o.records, "tlsa", nil, "a `RECORD` that the client holds, as in \"3 1 1 8f3c21aa…\"; a whole line of a zone or of dig will do, in the generic form of RFC 3597 too; may be given more than once")
	c.Flags().StringArrayVar(&o.names, "name", nil, "a `HOST` that the certificate may be for, which all but a 3 x x asks for: the MX host or the domain of the recipient; may be given more than once")
	c.Flags().StringVar(&o.endpoint, "endpoint", "", "answer for the service at `URL`, as in imaps://mx1.example.org, instead of SMTP on port 25; its host is one more --name")
	c.Flags().StringVar(&o.roots, "roots", "", "a `FILE` of the CAs that the client trusts, which the usages 0 and 1 ask for")
	c.Flags().StringVar(&o.at, "at", "", "answer for another `TIME`, as in 2027-01-31 or 2027-01-31T12:00:00Z, instead of now")
	return c
}

func (p *program) match(o matchOptions, name string) error {
	rrset, ref, errs := o.parse(p.now())
	chain, err := p.ui.readChain(name)
	if err := errors.Join(append(errs, err)...); err != nil {
		return usage(err)
	}
	a, depth, err := rrset.MatchedBy(chain, ref)
	var miss *tlsa.MatchError
	switch {
	case err == nil:
		p.ui.result(fmt.Sprintf("%s %s depth %d", paint(p.ui.colourOut, green, "match:"), a.Params, depth))
		if a.Usage < tlsa.DANETA && ref.Roots == nil {
			p.ui.say(fmt.Sprintf("a %s also asks for a CA that the client trusts, which was not judged (RFC 7671, section 4)", a.Params), "--roots /etc/ssl/certs/ca-certificates.crt, or another file of such CAs")
		}
		return nil
	case !errors.As(err, &miss):
		return err
	}
	p.ui.result(paint(p.ui.colourOut, red, "no match:") + " " + miss.Reason())
	if len(rrset.Associations) > 1 {
		p.explainEach(rrset, chain, ref)
	}
	if miss.Kind == tlsa.KindUnusable {
		p.ui.say(allUnusable(ref), "")
	}
	return &exitCode{code: exitError}
}

// allUnusable is what a client makes of records of which it can use none.
func allUnusable(ref tlsa.Reference) string {
	if ref.SMTP {
		return "where no record is usable a sender still insists on TLS, and takes any certificate (RFC 7672, section 2.2)"
	}
	return "where no record is usable a client judges the certificate as if there were none (RFC 7673, section 4.1)"
}

// explainEach says of each record why it does not match; of those that do, that a
// stronger digest is asked instead.
func (p *program) explainEach(rrset tlsa.RRset, chain *tlsa.Chain, ref tlsa.Reference) {
	for _, a := range rrset.Associations {
		_, err := chain.Match(a, ref)
		var miss *tlsa.MatchError
		switch {
		case errors.As(err, &miss):
			p.ui.say(miss.Error(), "")
		case err == nil:
			p.ui.say(fmt.Sprintf("tlsa %s: would match, but a record with a stronger digest is asked instead (RFC 7671, section 9)", a.Params), "")
		}
	}
}

// parse reads the options; all that is wrong with them is in errs.
func (o matchOptions) parse(now time.Time) (rrset tlsa.RRset, ref tlsa.Reference, errs []error) {
	ref = tlsa.Reference{Time: now, SMTP: true}
	if len(o.records) == 0 {
		errs = append(errs, errors.New(`no records (hint: --tlsa "3 1 1 …", once for each)`))
	}
	var as []tlsa.Association
	for _, text := range o.records {
		a, err := tlsa.ParseAssociation(rdata(text))
		if err != nil {
			errs = append(errs, fmt.Errorf("--tlsa: %w", err))
		}
		as = append(as, a)
	}
	for _, name := range o.names {
		host, err := config.Host(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("--name: %w", err))
		}
		ref.Names = append(ref.Names, host)
	}
	if o.endpoint != "" {
		e, err := config.ParseEndpoint(o.endpoint)
		if err != nil {
			errs = append(errs, fmt.Errorf("--endpoint: %w", err))
		}
		ref.SMTP = isSMTP(e)
		ref.Names = append(ref.Names, e.Host)
	}
	if o.roots != "" {
		roots, err := readCertificates(o.roots)
		if err != nil {
			errs = append(errs, fmt.Errorf("--roots: %w", err))
		}
		ref.Roots = roots
	}
	if o.at != "" {
		at, err := parseTime(o.at)
		if err != nil {
			errs = append(errs, fmt.Errorf("--at: %w", err))
		}
		ref.Time = at
	}
	return tlsa.NewRRset(0, as...), ref, errs
}

// isSMTP reports whether mail servers deliver there, which do without public CAs (RFC
// 7672, section 3.1.3). Submission is out of that section's scope.
func isSMTP(e config.Endpoint) bool { return e.Scheme == "smtp" || e.Port == 25 }

// rdata takes the data out of a whole record, as zones and dig show it. TYPE52 is TLSA
// for what does not know it (RFC 3597, section 5).
func rdata(text string) string {
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(text))
	if at := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "TLSA") || strings.EqualFold(w, "TYPE52") }); at >= 0 {
		words = words[at+1:]
	}
	return strings.Join(words, " ")
}

// parseTime reads a time of RFC 3339, or a day of UTC.
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time (hint: write 2027-01-31 or 2027-01-31T12:00:00Z)", s)
}
