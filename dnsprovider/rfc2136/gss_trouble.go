//go:build gsstsig

package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// kerberosError is an error that a KDC or the server reports (RFC 4120, section 7.5.9).
// Nothing in it is signed.
type kerberosError struct{ messages.KRBError }

// Error is the mnemonic of the code and what it means.
func (e *kerberosError) Error() string {
	// The table has the number in brackets, the name and what it means.
	_, text, found := strings.Cut(errorcode.Lookup(e.ErrorCode), ") ")
	if !found {
		return fmt.Sprintf("error %d of Kerberos, which has no name", e.ErrorCode)
	}
	name, meaning, _ := strings.Cut(text, " ")
	switch e.ErrorCode {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		meaning = "the KDC does not know the principal"
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		meaning = "the KDC does not know the principal of the server"
	case errorcode.KDC_ERR_ETYPE_NOSUPP:
		meaning = "no cipher suits everybody"
	case errorcode.KDC_ERR_NAME_EXP:
		meaning = "the principal has expired"
	case errorcode.KDC_ERR_CLIENT_REVOKED:
		meaning = "the account is disabled or locked"
	case errorcode.KDC_ERR_KEY_EXPIRED:
		meaning = "the password has expired"
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY, errorcode.KRB_AP_ERR_MODIFIED:
		meaning = "the key is not the right one"
	case errorcode.KRB_AP_ERR_SKEW:
		meaning = "the clocks are too far apart"
	case errorcode.KRB_ERR_GENERIC:
		meaning = fmt.Sprintf("%q", e.EText)
	}
	return name + ": " + meaning
}

// ticketTrouble makes a sentence and a hint of what kept us from a ticket.
func (a *account) ticketTrouble(ctx context.Context, err error, service string) *trouble {
	if t := ended(ctx); t != nil {
		return t
	}
	t := &trouble{kind: dnsprovider.Refused, err: fmt.Errorf("no ticket of %s for %s: %w", a, service, err)}
	var nobody *unreachable
	var e *kerberosError
	switch {
	case errors.As(err, &nobody):
		t.kind = dnsprovider.Temporary
		t.hint = "is a KDC up, and does it take TCP from here; is the realm right, and does gss-krb5-conf or DNS name its KDCs"
	case errors.As(err, &e):
		a.explain(t, e)
	}
	return t
}

// explain adds a hint for an error that a KDC reports.
func (a *account) explain(t *trouble, e *kerberosError) {
	switch e.ErrorCode {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_WRONG_REALM:
		t.hint = "are the principal and its realm written right; in Active Directory it is the logon name at the domain in capitals"
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		t.hint = "configure the server by the name that it has in Kerberos, or set gss-service to its principal"
	case errorcode.KDC_ERR_ETYPE_NOSUPP:
		t.hint = "allow AES for the account and for that of the server"
	case errorcode.KDC_ERR_NAME_EXP, errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_CLIENT_NOTYET:
		t.hint = "unlock the account, and let it not expire"
	case errorcode.KDC_ERR_KEY_EXPIRED:
		t.hint = "change it, make a new keytab, and let it not expire"
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		t.hint = "make a new keytab: each change of the password makes the old one worthless"
	case errorcode.KRB_AP_ERR_SKEW:
		here := time.Unix(a.now().Unix(), 0)
		t.err = fmt.Errorf("%w: its clock says %s, this host's %s, %s apart", t.err,
			e.STime.UTC().Format(time.RFC3339), here.UTC().Format(time.RFC3339), here.Sub(e.STime).Abs().Truncate(time.Second))
		t.hint = "one of the two clocks is wrong: is NTP running on both"
	case errorcode.KDC_ERR_SVC_UNAVAILABLE:
		t.kind = dnsprovider.Temporary
	}
}

// plain takes the library's own words for kinds of errors off, and what would move a
// cursor: the errors repeat what is not what was asked for.
func plain(err error) string {
	if err == nil {
		return "it does not fit the request"
	}
	text := err.Error()
	if _, after, found := strings.Cut(text, "_Error: "); found {
		text = after
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
