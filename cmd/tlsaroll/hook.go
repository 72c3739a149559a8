package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// hookOptions are what hook was asked for.
type hookOptions struct {
	Wait    bool          `json:"wait,omitempty"`
	Timeout time.Duration `json:"timeout"`
}

func (p *program) hookCommand() *cobra.Command {
	var o hookOptions
	var files certwatch.Files
	var lineage string
	c := &cobra.Command{
		Use:                   "hook [lego] [--cert FILE --key FILE] [--lineage LINEAGE] [--wait] [--timeout 10s]",
		DisableFlagsInUseLine: true,
		Short:                 "take the pair that an ACME client has just got",
		Long: `
			For the post-renewal hook of lego: takes the certificate and key that its environment names (LEGO_CERT_PATH and
			LEGO_CERT_KEY_PATH of version 4, LEGO_HOOK_CERT_PATH and LEGO_HOOK_CERT_KEY_PATH of version 5), or --cert and
			--key, and copies them durably before it ends. The daemon goes on at once; without one a pass is made, and
			tlsaroll once finishes it from a timer.

			The lineage is the one whose staged files these are, else the one whose endpoints the certificate is for and
			whose live certificate has a key of the same kind. A certificate that is no lineage's is none of our business:
			one line, and exit 0. It never fails because something waits, and ends within the timeout unless told to wait:
			lego kills its hooks after two minutes.`,
		Example: `
			$ lego … renew --renew-hook "tlsaroll hook"
			$ tlsaroll hook --cert fullchain.pem --key privkey.pem`,
		Annotations: map[string]string{exitStatus: "0\ttaken, or it is no lineage's\n1\tan error: the pair was not taken\n2\twrong usage or configuration, or it may be of several lineages\n4\twith --wait: it needs a person, and says what to do"},
		Args:        atMostOne("lego"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.hook(c.Context(), hookCall{o, files, lineage, first(args)})
		},
	}
	f := c.Flags()
	f.StringVar(&files.Cert, "cert", "", "the new certificate and its issuers, PEM, in `FILE`")
	f.StringVar(&files.Key, "key", "", "its private key, PEM, in `FILE`; without it, in the --cert file")
	f.StringVar(&lineage, "lineage", "", "whose it is: `LINEAGE`")
	f.BoolVar(&o.Wait, "wait", false, "stay until it is served and verified")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Second, "end after `TIME` at the latest, unless told to wait")
	return c
}

// hookCall is one call of hook.
type hookCall struct {
	hookOptions
	files   certwatch.Files
	lineage string
	client  string // "": whoever the environment is of
}

// hook sends the errand, with the pair that the client has got.
func (p *program) hook(ctx context.Context, call hookCall) error {
	files, err := p.hookFiles(call)
	if err != nil {
		return usage(err)
	}
	if call.Timeout < time.Second || call.Timeout > time.Hour {
		return usage(fmt.Errorf("--timeout %s: not from 1s to 1h", call.Timeout))
	}
	if !call.Wait {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, call.Timeout)
		defer end()
	}
	err = p.handIn(ctx, "hook", call.lineage, call.hookOptions, files)
	for errors.Is(err, agent.ErrLocked) && ctx.Err() == nil { // once, which a timer has called, is over soon
		err = p.handIn(ctx, "hook", call.lineage, call.hookOptions, files)
	}
	if errors.Is(err, context.DeadlineExceeded) && !call.Wait {
		return fmt.Errorf("hook: not done within %s (hint: the staged files are looked at by the daemon all the same; tlsaroll status tells)", call.Timeout)
	}
	return err
}

// hookFiles are what the arguments name, else what the client's environment does.
func (p *program) hookFiles(call hookCall) (certwatch.Files, error) {
	switch {
	case call.client != "" && call.client != "lego":
		return certwatch.Files{}, fmt.Errorf("hook: unknown client %q (hint: lego; for others hand over --cert and --key)", call.client)
	case call.files.Cert != "":
		return absolute(call.files)
	case call.files.Key != "":
		return certwatch.Files{}, errors.New("hook: --key without --cert (hint: name the certificate's file too)")
	}
	files, err := certwatch.LegoHook(p.lookupEnv)
	if err != nil {
		return files, err
	}
	return absolute(files) // lego's --path may be relative
}

// absolute makes the paths of files whole: they are compared with those of staged files.
func absolute(f certwatch.Files) (certwatch.Files, error) {
	for _, path := range []*string{&f.Cert, &f.Key} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return f, fmt.Errorf("hook: %s: %w", *path, err)
		}
		*path = whole
	}
	return f, nil
}

// hook takes a pair from an ACME client.
func (o *office) hook(ctx context.Context, r control.Request) error {
	asked, err := options[hookOptions](r)
	if err != nil {
		return err
	}
	return with(o.acting, r.Lineage, func(a *agent.Agent) error {
		pair, err := pairOf(r)
		if err != nil {
			return err
		}
		lineage, err := o.whose(a, r, pair)
		if err != nil || lineage == "" {
			return err
		}
		r.Lineage = lineage
		id, err := o.take(a, r)
		if err != nil {
			return err
		}
		if asked.Wait {
			job := &job{office: o, agent: a, lineage: lineage, goal: untilServed, want: id, shown: newProgress(o.ui, lineage)}
			return job.stay(ctx)
		}
		return o.staged(ctx, a, lineage, asked.Timeout)
	})
}

// staged waits for a first pass over a pair that was handed in, as long as there is
// time, and says in one line what comes next. The pair is safe already.
func (o *office) staged(ctx context.Context, a *agent.Agent, lineage string, timeout time.Duration) error {
	ctx, end := context.WithTimeout(ctx, timeout*4/5) // with time left for a word about it
	defer end()
	passes := 0
	err := o.stay(ctx, a, lineage, func(r agent.Report) bool {
		passes++
		return !r.Changed || passes == lull
	})
	if err != nil {
		o.ui.say(lineage+": taken; the first pass over it: "+err.Error(), "the next one goes on")
		return nil
	}
	s, err := lastStatus(a, lineage)
	if err != nil {
		return err
	}
	o.ui.say(lineage+": taken; "+s.Next(a.Now()), "")
	return nil
}
