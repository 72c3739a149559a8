package audit

import (
	"strings"
)

// groupRank judges a group for key exchanges, by NCSC-NL's guidelines for TLS
// (version 2025-05, sections 3.3.2.1 and 3.3.3.1) as Internet.nl has them.
func groupRank(name string) int {
	switch name {
	case "secp521r1", "secp384r1", "secp256r1", "brainpoolP512r1", "brainpoolP384r1", "brainpoolP256r1", "x25519", "x448":
		return suiteGood
	case "secp224r1", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192":
		return suitePhaseOut
	}
	return suiteBad
}

// nlGroups judges the groups that Internet.nl meets: of elliptic curves the first, which
// the server takes where all are offered, and of the others all, as they are the server's
// own to choose. It knows no hybrid with a post-quantum algorithm, and does not look at
// the key exchanges of TLS 1.3.
func nlGroups(t *TLS) grade {
	if _, ok := nlSuitesSeen(t); !ok {
		return untested("the key exchanges were not looked at")
	}
	var met, bad, old, others []string
	curve := false
	for _, name := range t.Groups {
		field := strings.HasPrefix(name, "ffdhe") || strings.HasPrefix(name, "dh-")
		switch rank := groupRank(name); {
		case strings.Contains(name, "mlkem"):
		case !field && curve:
			if rank != suiteGood {
				others = append(others, name)
			}
		default:
			curve = curve || !field
			met = append(met, name)
			switch rank {
			case suiteBad:
				bad = append(bad, name)
			case suitePhaseOut:
				old = append(old, name)
			}
		}
	}
	g := grade{status: StatusPassed, verdict: "good", text: strings.Join(met, ", ")}
	switch {
	case nlNewestOld(t) == 0 || len(met) == 0:
		g = grade{status: StatusPassed, verdict: "na", text: "no key exchange to judge"}
	case len(bad) > 0:
		g.status, g.verdict, g.text = StatusFailed, "bad", strings.Join(bad, ", ")
	case len(old) > 0:
		g.status, g.verdict, g.text = StatusWarning, "phase-out", strings.Join(old, ", ")
	}
	if len(others) > 0 {
		g.ours = "the server takes " + strings.Join(others, ", ") + " too where a client offers nothing better, which Internet.nl does not"
	}
	return g
}
