package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// call runs the program in this process.
func call(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, world{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs,
		lookupEnv: func(string) (string, bool) { return "", false },
		now:       func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	return out.String(), errs.String(), code
}

// TestBadInput holds what is said about wrong input: the exact sentence, on
// standard error alone, and exit 2.
func TestBadInput(t *testing.T) {
	files := map[string]string{
		"key.pem":     "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n",
		"request.pem": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
		"trusted.pem": "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
		"bundle.p7b":  "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n",
		"cert.der":    "\x30\x82\x01\x00rest",
		"empty.pem":   "\n",
		"text.pem":    "Certificate: see attachment\n",
		"cut.pem":     "-----BEGIN CERTIFICATE-----\nAAAA\n",
		"twice.pem":   "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"garbled.pem": "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		"no-der.pem":  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"large.pem":   strings.Repeat("-", maxChainFile+1),
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	chain, err := filepath.Abs("testdata/certs/fullchain.pem")
	if err != nil {
		t.Fatal(err)
	}
	wrongWay := filepath.Join(filepath.Dir(chain), "wrong-way.pem")
	t.Chdir(dir)
	const digest = "14c321b9da6680f85abca432cbe74c9eb6416a6b6aa79902d60532a821dfaea8"
	for _, test := range []struct{ args, want string }{
		// commands and options
		{"", "no command (hint: tlsaroll --help lists them)"},
		{"recor", `unknown command "recor" (hint: did you mean record?)`},
		{"recor|--scheme|ta", `unknown command "recor" (hint: did you mean record?)`},
		{"help|mach", `unknown command "mach" (hint: did you mean match?)`},
		{"--verbose", "unknown option --verbose (hint: tlsaroll --help lists them)"},
		{"record|--schema|ee|x", "unknown option --schema (hint: did you mean --scheme?)"},
		{"match|-t|x", "unknown option -t (hint: tlsaroll match --help lists them)"},
		{"record|x|--scheme", "--scheme needs a value (hint: write --scheme SCHEME; tlsaroll record --help explains it)"},
		{"version|-c", "--config needs a value (hint: write --config FILE; tlsaroll version --help explains it)"},
		{"version|now", `"now" is one argument too many (hint: tlsaroll version)`},
		{"completion", "no SHELL (hint: tlsaroll completion SHELL)"},
		{"completion|ksh", `no completion for "ksh" (hint: did you mean zsh?)`},
		{"completion|powershell", `no completion for "powershell" (hint: there is: bash, zsh, fish)`},
		// record
		{"record", "no FILE (hint: tlsaroll record [--scheme SCHEME] [--params PARAMS]... [--force] [--ta WHICH] [--endpoint URL]... FILE...)"},
		{"record|--scheme|ee+standby|" + chain, `--scheme: scheme "ee+standby": no certificate holds the next key (hint: use ee, ta or ee+ta)`},
		{"record|--ta|leaf|" + chain, `--ta: unknown certificate "leaf" (hint: write one of intermediate, root)`},
		{"record|--endpoint|mx1.example.org|" + chain, `--endpoint: endpoint "mx1.example.org": no scheme (hint: write smtp://mx1.example.org, or another scheme)`},
		{"record|--endpoint|tls://mx1.example.org|" + chain, `--endpoint: endpoint "tls://mx1.example.org": tls has no port of its own (hint: write tls://mx1.example.org:8443, with the service's port)`},
		{"record|--ta|leaf|--endpoint|x|nowhere.pem", "--ta: unknown certificate \"leaf\" (hint: write one of intermediate, root)\n" +
			"--endpoint: endpoint \"x\": no scheme (hint: write smtp://x, or another scheme)\n" +
			"nowhere.pem: no such file (hint: check the path)"},
		{"record|" + wrongWay, wrongWay + ": the first certificate issued number 2 (hint: put the server's own certificate first)"},
		{"record|--params|3 1|" + chain, `--params: tlsa parameters "3 1": want usage, selector and matching type, as in "3 1 1"`},
		{"record|--params|3 1 x|--params|255 1 1|--force|" + chain, "--params: tlsa parameters \"3 1 x\": matching type \"x\" is not a number from 0 to 255\n" +
			`--params: "255 1 1": the certificate usage 255 is for private use (RFC 6698, section 2.1.1)`},
		{"record|--params|3 1 2|" + chain, chain + `: 3 1 2 is advised against: clients need not know it: "servers SHOULD NOT exclusively publish SHA2-512(2) digests" (RFC 7671, section 2) (hint: use 3 1 1, or 3 1 1 beside it, or --force)`},
		// the daemon and what is asked of it
		{"run|now", `"now" is one argument too many (hint: tlsaroll run)`},
		{"status|--json|--watch", "--watch and --json do not go together (hint: leave out one; --json prints the status once)"},
		{"status|mx1|mx2", `"mx2" is one argument too many (hint: tlsaroll status [--json | --watch] [LINEAGE])`},
		{"rollback", "no LINEAGE (hint: tlsaroll rollback [--wait[=served|retired]] LINEAGE)"},
		{"rollback|--wait|retired|mx1", "--wait retired: an optional value needs an equals sign (hint: --wait=retired)"},
		{"rollback|--wait=gone|mx1", "--wait=gone: unknown (hint: served or retired)"},
		{"cancel", "no LINEAGE (hint: tlsaroll cancel LINEAGE)"},
		{"cancle|mx1", `unknown command "cancle" (hint: did you mean cancel?)`},
		{"freeze|--until|tomorrow", `--until: "tomorrow" is not a time (hint: write 2027-01-31 or 2027-01-31T12:00:00Z)`},
		{"freeze|--until|2026-11-22T11:59:59Z", "--until: that is past (hint: write a time to come, in UTC or with its offset)"},
		{"freeze|--for|1h", "unknown option --for (hint: tlsaroll freeze --help lists them)"},
		{"thaw|mx1|mx2", `"mx2" is one argument too many (hint: tlsaroll thaw [LINEAGE])`},
		{"withdraw", "no LINEAGE (hint: tlsaroll withdraw [--wait] LINEAGE)"},
		{"hook", "hook: the environment names no certificate (hint: ACME clients set variables for their hooks, as LEGO_CERT_PATH, RENEWED_LINEAGE or CERT_FULLCHAIN_PATH; else hand over --cert and --key)"},
		{"hook|--key|key.pem", "hook: --key without --cert (hint: name the certificate's file too)"},
		{"hook|getssl", `hook: unknown client "getssl" (hint: there are lego, certbot, acme.sh, dehydrated; for others hand over --cert and --key)`},
		{"hook|dehydrated|deploy_cert|mx1", `hook: dehydrated's deploy_cert lacks arguments, which are DOMAIN KEYFILE CERTFILE FULLCHAINFILE CHAINFILE TIMESTAMP (hint: hand all on: tlsaroll hook dehydrated "$@")`},
		{"hook|--cert|cert.pem|--timeout|0s", "--timeout 0s: not from 1s to 1h (hint: --timeout 10s)"},
		{"hook|--cert|cert.pem|--timeout|soon", `--timeout "soon": time: invalid duration "soon"`},
		{"man|rollovers", `no page "rollovers" (hint: did you mean rollover?)`},
		{"rollover|--ttl|90|mx1", `--ttl "90": time: missing unit in duration "90"`},
		{"demo|quickly", `"quickly" is one argument too many (hint: tlsaroll demo)`},
		// files
		{"record|.", ".: a directory (hint: name the file in it)"},
		{"record|-", "-: empty (hint: name the PEM file of the chain, leaf first)"},
		{"record|key.pem", "key.pem: a private key, and no certificate (hint: name the certificate's file)"},
		{"record|request.pem", "request.pem: a certificate request, not a certificate (hint: name the file that the CA answered with)"},
		{"record|trusted.pem", "trusted.pem: a certificate in OpenSSL's own form (hint: openssl x509 -in FILE -out PEM)"},
		{"record|bundle.p7b", "bundle.p7b: a PKCS #7 bundle (hint: openssl pkcs7 -print_certs -in FILE -out PEM)"},
		{"record|cert.der", "cert.der: no PEM, but perhaps DER (hint: openssl x509 -inform der -in FILE -out PEM)"},
		{"record|empty.pem", "empty.pem: empty (hint: name the PEM file of the chain, leaf first)"},
		{"record|text.pem", "text.pem: no certificate (hint: name the PEM file of the chain, leaf first)"},
		{"record|cut.pem", "cut.pem: certificate 1: no END line (hint: the file was cut short)"},
		{"record|twice.pem", "twice.pem: certificate 1: no END line (hint: the file was cut short)"},
		{"record|garbled.pem", "garbled.pem: certificate 1: no PEM between its BEGIN and END lines (hint: the file may be damaged; get the certificate anew)"},
		{"record|no-der.pem", "no-der.pem: certificate 1: x509: malformed certificate (hint: the file may be damaged; get the certificate anew)"},
		{"record|large.pem", "large.pem: larger than any certificate chain (hint: name the PEM file of the chain)"},
		{"match|nowhere.pem|--tlsa|3 1 1 " + digest, "nowhere.pem: no such file (hint: check the path)"},
		// match
		{"match", "no FILE (hint: tlsaroll match FILE --tlsa RECORD [--tlsa RECORD]... [--name HOST]... [--endpoint URL] [--roots FILE] [--at TIME])"},
		{"match|" + chain + "|more.pem|--tlsa|3 1 1 " + digest, `"more.pem" is one argument too many (hint: tlsaroll match FILE --tlsa RECORD [--tlsa RECORD]... [--name HOST]... [--endpoint URL] [--roots FILE] [--at TIME])`},
		{"match|" + chain, `no records (hint: --tlsa "3 1 1 …", once for each)`},
		{"match|" + chain + "|--tlsa|3 1 1", `--tlsa: tlsa record "3 1 1": want usage, selector, matching type and hex data, as in "3 1 1 ab…"`},
		{"match|" + chain + "|--tlsa|3 1 1 xyz", `--tlsa: tlsa record "3 1 1 xyz": the association data is not hex: encoding/hex: invalid byte: U+0078 'x'`},
		{"match|" + chain + "|--tlsa|3 1 256 " + digest, `--tlsa: tlsa record "3 1 256 ` + digest + `": matching type "256" is not a number from 0 to 255`},
		{"match|" + chain + "|--tlsa|3 1 1 " + digest + "|--name|mx_1.example.org", `--name: name "mx_1.example.org": the label "mx_1" is not allowed in a host name (hint: use letters, digits and inner hyphens)`},
		{"match|" + chain + "|--tlsa|3 1 1 " + digest + "|--at|tomorrow", `--at: "tomorrow" is not a time (hint: write 2027-01-31 or 2027-01-31T12:00:00Z)`},
		{"match|" + chain + "|--tlsa|3 1 1 " + digest + "|--endpoint|mx1.example.org", `--endpoint: endpoint "mx1.example.org": no scheme (hint: write smtp://mx1.example.org, or another scheme)`},
		{"match|" + chain + "|--tlsa|3 1 1 " + digest + "|--roots|key.pem", "--roots: key.pem: a private key, and no certificate (hint: name the certificate's file)"},
		{"match|" + chain + `|--tlsa|\# 36 030101` + digest, `--tlsa: tlsa record "\\# 36 030101` + digest + `": the length is given as 36 octets, and there are 35`},
		{"match|" + chain + "|--tlsa|3 1|--name||--at|1", "--tlsa: tlsa record \"3 1\": want usage, selector, matching type and hex data, as in \"3 1 1 ab…\"\n" +
			"--name: name \"\": empty (hint: write it whole, as in mx1.example.org)\n" +
			"--at: \"1\" is not a time (hint: write 2027-01-31 or 2027-01-31T12:00:00Z)"},
	} {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Split(test.args, "|")
			if test.args == "" {
				args = nil
			}
			stdout, stderr, code := call(t, "", args...)
			want := ""
			for line := range strings.SplitSeq(test.want, "\n") {
				want += "tlsaroll: " + line + "\n"
			}
			if stderr != want || stdout != "" || code != exitUsage {
				t.Errorf("exit %d\nstdout %s\ngot  %swant %s", code, stdout, stderr, want)
			}
		})
	}
}

