package audit

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// nlTLS judges what a server agrees to.
func nlTLS(g grades, a *Address) {
	judges := []struct {
		name  string
		judge func(t *TLS) grade
	}{
		{"tls_version", nlVersion},
		{"tls_ciphers", nlSuites},
		{"tls_cipher_order", nlOrder},
		{"fs_params", nlGroups},
		{"kex_hash_func", nlHashes},
		{"tls_compression", nlCompression},
		{"renegotiation_secure", nlRenegotiation},
		{"renegotiation_client", nlClientRenegotiation},
		{"extended_master_secret", nlMasterSecret},
	}
	for _, j := range judges {
		switch t := a.TLS; {
		case t == nil:
			g[j.name] = untested("what the server agrees to was not looked at")
		case len(t.Versions) == 0:
			g[j.name] = untested("what the server agrees to is not known: %s", cmp.Or(t.Err, "no version was found"))
		default:
			g[j.name] = nlSure(j.judge(t), t)
		}
	}
	// Since 1.11.1 it is not tested for mail.
	g["zero_rtt"] = grade{status: StatusPassed, verdict: "na", text: "does not apply to mail"}
}

// nlSure lets nothing pass that was looked at in part. What was found bad stays bad.
func nlSure(g grade, t *TLS) grade {
	if t.Err != "" && g.status == StatusPassed {
		return untested("nothing bad was found, but not all was seen: %s", t.Err)
	}
	return g
}

func nlVersion(t *TLS) grade {
	var bad, fine []string
	for _, v := range t.Versions {
		switch v {
		case tls.VersionTLS12, tls.VersionTLS13:
			fine = append(fine, versionName(v))
		default:
			bad = append(bad, versionName(v))
		}
	}
	if len(bad) > 0 {
		return grade{status: StatusFailed, verdict: "bad", text: strings.Join(bad, ", ")}
	}
	return grade{status: StatusPassed, verdict: "good", text: strings.Join(fine, ", ")}
}

// nlNewestOld is the newest version before TLS 1.3, the one whose suites are looked at
// besides those of TLS 1.3; 0 where there is none.
func nlNewestOld(t *TLS) (v uint16) {
	for _, w := range t.Versions {
		if w < tls.VersionTLS13 {
			v = max(v, w)
		}
	}
	return v
}

// nlSuitesSeen are the suites that count; not ok where they were not looked at.
func nlSuitesSeen(t *TLS) (suites []uint16, ok bool) {
	for _, v := range []uint16{nlNewestOld(t), tls.VersionTLS13} {
		if v == 0 || !slices.Contains(t.Versions, v) {
			continue
		}
		of, seen := t.Suites[v]
		if !seen {
			return nil, false
		}
		suites = append(suites, of...)
	}
	return suites, true
}

func nlSuites(t *TLS) grade {
	suites, ok := nlSuitesSeen(t)
	if !ok {
		return untested("the cipher suites were not looked at")
	}
	var bad, old []string
	for _, s := range suites {
		switch suiteRank(s) {
		case suiteBad:
			bad = append(bad, SuiteName(s))
		case suitePhaseOut:
			old = append(old, SuiteName(s))
		}
	}
	switch {
	case len(bad) > 0:
		return grade{status: StatusFailed, verdict: "bad", text: strings.Join(bad, ", ")}
	case len(old) > 0:
		return grade{status: StatusWarning, verdict: "phase-out", text: strings.Join(old, ", ")}
	}
	return grade{status: StatusPassed, verdict: "good", text: fmt.Sprintf("%d good and sufficient suites", len(suites))}
}

