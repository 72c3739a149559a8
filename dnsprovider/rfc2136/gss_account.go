//go:build gsstsig

package rfc2136

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

const defaultKrb5Conf = "/etc/krb5.conf"

// account is whom the updates are made as.
//
// Of the library for Kerberos only messages and ciphers are used, and not its client: that
// one heeds no context, leaves behind a goroutine for each ticket that renews it for ever,
// asks over UDP first and loses what comes back after TCP has failed, and makes text of
// the KDC's errors. What it parses may make it panic, so every call of it stands below
// a recover.
type account struct {
	name       types.PrincipalName
	realm      string // "" is the default of the configuration
	keytabFile string
	configFile string // "" is the default
	dial       func(ctx context.Context, network, address string) (net.Conn, error)
	timeout    time.Duration
	now        func() time.Time
}

// String is the principal's name.
func (a *account) String() string {
	if a.realm == "" {
		return a.name.PrincipalNameString()
	}
	return a.name.PrincipalNameString() + "@" + a.realm
}

// parsePrincipal splits a principal's name; without a realm, that is "".
func parsePrincipal(s string) (types.PrincipalName, string, error) {
	name, realm, found := strings.Cut(s, "@")
	parts := strings.Split(name, "/")
	if slices.Contains(parts, "") || (found && realm == "") || strings.ContainsAny(s, " \t\r\n\\") || strings.Contains(realm, "@") {
		return types.PrincipalName{}, "", fmt.Errorf("principal %q: not of the form name@REALM or service/host@REALM", s)
	}
	kind := nametype.KRB_NT_PRINCIPAL
	if len(parts) > 1 {
		kind = nametype.KRB_NT_SRV_HST
	}
	return types.PrincipalName{NameType: kind, NameString: parts}, realm, nil
}

// caught makes this error of a panic of the library.
func caught(err *error, sentence string) {
	if recover() != nil {
		*err = errors.New(sentence)
	}
}

// configuration reads the Kerberos configuration.
func (a *account) configuration() (c *config.Config, err error) {
	path := a.configFile
	if path == "" {
		path = defaultKrb5Conf
	}
	text, err := os.ReadFile(path)
	if err != nil && (a.configFile != "" || !errors.Is(err, os.ErrNotExist)) {
		return nil, fmt.Errorf("gss-krb5-conf: %w", err)
	}
	what := fmt.Sprintf("gss-krb5-conf %q", path)
	const hint = "(hint: write one with the realm and its KDCs alone)"
	defer caught(&err, what+": it cannot be read, as blocks within a block of [realms] are not understood "+hint)
	// A word of its own for KDCs that are not named is what MIT's library has as its default.
	c, err = config.NewFromString("[libdefaults]\ndns_lookup_kdc = true\n" + string(text))
	var unsupported config.UnsupportedDirective
	if err != nil && !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("%s: %w %s", what, err, hint)
	}
	// No signatures of the form asked for can be made with other ciphers.
	c.LibDefaults.DefaultTGSEnctypeIDs = aes()
	c.LibDefaults.Forwardable, c.LibDefaults.Proxiable, c.LibDefaults.RenewLifetime = false, false, 0
	c.LibDefaults.NoAddresses = true // behind NAT they are wrong
	return c, nil
}

// aes are the ciphers in the order of preference. AES with SHA-2 (RFC 8009) comes last, as
// Active Directory does not know it.
func aes() []int32 {
	return []int32{
		etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
		etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
	}
}

func isAES(cipher int32) bool { return slices.Contains(aes(), cipher) }

// keys reads the keytab and returns the principal's newest keys in it, and their ciphers.
func (a *account) keys(realm string) (kt *keytab.Keytab, ciphers []int32, err error) {
	raw, err := os.ReadFile(a.keytabFile)
	if err != nil {
		return nil, nil, fmt.Errorf("gss-keytab: %w", err)
	}
	what := fmt.Sprintf("gss-keytab %q", a.keytabFile)
	broken := what + ": this is not a keytab, or not all of it"
	defer caught(&err, broken)
	kt = new(keytab.Keytab)
	if kt.Unmarshal(raw) != nil { // its error may hold the keys
		return nil, nil, errors.New(broken)
	}
	// The highest number is the newest. The library goes by the time alone, which two may share.
	all := kt.Entries
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, y := all[i], all[j]
		return cmp.Or(slices.Index(aes(), x.Key.KeyType)-slices.Index(aes(), y.Key.KeyType), cmp.Compare(y.KVNO, x.KVNO), y.Timestamp.Compare(x.Timestamp))
	})
	kt.Entries = nil
	var others []string
	for _, i := range order {
		e, cipher := all[i], all[i].Key.KeyType
		switch {
		case e.Principal.Realm != realm || !slices.Equal(e.Principal.Components, a.name.NameString):
			others = append(others, strings.Join(e.Principal.Components, "/")+"@"+e.Principal.Realm)
		case isAES(cipher) && !slices.Contains(ciphers, cipher):
			ciphers, kt.Entries = append(ciphers, cipher), append(kt.Entries, e)
		}
	}
	principal := a.name.PrincipalNameString() + "@" + realm
	switch slices.Sort(others); {
	case len(ciphers) > 0:
		return kt, ciphers, nil
	case len(others) < len(all):
		return nil, nil, fmt.Errorf("%s: its keys of %q are of old ciphers (hint: make one with keys of AES)", what, principal)
	case len(others) == 0:
		return nil, nil, fmt.Errorf("%s: it is empty", what)
	}
	return nil, nil, fmt.Errorf("%s: it has no key of %q, but of %s (hint: is the name right, upper and lower case too?)",
		what, principal, strings.Join(slices.Compact(others), ", "))
}

// home is the account's realm.
func (a *account) home(c *config.Config) (string, error) {
	if a.realm != "" {
		return a.realm, nil
	}
	if c.LibDefaults.DefaultRealm == "" {
		return "", fmt.Errorf("principal %q: without a realm, and the Kerberos configuration has no default_realm (hint: add @ and the realm, which for Active Directory is the domain in capitals)", a)
	}
	return c.LibDefaults.DefaultRealm, nil
}

// check reads the files, to find what is wrong with them before a ticket is needed.
func (a *account) check() error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	realm, err := a.home(c)
	if err != nil {
		return err
	}
	_, _, err = a.keys(realm)
	return err
}