func TestExit(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		want string
	}{
		{nil, exitDone, ""},
		{errors.New("mx1: no\nmx2: neither"), exitError, "tlsaroll: mx1: no\ntlsaroll: mx2: neither\n"},
		{fmt.Errorf("mx1: %w", &exitCode{exitPerson, errors.New("held")}), exitPerson, "tlsaroll: mx1: held\n"},
		{&exitCode{code: exitWaiting}, exitWaiting, ""},
		{errors.Join(&exitCode{code: exitWaiting}, errors.New("close: disk full")), exitWaiting, "tlsaroll: close: disk full\n"},
		{usage(errors.New("a"), nil, errors.New("b")), exitUsage, "tlsaroll: a\ntlsaroll: b\n"},
		{&dnsprovider.Error{Op: "read", Owner: "a.", Provider: "ns1", Kind: dnsprovider.Refused, Err: errors.New("REFUSED"), Hint: "ask"}, exitError, "tlsaroll: read a.: ns1: REFUSED (hint: ask)\n"},
		{fmt.Errorf("journal: %w: %w", errors.New("corrupt"), errors.New("no page")), exitError, "tlsaroll: journal: corrupt: no page\n"},
		{config.Errors{{File: "c.yaml", Line: 1, Column: 2, What: "empty"}}, exitUsage, "tlsaroll: c.yaml:1:2: empty\n"},
	} {
		var errs bytes.Buffer
		u := newUI(world{stdout: &bytes.Buffer{}, stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }})
		if code := u.exit(test.err); code != test.code || errs.String() != test.want {
			t.Errorf("%v: exit %d, %q", test.err, code, errs.String())
		}
	}
}

