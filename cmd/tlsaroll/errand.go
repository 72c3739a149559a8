package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// errand has a command carried out: by the daemon if one runs, else by this process
// under the journal's lock. Options go along as JSON, so that both read the same.
func (p *program) errand(ctx context.Context, command, lineage string, options any) error {
	return p.send(ctx, command, lineage, options, nil)
}

// handIn is errand with a pair, which goes along as content: the daemon need not be
// able to read the caller's files, and must not read what the caller cannot.
func (p *program) handIn(ctx context.Context, command, lineage string, options any, files certwatch.Files) error {
	pair, err := certwatch.Load(files)
	if files.Key == "" && errors.Is(err, certwatch.ErrNoKey) {
		chain, err := certwatch.LoadChain(files.Cert)
		if err != nil {
			return err
		}
		return p.send(ctx, command, lineage, options, &control.Pair{Chain: chain, ChainFile: files.Cert}) // whoever has the keys completes it
	}
	if err != nil {
		return err
	}
	handed := control.Pair{Chain: pair.ChainPEM(), Key: config.NewSecret(pair.Key.PEM()), ChainFile: files.Cert, KeyFile: files.Key}
	for _, f := range pair.Findings {
		handed.Findings = append(handed.Findings, f.Text)
	}
	return p.send(ctx, command, lineage, options, &handed)
}

func (p *program) send(ctx context.Context, command, lineage string, options any, pair *control.Pair) error {
	args, err := json.Marshal(options)
	if err != nil {
		return fmt.Errorf("%s: its options: %w", command, err)
	}
	r := control.Request{Version: p.version, Command: command, Args: args, Lineage: lineage, Pair: pair, Terminal: p.ui.facts()}
	socket, wrong := p.controlSocket()
	err = p.ask(ctx, socket, r)
	if !errors.Is(err, control.ErrNone) {
		for _, line := range findings(wrong) {
			p.ui.warn("the daemon goes on with what it read before: "+line, "")
		}
		return err
	}
	err = (&office{program: p, keeper: &own{program: p}}).carry(ctx, r)
	if errors.Is(err, agent.ErrLocked) { // whoever has the journal may have opened the socket since
		if asked := p.ask(ctx, socket, r); !errors.Is(asked, control.ErrNone) {
			return asked
		}
	}
	return err
}

// ask has a request carried out by whoever answers at the control socket.
func (p *program) ask(ctx context.Context, socket string, r control.Request) error {
	if socket == "" {
		return control.ErrNone
	}
	exit, err := control.Do(ctx, socket, r, p.ui.face)
	if err == nil && exit != exitDone {
		return &exitCode{code: exit} // all is said
	}
	return err
}

// controlSocket is where a daemon would answer, "" where the configuration cannot be
// read, and what is wrong with that: it is said when it is needed.
func (p *program) controlSocket() (socket string, wrong error) {
	cfg, err := p.withoutSecrets()
	if err != nil {
		return config.System().Control(p.configFile), err
	}
	return cfg.Control, nil
}

// withoutSecrets reads the configuration as a user may who cannot read secrets.
func (p *program) withoutSecrets() (*config.Config, error) {
	l := loader()
	l.SkipSecrets = true
	cfg, _, err := l.Load(p.configFile)
	return cfg, err
}
