package audit

import (
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestInternetNLAgreed(t *testing.T) {
	w := newNLWorld(t)
	yes, no := true, false
	on := func(change func(t *TLS)) func(h *Host) {
		return func(h *Host) { change(h.Addresses[0].TLS) }
	}
	only13 := func(t *TLS) {
		t.Versions = []uint16{tls.VersionTLS13}
		delete(t.Suites, tls.VersionTLS12)
		t.Groups, t.Hashes = []string{"x25519mlkem768", "x25519"}, nil
		t.Compression, t.SecureRenegotiation, t.ExtendedMasterSecret = nil, nil, nil
	}
	versions := func(vs ...uint16) func(h *Host) { return on(func(t *TLS) { t.Versions = vs }) }
	old := func(suites ...uint16) func(h *Host) {
		return on(func(t *TLS) { t.Suites[tls.VersionTLS12] = suites })
	}
	groups := func(names ...string) func(h *Host) { return on(func(t *TLS) { t.Groups = names }) }
	hashes := func(names ...string) func(h *Host) { return on(func(t *TLS) { t.Hashes = names }) }
	cheap := on(func(t *TLS) { *t = TLS{Versions: t.Versions} })
	const gcm, cbc, cbc1, rc4 = tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA
	client := func(suites ...uint16) func(h *Host) {
		return on(func(t *TLS) { t.Suites[tls.VersionTLS12], t.OwnOrder[tls.VersionTLS12] = suites, false })
	}
	runNL(t, w, []nlRow{
		{"1.2 and 1.3", func(*Host) {}, "tls_version", StatusPassed, "good", ""},
		{"1.1", versions(tls.VersionTLS11, tls.VersionTLS12), "tls_version", StatusFailed, "bad", ""},
		{"1.0", versions(tls.VersionTLS10, tls.VersionTLS12), "tls_version", StatusFailed, "bad", ""},
		{"SSL 3", versions(0x0300, tls.VersionTLS12), "tls_version", StatusFailed, "bad", ""},
		{"not looked at", func(h *Host) { h.Addresses[0].TLS = nil }, "tls_version", StatusNotTested, "not-tested", ""},
		{"looked at in part", on(func(t *TLS) { t.Err = "cut off" }), "tls_version", StatusNotTested, "not-tested", ""},
		{"looked at in part and bad", on(func(t *TLS) { t.Err, t.Versions = "cut off", []uint16{tls.VersionTLS10} }), "tls_version", StatusFailed, "bad", ""},
		{"not looked at", func(h *Host) { h.Addresses[0].TLS = nil }, "tls_ciphers", StatusNotTested, "not-tested", ""},

		{"good and sufficient", func(*Host) {}, "tls_ciphers", StatusPassed, "good", ""},
		{"phase-out", old(gcm, cbc), "tls_ciphers", StatusWarning, "phase-out", ""},
		{"bad", old(gcm, cbc, cbc1), "tls_ciphers", StatusFailed, "bad", ""},
		{"short tag in 1.3", on(func(t *TLS) { t.Suites[tls.VersionTLS13] = []uint16{0x1305} }), "tls_ciphers", StatusFailed, "bad", ""},
		{"older versions do not count", on(func(t *TLS) {
			t.Versions = append([]uint16{tls.VersionTLS10}, t.Versions...)
			t.Suites[tls.VersionTLS10] = []uint16{rc4}
		}), "tls_ciphers", StatusPassed, "good", ""},
		{"versions alone were looked at", cheap, "tls_ciphers", StatusNotTested, "not-tested", ""},

		{"own order", old(gcm, cbc), "tls_cipher_order", StatusPassed, "good", ""},
		{"own order and wrong", old(cbc, gcm), "tls_cipher_order", StatusFailed, "bad", ""},
		{"the client's order", client(gcm, cbc), "tls_cipher_order", StatusFailed, "bad", ""},
		{"the client's order of sufficient ones", client(gcm, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), "tls_cipher_order", StatusPassed, "good", ""},
		{"bad ones are not compared", old(cbc1, gcm), "tls_cipher_order", StatusPassed, "good", ""},
		{"unknown order", on(func(t *TLS) { t.Suites[tls.VersionTLS12], t.OwnOrder = []uint16{cbc, gcm}, nil }), "tls_cipher_order", StatusNotTested, "not-tested", ""},
		{"1.3 alone", on(only13), "tls_cipher_order", StatusPassed, "na", ""},
		{"good alone", on(func(t *TLS) {
			t.Suites[tls.VersionTLS12], t.Suites[tls.VersionTLS13] = nil, []uint16{tls.TLS_AES_256_GCM_SHA384}
		}), "tls_cipher_order", StatusPassed, "na", ""},
		{"versions alone were looked at", cheap, "tls_cipher_order", StatusNotTested, "not-tested", ""},

		{"good curves", groups("x25519", "secp384r1"), "fs_params", StatusPassed, "good", ""},
		{"none", groups(), "fs_params", StatusPassed, "na", ""},
		{"1.3 alone", on(only13), "fs_params", StatusPassed, "na", ""},
		{"P-224", groups("secp224r1"), "fs_params", StatusWarning, "phase-out", ""},
		{"ffdhe3072", groups("x25519", "ffdhe3072"), "fs_params", StatusWarning, "phase-out", ""},
		{"ffdhe8192", groups("ffdhe8192"), "fs_params", StatusWarning, "phase-out", ""},
		{"ffdhe2048", groups("x25519", "ffdhe2048"), "fs_params", StatusFailed, "bad", ""},
		{"a field of its own", groups("x25519", "dh-1024"), "fs_params", StatusFailed, "bad", ""},
		{"another curve", groups("secp256k1"), "fs_params", StatusFailed, "bad", ""},
		{"another curve on demand", groups("x25519", "secp256k1"), "fs_params", StatusPassed, "good", "secp256k1"},
		{"a hybrid", groups("x25519mlkem768", "x25519"), "fs_params", StatusPassed, "good", ""},
		{"versions alone were looked at", cheap, "fs_params", StatusNotTested, "not-tested", ""},

		{"SHA-256", hashes("sha256", "sha512"), "kex_hash_func", StatusPassed, "good", ""},
		{"SHA-1", hashes("sha256", "sha224", "sha1"), "kex_hash_func", StatusFailed, "bad", ""},
		{"SHA-224", hashes("sha256", "sha224"), "kex_hash_func", StatusWarning, "phase-out", ""},
		{"MD5 of TLS 1.0", hashes("md5-sha1"), "kex_hash_func", StatusPassed, "good", "md5-sha1"},
		{"unknown", cheap, "kex_hash_func", StatusNotTested, "not-tested", ""},
		{"RSA key transport", on(func(t *TLS) { t.Hashes = []string{} }), "kex_hash_func", StatusPassed, "good", ""},
		{"1.3 alone", on(only13), "kex_hash_func", StatusPassed, "good", ""},

		{"off", func(*Host) {}, "tls_compression", StatusPassed, "good", ""},
		{"on", on(func(t *TLS) { t.Compression = &yes }), "tls_compression", StatusFailed, "bad", ""},
		{"unknown", cheap, "tls_compression", StatusNotTested, "not-tested", ""},
		{"1.3 alone", on(only13), "tls_compression", StatusPassed, "good", ""},
		{"there", func(*Host) {}, "renegotiation_secure", StatusPassed, "good", ""},
		{"absent", on(func(t *TLS) { t.SecureRenegotiation = &no }), "renegotiation_secure", StatusFailed, "bad", ""},
		{"unknown", cheap, "renegotiation_secure", StatusNotTested, "not-tested", ""},
		{"1.3 alone", on(only13), "renegotiation_secure", StatusPassed, "good", ""},
		{"unknown", func(*Host) {}, "renegotiation_client", StatusNotTested, "not-tested", ""},
		{"1.3 alone", on(only13), "renegotiation_client", StatusPassed, "good", ""},
		{"there", func(*Host) {}, "extended_master_secret", StatusPassed, "good", ""},
		{"absent", on(func(t *TLS) { t.ExtendedMasterSecret = &no }), "extended_master_secret", StatusFailed, "bad", ""},
		{"no TLS 1.2", on(only13), "extended_master_secret", StatusNotTested, "na", ""},
		{"unknown", cheap, "extended_master_secret", StatusNotTested, "not-tested", ""},
		{"always", func(*Host) {}, "zero_rtt", StatusPassed, "na", ""},
	})
}

func TestInternetNLCAA(t *testing.T) {
	w := newNLWorld(t)
	records := func(rs ...string) func(h *Host) { return func(h *Host) { h.CAA = rollover.Seen(rs) } }
	runNL(t, w, []nlRow{
		{"issue", records(`0 issue "ca.example.net"`), "mail_caa", StatusPassed, "good", ""},
		{"nobody may", records(`0 issue ";"`), "mail_caa", StatusPassed, "good", ""},
		{"parameters", records(`128 issue "ca.example.net; accounturi=https://ca.example.net/acct/1; validationmethods=dns-01,ca-mail"`), "mail_caa", StatusPassed, "good", ""},
		{"all kinds", records(`0 issue "ca.example.net"`, `0 issuewild ";"`, `0 issuemail ";"`, `0 iodef "https://example.org/caa"`, `0 contactemail "a@example.org"`, `0 contactphone "+31201234567"`), "mail_caa", StatusPassed, "good", ""},
		{"none", records(), "mail_caa", StatusWarning, "bad", ""},
		{"no issue", records(`0 iodef "mailto:a@example.org"`), "mail_caa", StatusWarning, "insufficient", ""},
		{"issue in capitals", records(`0 ISSUE "ca.example.net"`), "mail_caa", StatusWarning, "insufficient", ""},
		{"reserved flags", records(`1 issue "ca.example.net"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"no host name", records(`0 issue "ca_example.net"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"unknown property", records(`0 issue ";"`, `0 foo "bar"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"reserved property", records(`0 issue ";"`, `0 policy "1.2.3"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"unknown method", records(`0 issue "ca.example.net; validationmethods=smoke"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"iodef to nowhere", records(`0 issue ";"`, `0 iodef "ftp://example.org"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"iodef without a host", records(`0 issue ";"`, `0 iodef "https://"`), "mail_caa", StatusWarning, "syntax-error", ""},
		{"no record at all", records(`0`), "mail_caa", StatusWarning, "insufficient", ""},
		{"unknown", func(h *Host) { h.CAA = rollover.Unseen[[]string]("timeout") }, "mail_caa", StatusNotTested, "not-tested", ""},
	})
}

func TestInternetNLDANE(t *testing.T) {
	w := newNLWorld(t)
	next := w.record("3 1 1 "+strings.Repeat("ab", 32), nlParty{})
	rec := func(s string) tlsa.Association { return w.record(s, nlParty{}) }
	leaf := func(s string) tlsa.Association { return w.record(s, w.leaf) }
	root := func(s string) tlsa.Association { return w.record(s, w.root) }
	ofLate := func(s string) tlsa.Association { return w.record(s, w.late) }
	set := func(as ...tlsa.Association) func(h *Host) {
		return func(h *Host) { h.Bases[0].Resolved = rollover.Seen(tlsa.NewRRset(time.Hour, as...)) }
	}
	presents := func(c *tlsa.Chain, untrusted string, as ...tlsa.Association) func(h *Host) {
		return func(h *Host) {
			set(as...)(h)
			h.Addresses[0].Handshakes[0].Chain, h.Addresses[0].Handshakes[0].Untrusted = c, untrusted
		}
	}
	secured := func(s rollover.Security, change func(b *Base)) func(h *Host) {
		return func(h *Host) {
			h.Bases[0].Security = s
			if change != nil {
				change(&h.Bases[0])
			}
		}
	}
	unresolved := func(b *Base) { b.Resolved = rollover.Unseen[tlsa.RRset]("SERVFAIL") }
	says := func(rrsets ...tlsa.RRset) func(b *Base) {
		return func(b *Base) {
			unresolved(b)
			for _, s := range rrsets {
				b.Servers = append(b.Servers, rollover.ServerView{Answer: rollover.Seen(s)})
			}
		}
	}
	some := tlsa.NewRRset(time.Hour, next)
	domain := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} })
	unnamed := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"other.example.net"} })

	runNL(t, w, []nlRow{
		{"secure", func(*Host) {}, "dane_exists", StatusPassed, "good", ""},
		{"denied", set(), "dane_exists", StatusFailed, "bad", ""},
		{"insecure", secured(rollover.Insecure, nil), "dane_exists", StatusFailed, "bad", ""},
		{"timeout", secured(rollover.Indeterminate, unresolved), "dane_exists", StatusFailed, "bad", "put mail off"},
		{"unknown", secured(rollover.Indeterminate, nil), "dane_exists", StatusNotTested, "not-tested", ""},
		{"usages 0 and 1", set(leaf("1 1 1"), root("0 1 1")), "dane_exists", StatusFailed, "bad", ""},
		{"bogus records", secured(rollover.Bogus, says(some, tlsa.RRset{})), "dane_exists", StatusFailed, "bogus", ""},
		{"bogus from no server", secured(rollover.Bogus, unresolved), "dane_exists", StatusFailed, "bogus", ""},
		{"bogus denial", secured(rollover.Bogus, says(tlsa.RRset{}, tlsa.RRset{})), "dane_exists", StatusFailed, "bad", "no denial"},
		{"bogus denial beside", func(h *Host) { h.Bases[0].Beside = Lookup{Security: rollover.Bogus} }, "dane_exists", StatusFailed, "bogus", ""},
		{"insecure addresses", func(h *Host) { h.Bases, h.Reach.Security = nil, rollover.Insecure }, "dane_exists", StatusFailed, "bad", ""},
		{"in vain", func(h *Host) { h.Bases[0].InVain = true }, "dane_exists", StatusPassed, "good", "2.2.2"},
		{"addresses unknown", func(h *Host) { h.Bases, h.Reach.Err = nil, "timeout" }, "dane_exists", StatusNotTested, "not-tested", ""},
		{"another base domain", func(h *Host) { h.Bases[0].Name = "other.example.org" }, "dane_exists", StatusNotTested, "not-tested", ""},
		{"an unknown usage is a record", set(rec("255 1 1 abcd")), "dane_exists", StatusPassed, "good", ""},

		{"DANE-EE", func(*Host) {}, "dane_valid", StatusPassed, "good", ""},
		{"nothing to judge", set(), "dane_valid", StatusNotTested, "not-tested", ""},
		{"no match", set(next), "dane_valid", StatusFailed, "bad", ""},
		{"no chain", func(h *Host) { h.Addresses[0].Handshakes[0].Chain = nil }, "dane_valid", StatusNotTested, "not-tested", ""},
		{"none usable", set(rec("255 1 1 abcd"), rec("3 2 1 abcd"), rec("3 1 3 abcd")), "dane_valid", StatusFailed, "bad", ""},
		{"none of a good length", set(rec("3 1 1 abcd")), "dane_valid", StatusFailed, "bad", ""},
		{"unusable ones are passed over", set(leaf("3 1 1"), rec("3 1 3 abcd"), rec("3 9 1 abcd"), rec("3 1 1 abcd"), rec("1 1 1 abcd"), rec("3 1 0 abcd")), "dane_valid", StatusPassed, "good", ""},
		{"usage 1 counts by a CA", presents(w.chain, "", leaf("1 1 1"), next), "dane_valid", StatusPassed, "good", "nothing matches"},
		{"usage 1 without a CA", presents(w.chain, "unknown authority", leaf("1 1 1"), next), "dane_valid", StatusFailed, "bad", ""},
		{"DANE-TA", presents(w.chain, "", root("2 1 1")), "dane_valid", StatusPassed, "good", ""},
		{"DANE-TA for another name", presents(w.chainOf(unnamed, w.root), "", root("2 1 1")), "dane_valid", StatusFailed, "bad", ""},
		{"DANE-TA for the mail domain", presents(w.chainOf(domain, w.root), "", root("2 1 1")), "dane_valid", StatusFailed, "bad", "section 3.2.2"},
		{"DANE-EE for another name", presents(w.chainOf(unnamed, w.root), "", w.record("3 1 1", unnamed)), "dane_valid", StatusPassed, "good", ""},
		{"DANE-TA not sent", presents(w.chainOf(w.leaf), "", root("2 1 1")), "dane_valid", StatusFailed, "bad", ""},
		{"expired with DANE-EE", presents(w.lateChain, "expired", ofLate("3 1 1")), "dane_valid", StatusPassed, "good", ""},
		{"expired with DANE-TA", presents(w.lateChain, "expired", root("2 1 1")), "dane_valid", StatusFailed, "bad", ""},
		{"the stronger digest decides", set(leaf("3 1 1"), rec("3 1 2 "+strings.Repeat("ab", 64))), "dane_valid", StatusFailed, "bad", ""},
		{"a combination without a match", set(leaf("3 1 1"), rec("3 0 1 "+strings.Repeat("ab", 32))), "dane_valid", StatusPassed, "good", "section 8"},
		{"another address", func(h *Host) {
			h.Addresses = append(h.Addresses, Address{
				Address: netip.MustParseAddrPort("[2001:db8::25]:25"),
				Handshakes: []Handshake{{
					SNI: true, Algorithm: "ecdsa", Outcome: rollover.Served, Chain: w.chainOf(unnamed),
				}},
			})
		}, "dane_valid", StatusPassed, "good", "2001:db8::25"},

		{"3 and 3", func(*Host) {}, "dane_rollover", StatusPassed, "good", ""},
		{"3 and 2", set(leaf("3 1 1"), root("2 1 1")), "dane_rollover", StatusPassed, "good", ""},
		{"one key twice", set(leaf("3 1 1"), leaf("3 1 2")), "dane_rollover", StatusPassed, "good", "none waits"},
		{"one 3", set(leaf("3 1 1")), "dane_rollover", StatusInfo, "bad", ""},
		{"one 3 and a 1", set(leaf("3 1 1"), leaf("1 1 1")), "dane_rollover", StatusInfo, "bad", ""},
		{"two 2", set(root("2 1 1"), root("2 0 1")), "dane_rollover", StatusInfo, "bad", "outlast"},
		{"where nothing matches", set(next, rec("3 1 1 "+strings.Repeat("cd", 32))), "dane_rollover", StatusPassed, "good", ""},
		{"nothing to judge", set(), "dane_rollover", StatusNotTested, "not-tested", ""},
	})
}

