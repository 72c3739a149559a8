package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
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
		Use:                   "hook [lego|certbot|acme.sh|dehydrated] [--cert FILE --key FILE] [--lineage LINEAGE] [--wait] [--timeout 10s] [ARGUMENT...]",
		DisableFlagsInUseLine: true,
		Short:                 "take the pair that an ACME client has just got",
		Long: `
			For the hooks of ACME clients: takes the certificate and key that the client has just got, and copies them
			durably before it ends. A daemon goes on from there at once. Without a daemon one pass is made, and tlsaroll
			once, called by a timer, does the rest. One line says what comes next, and when.

			These clients can call it. It knows them by the variables and arguments that they give their hooks:
			LEGO_CERT_PATH or LEGO_HOOK_CERT_PATH, RENEWED_LINEAGE, CERT_FULLCHAIN_PATH, deploy_cert and sync_cert. If you
			name the client, it looks for nothing of the others.

			  lego        --run-hook, --renew-hook (4), --deploy-hook (5)
			  certbot     --deploy-hook, renewal-hooks/deploy
			  acme.sh     --reloadcmd, --renew-hook, --post-hook
			  dehydrated  HOOK=, a script that hands all arguments on

			For any other client give --cert and --key. Calls without a new certificate, such as one before an order, do
			nothing and end with 0.

			The lineage is the one that has these files under staged:, else the one that the certificate is for, by its
			endpoints and by the type of its live key. A certificate that belongs to no lineage is left alone: one line
			says so, and it ends with 0. It never fails because something waits, and without --wait it ends within the
			timeout: lego kills its hooks after two minutes.`,
		Example: `
			$ lego … renew --renew-hook "tlsaroll hook lego"
			$ certbot certonly … --deploy-hook "tlsaroll hook certbot"
			$ acme.sh --install-cert -d mx1.example.org --reloadcmd "tlsaroll hook acme.sh"
			$ tlsaroll hook --cert fullchain.pem --key privkey.pem

			The script that HOOK= of dehydrated's configuration names:
			$ exec tlsaroll hook dehydrated "$@"`,
		Annotations: map[string]string{exitStatus: "0\ttaken, or it belongs to no lineage, or there was nothing to take\n1\tan error: the pair was not taken\n2\twrong usage or configuration, or it could belong to several clients or lineages\n4\twith --wait: it needs a person, and says what to do"},
		Args: func(c *cobra.Command, args []string) error {
			_, _, err := hookWords(c, args)
			return err
		},
		ValidArgs: certwatch.Clients(),
		RunE: func(c *cobra.Command, args []string) error {
			client, rest, err := hookWords(c, args)
			if err != nil {
				return err
			}
			if help, _ := c.Flags().GetBool("help"); help { // after the client
				return c.Help()
			}
			return p.hook(c.Context(), hookCall{o, files, lineage, client, rest})
		},
	}
	f := c.Flags()
	f.SetInterspersed(false) // dehydrated's arguments are no options of ours, even if they begin with a hyphen
	f.StringVar(&files.Cert, "cert", "", "the new certificate and its issuers, PEM, in `FILE`")
	f.StringVar(&files.Key, "key", "", "its private key, PEM, in `FILE`; without it, in the --cert file, or one that next-key gave a request for")
	f.StringVar(&lineage, "lineage", "", "the pair belongs to `LINEAGE`")
	f.BoolVar(&o.Wait, "wait", false, "stay until the pair is served and verified")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Second, "end after this `DURATION` at the latest, 1s to 1h; with --wait it does not count")
	return c
}

// hookWords takes client and options off what stands on the line. The rest are arguments
// of the client's.
func hookWords(c *cobra.Command, args []string) (client string, rest []string, err error) {
	if len(args) == 0 || !slices.Contains(certwatch.Clients(), args[0]) {
		return "", args, nil
	}
	if err := c.ParseFlags(args[1:]); err != nil {
		return "", nil, c.FlagErrorFunc()(c, err)
	}
	return args[0], c.Flags().Args(), nil
}

// hookCall is one call of hook.
type hookCall struct {
	hookOptions
	files   certwatch.Files
	lineage string
	client  string   // "": whoever it is
	args    []string // that the client gave its hook
}

