package agent

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// A reading is a pair of files from which a server can have the live pair; both are one
// where that holds both.
type reading struct{ chain, key string }

// readings are what servers can be told to read: one for each directory and each file with
// all in it, and one for files apart.
func (l Lineage) readings(live string) (all []reading) {
	dir := func(d string) reading {
		return reading{filepath.Join(d, certwatch.FullchainFile), filepath.Join(d, certwatch.PrivkeyFile)}
	}
	if len(l.Install) == 0 {
		return []reading{dir(live)}
	}
	var apart reading
	for _, i := range l.Install {
		hasKey, hasChain := slices.Contains(i.Content, "key"), slices.Contains(i.Content, "chain") || slices.Contains(i.Content, "cert")
		switch {
		case i.Dir != "":
			all = append(all, dir(i.Dir))
		case hasKey && hasChain:
			all = append(all, reading{i.Path, i.Path})
		case hasKey && apart.key == "":
			apart.key = i.Path
		case hasChain && apart.chain == "":
			apart.chain = i.Path
		}
	}
	if apart.chain != "" && apart.key != "" {
		all = append(all, apart)
	}
	return all
}

// setting is the line that has the usual server of an endpoint's protocol read the live
// pair, "" where none is usual. Of several copies it is the one that has the server's
// name in its path, else the first.
func (l Lineage) setting(live, url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	server := map[string]string{
		"smtp": "Postfix", "submission": "Postfix", "submissions": "Postfix",
		"imap": "Dovecot", "imaps": "Dovecot", "pop3": "Dovecot", "pop3s": "Dovecot", "sieve": "Dovecot",
	}[scheme]
	all := l.readings(live)
	if server == "" || len(all) == 0 {
		return ""
	}
	own := slices.IndexFunc(all, func(r reading) bool { return strings.Contains(r.chain, strings.ToLower(server)) })
	r := all[max(own, 0)]
	switch {
	case server == "Dovecot":
		return "in Dovecot ssl_cert = <" + r.chain + " and ssl_key = <" + r.key
	case r.chain == r.key:
		return "in Postfix smtpd_tls_chain_files = " + r.chain
	}
	return "in Postfix smtpd_tls_chain_files = " + r.key + ", " + r.chain
}
