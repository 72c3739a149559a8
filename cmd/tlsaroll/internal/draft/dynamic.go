package draft

import (
	"cmp"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

// dynamic writes what dynamic update needs.
func (w World) dynamic(y *page, d *Draft, z HostDNS, a Answers) {
	server := strings.TrimSuffix(z.Primary, ".")
	if server != "" {
		y.said("    server: "+scalar(server+":53"), "the primary, by the zone's SOA record")
	}
	key, why := w.tsigKey(z, a)
	d.key, d.keyStands = key.Name, key.File != "" || a.TSIG != "" || w.knowsKey(z)
	y.said("    key: "+scalar(d.key), why)
	y.line("    algorithm: " + cmp.Or(key.Algorithm, "hmac-sha256"))
	file := w.secretFile("rfc2136", "secret")
	if a.TSIG != "" {
		y.said("    secret-file: "+scalar(file), "the secret alone, out of "+a.TSIG)
		return
	}
	y.said("    secret-file: "+scalar(file), "the secret alone, mode 0600")
	d.lacks(w, file)
}

// tsigKey is the key for dynamic update, and why this one.
func (w World) tsigKey(z HostDNS, a Answers) (key finder.Key, why string) {
	if a.TSIG != "" {
		return a.Key, "as " + a.TSIG + " has it"
	}
	if p, _ := w.primaryHere(z.Zone); len(p.Keys) > 0 {
		return p.Keys[0], "may change TLSA records, as " + p.Server + " has it"
	}
	parent := z.Zone
	if parent == "" {
		_, parent, _ = strings.Cut(a.Hosts[0], ".")
		parent += "."
	}
	return finder.Key{Name: "tlsaroll." + parent}, "the TSIG key; if it has another name there, write that"
}

// knowsKey reports whether the primary, on this host, has a key.
func (w World) knowsKey(z HostDNS) bool {
	p, _ := w.primaryHere(z.Zone)
	return len(p.Keys) > 0
}

// AskTSIG asks for the key of dynamic update, nil where its secret is there already.
func (w World) AskTSIG(a Answers) *Question {
	if a.Provider != "rfc2136" || a.TSIG != "" || w.has(w.SecretFile()) {
		return nil
	}
	key, _ := w.tsigKey(w.zone(a.Hosts), a)
	return &Question{
		Text:    "the file with the TSIG key that may change TLSA records, as tsig-keygen or keymgr prints it; - is later",
		Default: cmp.Or(key.File, Later), Option: "--tsig FILE",
	}
}

// Later is the answer that leaves a file to be made.
const Later = "-"

// SecretFile is where the TSIG secret alone is to be.
func (w World) SecretFile() string { return w.secretFile("rfc2136", "secret") }

// WantedKey is the name by which the primary of this host knows the key, "" where nobody told.
func (w World) WantedKey(a Answers) string {
	if !w.knowsKey(w.zone(a.Hosts)) {
		return ""
	}
	key, _ := w.tsigKey(w.zone(a.Hosts), Answers{Hosts: a.Hosts})
	return key.Name
}
