package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBadProviders holds what the program says about wrong input to do with providers: the
// exact sentences, exit 2, and no secret. Nobody is asked, and nothing is written.
func TestBadProviders(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"token":  "planted-0123456789",
		"broken": "planted-one\nplanted-two",
		"empty":  "\n",
		"json":   `{"type": "authorized_user", "client_secret": "planted"}`,
		"pem":    "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----",
		"global": strings.Repeat("a", 37),
	} {
		writeFile(t, filepath.Join(dir, name), text+"\n")
	}
	const lineage = `
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org]
    staged: {cert: /a.crt, key: /a.key}
    install: [{path: /a.pem, content: [key, chain], mode: "0600"}]
    reload: [["true"]]
`
	const good = "{type: desec, zone: example.org, token-file: DIR/token}"
	place := regexp.MustCompile(`DIR/tlsaroll.yaml:([0-9]+:)[0-9]+:`) // the line, and a column that goes by DIR
	for _, test := range []struct{ provider, args, want string }{
		// the type
		{"{type: clodflare, zone: example.org}", "plan", `4: providers.dns.type: unknown provider type "clodflare" (hint: did you mean cloudflare?)`},
		{"{type: netcup, zone: example.org, token-file: DIR/token}", "plan", `4: providers.dns.type: provider type "netcup": not supported: its libdns module (v1.0.0) deletes the first TLSA record that it finds and not the one asked for; the API has a TTL for the whole zone alone, documents no condition of a change, and its one password opens the whole account (hint: a CNAME there for each _port._tcp name, set once by hand, to a name in a zone at a host that can be changed (RFC 7671, section 7); both zones have to be signed; or exec, with commands that remove exactly the record that they are given)`},
		{"{zone: example.org, token-file: DIR/token}", "plan", "4: providers.dns: no type (hint: this program has: azure, cloudflare, desec, exec, gandi, googleclouddns, hetzner, infomaniak, inwx, manual, ovh, powerdns, rfc2136, route53, transip)"},
		// the secret
		{"{type: desec, zone: example.org, token: planted}", "plan", "4: providers.dns.token: a secret does not stand in the configuration (hint: put it into a file of mode 0600, and that file's path under token-file)"},
		{"{type: desec, zone: example.org}", "plan", "4: providers.dns: no token (hint: write one of token-file, token-env, token-credential)"},
		{"{type: desec, zone: example.org, token-file: DIR/nowhere}", "plan", "4: providers.dns.token-file: no such file (hint: put the secret there, mode 0600)"},
		{"{type: desec, zone: example.org, token-file: DIR/empty}", "plan", "4: providers.dns.token-file: DIR/empty is empty (hint: put the secret there, and nothing else)"},
		{"{type: desec, zone: example.org, token-file: DIR}", "plan", "4: providers.dns.token-file: DIR is not a file (hint: name a file that holds the secret alone)"},
		{"{type: desec, zone: example.org, token-file: planted-0123456789}", "plan", "4: providers.dns.token-file: not an absolute path (hint: write the path of a file that holds the secret alone, as in /etc/tlsaroll/secret)"},
		{"{type: desec, zone: example.org, token-env: TLSAROLL_TEST_NOWHERE}", "plan", "4: providers.dns.token-env: no such environment variable (hint: set it where tlsaroll is started, as with EnvironmentFile= in the unit)"},
		{"{type: desec, zone: example.org, token-credential: desec.token}", "plan", "4: providers.dns.token-credential: no credentials: CREDENTIALS_DIRECTORY is not set (hint: write LoadCredential=NAME:/path/of/the/secret in the unit, or name a file)"},
		{"{type: desec, zone: example.org, token-file: DIR/token, token-env: X}", "plan", "4: providers.dns.token-env: the secret is given more than once, as token-file and token-env (hint: keep one)"},
		{"{type: desec, zone: example.org, token-file: DIR/broken}", "plan", "4: providers.dns.token-file: has blanks, line ends or letters that no key has (hint: copy it again)"},
		{"{type: powerdns, zone: example.org, server: \"http://127.0.0.1:8081\", token-file: DIR/broken}", "plan", "4: providers.dns.token-file: has characters that no header may have (hint: the file holds the api-key alone, in one line)"},
		{"{type: cloudflare, zone: example.org, token-file: DIR/broken}", "plan", "4: providers.dns.token-file: has characters that no token has (hint: the file holds the token alone, in one line)"},
		{"{type: cloudflare, zone: example.org, token-file: DIR/global}", "plan", `4: providers.dns.token-file: looks like the Global API Key, which may do everything (hint: My Profile, API Tokens, Create Token, template "Edit zone DNS")`},
		{"{type: rfc2136, zone: example.org, key: k.example.org, secret-file: DIR/token}", "plan", "4: providers.dns.secret-file: the secret is not base64 (hint: put the base64 text alone there, as tsig-keygen prints it between the quotes after secret)"},
		{"{type: googleclouddns, zone: example.org, credentials-file: DIR/json}", "plan", `4: providers.dns.credentials-file: are of type "authorized_user", and those of a service account are wanted (hint: gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT)`},
		{"{type: transip, zone: example.org, login: me, private-key-file: DIR/pem}", "plan", "4: providers.dns.private-key-file: no PEM block in it (hint: write the private key that the control panel showed, with its first and last line)"},
		{"{type: route53, zone: example.org, secret-access-key-file: DIR/token}", "plan", "4: providers.dns: access-key-id and secret-access-key: one without the other (hint: both, or neither for what the SDK finds in its environment)"},
		// where it would go
		{"{type: powerdns, zone: example.org, server: \"http://192.0.2.1:8081\", token-file: DIR/token}", "plan", `4: providers.dns.server: URL "http://192.0.2.1:8081": credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)`},
		{"{type: powerdns, zone: example.org, server: \"ftp://127.0.0.1\", token-file: DIR/token}", "plan", "4: providers.dns.server: not an http or https URL (hint: write server: http://127.0.0.1:8081)"},
		{"{type: inwx, zone: example.org, username: me, password-file: DIR/token, endpoint: \"http://api.example.net\"}", "plan", `4: providers.dns.endpoint: URL "http://api.example.net": credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)`},
		{"{type: ovh, zone: example.org, endpoint: ovh-uk, application-key: k, application-secret-file: DIR/token, consumer-key-file: DIR/token}", "plan", `4: providers.dns.endpoint: "ovh-uk" is none of OVHcloud's (hint: ovh-eu, ovh-ca or ovh-us)`},
		// others
		{"{type: desec, zone: example.org, token-file: DIR/token, zone-id: x}", "plan", "4: providers.dns.zone-id: unknown key (hint: known here: margin, token-credential, token-env, token-file, type, zone)"},
		{"{type: desec, zone: example..org, token-file: DIR/token}", "plan", `4: providers.dns.zone: name "example..org": an empty label (hint: write the whole name, as in example.org)`},
		{"{type: desec, zone: example.org, token-file: DIR/token, margin: 2}", "plan", `4: providers.dns.margin: "2" has no unit (hint: seconds are 2s)`},
		{good + "\n  also: " + good, "plan", "5: providers.also.zone: the zone is dns's already (hint: one zone, one provider: take one out, or name another zone)"},
		// tests that cannot be meant
		{good, "provider test --zone example.net dns", "--zone example.net: provider dns has the zone example.org (hint: leave --zone out)"},
		{good, "provider test desek", `no provider "desek" (hint: the configuration has: dns)`},
		{good, "provider test --owner _25._tcp.mx1.example.org dns", "--owner _25._tcp.mx1.example.org.: that is an endpoint of a lineage, and its records are not for tests (hint: name another)"},
		{"{type: desec, token-file: DIR/token}", "provider test dns", "which zone? provider dns names none (hint: --zone example.org)"},
		{good, "provider test --ttl 1500ms dns", "--ttl 1.5s: a TTL is a number of whole seconds (hint: --ttl 1h)"},
		{good, "provider tets dns", `provider: "tets" is neither list nor test (hint: tlsaroll provider list, or tlsaroll provider test NAME)`},
		{good, "provider test", "provider test: no NAME (hint: the name under providers: in the configuration, as in tlsaroll provider test ns1)"},
		{good, "provider list netcop", `provider list: unknown type "netcop" (hint: did you mean netcup?)`},
	} {
		config := filepath.Join(dir, "tlsaroll.yaml")
		there := strings.NewReplacer("DIR", dir)
		writeFile(t, config, there.Replace("state: DIR/state\nresolver: 127.0.0.1:9\nproviders:\n  dns: "+test.provider+lineage))
		said := &output{}
		code := run(t.Context(), append([]string{"-c", config}, strings.Fields(test.args)...), world{
			stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups,
		})
		got := place.ReplaceAllString(strings.ReplaceAll(said.String(), dir, "DIR"), "$1")
		if code != exitUsage || got != "tlsaroll: "+test.want+"\n" {
			t.Errorf("%s %s: exit %d\n%s", test.args, test.provider, code, said)
		}
		if strings.Contains(said.String(), "planted") {
			t.Errorf("%s: a secret is told", test.provider)
		}
	}
}
