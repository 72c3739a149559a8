package main

import (
	"github.com/tlsaroll/tlsaroll/rollover"
)

// happened has it remembered what happened to the daemon.
func (d *daemon) happened(kind rollover.EventKind, text string) {
	d.write(rollover.Event{At: d.agent().Now(), Kind: kind, Text: text})
}

// write puts events into the history. That they cannot be written keeps nobody from
// anything: passes say so if the journal is at fault.
func (d *daemon) write(events ...rollover.Event) (ok bool) {
	if err := d.agent().Note(events...); err != nil {
		d.log.Debug("the history lacks what happened to the daemon", "err", err)
		return false
	}
	return true
}

// rememberTroubles has it remembered which troubles have come and gone since it was called
// last.
func (d *daemon) rememberTroubles() {
	d.recording.Lock()
	defer d.recording.Unlock()
	now := d.told()
	if d.write(rollover.Changed("", d.recorded, now, d.agent().Now())...) {
		d.recorded = now
	}
}
