package certwatch

import (
	"errors"
	"fmt"
)

// ErrNoHook says that the environment is of no ACME client's hook.
var ErrNoHook = errors.New("the environment names no certificate")

// legoVariables are what lego tells its hooks, by version: 4 and 5.
var legoVariables = []struct{ cert, key string }{
	{"LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_KEY_PATH"},
	{"LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH"},
}

// LegoHook is where lego has put the pair for which it calls its hook. It writes the
// files one after the other and then calls, so they are whole. The error is
// [ErrNoHook] where the environment is not that of such a call.
func LegoHook(lookupEnv func(string) (string, bool)) (Files, error) {
	for _, v := range legoVariables {
		cert, _ := lookupEnv(v.cert)
		key, _ := lookupEnv(v.key)
		switch {
		case cert != "" && key != "":
			return Files{Cert: cert, Key: key}, nil
		case cert != "":
			return Files{}, fmt.Errorf("hook: %s is set and %s is not (hint: was the certificate ordered with a CSR? then hand over --cert and --key)", v.cert, v.key)
		}
	}
	return Files{}, fmt.Errorf("hook: %w (hint: lego sets LEGO_CERT_PATH and LEGO_CERT_KEY_PATH for its hooks; else hand over --cert and --key)", ErrNoHook)
}
