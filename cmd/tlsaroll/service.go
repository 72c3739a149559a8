package main

import (
	"context"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// service tells systemd how we are (sd_notify(3)), where it wants to know.
type service struct {
	wanted   bool
	watchdog time.Duration // how often it wants a sign of life; 0: never
}

// newService reads what systemd put into the environment.
func newService(lookupEnv func(string) (string, bool)) service {
	_, wanted := lookupEnv("NOTIFY_SOCKET")
	s := service{wanted: wanted}
	if wanted {
		s.watchdog, _ = systemd.SdWatchdogEnabled(false) // what it cannot read is as if it were not there
	}
	return s
}

func (s service) tell(log *slog.Logger, state string) {
	if !s.wanted {
		return
	}
	if _, err := systemd.SdNotify(false, state); err != nil {
		log.Warn("systemd cannot be told the state of the daemon", "err", err)
	}
}

func (s service) ready(log *slog.Logger)    { s.tell(log, systemd.SdNotifyReady) }
func (s service) stopping(log *slog.Logger) { s.tell(log, systemd.SdNotifyStopping) }

// reloading says when it begins by the monotonic clock, as Type=notify-reload wants.
func (s service) reloading(log *slog.Logger) {
	if !s.wanted {
		return
	}
	s.tell(log, systemd.SdNotifyReloading+"\n"+systemd.SdNotifyMonotonicUsec())
}

// feedWatchdog gives systemd a sign of life as long as passes are made when they are due.
func (d *daemon) feedWatchdog(ctx context.Context) error {
	if d.service.watchdog <= 0 {
		return nil
	}
	tick := time.NewTicker(d.service.watchdog / 3)
	defer tick.Stop()
	for {
		patience, end := context.WithTimeout(ctx, d.service.watchdog/3)
		err := d.alive(patience)
		end()
		if err == nil {
			d.service.tell(d.log, systemd.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			d.log.Error("passes are not made: systemd gets no sign of life", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// aliveAgain is how long one agent is asked: with another configuration there is
// another one, which answers.
const aliveAgain = 200 * time.Millisecond

// alive returns when passes are seen to be made when they are due; the error is
// that of ctx.
func (d *daemon) alive(ctx context.Context) error {
	for {
		patience, end := context.WithTimeout(ctx, aliveAgain)
		err := d.agent().Alive(patience)
		end()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}