func TestInternetNLServers(t *testing.T) {
	w := newNLWorld(t)
	secure := Lookup{Security: rollover.Secure, Exists: true}
	none := Lookup{Security: rollover.Secure}
	null := Exchange{}
	mx := Exchange{Preference: 10, Host: nlHost}
	implicit := func(spf string, reach Lookup) Domain {
		h := w.host("example.org")
		h.Reach = reach
		return Domain{Name: "example.org", At: nlNow, Zone: secure, MX: MX{Lookup: none, Implicit: true, SPF: spf, Records: []Exchange{{Host: "example.org"}}}, Hosts: []Host{h}}
	}
	nulls := func(addresses Lookup, rs ...Exchange) Domain {
		return Domain{Name: "example.org", At: nlNow, Zone: secure, Addresses: addresses, MX: MX{Lookup: secure, Records: rs, Null: len(rs) == 1}}
	}
	for _, r := range []struct {
		name          string
		d             Domain
		starttls, key string
		signed, skey  string
	}{
		{"no MX", Domain{MX: MX{Lookup: none}}, "not_tested", "other-2", "not_tested", "no-mailservers"},
		{"implicit", implicit("", secure), "not_tested", "other-2", "not_tested", "no-mailservers"},
		{"implicit, sends nothing", implicit("v=spf1 -all", secure), "info", "no-null-mx", "info", "no-null-mx"},
		{"implicit, sends", implicit("v=spf1 mx -all", secure), "not_tested", "other-2", "not_tested", "no-mailservers"},
		{"no addresses, sends nothing", implicit("v=spf1 -all", none), "not_tested", "other-2", "not_tested", "no-mailservers"},
		{"null MX", nulls(secure, null), "not_tested", "null-mx", "not_tested", "null-mx"},
		{"null MX, addresses unknown", nulls(Lookup{}, null), "not_tested", "null-mx", "not_tested", "null-mx"},
		{"null MX without addresses", nulls(none, null), "info", "null-mx-without-a-aaaa", "info", "null-mx-without-a-aaaa"},
		{"null MX beside another", nulls(secure, null, mx), "warning", "null-mx-with-other-mx", "warning", "null-mx-with-other-mx"},
		{"localhost alone", nulls(secure, Exchange{Preference: 5, Host: "localhost"}), "not_tested", "other-2", "not_tested", "no-mailservers"},
		{"MX unknown", Domain{MX: MX{Lookup: Lookup{Security: rollover.Indeterminate, Err: "timeout"}}}, "not_tested", "not-tested", "not_tested", "not-tested"},
		{"MX bogus", Domain{MX: MX{Lookup: Lookup{Security: rollover.Bogus, Text: "a signature is over"}}}, "not_tested", "not-tested", "not_tested", "not-tested"},
		{"an address", nulls(secure, Exchange{Preference: 5, Host: "192.0.2.25", Err: "an address"}, mx), "error", "other", "failed", "resolver-error"},
		{"one host was asked for", Domain{At: nlNow, MX: MX{Lookup: secure, Given: true, Records: []Exchange{mx}}, Hosts: []Host{w.host(nlHost)}}, "passed", "good", "passed", "good"},
	} {
		d := r.d
		d.MX.Null = d.MX.Null && d.MX.Records[0].Host == ""
		if got := nlFind(t, d, "starttls_exists"); string(got.Status) != r.starttls || got.Verdict != r.key {
			t.Errorf("%s: starttls_exists is %s %q", r.name, got.Status, got.Verdict)
		}
		if got := nlFind(t, d, "dnssec_mx_exists"); string(got.Status) != r.signed || got.Verdict != r.skey {
			t.Errorf("%s: dnssec_mx_exists is %s %q", r.name, got.Status, got.Verdict)
		}
		if got := nlFind(t, d, "dane_exists"); r.starttls != "passed" && got.Status != StatusNotTested {
			t.Errorf("%s: dane_exists is %s", r.name, got.Status)
		}
	}
}

