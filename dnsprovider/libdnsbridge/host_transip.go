package libdnsbridge

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	libdnstransip "github.com/libdns/transip"
	"github.com/libdns/transip/client"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// transipMaxTTL is the highest TTL that TransIP takes. The module makes 3600 seconds of a higher one.
const transipMaxTTL = 24 * time.Hour

// transip is TransIP's API, version 6 (https://api.transip.nl/rest/docs.html).
func transip() Host {
	return Host{
		Capability: dnsprovider.Capability{
			Type: "transip", Name: "TransIP",
			Verified: "a server written from the API's documentation",
			Atomic:   dnsprovider.AddThenRemove,
			DNSSEC:   "where it is the registrar",
			TXT:      true,
			Margin:   15 * time.Minute,
			MarginSource: "ours: TransIP gives no figure, and those who write clients wait for 4 to 10 minutes until its servers have a change " +
				"(https://github.com/hsmade/certbot-dns-transip, https://go-acme.github.io/lego/dns/transip/)",
			Rights: "a key pair of the account, made in the control panel at \"API\", which cannot be restricted to a domain; " +
				"with \"only accept IP addresses from the whitelist\" and whitelisted: true it works from your addresses only",
			Hazards: []string{
				"TransIP signs the domains that are registered with it and have its nameservers " +
					"(https://www.transip.eu/knowledgebase/entry/5179-adding-a-ds-record/): look whether yours is signed if it is registered elsewhere",
				"whoever has the private key has the whole account, unless it is used with a whitelist of addresses",
				"there are 1000 requests in a quarter of an hour for the account (https://api.transip.nl/rest/docs.html#header-rate-limit)",
				"a TTL above a day becomes a day",
				"an entry whose name was given with the domain at its end, by mistake, looks like one of the name without it",
			},
		},
		Settings: []Setting{
			{Name: "login", Required: true, Example: "example-user"},
			{Name: "private-key", Secret: true, Required: true},
			{Name: "whitelisted", Default: "false", Example: "true"},
		},
		Open:   openTransIP,
		Quirks: Quirks{MayBeEmpty: true, ExactTTL: true, MaxTTL: transipMaxTTL, Classify: classifyTransIP},
	}
}

func openTransIP(v Values) (Backend, error) {
	if v["login"] == "" || strings.ContainsAny(v["login"], " \t\r\n") {
		return nil, errors.New("login: not the name of an account (hint: write the name that the control panel asks for)")
	}
	if w := v["whitelisted"]; w != "" && w != "true" && w != "false" {
		return nil, fmt.Errorf("whitelisted: %q is neither true nor false", w)
	}
	key, err := transipKey(v["private-key"])
	if err != nil {
		return nil, fmt.Errorf("private-key: %w (hint: write the private key that the control panel showed, with its first and last line)", err)
	}
	config := &libdnstransip.Provider{
		AuthLogin: v["login"], PrivateKey: key, AuthNotGlobalKey: v["whitelisted"] == "true",
		AuthExpirationTime: client.ExpirationTime1Hour, BaseUri: libdnstransip.DefaultApiBaseUri(),
	}
	return transipZones{config, &transipTokens{config: config}}, nil
}

// transipKey is the key as the module wants it: what does not begin just so it takes for the
// name of a file, and says that name in its error. The error here says nothing of the key.
func transipKey(text string) (string, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return "", errors.New("no PEM block in it")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return "", fmt.Errorf("a PEM block of type %q", block.Type)
	}
	if err != nil {
		return "", errors.New("not a private key, or one with a passphrase")
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return "", errors.New("not an RSA key")
	}
	if err := rsaKey.Validate(); err != nil {
		return "", errors.New("an RSA key with wrong numbers in it")
	}
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		return "", errors.New("an RSA key that cannot be written")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
