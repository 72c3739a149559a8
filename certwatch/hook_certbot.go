package certwatch

import "path/filepath"

// certbotCall reads a call of certbot's, whose deploy hooks run when the links in
// RENEWED_LINEAGE have been turned. Its post hooks, which know how many names failed,
// come once for all certificates; what a deploy hook was told may still be set then.
func certbotCall(args []string, env environment, _ bool) (Call, bool, error) {
	if err := noArguments("certbot", args); err != nil {
		return Call{}, false, err
	}
	dir := env.text("RENEWED_LINEAGE")
	_, post := env("FAILED_DOMAINS")
	switch {
	case post:
		return Call{Reason: "certbot's post hook is told of no certificate (hint: call tlsaroll hook as a deploy hook)"}, true, nil
	case dir != "":
		return Call{Files: Files{Cert: filepath.Join(dir, "fullchain.pem"), Key: filepath.Join(dir, "privkey.pem")}}, true, nil
	case env.text("RENEWED_DOMAINS") != "":
		return Call{}, false, half("RENEWED_DOMAINS", "RENEWED_LINEAGE", "call tlsaroll hook as a deploy hook of certbot's")
	}
	return Call{}, false, nil
}
