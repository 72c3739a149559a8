package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// list notes what stands beside the installed pairs before anything is installed.
func (k *killing) list() {
	k.before = map[string][]string{}
	for _, dir := range k.installDirs() {
		k.before[dir] = k.names(dir)
	}
}

func (k *killing) installDirs() []string {
	dirs := []string{filepath.Dir(k.Postfix.Combined)}
	if k.Dovecot != nil {
		dirs = append(dirs, filepath.Dir(k.Dovecot.TLS))
	}
	return dirs
}

// litter is what stands in the state directory, or beside an installed pair, and has
// no business there; "" if nothing has.
func (k *killing) litter(all []rollover.LineageStatus) string {
	state := filepath.Join(k.Dir, "tlsaroll")
	var lineages, pairs []string
	for _, s := range all {
		lineages, pairs = append(lineages, s.Name), append(pairs, string(s.Live.ID))
	}
	rooms := []string{"journal.db", "live", "stash"}
	if all[0].Standby != nil {
		rooms = append(rooms, "keys")
		if why := k.differs(k.keyring().Dir, filepath.Base(k.keyring().Path(all[0].Name))); why != "" {
			return why
		}
	}
	if why := k.differs(state, rooms...); why != "" {
		return why
	}
	if why := k.differs(filepath.Join(state, "live"), lineages...); why != "" {
		return why
	}
	pairs = append(pairs, k.old...) // to which a rollback leads
	stash := k.names(filepath.Join(state, "stash"))
	for _, id := range pairs {
		if !slices.Contains(stash, id) {
			return "the stash lacks " + id
		}
	}
	for _, id := range stash { // what was shown is remembered for a while
		if !slices.Contains(pairs, id) && !slices.Contains(k.shown, id) {
			return "the stash holds " + id
		}
	}
	for _, id := range stash {
		if why := k.differs(filepath.Join(state, "stash", id), "combined.pem", "fullchain.pem", "privkey.pem"); why != "" {
			return why
		}
	}
	for _, dir := range k.installDirs() {
		want := slices.Clone(k.before[dir])
		for _, s := range k.sources {
			if filepath.Dir(s.installed) == dir {
				want = append(want, filepath.Base(s.installed)+".previous")
			}
		}
		if k.Dovecot != nil && filepath.Dir(k.Dovecot.TLS) == dir {
			want = append(want, filepath.Base(k.Dovecot.TLS)+".previous")
			for _, link := range []string{k.Dovecot.TLS, k.Dovecot.TLS + ".previous"} {
				if target, err := os.Readlink(link); err == nil {
					want = append(want, target)
				}
			}
		}
		if why := k.differs(dir, want...); why != "" {
			return why
		}
	}
	return ""
}

// named wants every pair in the stash to be named by the journal, apart from its chain.
func (k *killing) named() {
	k.t.Helper()
	db, err := bbolt.Open(filepath.Join(k.Dir, "tlsaroll", "journal.db"), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	var text []byte
	err = db.View(func(tx *bbolt.Tx) error {
		for _, bucket := range []string{"lineages", "ledgers", "offers"} {
			err := tx.Bucket([]byte(bucket)).ForEach(func(_, value []byte) error {
				text = append(text, value...)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, id := range k.names(filepath.Join(k.Dir, "tlsaroll", "stash")) {
		if !bytes.Contains(text, []byte(id)) {
			k.t.Errorf("the stash holds %s, which the journal does not name", id)
		}
	}
}

// differs says in what a directory differs from holding just these names, "" if it does
// not.
func (k *killing) differs(dir string, want ...string) string {
	slices.Sort(want)
	want = slices.Compact(want)
	if got := k.names(dir); !slices.Equal(got, want) {
		return fmt.Sprintf("%s holds %q, want %q", dir, got, want)
	}
	return ""
}

func (k *killing) names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return []string{err.Error()}
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}
