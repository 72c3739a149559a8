package acme

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// inDNS shows proofs as TXT records (RFC 8555, section 8.4).
type inDNS struct {
	i     *Issuer
	notes []note
}

// A note names a TXT value of ours that may stand in DNS. It is kept in a file from
// before the value is added until it is seen to be removed.
type note struct {
	Name  string `json:"name"` // where aliases lead
	Value string `json:"value"`
}

// cleaningTime is how long it may take to remove records once an order is over.
const cleaningTime = 30 * time.Second

func (d *inDNS) up(ctx context.Context, proofs []proof) error {
	for _, p := range proofs {
		name, err := d.i.cfg.DNS.Lead(ctx, "_acme-challenge."+strings.ToLower(p.name)+".")
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(p.text))
		n := note{name, base64.RawURLEncoding.EncodeToString(sum[:])}
		if err := d.i.keep(n); err != nil {
			return fmt.Errorf("the note of a TXT record could not be kept: %w", err)
		}
		d.notes = append(d.notes, n)
		if err := d.i.cfg.DNS.AddTXT(ctx, n.Name, n.Value); err != nil {
			return err
		}
	}
	for _, n := range d.notes {
		if err := d.await(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// Looks at the servers, between two.
const (
	firstLook = 200 * time.Millisecond
	longLook  = 10 * time.Second
)

// await looks until every authoritative server gives the value: a CA asks any of them,
// and some ask several.
func (d *inDNS) await(ctx context.Context, n note) error {
	patience, cancel := context.WithTimeout(ctx, d.i.cfg.Propagation)
	defer cancel()
	why := "nobody could be asked"
	for pause := firstLook; ; pause = min(2*pause, longLook) {
		missing, err := d.i.cfg.DNS.Missing(patience, n.Name, n.Value)
		switch {
		case err == nil && len(missing) == 0:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			why = strings.Join(missing, "; ")
		case patience.Err() == nil:
			why = err.Error()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			continue
		case <-patience.Done():
			timer.Stop()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("the TXT record at %s does not appear at every authoritative server within %s: %s (hint: do the secondaries get changes? it was written through the provider of the lineage)",
			n.Name, d.i.cfg.Propagation, why)
	}
}

// down removes the values, and has a little time of its own for that.
func (d *inDNS) down(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaningTime)
	defer cancel()
	for _, n := range d.notes {
		d.i.discard(ctx, n)
	}
}

// discard removes a value from DNS, then its note.
func (i *Issuer) discard(ctx context.Context, n note) {
	err := i.cfg.DNS.RemoveTXT(ctx, n.Name, n.Value)
	if err == nil {
		err = remove(i.notePath(n))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		i.log.Warn("a TXT record of an order could not be removed, the next order tries again", "name", n.Name, "error", err)
	}
}

// removeLeftovers removes what orders have left behind that died on the way.
func (i *Issuer) removeLeftovers(ctx context.Context) {
	entries, err := os.ReadDir(i.notesDir())
	if err != nil || i.cfg.DNS == nil {
		return // none was ever kept
	}
	ctx, cancel := context.WithTimeout(ctx, cleaningTime)
	defer cancel()
	for _, entry := range entries {
		path := filepath.Join(i.notesDir(), entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			_ = os.Remove(path) // half a note, of nothing that was added
			continue
		}
		text, err := os.ReadFile(path)
		n, ok := parseNote(text)
		if err != nil || !ok || path != i.notePath(n) {
			i.log.Warn("a note of a TXT record cannot be read and is left alone", "file", path)
			continue
		}
		i.log.Info("removing the TXT record of an order that ended on the way", "name", n.Name)
		i.discard(ctx, n)
	}
}

// tidy is removeLeftovers where no order runs, as the next one may be months away.
func (i *Issuer) tidy(ctx context.Context) {
	select {
	case <-i.turn:
		i.removeLeftovers(ctx)
		i.turn <- struct{}{}
	default:
	}
}

func parseNote(text []byte) (note, bool) {
	var n note
	err := json.Unmarshal(text, &n)
	return n, err == nil && n.Name != "" && n.Value != ""
}

func (i *Issuer) keep(n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return first(makeDir(i.notesDir()), writeOver(i.notePath(n), append(text, '\n')))
}

// notesDir has a directory for each lineage: one does not take away what another is
// showing at this moment.
func (i *Issuer) notesDir() string { return filepath.Join(i.cfg.Dir, "challenges", i.cfg.Lineage) }

func (i *Issuer) notePath(n note) string {
	sum := sha256.Sum256([]byte(n.Name + "\x00" + n.Value))
	return filepath.Join(i.notesDir(), hex.EncodeToString(sum[:8])+".json")
}