// TestInternetNLWorst has the worst of all servers count, the first ten by name.
func TestInternetNLWorst(t *testing.T) {
	w := newNLWorld(t)
	var hosts []Host
	for i := range 11 {
		hosts = append([]Host{w.host(fmt.Sprintf("mx%02d.example.org", i))}, hosts...)
	}
	plain := func(h *Host) {
		h.Addresses[0].TLS, h.Addresses[0].Handshakes = nil, []Handshake{{SNI: true, Algorithm: "any", Outcome: rollover.NoTLS}}
	}
	plain(&hosts[0]) // mx10, the eleventh
	d := w.domain(hosts...)
	if s := nlFind(t, d, "starttls_exists"); s.Status != StatusPassed || s.Ours == "" {
		t.Errorf("with a bad eleventh: %+v", s)
	}
	if s := nlFind(t, d, "dane_valid"); s.Status != StatusPassed {
		t.Errorf("dane_valid: %+v", s)
	}
	d.Hosts[3].Bases[0].Resolved = rollover.Seen(tlsa.RRset{}) // mx07
	s := nlFind(t, d, "dane_exists")
	if s.Status != StatusFailed || s.Verdict != "bad" || !strings.HasPrefix(s.Text, "mx07.example.org: ") || strings.Contains(s.Text, "mx06") {
		t.Errorf("without records at one: %+v", s)
	}
	// Not tested is worse than passed, and INFO than both.
	if s := nlFind(t, d, "dane_valid"); s.Status != StatusNotTested {
		t.Errorf("dane_valid: %+v", s)
	}
	d.Hosts[4].Addresses[0].Handshakes[0].Untrusted = "unknown authority"
	if s := nlFind(t, d, "cert_trust"); s.Status != StatusInfo {
		t.Errorf("cert_trust: %+v", s)
	}
	plain(&d.Hosts[5])
	if s := nlFind(t, d, "starttls_exists"); s.Status != StatusFailed {
		t.Errorf("starttls_exists: %+v", s)
	}
	if s := nlFind(t, d, "mail_caa"); s.Status != StatusNotTested {
		t.Errorf("mail_caa: %+v", s)
	}
}
