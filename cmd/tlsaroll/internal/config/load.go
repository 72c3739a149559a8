package config

import (
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Loader is what loading asks of the world.
type Loader struct {
	Open      func(name string) (fs.File, error)
	LookupEnv func(name string) (string, bool)

	ProviderTypes []ProviderType // linked in
	RefusedTypes  map[string]Refusal
	IssuerSets    []string // names that issuers may use

	// CheckProvider says what else is wrong with a provider whose settings could be read,
	// one sentence a line that begins with the provider's name, and with no secret. Nil: nobody
	// is asked. It is not where secrets are left unread.
	CheckProvider func(Provider) error

	// SkipSecrets leaves every secret unread: for commands that only ask the daemon,
	// and may run as a user who cannot read them.
	SkipSecrets bool
}

// System loads from the real files and environment.
func System(types ...ProviderType) Loader {
	return Loader{
		Open:          func(name string) (fs.File, error) { return os.Open(name) },
		LookupEnv:     os.LookupEnv,
		ProviderTypes: types,
	}
}

// Load reads a configuration file. The error, if any, is [Errors]: all there are.
// Warnings come with or without one; both are in the order of the file.
func (l Loader) Load(file string) (cfg *Config, warnings []Located, err error) {
	src, problem := l.readFile(file)
	if problem != nil {
		problem.File = file
		return nil, nil, Errors{*problem}
	}
	r := newReader(l)
	cfg = r.read(src)
	for i := range r.errors {
		r.errors[i].File = file
	}
	for i := range r.warnings {
		r.warnings[i].File = file
	}
	warnings = inOrder(r.warnings)
	if len(r.errors) > 0 {
		return nil, warnings, Errors(inOrder(r.errors))
	}
	return cfg, warnings, nil
}

// defaultControl is where the control socket is unless the file says otherwise.
const defaultControl = "/run/tlsaroll/control.sock"

// Control is where a daemon that runs by a file would answer, however wrong the file is
// by now: the daemon goes on with what it read before. "" is a file that cannot be read.
func (l Loader) Control(file string) string {
	src, problem := l.readFile(file)
	if problem != nil {
		return ""
	}
	l.SkipSecrets = true
	if c := newReader(l).read(src); c != nil {
		return c.Control
	}
	for line := range strings.Lines(string(src)) { // it is no YAML
		rest, found := strings.CutPrefix(line, "control:")
		if words := strings.Fields(rest); found && len(words) > 0 {
			return strings.Trim(words[0], `"'`)
		}
	}
	return defaultControl
}

func newReader(l Loader) *reader {
	return &reader{Loader: l, seen: map[string]value{}, keys: map[string]bool{}, owners: map[string]owner{}}
}

func (r *reader) read(src []byte) *Config {
	doc, found := parse(src)
	if found != nil {
		r.errors = found
		return nil
	}
	if doc == nil {
		r.errors = []Located{{Line: 1, Column: 1, What: "empty", Hint: "tlsaroll init writes a configuration"}}
		return nil
	}
	anchors := anchorFinder{}
	ast.Walk(anchors, doc)
	r.anchors = anchors
	return r.readConfig(value{r, doc, "", nil})
}

// readFile reads a configuration, at most maxSize of it.
func (l Loader) readFile(name string) ([]byte, *Located) {
	fail := func(err error) *Located {
		p := &Located{What: cause(err), Hint: "check the file"}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			p.Hint = "tlsaroll init writes one; -c names another"
		case errors.Is(err, fs.ErrPermission):
			p.Hint = "run this as root, or as a user who may read it"
		}
		return p
	}
	f, err := l.Open(name)
	if err != nil {
		return nil, fail(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fail(err)
	}
	if info.IsDir() {
		return nil, &Located{What: "a directory", Hint: "name the file in it"}
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o002 != 0 {
		return nil, &Located{What: "everyone on this host may write it, and so choose which commands run", Hint: "chmod 644 " + name}
	}
	src, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fail(err)
	}
	if len(src) > maxSize {
		return nil, &Located{What: "larger than 1 MiB", Hint: "check that it is the configuration"}
	}
	return src, nil
}

// SystemResolver is the first name server of /etc/resolv.conf, if it is on
// loopback: elsewhere its word on DNSSEC could be anyone's.
func (l Loader) SystemResolver() (netip.AddrPort, bool) {
	f, err := l.Open("/etc/resolv.conf")
	if err != nil {
		return netip.AddrPort{}, false
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return netip.AddrPort{}, false
	}
	for line := range strings.Lines(string(src)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		a, err := netip.ParseAddr(words[1])
		return netip.AddrPortFrom(a, 53), err == nil && a.IsLoopback()
	}
	return netip.AddrPort{}, false
}
