package lab

import (
	"errors"
	"net/netip"
	"path/filepath"
	"testing"
)

// An MTA is a real mail server that sends, behind the first of the senders' resolvers. Whom it
// trusts, and what it does where it trusts nobody, is for who hands a mail in to choose.
type MTA string

// The mail servers, each with one of its ways to send, in its own words.
const (
	PostfixDANE     MTA = "postfix-dane"      // smtp_tls_security_level = dane
	PostfixDANEOnly MTA = "postfix-dane-only" // … = dane-only
	PostfixMay      MTA = "postfix-may"       // … = may: TLS with anybody who has it
	PostfixEncrypt  MTA = "postfix-encrypt"   // … = encrypt: TLS, with whomever
	PostfixNone     MTA = "postfix-none"      // … = none
	EximTry         MTA = "exim-try"          // hosts_try_dane = *
	EximRequire     MTA = "exim-require"      // hosts_require_dane = *
	EximWithout     MTA = "exim-without"      // neither
)

// Sendmail is a program that hands a mail in as sendmail(8) does, for that way to send it. It
// needs Options.MTAs.
func (l *Lab) Sendmail(m MTA) string { return filepath.Join(l.path("mta"), string(m)) }

// Spare is an address of the lab that nobody has, for who listens within the test.
func (l *Lab) Spare(t testing.TB) netip.Addr {
	t.Helper()
	at, err := l.block.spare()
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	return at
}

// startMTAs starts what has to run, and writes the programs that hand mails in.
func (l *Lab) startMTAs() error {
	if !l.opts.MTAs {
		return nil
	}
	dir, err := l.mkdir("mta")
	if err != nil {
		return err
	}
	return errors.Join(l.startSendingPostfix(dir), l.prepareExim(dir))
}
