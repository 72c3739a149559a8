package acme

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// The files of an account's directory.
const (
	keyFile = "account.key"
	uriFile = "account.json"
)

// An account is what a CA knows us by.
type account struct {
	dir string
	ca  CA
	key certwatch.Key
	uri string // "": not known; the CA may know the key all the same
	had bool   // the key stood there before
}

// details is what uriFile holds: for people as well, so that they know whose directory
// it is.
type details struct {
	Directory string `json:"directory"`
	Email     string `json:"email,omitempty"`
	External  string `json:"external_account,omitempty"`
	URI       string `json:"uri"`
}

// accountDir is the account's place: another directory URL, mail address or external
// account is another account.
func (i *Issuer) accountDir(ca CA) string {
	external := ""
	if ca.External != nil {
		external = ca.External.KeyID
	}
	sum := sha256.Sum256([]byte(ca.Directory + "\x00" + ca.Email + "\x00" + external))
	host := strings.NewReplacer(":", "_", "[", "", "]", "", "/", "_").Replace(ca.name())
	return filepath.Join(i.cfg.Dir, host+"-"+hex.EncodeToString(sum[:6]))
}

// account reads the account at a CA, and makes its key where there is none.
func (i *Issuer) account(ca CA) (*account, error) {
	a := &account{dir: i.accountDir(ca), ca: ca}
	if err := a.read(); err != nil {
		return nil, &Error{CA: ca.name(), Step: stepAccount, Text: err.Error(), Hint: fileHint(err), Err: err, here: true}
	}
	return a, nil
}

func fileHint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "tlsaroll must own its state directory"
	}
	return ""
}

func (a *account) read() error {
	if err := makeDir(a.dir); err != nil {
		return err
	}
	path := filepath.Join(a.dir, keyFile)
	data, err := os.ReadFile(path)
	a.had = err == nil
	if errors.Is(err, fs.ErrNotExist) {
		data, err = a.makeKey(path)
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: mode %04o opens the account's key to others (hint: chmod 600 %s; if others had access, remove %s, and a new account is made)", path, info.Mode().Perm(), path, a.dir)
	}
	if a.key, err = certwatch.ParseKey(path, data); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(a.dir, uriFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	a.uri = parseURI(text)
	return nil
}

// parseURI reads the account's URI out of its file; a damaged one is like a lost one, as
// the key finds the account again.
func parseURI(text []byte) string {
	var d details
	if json.Unmarshal(text, &d) != nil || !strings.HasPrefix(d.URI, "https://") {
		return ""
	}
	return d.URI
}

// makeKey makes the account's key. If another process was quicker, its key counts.
func (a *account) makeKey(path string) ([]byte, error) {
	key, err := certwatch.EC256.Generate()
	if err != nil {
		return nil, err
	}
	err = writeNew(path, key.PEM())
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return key.PEM(), err
}

// forget drops a URI that the CA does not know any more.
func (a *account) forget() { a.uri, a.had = "", true }

// settle makes sure that the CA knows us and that we know its name for us, and keeps
// that.
func (a *account) settle(ctx context.Context, s *session, log *slog.Logger) error {
	if a.uri != "" {
		return nil
	}
	uri, err := a.introduce(ctx, s)
	if err != nil {
		return err
	}
	a.uri = uri
	d := details{Directory: a.ca.Directory, Email: a.ca.Email, URI: uri}
	if a.ca.External != nil {
		d.External = a.ca.External.KeyID
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err == nil {
		err = writeOver(filepath.Join(a.dir, uriFile), append(text, '\n'))
	}
	if err != nil {
		// The account stands at the CA and will be found by its key.
		log.Warn("the account's URI could not be kept", "ca", a.ca.name(), "error", err)
	}
	log.Info("account at the CA", "ca", a.ca.name(), "uri", uri)
	return nil
}

func (a *account) introduce(ctx context.Context, s *session) (string, error) {
	if a.had {
		uri, err := s.findAccount(ctx)
		var e *Error
		if err == nil || !errors.As(err, &e) || e.Type != "accountDoesNotExist" {
			return uri, a.about(err)
		}
	}
	if a.ca.External == nil {
		if s.wantsExternal() {
			return "", &Error{CA: s.ca, Step: stepAccount, Text: "the CA binds accounts to those of its customers", Hint: hintFor("externalAccountRequired")}
		}
		uri, err := s.newAccount(ctx, a.ca.Email, "", "")
		return uri, a.about(err)
	}
	hmac, err := a.ca.External.HMAC.base64url()
	if err != nil {
		return "", err // New has checked it
	}
	uri, err := s.newAccount(ctx, a.ca.Email, a.ca.External.KeyID, hmac)
	return uri, a.about(err)
}

// about adds what is to be done about a refused account.
func (a *account) about(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Type == "unauthorized" && strings.Contains(e.Text, "deactivated"):
		e.Hint = "remove " + a.dir + ", and a new account is made"
	case a.ca.External != nil && (e.Type == "unauthorized" || e.Type == "malformed"):
		e.Hint = fmt.Sprintf("are the key identifier %q and the HMAC key of eab those that the CA has given, to the last character", printable(a.ca.External.KeyID))
	}
	return err
}
