package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// hookWorld is a process that a client called with these variables.
func hookWorld(env ...string) world {
	w := quiet()
	w.now = deskTime
	w.lookupEnv = func(name string) (string, bool) {
		for _, setting := range env {
			if n, value, _ := strings.Cut(setting, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
	return w
}

// callHook runs tlsaroll hook as a client does.
func callHook(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	w := hookWorld(env...)
	w.stdout, w.stderr = &out, &errs
	code = run(t.Context(), args, w)
	return out.String(), errs.String(), code
}

// TestHookPathsAreWhole: whatever paths a client names, those that are compared with staged
// files are whole.
func TestHookPathsAreWhole(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env  []string
		args []string
		want certwatch.Files
	}{
		"lego 4":  {env: []string{"LEGO_CERT_PATH=.lego/certificates/mx1.crt", "LEGO_CERT_KEY_PATH=/lego/mx1.key"}, want: certwatch.Files{Cert: here + "/.lego/certificates/mx1.crt", Key: "/lego/mx1.key"}},
		"lego 5":  {env: []string{"LEGO_HOOK_CERT_PATH=.lego/certificates/mx1.crt", "LEGO_HOOK_CERT_KEY_PATH=/lego/mx1.key"}, want: certwatch.Files{Cert: here + "/.lego/certificates/mx1.crt", Key: "/lego/mx1.key"}},
		"certbot": {env: []string{"RENEWED_LINEAGE=le/live/../live/mx1"}, want: certwatch.Files{Cert: here + "/le/live/mx1/fullchain.pem", Key: here + "/le/live/mx1/privkey.pem"}},
		"acme.sh": {env: []string{"CERT_FULLCHAIN_PATH=./fullchain.cer", "CERT_KEY_PATH=./mx1.key"}, want: certwatch.Files{Cert: here + "/fullchain.cer", Key: here + "/mx1.key"}},
		// No key of that time is there: the one before is used again.
		"dehydrated": {args: strings.Fields("sync_cert certs/privkey-17.pem certs/cert-17.pem certs/fullchain-17.pem certs/chain-17.pem certs/cert-17.csr"), want: certwatch.Files{Cert: here + "/certs/fullchain-17.pem", Key: here + "/certs/privkey.pem"}},
	} {
		called, err := newProgram(hookWorld(test.env...)).hookCalled(hookCall{args: test.args})
		if err != nil || called.Files != test.want {
			t.Errorf("%s: %+v, %v; want %+v", name, called.Files, err, test.want)
		}
	}
}

// TestHookTakesNothing: a client's call that is about no pair ends well, and is silent but
// where the operator has taken the wrong hook. There is not even a configuration.
func TestHookTakesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		env  []string
		args string
		want string
	}{
		"lego's pre-hook":         {env: []string{"LEGO_HOOK_ACCOUNT_ID=x", "LEGO_HOOK_CERT_DOMAINS=mx1.example.org"}, want: "tlsaroll: hook: nothing to take: lego's pre-hook comes before there is a certificate (hint: let lego's --deploy-hook call tlsaroll hook)\n"},
		"certbot's post hook":     {env: []string{"RENEWED_DOMAINS=mx1.example.org", "FAILED_DOMAINS="}, args: "certbot", want: "tlsaroll: hook: nothing to take: certbot's post hook is told of no certificate (hint: call tlsaroll hook as a deploy hook)\n"},
		"startup":                 {args: "dehydrated startup_hook"},
		"a challenge":             {args: "dehydrated deploy_challenge mx1.example.org -cnope --help"},
		"a challenge, not named":  {args: "deploy_challenge mx1.example.org -cnope --lineage"},
		"an option before it":     {args: "dehydrated --lineage mx1 clean_challenge mx1.example.org --wait=x -q"},
		"a CSR that is asked for": {args: "dehydrated generate_csr mx1.example.org /certs mx1.example.org"},
		"nothing new":             {args: "dehydrated unchanged_cert mx1.example.org /k /c /f /h"},
		"the failure of another":  {args: "dehydrated request_failure 500 --wrong HEAD -"},
		"an unknown operation":    {args: "dehydrated this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := callHook(t, test.env, append([]string{"-c", "/nowhere", "hook"}, strings.Fields(test.args)...)...)
			if stdout != "" || stderr != test.want || code != exitDone {
				t.Errorf("exit %d\n%s%swant %s", code, stdout, stderr, test.want)
			}
		})
	}
}

