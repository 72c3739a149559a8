package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// defaultConfig is where the configuration is unless -c says otherwise.
const defaultConfig = "/etc/tlsaroll/tlsaroll.yaml"

func main() { os.Exit(asProcess(world{now: time.Now})) }

// asProcess runs the program with what w has, and all else from its process.
func asProcess(w world) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the first signal asks, the second ends
	w.stdin, w.stdout, w.stderr, w.lookupEnv, w.hangups = os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, hangups
	if err := leaveNoCore(); err != nil {
		newUI(w).warn(err.Error(), "a crash may write keys to a file; LimitCORE=0 in the unit keeps it from doing so")
	}
	return run(ctx, os.Args[1:], w)
}

// hangups are the signals that want the configuration to be read anew, until ignored.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// run is the program without the process around it: it returns the exit code.
func run(ctx context.Context, args []string, w world) int {
	p := newProgram(w)
	root := p.rootCommand()
	root.SetArgs(args)
	own := p.ui
	err := root.ExecuteContext(ctx)
	if p.plugin.asked || err != nil && asksForPlugin(args) {
		return p.plugin.end(own, err, p.now())
	}
	return own.exit(err)
}

// program is what the subcommands share.
type program struct {
	ui         *ui
	now        func() time.Time
	lookupEnv  func(string) (string, bool)
	hangups    func() (<-chan os.Signal, func())
	host       func(*agent.Config)
	look       func(survey.Config) (sight, error)
	find       func(*finder.Host)
	exchange   func(context.Context, *dns.Msg, string, netip.AddrPort) (*dns.Msg, error)
	version    string
	configFile string // of -c
	heard      *hearing
	plugin     plugin
	logs       *slog.Logger  // the daemon's log; nil: what is said is said as a command does
	lock       time.Duration // how long another instance is waited for that has the journal; 0: the agent's
}

func newProgram(w world) *program {
	info, _ := debug.ReadBuildInfo() // without it the version is unknown, which versionOf says
	return &program{ui: newUI(w), now: w.now, lookupEnv: w.lookupEnv, hangups: w.hangups, host: w.host, look: w.look, find: w.find, exchange: w.exchange, version: versionOf(version, info), heard: &hearing{}}
}

func (p *program) rootCommand() *cobra.Command {
	versionAsked := false
	root := &cobra.Command{
		Use:   "tlsaroll [-c FILE] COMMAND",
		Short: "keep DANE working while mail servers change certificates",
		Long: `
			tlsaroll publishes the TLSA records of the next certificate, waits until no resolver that obeys TTLs can
			still hold an answer without them, and only then lets the mail server have the certificate.

			Each command has a page of its own: tlsaroll COMMAND --help.`,
		Example: `
			What would be published for a certificate:
			$ tlsaroll record --endpoint smtp://mx1.example.org fullchain.pem`,
		Annotations: map[string]string{exitStatus: allExits, files: defaultConfig + "\tthe configuration"},
		Args:        cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if versionAsked && len(args) == 0 {
				return p.printVersion()
			}
			return noCommand(c, args)
		},
	}
	root.Flags().BoolVar(&versionAsked, "version", false, "print the version, as tlsaroll version does")
	root.PersistentFlags().StringVarP(&p.configFile, "config", "c", defaultConfig, "read the configuration from `FILE`")
	root.AddCommand(
		p.initCommand(),
		p.runCommand(),
		p.installerCommand(),
		p.rolloverCommand(),
		p.hookCommand(),
		p.onceCommand(),
		p.planCommand(),
		p.statusCommand(),
		p.historyCommand(),
		p.adoptCommand(),
		p.rollbackCommand(),
		p.cancelCommand(),
		p.freezeCommand(),
		p.thawCommand(),
		p.withdrawCommand(),
		p.nextKeyCommand(),
		p.recordCommand(),
		p.matchCommand(),
		p.checkCommand(),
		p.explainCommand(),
		p.providerCommand(),
		p.notifyCommand(),
		p.demoCommand(),
		p.completionCommand(),
		p.manCommand(),
		p.versionCommand(),
	)
	p.dress(root)
	return root
}