// nlOrder judges whether the server takes a good or sufficient suite where it is offered
// after all that are to be phased out. Bad ones are not offered with them.
func nlOrder(t *TLS) grade {
	suites, ok := nlSuitesSeen(t)
	v := nlNewestOld(t)
	own, known := t.OwnOrder[v]
	best := !slices.ContainsFunc(suites, func(s uint16) bool { return suiteRank(s) != suiteGood })
	switch {
	case v == 0:
		return grade{status: StatusPassed, verdict: "na", text: "TLS 1.3 alone"}
	case !ok:
		return untested("the cipher suites were not looked at")
	case best:
		return grade{status: StatusPassed, verdict: "na", text: "good suites alone"}
	}
	order := slices.Clone(t.Suites[v])
	if known && !own {
		// It follows the client, and the client names the better one last.
		slices.SortStableFunc(order, func(a, b uint16) int { return cmp.Compare(suiteRank(b), suiteRank(a)) })
	}
	worse := ""
	for _, s := range order {
		switch r := suiteRank(s); {
		case r == suitePhaseOut && worse == "":
			worse = SuiteName(s)
		case r < suitePhaseOut && worse != "" && !known:
			return untested("whether the server chooses by its own order is not known")
		case r < suitePhaseOut && worse != "":
			return grade{status: StatusFailed, verdict: "bad", text: fmt.Sprintf("%s before %s", worse, SuiteName(s))}
		}
	}
	return grade{status: StatusPassed, verdict: "good", text: "no worse suite before a better one"}
}

func nlHashes(t *TLS) grade {
	switch {
	case nlNewestOld(t) == 0:
		return grade{status: StatusPassed, verdict: "good", text: "TLS 1.3 alone"}
	case t.Hashes == nil:
		return untested("the signatures of key exchanges were not looked at")
	case slices.Contains(t.Hashes, "sha1"):
		return grade{status: StatusFailed, verdict: "bad", text: "sha1"}
	case slices.Contains(t.Hashes, "sha224"):
		return grade{status: StatusWarning, verdict: "phase-out", text: "sha224"}
	}
	g := grade{status: StatusPassed, verdict: "good", text: cmp.Or(strings.Join(t.Hashes, ", "), "no key exchange is signed")}
	if i := slices.IndexFunc(t.Hashes, func(h string) bool { return strings.HasPrefix(h, "md5") }); i >= 0 {
		g.ours = "Internet.nl does not ask for " + t.Hashes[i] + ", which this server signs with"
	}
	return g
}

func nlCompression(t *TLS) grade {
	switch on := t.Compression; {
	case nlNewestOld(t) == 0:
		return grade{status: StatusPassed, verdict: "good", text: "TLS 1.3 alone, which has none"}
	case on == nil:
		return untested("compression was not looked at")
	case *on:
		return grade{status: StatusFailed, verdict: "bad", text: "compression is on"}
	}
	return grade{status: StatusPassed, verdict: "good", text: "no compression"}
}

func nlRenegotiation(t *TLS) grade {
	switch secure := t.SecureRenegotiation; {
	case nlNewestOld(t) == 0:
		return grade{status: StatusPassed, verdict: "good", text: "TLS 1.3 alone, which has none"}
	case secure == nil:
		return untested("secure renegotiation was not looked at")
	case !*secure:
		return grade{status: StatusFailed, verdict: "bad", text: "no secure renegotiation (RFC 5746)"}
	}
	return grade{status: StatusPassed, verdict: "good", text: "secure renegotiation (RFC 5746)"}
}

// nlClientRenegotiation knows only servers that have nothing to renegotiate: to find out
// about others one has to do it, eleven times.
func nlClientRenegotiation(t *TLS) grade {
	if nlNewestOld(t) == 0 {
		return grade{status: StatusPassed, verdict: "good", text: "TLS 1.3 alone, which has none"}
	}
	return untested("we do not put a server to the work of renegotiating")
}

func nlMasterSecret(t *TLS) grade {
	switch has := t.ExtendedMasterSecret; {
	case !slices.Contains(t.Versions, tls.VersionTLS12):
		return grade{status: StatusNotTested, verdict: "na", text: "no TLS 1.2"}
	case has == nil:
		return untested("the extended master secret was not looked at")
	case !*has:
		return grade{status: StatusFailed, verdict: "bad", text: "no extended master secret (RFC 7627)"}
	}
	return grade{status: StatusPassed, verdict: "good", text: "extended master secret (RFC 7627)"}
}
