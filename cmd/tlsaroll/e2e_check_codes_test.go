package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// toldElsewhere are the codes that no domain of the world has, and why not.
var toldElsewhere = map[string]string{
	"address-insecure":     "a host's records are signed where its addresses are not only if both are aliases, and then it is alias-insecure",
	"denial-bogus":         "package lookup tries it: a signer that breaks denials alone",
	"exclude-unused":       "of a configuration",
	"family-untested":      "the world has both families, or none",
	"hidden-unsigned":      "of a configuration",
	"issuer-siblings":      "it takes a certificate of a public CA",
	"keys-differ":          "package lookup tries it: two signers of one zone",
	"negative-ttl":         "package lookup tries it: it is for information",
	"nsec3-iterations":     "package lookup tries it",
	"opt-out":              "package lookup tries it",
	"resolver-differs":     "its cases are cached-mismatch and denial-cached",
	"signature-ttl":        "package lookup tries it: a server that changes TTLs beside their signatures",
	"udp-lost":             "package lookup tries it: each question costs seconds",
	"unverified-algorithm": "package lookup tries it",
	"zone-cut":             "package lookup tries it",
}

// TestCheckCodes wants that a code of a check is told in the world of [TestCheckFindsFaults],
// or a reason why not.
func TestCheckCodes(t *testing.T) {
	var has []string
	for _, f := range allFaults() {
		has = append(has, strings.Fields(f.codes)...)
	}
	constant := regexp.MustCompile(`(?m)^\t(?:Code|Finding)\w+ +(?:Code +)?= "([a-z0-9-]+)"`)
	var all []string
	for _, file := range []string{"../../rollover/codes_audit.go", "../../rollover/codes_sts.go", "../../dnsprovider/lookup/finding.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := constant.FindAllStringSubmatch(string(text), -1)
		if len(found) < 10 {
			t.Errorf("%s: %d codes", file, len(found))
		}
		for _, m := range found {
			all = append(all, m[1])
		}
	}
	for code := range toldElsewhere {
		if !slices.Contains(all, code) {
			t.Errorf("%s: no code of a check", code)
		}
	}
	for _, code := range all {
		if in := slices.Contains(has, code); in == (toldElsewhere[code] != "") {
			t.Errorf("%s: told in the world %t, and elsewhere: %q", code, in, toldElsewhere[code])
		}
	}
}
