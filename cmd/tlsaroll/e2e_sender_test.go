package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
)

// senderTest is a check of one way to send, and what is to come of it.
type senderTest struct {
	mta       lab.MTA
	addresses int // at which the mails come in
	code      int
	verdict   mailsink.Stance
	// came are the outcomes in the order of [mailsink.Kinds], as +: delivered, c: in the clear,
	// k: kept, .: nothing came.
	came string
	note string
}

// TestCheckSender checks real mail servers, each configured as some are. Exim with GnuTLS goes
// by any record that matches, whatever its digest.
func TestCheckSender(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{MTAs: true, Resolvers: 1, TTL: labTTL, Zones: []string{"example.net."}, Bogus: []string{"example.net."}}, setting{})
	tests := []senderTest{
		{lab.PostfixDANE, 1, exitDone, mailsink.Enforces, "+kk+kk", ""},
		{lab.PostfixDANEOnly, 2, exitDone, mailsink.Enforces, "+kk..k", "it sends by DANE alone"},
		{lab.PostfixMay, 3, exitPerson, mailsink.Ignores, "++c+c+", ""},
		{lab.PostfixEncrypt, 3, exitPerson, mailsink.Ignores, "++k+k+", ""},
		{lab.PostfixNone, 3, exitPerson, mailsink.Cleartext, "cccccc", ""},
		{lab.EximTry, 3, exitDone, mailsink.Enforces, "+kk+k+", "it believes the weaker digest"},
		{lab.EximRequire, 3, exitDone, mailsink.Enforces, "+kk.k+", "it sends by DANE alone"},
		{lab.EximWithout, 3, exitPerson, mailsink.Ignores, "++c+c+", ""},
	}
	// The last is for who is stopped, and sends nothing.
	tests = append(tests, senderTest{mta: "stopped", addresses: 1})
	options := make([]senderOptions, len(tests))
	var lines, bogus []lab.Change
	for i, tc := range tests {
		o := senderOptions{json: true, zone: "example.org", name: string(tc.mta), bogus: string(tc.mta) + ".example.net", submit: true, sendmail: h.Sendmail(tc.mta),
			ttl: time.Minute, timeout: time.Minute, quiet: 3 * time.Second, patience: 8 * time.Second}
		var addresses []netip.AddrPort
		for range tc.addresses {
			a := h.Spare(t)
			o.listen, addresses = append(o.listen, a.String()), append(addresses, netip.AddrPortFrom(a, 25))
		}
		options[i] = o
		for _, c := range senderCases(o.name+".example.org", "", addresses) {
			lines = append(lines, lab.Add(c.Domain+". 60 A "+c.Address.Addr().String()))
		}
		bogus = append(bogus, lab.Add(o.bogus+". 60 A "+addresses[0].Addr().String()))
	}
	h.Update(t, lines...)
	h.Update(t, bogus...)
	t.Run("the zone lacks lines", func(t *testing.T) {
		t.Parallel()
		h.checkSenderLacksLines(t)
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		h.checkSenderStopped(t, options[len(tests)-1])
	})
	for i, tc := range tests[:len(tests)-1] {
		t.Run(string(tc.mta), func(t *testing.T) {
			t.Parallel()
			code, out, errs := h.checkSender(t.Context(), options[i], &output{})
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("exit %d\n%s%s", code, out, errs)
				}
			})
			var got senderJSON
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			if code != tc.code || got.Verdict != string(tc.verdict) || !strings.Contains(strings.Join(got.Notes, " "), tc.note) {
				t.Errorf("exit %d, %s, notes %q", code, got.Verdict, got.Notes)
			}
			came := ""
			for _, c := range got.Cases {
				came += map[string]string{"delivered": "+", "kept": "k", "absent": "."}[c.Outcome]
				if c.InClear {
					came = came[:len(came)-1] + "c"
				}
				h.only("_25._tcp." + c.Domain + ".")
			}
			if came != tc.came+"." { // a resolver that validates leads nobody to the last one
				t.Errorf("there came %s, want %s.", came, tc.came)
			}
		})
	}
}

// checkSenderLacksLines: what has to be written by hand is printed as the zone wants it.
func (h *host) checkSenderLacksLines(t *testing.T) {
	at := h.Spare(t).String()
	code, out, errs := h.checkSender(t.Context(), senderOptions{zone: "example.org", name: "elsewhere", listen: []string{at}, ttl: time.Minute, timeout: time.Minute}, &output{})
	want := ""
	for _, k := range mailsink.Kinds() {
		want += string(k) + ".elsewhere.example.org. 60 IN A " + at + "\n"
	}
	if code != exitUsage || out != want || !strings.Contains(errs, "tlsaroll: example.org: the address of right.elsewhere.example.org is not as it has to be: ns1.example.org. (127.") ||
		!strings.HasSuffix(errs, " has none (hint: write the lines above into the zone, where they may stay, and check again)\n") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// checkSenderStopped: Ctrl-C while the mails are waited for leaves nothing in the zone.
func (h *host) checkSenderStopped(t *testing.T, o senderOptions) {
	o.submit, o.json, o.bogus = false, false, ""
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan struct{})
	var code int
	var out, errs string
	said := &output{}
	go func() {
		defer close(ended)
		code, out, errs = h.checkSender(ctx, o, said)
	}()
	owner := "_25._tcp.right." + o.name + ".example.org."
	for {
		_, asked := said.first("now have the mail server send something to check-")
		if asked {
			break
		}
		select {
		case <-ended:
			t.Fatalf("exit %d\n%s%s", code, out, errs)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if n := len(h.records(owner)); n != 2 {
		t.Errorf("%d records", n)
	}
	stop()
	<-ended
	if code != exitError || !strings.HasSuffix(errs, "tlsaroll: check --sender: stopped: context canceled\n") || out != "" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	h.only(owner)
}

// checkSender runs a check to its end.
func (h *host) checkSender(ctx context.Context, o senderOptions, stderr *output) (code int, out, errs string) {
	stdout := &output{}
	p := newProgram(world{stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, lookupEnv: func(string) (string, bool) { return "", false }, now: h.now, hangups: hangups})
	p.configFile = h.config
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	code = p.ui.exit(p.runSenderCheck(ctx, o))
	h.spoken.add(stdout.String())
	h.spoken.add(stderr.String())
	return code, stdout.String(), stderr.String()
}
