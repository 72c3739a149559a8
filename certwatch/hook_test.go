package certwatch

import (
	"errors"
	"strings"
	"testing"
)

// lookup is an environment of NAME=VALUE.
func lookup(settings ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, s := range settings {
			if n, value, _ := strings.Cut(s, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// TestRecognise: each client's calls as the client makes them, and the exact words where
// one cannot be made sense of.
func TestRecognise(t *testing.T) {
	lego4 := []string{"LEGO_ACCOUNT_EMAIL=postmaster@example.org", "LEGO_CERT_DOMAIN=mx1.example.org", "LEGO_CERT_PATH=/lego/mx1.crt", "LEGO_CERT_KEY_PATH=/lego/mx1.key", "LEGO_ISSUER_CERT_PATH=/lego/mx1.issuer.crt"}
	lego5 := []string{"LEGO_HOOK_ACCOUNT_EMAIL=postmaster@example.org", "LEGO_HOOK_CERT_NAME=mx1", "LEGO_HOOK_CERT_DOMAINS=mx1.example.org", "LEGO_HOOK_CERT_PATH=/lego5/mx1.crt", "LEGO_HOOK_CERT_KEY_PATH=/lego5/mx1.key", "LEGO_HOOK_CERT_PEM_PATH=/lego5/mx1.pem"}
	certbot := []string{"RENEWED_LINEAGE=/le/live/mx1.example.org", "RENEWED_DOMAINS=mx1.example.org mail.example.org"}
	acmeSh := []string{"CERT_PATH=/acme/mx1_ecc/mx1.cer", "CERT_KEY_PATH=/acme/mx1_ecc/mx1.key", "CA_CERT_PATH=/acme/mx1_ecc/ca.cer", "CERT_FULLCHAIN_PATH=/acme/mx1_ecc/fullchain.cer", "Le_Domain=mx1.example.org"}
	reload := append([]string{"Le_ForceNewDomainKey=1", "Le_Next_Domain_Key=/acme/mx1_ecc/mx1.key.next"}, acmeSh...)
	deploy := strings.Fields("deploy_cert mx1.example.org /de/mx1/privkey.pem /de/mx1/cert.pem /de/mx1/fullchain.pem /de/mx1/chain.pem 1700000000")
	sync := strings.Fields("sync_cert /de/mx1/privkey-17.pem /de/mx1/cert-17.pem /de/mx1/fullchain-17.pem /de/mx1/chain-17.pem /de/mx1/cert-17.csr")
	both := func(a, b []string) []string { return append(append([]string(nil), a...), b...) }
	for name, test := range map[string]struct {
		client string
		args   []string
		env    []string
		want   Call
		err    string
	}{
		"lego 4":                              {env: lego4, want: Call{Client: "lego", Files: Files{"/lego/mx1.crt", "/lego/mx1.key"}}},
		"lego 5":                              {env: lego5, want: Call{Client: "lego", Files: Files{"/lego5/mx1.crt", "/lego5/mx1.key"}}},
		"lego 5 inside 4":                     {env: both(lego4, lego5), want: Call{Client: "lego", Files: Files{"/lego5/mx1.crt", "/lego5/mx1.key"}}},
		"lego 4 with one file for both":       {env: []string{"LEGO_CERT_PEM_PATH=/lego/mx1.pem"}, want: Call{Client: "lego", Files: Files{Cert: "/lego/mx1.pem"}}},
		"lego 5 before there is a pair":       {env: lego5[:3], want: Call{Client: "lego", Reason: "lego's pre-hook comes before there is a certificate (hint: let lego's --deploy-hook call tlsaroll hook)"}},
		"lego 4 without a key":                {env: lego4[:3], err: "hook: LEGO_CERT_PATH is set and LEGO_CERT_KEY_PATH is not (hint: was the certificate ordered with a CSR? then hand over --cert and --key)"},
		"lego 4 without files":                {env: lego4[:2], err: "hook: LEGO_CERT_DOMAIN is set and LEGO_CERT_PATH is not (hint: hand over --cert and --key)"},
		"lego 4, other things empty":          {env: both(lego4, []string{"LEGO_HOOK_CERT_PATH=", "RENEWED_LINEAGE=", "CERT_FULLCHAIN_PATH="}), want: Call{Client: "lego", Files: Files{"/lego/mx1.crt", "/lego/mx1.key"}}},
		"certbot's deploy hook":               {env: certbot, want: Call{Client: "certbot", Files: Files{"/le/live/mx1.example.org/fullchain.pem", "/le/live/mx1.example.org/privkey.pem"}}},
		"certbot's post hook":                 {env: []string{"RENEWED_DOMAINS=mx1.example.org", "FAILED_DOMAINS="}, want: Call{Client: "certbot", Reason: "certbot's post hook is told of no certificate (hint: call tlsaroll hook as a deploy hook)"}},
		"certbot's post hook after deploying": {env: append([]string{"FAILED_DOMAINS=x.example.org"}, certbot...), want: Call{Client: "certbot", Reason: "certbot's post hook is told of no certificate (hint: call tlsaroll hook as a deploy hook)"}},
		"certbot without a lineage":           {env: certbot[1:], err: "hook: RENEWED_DOMAINS is set and RENEWED_LINEAGE is not (hint: call tlsaroll hook as a deploy hook of certbot's)"},
		"acme.sh's reload command":            {env: reload, want: Call{Client: "acme.sh", Files: Files{"/acme/mx1_ecc/fullchain.cer", "/acme/mx1_ecc/mx1.key"}}},
		"acme.sh's renew hook":                {env: acmeSh, want: Call{Client: "acme.sh", Files: Files{"/acme/mx1_ecc/fullchain.cer", "/acme/mx1_ecc/mx1.key"}}},
		"acme.sh without a key":               {env: []string{acmeSh[0], acmeSh[3], acmeSh[4]}, err: "hook: CERT_FULLCHAIN_PATH is set and CERT_KEY_PATH is not (hint: was the certificate ordered with a CSR? then hand over --cert and --key)"},
		"acme.sh without files":               {env: acmeSh[4:], err: "hook: Le_Domain is set and CERT_FULLCHAIN_PATH is not (hint: hand over --cert and --key)"},
		"acme.sh without a chain":             {env: []string{acmeSh[0], acmeSh[1], acmeSh[4]}, want: Call{Client: "acme.sh", Files: Files{"/acme/mx1_ecc/mx1.cer", "/acme/mx1_ecc/mx1.key"}}},
		"CERT_PATH alone is anybody's":        {env: acmeSh[:2], err: "hook: the environment names no certificate (hint: ACME clients set variables for their hooks, as LEGO_CERT_PATH, RENEWED_LINEAGE or CERT_FULLCHAIN_PATH; else hand over --cert and --key)"},
		"CERT_PATH alone, said to be acme.sh": {client: "acme.sh", env: acmeSh[:2], want: Call{Client: "acme.sh", Files: Files{"/acme/mx1_ecc/mx1.cer", "/acme/mx1_ecc/mx1.key"}}},
		"dehydrated deploys":                  {client: "dehydrated", args: deploy, want: Call{Client: "dehydrated", Files: Files{"/de/mx1/fullchain.pem", "/de/mx1/privkey.pem"}}},
		"dehydrated deploys, not named":       {args: deploy, env: lego4, want: Call{Client: "dehydrated", Files: Files{"/de/mx1/fullchain.pem", "/de/mx1/privkey.pem"}}},
		"dehydrated syncs":                    {client: "dehydrated", args: sync, want: Call{Client: "dehydrated", Files: Files{"/de/mx1/fullchain-17.pem", "/de/mx1/privkey-17.pem"}, Gate: true}},
		"dehydrated has nothing new":          {client: "dehydrated", args: append([]string{"unchanged_cert"}, deploy[1:6]...), want: Call{Client: "dehydrated"}},
		"dehydrated begins, not named":        {args: []string{"startup_hook"}, want: Call{Client: "dehydrated"}},
		"dehydrated ends with an error":       {client: "dehydrated", args: []string{"exit_hook", "deploy_cert failed"}, want: Call{Client: "dehydrated"}},
		"dehydrated, which tries its hook":    {args: []string{"this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script"}, want: Call{Client: "dehydrated"}},
		"dehydrated of the years to come":     {client: "dehydrated", args: []string{"deploy_cert_v2", "x"}, want: Call{Client: "dehydrated"}},
		"dehydrated with too little":          {client: "dehydrated", args: deploy[:3], err: `hook: dehydrated's deploy_cert lacks arguments, which are DOMAIN KEYFILE CERTFILE FULLCHAINFILE CHAINFILE TIMESTAMP (hint: hand all on: tlsaroll hook dehydrated "$@")`},
		"dehydrated with nothing":             {client: "dehydrated", env: lego4, err: `hook: dehydrated: the environment names no certificate (hint: dehydrated gives its hook arguments, all of which are to be handed on: tlsaroll hook dehydrated "$@"; else hand over --cert and --key)`},
		"nobody":                              {err: "hook: the environment names no certificate (hint: ACME clients set variables for their hooks, as LEGO_CERT_PATH, RENEWED_LINEAGE or CERT_FULLCHAIN_PATH; else hand over --cert and --key)"},
		"said to be certbot, and is lego":     {client: "certbot", env: lego4, err: "hook: certbot: the environment names no certificate (hint: certbot sets RENEWED_LINEAGE for its deploy hooks, and for no others; else hand over --cert and --key)"},
		"said to be lego, in certbot's hook":  {client: "lego", env: both(certbot, lego4), want: Call{Client: "lego", Files: Files{"/lego/mx1.crt", "/lego/mx1.key"}}},
		"lego in certbot's hook":              {env: both(certbot, lego4), err: "hook: the environment is of several clients, lego and certbot, and names different pairs (hint: say who calls, as in tlsaroll hook lego)"},
		"lego's pre-hook in certbot's":        {env: both(certbot, lego5[:3]), want: Call{Client: "certbot", Files: Files{"/le/live/mx1.example.org/fullchain.pem", "/le/live/mx1.example.org/privkey.pem"}}},
		"half of lego's in certbot's":         {env: both(certbot, lego4[:3]), want: Call{Client: "certbot", Files: Files{"/le/live/mx1.example.org/fullchain.pem", "/le/live/mx1.example.org/privkey.pem"}}},
		"two that name the same":              {env: both(lego4, []string{"CERT_FULLCHAIN_PATH=/lego/mx1.crt", "CERT_KEY_PATH=/lego/mx1.key"}), want: Call{Client: "lego", Files: Files{"/lego/mx1.crt", "/lego/mx1.key"}}},
		"an unknown client":                   {client: "getssl", err: `hook: unknown client "getssl" (hint: there are lego, certbot, acme.sh, dehydrated; for others hand over --cert and --key)`},
		"an unknown operation":                {args: []string{"deploy"}, env: lego4, err: `hook: unknown client "deploy" (hint: there are lego, certbot, acme.sh, dehydrated; for others hand over --cert and --key)`},
		"arguments that certbot has not":      {client: "certbot", args: []string{"renew"}, env: certbot, err: `hook: "renew" is one argument too many (hint: certbot tells its hooks all by variables)`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Recognise(test.client, test.args, lookup(test.env...))
			said := ""
			if err != nil {
				said = err.Error()
			}
			if got != test.want || said != test.err {
				t.Errorf("%+v, %q\nwant %+v, %q", got, said, test.want, test.err)
			}
		})
	}
}

// FuzzRecognise: whatever arguments and variables there are, a call is about a pair that
// they name, both files of one client, or it is refused in one line without any content.
func FuzzRecognise(f *testing.F) {
	names := []string{
		"LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH", "LEGO_HOOK_CERT_PEM_PATH", "LEGO_HOOK_CERT_DOMAINS",
		"LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH", "LEGO_CERT_PEM_PATH", "LEGO_CERT_DOMAIN",
		"RENEWED_LINEAGE", "RENEWED_DOMAINS", "FAILED_DOMAINS",
		"CERT_FULLCHAIN_PATH", "CERT_PATH", "CERT_KEY_PATH", "Le_Domain",
	}
	f.Add(uint8(0), "", "/a.crt\n/a.key", uint32(0b11))
	f.Add(uint8(1), "", "/a.crt\n/a.key", uint32(0b110000))
	f.Add(uint8(2), "", "/live/mx1", uint32(1<<8))
	f.Add(uint8(3), "", "/acme/fullchain.cer\n/acme/mx1.key\nmx1", uint32(1<<11|1<<13|1<<14))
	f.Add(uint8(4), "deploy_cert\nmx1\n/key\n/cert\n/fullchain\n/chain\n17", "", uint32(0))
	f.Add(uint8(0), "sync_cert\n/key\n/cert\n/fullchain\n/chain\n/csr", "/a\n/b\n/c", uint32(1<<15-1))
	f.Add(uint8(0), "deploy_challenge\nmx1\n-token\n--help", "", uint32(0))
	f.Fuzz(func(t *testing.T, who uint8, arguments, values string, set uint32) {
		client := append([]string{""}, Clients()...)[int(who)%(1+len(Clients()))]
		var args []string
		if arguments != "" {
			args = strings.Split(arguments, "\n")
		}
		given := strings.Split(values, "\n")
		env, named := map[string]string{}, map[string]bool{"": true}
		for _, a := range args {
			named[a] = true
		}
		for i, name := range names {
			if set>>i&1 == 1 {
				env[name] = given[i%len(given)]
				named[env[name]] = true
			}
		}
		call, err := Recognise(client, args, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if err != nil {
			if text := err.Error(); !strings.HasPrefix(text, "hook: ") || strings.ContainsAny(text, "\n\r") || call != (Call{}) {
				t.Errorf("%+v, %q", call, text)
			}
			if client != "" && (errors.Is(err, ErrUnknownClient) || errors.Is(err, ErrSeveralClients)) {
				t.Errorf("%s was named: %v", client, err)
			}
			return
		}
		if client != "" && call.Client != client {
			t.Errorf("%s is taken for %s", client, call.Client)
		}
		switch {
		case !call.Taken():
			if call.Files != (Files{}) || call.Gate || strings.ContainsAny(call.Reason, "\n\r") {
				t.Errorf("nothing is %+v", call)
			}
		case call.Client == "certbot":
			if env["RENEWED_LINEAGE"] == "" || !strings.HasSuffix(call.Files.Cert, "fullchain.pem") || !strings.HasSuffix(call.Files.Key, "privkey.pem") {
				t.Errorf("%+v of %q", call, env)
			}
		case !named[call.Files.Cert] || !named[call.Files.Key]:
			t.Errorf("%+v, which nobody named", call)
		}
	})
}