func TestLostResultIsAnError(t *testing.T) {
	var errs bytes.Buffer
	code := run(t.Context(), []string{"version"}, world{
		stdout: failing{}, stderr: &errs,
		lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now,
	})
	if code != exitError || errs.String() != "tlsaroll: standard output: no space left on device\n" {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestColourIsForTerminals(t *testing.T) {
	env := func(vars map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	}
	if coloured(&bytes.Buffer{}, env(nil)) {
		t.Error("a buffer is no terminal")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	for name, test := range map[string]struct {
		vars map[string]string
		want bool
	}{
		"a terminal":     {nil, true},
		"NO_COLOR":       {map[string]string{"NO_COLOR": "1"}, false},
		"NO_COLOR empty": {map[string]string{"NO_COLOR": ""}, true},
		"dumb":           {map[string]string{"TERM": "dumb"}, false},
	} {
		if got := coloured(tty, env(test.vars)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := paint(true, red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("%q", got)
	}
}

// TestPages holds every command's page to the form of a manual page.
func TestPages(t *testing.T) {
	p := newProgram(world{lookupEnv: os.LookupEnv, now: time.Now})
	root := p.rootCommand()
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c.Hidden {
			continue
		}
		page := manual(c)
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES"} {
			if !regexp.MustCompile(`(?m)^`+section+`\n {7}\S`).MatchString(page) && !regexp.MustCompile(`(?m)^`+section+`\n {11}\$ `).MatchString(page) {
				t.Errorf("%s: no %s", c.CommandPath(), section)
			}
		}
		for line := range strings.Lines(page) {
			line = strings.TrimSuffix(line, "\n")
			if len([]rune(line)) > pageWidth && !strings.HasPrefix(line, "           ") {
				t.Errorf("%s: wider than a page: %s", c.CommandPath(), line)
			}
			if strings.HasSuffix(line, " ") || strings.Contains(line, "\t") {
				t.Errorf("%s: blanks: %q", c.CommandPath(), line)
			}
		}
		if strings.HasSuffix(c.Short, ".") || c.Short != strings.TrimSpace(c.Short) || c.Short == "" {
			t.Errorf("%s: summary %q", c.CommandPath(), c.Short)
		}
	}
}

func TestIndentKeepsCombinationsWhole(t *testing.T) {
	text := strings.Repeat("word ", 12) + "12345678 3 x x more 2 1 1 end"
	for line := range strings.Lines(indent(7, text)) {
		if regexp.MustCompile(`\b[23]( [1x])?$|^ *[1x] `).MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("a combination is parted: %q", line)
		}
	}
}

func TestVersionLine(t *testing.T) {
	built := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	on := " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, test := range []struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"", nil, "tlsaroll unreleased"},
		{"", built("(devel)"), "tlsaroll unreleased"},
		{"", built("v1.2.3"), "tlsaroll v1.2.3"},
		{"v1.2.4", built("v1.2.3"), "tlsaroll v1.2.4"},
		{"", built("v1.2.3", debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}), "tlsaroll v1.2.3 (0123456789ab)"},
		{"", built("(devel)", debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "tlsaroll unreleased (0123456789ab, changed)"},
	} {
		if got := versionLine(test.linked, test.info); got != test.want+on {
			t.Errorf("%q, want %q", got, test.want+on)
		}
	}
}
