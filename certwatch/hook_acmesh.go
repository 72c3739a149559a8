package certwatch

import "cmp"

// acmeShCall reads a call of acme.sh's: reload command, renew hook or post hook. All
// three come when the files are written, and name those of acme.sh's own directory,
// wherever copies were installed. CERT_PATH, which is the leaf alone, may be anybody's:
// unless the operator says so, only what no one else sets is believed.
func acmeShCall(args []string, env environment, named bool) (Call, bool, error) {
	if err := noArguments("acme.sh", args); err != nil {
		return Call{}, false, err
	}
	chain, leaf, key, domain := env.text("CERT_FULLCHAIN_PATH"), env.text("CERT_PATH"), env.text("CERT_KEY_PATH"), env.text("Le_Domain")
	cert, is := cmp.Or(chain, leaf), "CERT_FULLCHAIN_PATH"
	if chain == "" {
		is = "CERT_PATH"
	}
	switch {
	case chain == "" && domain == "" && (!named || cert == ""):
		return Call{}, false, nil
	case cert == "":
		return Call{}, false, half("Le_Domain", "CERT_FULLCHAIN_PATH", "hand over --cert and --key")
	case key == "":
		return Call{}, false, half(is, "CERT_KEY_PATH", "was the certificate ordered with a CSR? then hand over --cert and --key")
	}
	return Call{Files: Files{Cert: cert, Key: key}}, true, nil
}