// hookDesk has lineages of all layouts, and certificates for their endpoints.
func hookDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.configure(t, "hooks.yaml", `
  lego: {endpoints: [smtp://lego.example.org], staged: {lego: DIR/lego, name: lego.example.org}}
  certbot: {endpoints: [smtp://certbot.example.org], staged: {certbot: certbot.example.org, dir: DIR/le}}
  rsa: {endpoints: [smtp://acme.example.org], staged: {acme.sh: acme.example.org, dir: DIR/acme}}
  ecdsa: {endpoints: [smtp://acme.example.org], staged: {acme.sh: acme.example.org_ecc, dir: DIR/acme}}
  dehydrated: {endpoints: [smtp://dehydrated.example.org], staged: {dehydrated: dehydrated.example.org, dir: DIR/de}}
  closed: {endpoints: [smtp://closed.example.org], hook: false, staged: {cert: DIR/closed.pem, key: DIR/closed.key}}
`)
	return d
}

// configure writes a configuration with these lineages.
func (d *desk) configure(t *testing.T, name, lineages string) {
	t.Helper()
	head, _, _ := strings.Cut("control: DIR/control.sock\n"+deskConfig, "  mx1:")
	d.write(t, name, strings.NewReplacer("STATE", d.path("state"), "DIR", d.dir).Replace(head+strings.TrimPrefix(lineages, "\n")), 0o644)
}

