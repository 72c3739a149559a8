package lab

import "testing"

// What Debian 12's posttls-finger printed in a lab, fingerprints and ciphers cut
// short; the one that says so is put together from two of its messages.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		output    string
		want      Outcome
		matchedBy string
	}{{
		output: `posttls-finger: mx1.example.org[127.77.0.25]:25: Matched DANE EE certificate at depth 0: 3 1 1 4EF87BBCF60DF487CD256F9D90473C4DA0F43ECB1791E4C6C352DA9A343D394C
posttls-finger: mx1.example.org[127.77.0.25]:25: subject_CN=mx1.example.org, issuer_CN=Lab Intermediate 1, fingerprint=05:E0, pkey_fingerprint=4E:F8
posttls-finger: Verified TLS connection established to mx1.example.org[127.77.0.25]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256`,
		want:      Verified,
		matchedBy: "3 1 1 4ef87bbcf60df487cd256f9d90473c4da0f43ecb1791e4c6c352da9a343d394c",
	}, {
		output: `posttls-finger: server certificate verification failed for mx1.example.org[127.77.0.25]:25: num=65:no matching DANE TLSA records
posttls-finger: mx1.example.org[127.77.0.25]:25: subject_CN=mx1.example.org, issuer_CN=Lab Intermediate 1, fingerprint=DB:EC, pkey_fingerprint=F3:06
posttls-finger: Untrusted TLS connection established to mx1.example.org[127.77.0.25]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`,
		want: Unverified,
	}, {
		output: `posttls-finger: no TLSA records found, resorting to "secure"
posttls-finger: certificate verification failed for mx1.example.org[127.77.0.25]:25: untrusted issuer /O=tlsaroll lab/CN=Lab Root
posttls-finger: Untrusted TLS connection established to mx1.example.org[127.77.0.25]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`,
		want: NoRecords,
	}, {
		// Put together: PKIX would do for "secure", but a dane-only delivery never gets there.
		output: `posttls-finger: no TLSA records found, resorting to "secure"
posttls-finger: Verified TLS connection established to mx1.example.org[127.77.0.25]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`,
		want: NoRecords,
	}, {
		output: `posttls-finger: warning: _25._tcp.mx1.example.org unsupported TLSA certificate usage: 5 1 1 00
posttls-finger: no usable TLSA records found, resorting to "secure"`,
		want: NoRecords,
	}, {
		output: `posttls-finger: Destination address lookup failed: Host or domain name not found. Name service error for name=nohost.example.org type=AAAA: Host not found`,
		want:   Lookup,
	}, {
		output: `posttls-finger: warning: DANE TLSA lookup problem: Host or domain name not found. Name service error for name=_25._tcp.mx1.example.org type=TLSA: Host not found, try again
signal: killed`,
		want: Lookup,
	}, {
		output: `posttls-finger: timeout while reading server greeting`,
		want:   NoTLS,
	}, {
		output: `posttls-finger: Failed to establish session to [ns1.example.org]:25 via ns1.example.org: connect to ns1.example.org[127.77.0.53]:25: Connection refused`,
		want:   NoTLS,
	}, {
		output: ``,
		want:   NoTLS,
	}} {
		h := Handshake{Output: tc.output}
		h.judge()
		if h.Outcome != tc.want || h.MatchedBy != tc.matchedBy {
			t.Errorf("%s\ngot %s by %q, want %s by %q", tc.output, h.Outcome, h.MatchedBy, tc.want, tc.matchedBy)
		}
	}
}

// The server that counts is the one that a handshake ended with.
func TestJudgeAddress(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		`posttls-finger: connect to mx1.example.org[127.77.0.26]:25: Connection refused
posttls-finger: mx1.example.org[127.77.0.25]:25: Matched DANE EE certificate at depth 0: 3 1 1 4EF8
posttls-finger: Verified TLS connection established to mx1.example.org[127.77.0.25]:25: TLSv1.3`: "127.77.0.25",
		`posttls-finger: Failed to establish session to [mx1.example.org]:25 via mx1.example.org: connect to mx1.example.org[127.77.0.26]:25: Connection refused`: "127.77.0.26",
		`posttls-finger: no TLSA records found, resorting to "secure"`:                                                                                            "invalid IP",
	} {
		h := Handshake{Output: output}
		h.judge()
		if got := h.Address.String(); got != want {
			t.Errorf("%s\ngot %s, want %s", output, got, want)
		}
	}
}
