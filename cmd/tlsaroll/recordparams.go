package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// wantedRecords are the combinations that record prints, and for what.
type wantedRecords struct {
	params    []tlsa.Params
	ta        rollover.TrustAnchor
	endpoints []config.Endpoint
}

// parse reads the options; all that is wrong with them is in errs.
func (o recordOptions) parse() (w wantedRecords, errs []error) {
	if o.scheme != "" || len(o.params) == 0 {
		scheme, err := rollover.ParseScheme(o.scheme)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--scheme: %w", err))
		case scheme.Standby:
			errs = append(errs, fmt.Errorf("--scheme: scheme %q: no certificate holds the next key (hint: use ee, ta or ee+ta)", o.scheme))
		}
		if scheme.EE {
			w.params = append(w.params, tlsa.EE)
		}
		if scheme.TA {
			w.params = append(w.params, tlsa.TA)
		}
	}
	for _, text := range o.params {
		p, err := tlsa.ParseParams(text)
		if err == nil && p.Undefined() != nil {
			err = fmt.Errorf("%q: %w", text, p.Undefined())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--params: %w", err))
		}
		if !slices.Contains(w.params, p) {
			w.params = append(w.params, p)
		}
	}
	w.ta = rollover.TrustAnchor(o.ta)
	if w.ta != rollover.Intermediate && w.ta != rollover.Root {
		errs = append(errs, fmt.Errorf("--ta: unknown certificate %q (hint: %s)", o.ta, suggest.Hint(o.ta, []string{"intermediate", "root"}, "write one of ")))
	}
	for _, url := range o.endpoints {
		e, err := config.ParseEndpoint(url)
		if err != nil {
			errs = append(errs, fmt.Errorf("--endpoint: %w", err))
		}
		w.endpoints = append(w.endpoints, e)
	}
	return w, errs
}

// of are the chain's records, one a combination.
func (w wantedRecords) of(chain *tlsa.Chain) ([]tlsa.Association, error) {
	var as []tlsa.Association
	for _, p := range w.params {
		index, err := w.index(p, chain)
		if err != nil {
			return nil, err
		}
		a, err := chain.Association(p, index)
		if err != nil {
			return nil, err
		}
		as = append(as, a)
	}
	return as, nil
}

// index is which certificate of the chain a combination names.
func (w wantedRecords) index(p tlsa.Params, chain *tlsa.Chain) (int, error) {
	if p.Usage == tlsa.DANEEE || p.Usage == tlsa.PKIXEE {
		return 0, nil
	}
	return w.ta.Index(chain)
}

// smtp reports whether mail servers deliver to one of the services, as they do to what
// is not named otherwise.
func (w wantedRecords) smtp() bool {
	return len(w.endpoints) == 0 || slices.ContainsFunc(w.endpoints, isSMTP)
}

// consider refuses what an RFC advises against or, if that is forced, warns of it.
func (p *program) consider(w wantedRecords, name string, chain *tlsa.Chain, force bool) error {
	var errs []error
	for _, params := range w.params {
		index, err := w.index(params, chain)
		if err != nil {
			return err
		}
		for _, c := range chain.Cautions(params, index, w.params, w.smtp()) {
			text := fmt.Sprintf("%s: %s is advised against: %s", name, params, c)
			if force {
				p.ui.warn(text, w.better(params))
				continue
			}
			errs = append(errs, fmt.Errorf("%s (hint: %s, or --force)", text, w.better(params)))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return usage(errs...)
}

// better is what to ask for instead: what the schemes ee and ta have, first of all.
func (w wantedRecords) better(p tlsa.Params) string {
	instead := tlsa.TA
	if p.Usage == tlsa.DANEEE || p.Usage == tlsa.PKIXEE {
		instead = tlsa.EE
	}
	hint := "use " + instead.String()
	if beside := (tlsa.Params{Usage: p.Usage, Selector: p.Selector, Matching: tlsa.SHA256}); p.Matching == tlsa.SHA512 && !slices.Contains(w.params, beside) {
		hint += ", or " + beside.String() + " beside it"
	}
	if p.Usage < tlsa.DANETA && len(w.endpoints) == 0 {
		hint += ", or name a service other than SMTP with --endpoint"
	}
	return hint
}

// namesAsked are the combinations whose clients look at the certificate's names.
func namesAsked(as []tlsa.Association) string {
	var asks []string
	for _, a := range as {
		if a.Usage != tlsa.DANEEE {
			asks = append(asks, a.Params.String())
		}
	}
	return strings.Join(asks, " or ")
}
