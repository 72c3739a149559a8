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
	records []string
	names   []string
	at      string
}

func (p *program) matchCommand() *cobra.Command {
	var o matchOptions
	c := &cobra.Command{
		Use:                   "match FILE --tlsa RECORD [--tlsa RECORD]... [--name HOST]... [--at TIME]",
		DisableFlagsInUseLine: true,
		Short:                 "ask whether a DANE client would accept a certificate chain",
		Long: `
			Answers as a sending mail server would (RFC 7671, RFC 7672) that was presented the certificates in FILE, in their
			order, and holds the records given with --tlsa. FILE is PEM; a private key in it is passed over unread;
			- reads standard input. Nothing is looked up.

			Of records with the same usage and selector only those with the strongest digest count. Records that
			no client can use are passed over; the PKIX usages 0 and 1 are among them, as they are not for SMTP. A 3 x x asks only for
			the certificate or its key, whatever its names and dates. A 2 x x asks for a chain up to a certificate that is in FILE, for dates,
			and for one of the names given with --name: without a name it never matches.`,
		Example: `
			$ tlsaroll match fullchain.pem --tlsa "3 1 1 8f3c21aa…"
			  match: 3 1 1 depth 0

			Will the issuer's record still do next month?
			$ tlsaroll match fullchain.pem --tlsa "2 1 1 41aab07e…" --name mx1.example.org --at 2027-01-31
			  no match: the certificate at depth 0 ended at 2027-01-14T09:30:00Z`,
		Annotations: map[string]string{exitStatus: "0\tmatch: USAGE SELECTOR MATCHING depth N: the certificate N steps above the leaf is the one\n1\tno match: REASON, of the record that came nearest\n2\twrong usage, or input that can't be used"},
		Args:        exactlyOne("FILE"),
		RunE:        func(_ *cobra.Command, args []string) error { return p.match(o, args[0]) },
	}
	c.Flags().StringArrayVar(&o.records, "tlsa", nil, "a `RECORD` that the client holds, as in \"3 1 1 8f3c21aa…\"; a whole line of a zone or of dig will do; may be given more than once")
	c.Flags().StringArrayVar(&o.names, "name", nil, "a `HOST` that the certificate may be for, which a 2 x x asks for: the MX host or the domain of the recipient; may be given more than once")
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
		return nil
	case !errors.As(err, &miss):
		return err
	}
	p.ui.result(paint(p.ui.colourOut, red, "no match:") + " " + miss.Reason())
	if len(rrset.Associations) > 1 {
		p.explainEach(rrset, chain, ref)
	}
	return &exitCode{code: exitError}
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
	if o.at != "" {
		at, err := parseTime(o.at)
		if err != nil {
			errs = append(errs, fmt.Errorf("--at: %w", err))
		}
		ref.Time = at
	}
	return tlsa.NewRRset(0, as...), ref, errs
}

// rdata takes the data out of a whole record, as zones and dig show it.
func rdata(text string) string {
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(text))
	if at := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "TLSA") }); at >= 0 {
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
	return time.Time{}, fmt.Errorf("%q is no time (hint: write 2027-01-31 or 2027-01-31T12:00:00Z)", s)
}
