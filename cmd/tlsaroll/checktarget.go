package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// A target is one thing to be judged.
type target struct {
	name    string         // a mail domain; or
	host    bool           // an MX host; or
	service survey.Service // one service, if it has a scheme
}

// judge looks at a target and judges it.
func (t target) judge(ctx context.Context, s sight, now func() time.Time) audit.Report {
	switch {
	case t.service.Scheme != "":
		return audit.JudgeService(t.name, s.Service(ctx, t.service), now())
	case t.host:
		return audit.Judge(s.Host(ctx, t.name))
	}
	return audit.Judge(s.Domain(ctx, t.name))
}

// targets are those of the arguments, then those of the list, each once.
func (p *program) targets(o checkOptions, args []string) (targets []target, errs []error) {
	seen := map[string]bool{}
	add := func(text, where string) {
		t, err := parseTarget(text, o.hosts)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s%w", where, err))
		case !seen[t.name]:
			seen[t.name] = true
			targets = append(targets, t)
		}
	}
	for _, arg := range args {
		add(arg, "")
	}
	if o.list == "" {
		return targets, errs
	}
	lines, err := p.readList(o.list)
	if err != nil {
		return nil, append(errs, err)
	}
	for i, line := range lines {
		if line != "" {
			add(line, fmt.Sprintf("%s:%d: ", o.list, i+1))
		}
	}
	if len(targets) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no domain in it (hint: write one a line)", o.list))
	}
	return targets, errs
}

// maxList is more than anybody checks at once.
const maxList = 64 << 20

// readList reads the lines of a list, without comments.
func (p *program) readList(name string) (lines []string, err error) {
	in := p.ui.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fileError(name, err)
		}
		defer f.Close()
		in = f
	}
	for s := bufio.NewScanner(io.LimitReader(in, maxList)); ; {
		if !s.Scan() {
			if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
				return nil, fmt.Errorf("%s:%d: too long for a domain (hint: write one a line)", name, len(lines)+1)
			} else if err != nil {
				return nil, fileError(name, err)
			}
			return lines, nil
		}
		line, _, _ := strings.Cut(strings.TrimPrefix(s.Text(), "\ufeff"), "#")
		lines = append(lines, strings.TrimSpace(line))
	}
}

// parseTarget reads what people write for a mail domain, a host or a service.
func parseTarget(text string, host bool) (target, error) {
	name, port, hasPort := strings.Cut(text, ":")
	switch {
	case !utf8.ValidString(text):
		return target{}, fmt.Errorf("%q is not in UTF-8 (hint: write its A-label, as in xn--bcher-kva.example)", text)
	case strings.Contains(text, "://"):
		return serviceTarget(text)
	case isAddress(text):
		return target{}, fmt.Errorf("%q is an address, and TLSA records stand at names (hint: write the host's name)", text)
	case strings.Contains(text, "@"):
		return target{}, fmt.Errorf("%q is a mailbox (hint: write its domain alone)", text)
	case hasPort:
		n, err := strconv.ParseUint(port, 10, 16)
		scheme := config.SchemeOf(uint16(n))
		switch {
		case err != nil:
			return target{}, fmt.Errorf("%q: %q is not a port (hint: write a number, as in mx1.example.org:25)", text, port)
		case scheme == "":
			if _, err := config.Host(name); err != nil {
				return target{}, err
			}
			return target{}, fmt.Errorf("%q: no scheme has port %d (hint: write the scheme, too, as in tls://%s)", text, n, text)
		}
		return serviceTarget(scheme + "://" + name)
	case strings.ContainsAny(text, " \t,;"):
		return target{}, fmt.Errorf("%q is not a domain (hint: write one at a time)", text)
	}
	name, err := config.Host(text)
	return target{name: name, host: host}, err
}

func serviceTarget(url string) (target, error) {
	e, err := config.ParseEndpoint(url)
	if err != nil {
		return target{}, err
	}
	return target{name: e.URL, service: survey.Service{Scheme: e.Scheme, Host: e.Host, Port: e.Port}}, nil
}

// isAddress reports whether text is an address, with a port or without.
func isAddress(text string) bool {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	_, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return err == nil
}
