package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// spoken is all that the program said in a test, each line once.
type spoken struct {
	mu    sync.Mutex
	known map[string]bool
	text  strings.Builder
}

func (h *spoken) add(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for line := range strings.Lines(text) {
		if h.known == nil {
			h.known = map[string]bool{}
		}
		if !h.known[line] {
			h.known[line] = true
			h.text.WriteString(line)
		}
	}
}

// checkSecrets wants no secret of the lab in what the program said in the whole test,
// nor in what it wrote down, but for the stash, which is there to hold the keys.
func (h *host) checkSecrets() {
	h.t.Helper()
	secrets := h.Secrets()
	if secrets.Len() < 100 {
		h.t.Errorf("%d ways of writing secrets: they were not planted", secrets.Len())
	}
	for _, leak := range secrets.Find([]byte(h.spoken.text.String())) {
		h.t.Errorf("the program said %s", leak)
	}
	stash := map[string]bool{certwatch.PrivkeyFile: true, certwatch.CombinedFile: true}
	err := filepath.WalkDir(filepath.Join(h.Dir, "tlsaroll"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!d.Type().IsRegular() || stash[d.Name()]) {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		for _, leak := range secrets.Find(text) {
			h.t.Errorf("%s holds %s", path, leak)
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}
