package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Snapshot is a zone as the primary's disk had it at some time.
type Snapshot struct {
	zone    string
	records []dns.RR          // as its administrator has them, unsigned
	files   map[string][]byte // by name: the zone file, its signed copy, their journals
}

// restorePatience is from a zone file that was put back to its being served.
const restorePatience = 10 * time.Second

// SnapshotZone keeps what the primary has of a zone, for [Lab.RestoreZone] and
// [Lab.RestoreFiles].
func (l *Lab) SnapshotZone(t testing.TB, zone string) Snapshot {
	t.Helper()
	s, err := l.snapshot(t.Context(), zone)
	if err != nil {
		t.Fatalf("lab: snapshot of %s: %v", zone, err)
	}
	return s
}

// RestoreZone puts an old zone file back as a careful administrator would: no
// updates are taken meanwhile, and the serial is raised above what was there. It
// returns when the primary serves and has signed what was in the snapshot, and
// nothing that came later, or has taken another change since; secondaries follow as with
// every change.
func (l *Lab) RestoreZone(t testing.TB, s Snapshot) {
	t.Helper()
	if err := l.restoreZone(t.Context(), s); err != nil {
		t.Fatalf("lab: restore %s: %v", s.zone, err)
	}
}

// RestoreFiles puts all of the primary's files of the zone back while it is
// stopped, as from a backup of the disk: the serials are the old ones too. A
// secondary that has a higher one keeps what it has until the primary's serial
// has passed that, or until [Lab.ForceTransfer].
func (l *Lab) RestoreFiles(t testing.TB, s Snapshot) {
	t.Helper()
	l.Stop(t, "primary")
	for _, name := range filesOf(s.zone) {
		path := l.path("primary/" + name)
		err := os.Remove(path)
		if data, had := s.files[name]; had {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("lab: restore %s: %v", s.zone, err)
		}
	}
	l.StartAgain(t, "primary")
}

// ForceTransfer has the secondaries take a zone over from the primary whatever the
// serials say, and returns when they have it.
func (l *Lab) ForceTransfer(t testing.TB, zone string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), restorePatience)
	defer cancel()
	for _, s := range l.secondaries() {
		err := l.runToEnd(ctx, "nsd-control", "-c", l.path(s.Name+"/nsd.conf"), "force_transfer", zone)
		if err == nil {
			err = await(ctx, func(ctx context.Context) error { return s.sameSerial(ctx, zone) })
		}
		if err != nil {
			t.Fatalf("lab: force transfer: %v", err)
		}
	}
}

// filesOf are the names of the files that BIND keeps of a zone.
func filesOf(zone string) []string {
	return []string{zone + "zone", zone + "zone.jnl", zone + "zone.signed", zone + "zone.signed.jnl"}
}

func (l *Lab) snapshot(ctx context.Context, zone string) (Snapshot, error) {
	s := Snapshot{zone: zone, files: map[string][]byte{}}
	if l.opts.Primary != BIND {
		return s, fmt.Errorf("the primary is %s: only BIND's files are known here", l.opts.Primary)
	}
	ctx, cancel := context.WithTimeout(ctx, restorePatience)
	defer cancel()
	if err := l.rndc(ctx, "sync", zone); err != nil {
		return s, err
	}
	var err error
	if s.records, err = l.onDisk(ctx, zone); err != nil {
		return s, err
	}
	for _, name := range filesOf(zone) {
		data, err := os.ReadFile(l.path("primary/" + name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return s, err
		}
		s.files[name] = data
	}
	return s, nil
}

func (l *Lab) restoreZone(ctx context.Context, s Snapshot) error {
	ctx, cancel := context.WithTimeout(ctx, restorePatience)
	defer cancel()
	if err := l.rndc(ctx, "freeze", s.zone); err != nil {
		return err
	}
	present, err := l.onDisk(ctx, s.zone)
	if err != nil {
		return err
	}
	last := soaOf(present).Serial
	restored := records{}
	restored.add(s.records)
	var text bytes.Buffer
	for _, rr := range s.records {
		if soa, ok := rr.(*dns.SOA); ok {
			raised := *soa
			raised.Serial = last + 1
			rr = &raised
		}
		fmt.Fprintln(&text, rr)
	}
	path := l.path("primary/" + s.zone + "zone")
	if err := os.Remove(path + ".jnl"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := replaceFile(path, text.Bytes(), 0o600); err != nil {
		return err
	}
	if err := l.rndc(ctx, "thaw", s.zone); err != nil {
		return err
	}
	return await(ctx, func(ctx context.Context) error {
		served, err := l.content(ctx, s.zone)
		if err != nil || maps.Equal(served, restored) {
			return err
		}
		// Who follows the zone may have changed it since it was put back.
		if serial, err := l.unsignedSerial(ctx, s.zone); err != nil || later(serial, last+1) {
			return err
		}
		return errors.New("what is served is not what was restored")
	})
}

// unsignedSerial is that of the zone as its administrator has it, which BIND alone tells.
func (l *Lab) unsignedSerial(ctx context.Context, zone string) (uint32, error) {
	out, err := l.output(ctx, "rndc", "-c", l.path("primary/rndc.conf"), "zonestatus", zone)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(line, "serial: "); ok {
			serial, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
			return uint32(serial), err
		}
	}
	return 0, fmt.Errorf("rndc zonestatus %s: no serial in %q", zone, out)
}

// rndc has the primary do something.
func (l *Lab) rndc(ctx context.Context, args ...string) error {
	return l.runToEnd(ctx, "rndc", append([]string{"-c", l.path("primary/rndc.conf")}, args...)...)
}

// runToEnd runs a program of the servers' packages.
func (l *Lab) runToEnd(ctx context.Context, program string, args ...string) error {
	_, err := l.output(ctx, program, args...)
	return err
}

// output is what such a program prints.
func (l *Lab) output(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, l.programs[program], args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return string(out), nil
}
