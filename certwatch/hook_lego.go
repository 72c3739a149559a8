package certwatch

// legoVariables are what lego tells its hooks, by version: 5 and 4. The PEM file holds
// key and chain, where lego was asked for one. About is what is set when there is no
// pair yet.
var legoVariables = []struct{ cert, key, pem, about string }{
	{"LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH", "LEGO_HOOK_CERT_PEM_PATH", "LEGO_HOOK_CERT_DOMAINS"},
	{"LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH", "LEGO_CERT_PEM_PATH", "LEGO_CERT_DOMAIN"},
}

// legoCall reads a call of lego's: --run-hook and --renew-hook of version 4, --deploy-hook
// of version 5. Both write the files one after the other and then call, so they are whole.
// The --pre-hook of version 5 tells of names alone.
func legoCall(args []string, env environment, _ bool) (Call, bool, error) {
	if err := noArguments("lego", args); err != nil {
		return Call{}, false, err
	}
	for _, v := range legoVariables {
		cert, key, pem := env.text(v.cert), env.text(v.key), env.text(v.pem)
		switch {
		case cert != "" && key != "":
			return Call{Files: Files{Cert: cert, Key: key}}, true, nil
		case pem != "":
			return Call{Files: Files{Cert: pem}}, true, nil
		case cert != "":
			return Call{}, false, half(v.cert, v.key, "was the certificate ordered with a CSR? then hand over --cert and --key")
		}
	}
	if _, set := env(legoVariables[0].about); set {
		return Call{Reason: "lego's pre-hook comes before there is a certificate (hint: let lego's --deploy-hook call tlsaroll hook)"}, true, nil
	}
	if v := legoVariables[1]; env.text(v.about) != "" {
		return Call{}, false, half(v.about, v.cert, "hand over --cert and --key")
	}
	return Call{}, false, nil
}