// hook sends the errand, with the pair that the client has got.
func (p *program) hook(ctx context.Context, call hookCall) error {
	called, err := p.hookCalled(call)
	if err != nil {
		return usage(err)
	}
	if call.Timeout < time.Second || call.Timeout > time.Hour {
		return usage(fmt.Errorf("--timeout %s: not from 1s to 1h (hint: --timeout 10s)", call.Timeout))
	}
	switch {
	case called.Taken() && called.Gate:
		call.Wait = false
		for _, why := range findings(p.hookTakes(ctx, call, called.Files)) {
			p.ui.warn("not taken yet: "+why, "")
		}
		return nil // the client calls once more when the files are in their place, and would give up now
	case called.Taken():
		return p.hookTakes(ctx, call, called.Files)
	case called.Reason != "":
		p.ui.say("hook: nothing to take: "+called.Reason, "")
	}
	return nil
}

// hookTakes hands in a pair, and ends within the timeout unless it is to wait.
func (p *program) hookTakes(ctx context.Context, call hookCall, files certwatch.Files) error {
	if !call.Wait {
		var end context.CancelFunc
		p.lock = min(time.Second, call.Timeout/4) // a try is not cut short
		ctx, end = context.WithTimeout(ctx, call.Timeout-p.lock)
		defer end()
	}
	err := p.handIn(ctx, "hook", call.lineage, call.hookOptions, files)
	for errors.Is(err, agent.ErrLocked) && ctx.Err() == nil { // once, which a timer has called, is over soon
		err = p.handIn(ctx, "hook", call.lineage, call.hookOptions, files)
	}
	if !call.Wait && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, agent.ErrLocked)) {
		return fmt.Errorf("hook: not done within %s (hint: staged files are found all the same, by the daemon or the next tlsaroll once; call it again for others)", call.Timeout)
	}
	return err
}

// hookCalled is what the options hand over, else what the client called for.
func (p *program) hookCalled(call hookCall) (called certwatch.Call, err error) {
	switch {
	case call.files.Cert != "":
		called.Files = call.files
	case call.files.Key != "":
		return called, errors.New("hook: --key without --cert (hint: name the certificate's file too)")
	default:
		if called, err = certwatch.Recognise(call.client, call.args, p.lookupEnv); err != nil || !called.Taken() {
			return called, err
		}
	}
	if called.Files, err = absolute(called.Files); err != nil { // lego's --path may be relative
		return called, err
	}
	if called.Gate {
		called.Files = keptKey(called.Files)
	}
	return called, nil
}

// keptKey finds the key for which dehydrated names no file that exists: one that is used
// once more keeps the name without a time.
func keptKey(f certwatch.Files) certwatch.Files {
	if _, err := os.Stat(f.Key); errors.Is(err, fs.ErrNotExist) {
		f.Key = filepath.Join(filepath.Dir(f.Key), "privkey.pem")
	}
	return f
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
		pair, err := pairOf(a, r)
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

// hookPatience is how long a hook stays to hear when its pair will be ready: until the servers
// have its records, as most have at once.
const hookPatience = 3 * time.Second

// staged waits for a first pass over a pair that was handed in, and for a moment more, as
// long as there is time, and says in one line what comes next. The pair is safe already.
func (o *office) staged(ctx context.Context, a *agent.Agent, lineage string, timeout time.Duration) error {
	ctx, end := context.WithTimeout(ctx, min(hookPatience, timeout*3/5)) // with time left for a word about it
	defer end()
	err := o.stay(ctx, a, lineage, func(r agent.Report) bool {
		s := status(r, lineage, a.Now())
		return !r.Changed && (s.Successor == nil || s.Successor.ReadyAt != nil)
	})
	if err != nil {
		o.ui.say(lineage+": taken; the first pass over it: "+err.Error(), "the next one goes on")
		return nil
	}
	s, err := lastStatus(a, lineage)
	if err != nil {
		return err
	}
	o.ui.say(lineage+": taken; "+afterTaken(s, a.Now()), "")
	return nil
}

// afterTaken is what comes next, with the pair that was taken where another one goes first.
func afterTaken(s rollover.LineageStatus, now time.Time) string {
	if s.Queued == nil {
		return s.Next(now)
	}
	return s.Next(now) + "; " + s.Queued.ID.Short() + " is queued behind it"
}