// put writes a pair for a host under these names, links followed.
func (d *desk) put(t *testing.T, host, chain, key string) {
	t.Helper()
	leaf, private := d.pair(t, host, -1, 90)
	for _, name := range []string{chain, key} {
		if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.write(t, chain, leaf+pemOf("CERTIFICATE", d.issuer.Raw), 0o644)
	d.write(t, key, private, 0o600)
}

// TestBadHooks holds what is said about calls from which no pair can be taken.
func TestBadHooks(t *testing.T) {
	d := hookDesk(t)
	d.put(t, "lego.example.org", "lego/certificates/lego.example.org.crt", "lego/certificates/lego.example.org.key")
	d.put(t, "lego.example.org", "other.pem", "other.key")
	d.put(t, "acme.example.org", "acme.pem", "acme.key")
	d.put(t, "www.example.net", "www.pem", "www.key")
	d.put(t, "closed.example.org", "closed.pem", "closed.key")
	old, oldKey := d.pair(t, "lego.example.org", -91, 90)
	d.write(t, "old.pem", old+pemOf("CERTIFICATE", d.issuer.Raw), 0o644)
	d.write(t, "old.key", oldKey, 0o600)
	d.write(t, "cut.pem", old[:len(old)/2], 0o644)
	lego := func(cert, key string) []string {
		return []string{"LEGO_CERT_PATH=" + d.path(cert), "LEGO_CERT_KEY_PATH=" + d.path(key)}
	}
	const crt, key = "lego/certificates/lego.example.org.crt", "lego/certificates/lego.example.org.key"
	for _, test := range []struct {
		name string
		env  []string
		args string
		code int
		want string
	}{
		{"nobody", nil, "", exitUsage, "hook: the environment names no certificate (hint: ACME clients set variables for their hooks, as LEGO_CERT_PATH, RENEWED_LINEAGE or CERT_FULLCHAIN_PATH; else hand over --cert and --key)"},
		{"two clients", append(lego(crt, key), "RENEWED_LINEAGE="+d.path("le/live/certbot.example.org")), "", exitUsage, "hook: the environment is of several clients, lego and certbot, and names different pairs (hint: say who calls, as in tlsaroll hook lego)"},
		{"too much", lego(crt, key), "lego renew", exitUsage, `hook: "renew" is one argument too many (hint: lego tells its hooks all by variables)`},
		{"an unknown option", lego(crt, key), "lego --lineages mx1", exitUsage, "unknown option --lineages (hint: did you mean --lineage?)"},
		{"no such directory", []string{"RENEWED_LINEAGE=" + d.path("le/live/certbot.example.org")}, "certbot", exitError, "DIR/le/live/certbot.example.org/fullchain.pem: DIR/le: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"cut short", lego("cut.pem", "old.key"), "", exitError, "DIR/cut.pem: line 1: the certificate that begins here has no end"},
		{"half written", lego(crt, "other.key"), "", exitError, "DIR/" + crt + `: the private key does not fit the certificate of "lego.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"expired", lego("old.pem", "old.key"), "", exitError, `DIR/old.pem: certificate of "lego.example.org": expired 2026-11-21T12:00:00Z (hint: renew it)`},
		{"no lineage's", lego("www.pem", "www.key"), "", exitDone, "DIR/www.pem: a certificate for www.example.net, which is no lineage's: nothing to do"},
		{"two lineages'", lego("acme.pem", "acme.key"), "", exitUsage, "hook: the certificate is for the endpoints of several lineages: rsa, ecdsa (hint: say which with --lineage)"},
		{"not of hooks", lego("closed.pem", "closed.key"), "", exitError, "lineage closed: takes no pairs from hooks (hint: write hook: true, or let its staged files be found)"},
		{"no such lineage", lego(crt, key), "lego --lineage mx9", exitUsage, `no lineage "mx9" (hint: the configuration has: certbot, closed, dehydrated, ecdsa, lego, rsa)`},
		{"dehydrated's own check, which must not fail", nil, "dehydrated sync_cert DIR/k DIR/c DIR/f DIR/h DIR/r", exitDone, "warning: not taken yet: DIR/f: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"dehydrated's files are gone", nil, "dehydrated deploy_cert x DIR/k DIR/c DIR/f DIR/h 17", exitError, "DIR/f: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := strings.Fields(strings.ReplaceAll(test.args, "DIR", d.dir))
			stdout, stderr, code := callHook(t, test.env, append([]string{"-c", d.path("hooks.yaml"), "hook"}, args...)...)
			got := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSuffix(stderr, "\n"), "tlsaroll: "), d.dir, "DIR")
			if code != test.code || stdout != "" || got != test.want {
				t.Errorf("exit %d, want %d\ngot  %s\nwant %s\n%s", code, test.code, got, test.want, stdout)
			}
			for _, secret := range d.keys {
				if strings.Contains(stderr, secret) {
					t.Error("a key was printed")
				}
			}
			if kept, err := filepath.Glob(filepath.Join(d.path("state"), "stash", "*")); err != nil || len(kept) > 0 {
				t.Errorf("kept %v, %v", kept, err)
			}
		})
	}
}

// TestHookFindsTheLineage: by whatever path a client names its pair, it is that of the
// lineage whose layout it lies in, though the names would allow two; and it is kept
// before the hook ends, though nobody answers who is asked about DNS.
func TestHookFindsTheLineage(t *testing.T) {
	t.Parallel()
	link := func(t *testing.T, target, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, d *desk)
		env     string
		args    string
		want    string
		says    string
	}{
		"lego": {func(t *testing.T, d *desk) {
			d.put(t, "lego.example.org", "lego/certificates/lego.example.org.crt", "lego/certificates/lego.example.org.key")
		}, "LEGO_CERT_PATH=DIR/lego/certificates/lego.example.org.crt LEGO_CERT_KEY_PATH=DIR/lego/certificates/lego.example.org.key", "lego", "lego", ""},
		"lego's directory is a link": {func(t *testing.T, d *desk) {
			d.put(t, "www.example.net", "data/certificates/lego.example.org.crt", "data/certificates/lego.example.org.key")
			link(t, "data", d.path("lego"))
		}, "LEGO_CERT_PATH=DIR/data/certificates/lego.example.org.crt LEGO_CERT_KEY_PATH=DIR/data/certificates/lego.example.org.key", "lego", "lego", ""},
		"certbot": {func(t *testing.T, d *desk) {
			d.put(t, "www.example.net", "le/archive/certbot.example.org/fullchain3.pem", "le/archive/certbot.example.org/privkey3.pem")
			link(t, "../../archive/certbot.example.org/fullchain3.pem", d.path("le/live/certbot.example.org/fullchain.pem"))
			link(t, "../../archive/certbot.example.org/privkey3.pem", d.path("le/live/certbot.example.org/privkey.pem"))
		}, "RENEWED_LINEAGE=DIR/le/live/certbot.example.org RENEWED_DOMAINS=www.example.net", "certbot", "certbot", ""},
		"certbot's archive": {func(t *testing.T, d *desk) {
			d.put(t, "www.example.net", "le/archive/certbot.example.org/fullchain3.pem", "le/archive/certbot.example.org/privkey3.pem")
			link(t, "../../archive/certbot.example.org/fullchain2.pem", d.path("le/live/certbot.example.org/fullchain.pem"))
		}, "", "--cert DIR/le/archive/certbot.example.org/fullchain3.pem --key DIR/le/archive/certbot.example.org/privkey3.pem", "certbot", ""},
		"certbot's other name for the same hosts": {func(t *testing.T, d *desk) {
			d.put(t, "certbot.example.org", "le/live/certbot.example.org-0001/fullchain.pem", "le/live/certbot.example.org-0001/privkey.pem")
		}, "RENEWED_LINEAGE=DIR/le/live/certbot.example.org-0001", "", "certbot", "tlsaroll: warning: certbot: certbot goes on as certbot.example.org-0001, and what is watched is certbot.example.org (hint: write staged: {certbot: certbot.example.org-0001}, so that a pair is found whose hook was lost)\n"},
		"acme.sh's ECDSA pair": {func(t *testing.T, d *desk) {
			d.put(t, "acme.example.org", "acme/acme.example.org_ecc/fullchain.cer", "acme/acme.example.org_ecc/acme.example.org.key")
			d.put(t, "acme.example.org", "acme/acme.example.org/fullchain.cer", "acme/acme.example.org/acme.example.org.key")
		}, "Le_Domain=acme.example.org CERT_FULLCHAIN_PATH=DIR/acme/acme.example.org_ecc/fullchain.cer CERT_KEY_PATH=DIR/acme/acme.example.org_ecc/acme.example.org.key", "acme.sh", "ecdsa", ""},
		"acme.sh's RSA pair": {func(t *testing.T, d *desk) {
			d.put(t, "acme.example.org", "acme/acme.example.org/fullchain.cer", "acme/acme.example.org/acme.example.org.key")
		}, "Le_Domain=acme.example.org CERT_FULLCHAIN_PATH=DIR/acme/acme.example.org/fullchain.cer CERT_KEY_PATH=DIR/acme/acme.example.org/acme.example.org.key", "", "rsa", ""},
		"dehydrated before its links turn": {func(t *testing.T, d *desk) {
			d.put(t, "www.example.net", "de/certs/dehydrated.example.org/fullchain-17.pem", "de/certs/dehydrated.example.org/privkey-17.pem")
		}, "", "dehydrated sync_cert DIR/de/certs/dehydrated.example.org/privkey-17.pem c DIR/de/certs/dehydrated.example.org/fullchain-17.pem h r", "dehydrated", ""},
		"dehydrated with the key that it had": {func(t *testing.T, d *desk) {
			d.put(t, "dehydrated.example.org", "de/certs/dehydrated.example.org/fullchain-17.pem", "de/certs/dehydrated.example.org/privkey-16.pem")
			link(t, "privkey-16.pem", d.path("de/certs/dehydrated.example.org/privkey.pem"))
		}, "", "sync_cert DIR/de/certs/dehydrated.example.org/privkey-17.pem c DIR/de/certs/dehydrated.example.org/fullchain-17.pem h r", "dehydrated", ""},
		"dehydrated": {func(t *testing.T, d *desk) {
			d.put(t, "dehydrated.example.org", "de/certs/dehydrated.example.org/fullchain-17.pem", "de/certs/dehydrated.example.org/privkey-17.pem")
			link(t, "privkey-17.pem", d.path("de/certs/dehydrated.example.org/privkey.pem"))
			link(t, "fullchain-17.pem", d.path("de/certs/dehydrated.example.org/fullchain.pem"))
		}, "", "dehydrated deploy_cert dehydrated.example.org DIR/de/certs/dehydrated.example.org/privkey.pem c DIR/de/certs/dehydrated.example.org/fullchain.pem h 17", "dehydrated", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // nobody answers, which takes its time
			d := hookDesk(t)
			test.prepare(t, d)
			words := func(s string) []string { return strings.Fields(strings.ReplaceAll(s, "DIR", d.dir)) }
			args := append([]string{"-c", d.path("hooks.yaml"), "hook", "--timeout", "4s"}, words(test.args)...)
			begun := time.Now()
			stdout, stderr, code := callHook(t, words(test.env), args...)
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			if test.says != "" && !strings.Contains(stderr, test.says) {
				t.Errorf("it says\n%swant %s", stderr, test.says)
			}
			last := strings.TrimSuffix(stderr, "\n")
			last = last[strings.LastIndex(last, "\n")+1:]
			if code != exitDone || stdout != "" || !strings.HasPrefix(last, "tlsaroll: "+test.want+": taken; ") {
				t.Errorf("exit %d, want %s to take it\n%s%s", code, test.want, stdout, stderr)
			}
			kept, err := filepath.Glob(filepath.Join(d.path("state"), "stash", "*", "combined.pem"))
			if err != nil || len(kept) == 0 {
				t.Errorf("kept nothing, %v", err)
			}
		})
	}
}

// TestHookEndsInTime: while another process has the journal, nothing can be taken; the hook
// ends all the same, and says so. dehydrated's own check must not fail even then.
func TestHookEndsInTime(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]struct {
		code int
		said string
	}{
		"--cert DIR/good.pem --key DIR/good.key":                 {exitError, "tlsaroll: hook: not done within 1s (hint: staged files are found all the same, by the daemon or the next tlsaroll once; call it again for others)\n"},
		"dehydrated sync_cert DIR/good.key c DIR/good.pem h csr": {exitDone, "tlsaroll: warning: not taken yet: hook: not done within 1s (hint: staged files are found all the same, by the daemon or the next tlsaroll once; call it again for others)\n"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel() // it waits
			d := hookDesk(t)
			d.put(t, "lego.example.org", "good.pem", "good.key")
			if err := os.Mkdir(d.path("state"), 0o700); err != nil {
				t.Fatal(err)
			}
			journal, err := os.Create(d.path("state/journal.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer journal.Close()
			if err := unix.Flock(int(journal.Fd()), unix.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			words := strings.Fields(strings.ReplaceAll(args, "DIR", d.dir))
			stdout, stderr, code := callHook(t, nil, append([]string{"-c", d.path("hooks.yaml"), "hook", "--timeout", "1s"}, words...)...)
			if took := time.Since(begun); code != want.code || stdout != "" || stderr != want.said || took > 20*time.Second {
				t.Errorf("exit %d after %s\n%s%swant %s", code, took, stdout, stderr, want.said)
			}
		})
	}
}

// TestFittingLineages: names come first, then the kind of the live key; a lineage that has
// no certificate yet takes only what is nobody else's.
func TestFittingLineages(t *testing.T) {
	d := newDesk(t)
	leaf, key := d.pair(t, "mx1.example.org", -1, 90)
	pair, err := certwatch.FromPEM([]byte(leaf), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	mx1, mx2 := config.Endpoint{Host: "mx1.example.org"}, config.Endpoint{Host: "mx2.example.org"}
	all := []config.Lineage{
		{Name: "first", Hook: true, Endpoints: []config.Endpoint{mx1}},
		{Name: "second", Hook: true, Endpoints: []config.Endpoint{mx1}},
		{Name: "closed", Endpoints: []config.Endpoint{mx1}},
		{Name: "wider", Hook: true, Endpoints: []config.Endpoint{mx1, mx2}},
	}
	for live, want := range map[string]string{
		"":                         "first second",
		"first=other":              "second",
		"first=same":               "first",
		"first=same second=other":  "first",
		"first=same second=same":   "first second",
		"first=other second=other": "",
		"closed=same wider=same":   "first second",
	} {
		got := fitting(all, pair, func(lineage string) (same, known bool) {
			return strings.Contains(live, lineage+"=same"), strings.Contains(live, lineage+"=")
		})
		if strings.Join(got, " ") != want {
			t.Errorf("live are %q: %v, want %s", live, got, want)
		}
	}
}

// TestHookNamesItsPair: where a pair goes first, a hook that spoke of that alone would seem to have
// handed it in.
func TestHookNamesItsPair(t *testing.T) {
	first := &rollover.SuccessorStatus{PairStatus: rollover.PairStatus{ID: "aaaaaaaa11"}, Phase: rollover.Published}
	second := &rollover.PairStatus{ID: "bbbbbbbb22"}
	now := time.Now()
	alone := afterTaken(rollover.LineageStatus{Successor: first}, now)
	if behind := afterTaken(rollover.LineageStatus{Successor: first, Queued: second}, now); !strings.HasPrefix(alone, "aaaaaaaa is published, ") || behind != alone+"; bbbbbbbb is queued behind it" {
		t.Errorf("%q, and with another behind it %q", alone, behind)
	}
}
