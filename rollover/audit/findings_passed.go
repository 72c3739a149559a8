package audit

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Codes of what a look at DNS comes across, of which more is known here.
const (
	codeNoDS            rollover.Code = "no-ds"
	codeLame            rollover.Code = "lame"
	codeNoAddress       rollover.Code = "no-address"
	codeResolverDiffers rollover.Code = "resolver-differs"
	codeDenialBogus     rollover.Code = "denial-bogus"
	codeWildcard        rollover.Code = "wildcard"
)

// tellPassedOn tells what the looks at DNS came across, as far as nothing above says it.
func (s *scene) tellPassedOn() {
	for _, b := range s.Bases {
		for _, w := range b.Findings {
			if s.saidAlready(w) {
				continue
			}
			if idle := s.idle[b.Name]; w.Code == codeNoDS && idle != "" {
				w.Text += ", " + idle
			}
			f := s.tell(w.Code, w.About, "%s", w.Text)
			f.of(w.About)
			switch w.Code {
			case codeNoDS:
				f.reportedAs(resultDANERequired)
			case codeDenialBogus:
				f.reportedAs(resultDNSSECInvalid)
			}
		}
	}
}

func (s *scene) saidAlready(w rollover.Warning) bool {
	switch w.Code {
	case rollover.CodeFamilyUntested: // told of all servers at once
		return true
	case codeResolverDiffers:
		return s.told(rollover.CodeCachedMismatch, rollover.CodeDenialCached)
	case codeDenialBogus:
		return s.told(rollover.CodeZoneBogus, codeDenialBogus)
	}
	return slices.ContainsFunc(s.out, func(f Finding) bool { return f.Code == w.Code && f.About == w.About })
}
