package rollover_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestTranscripts plays the stories in testdata, each in a world of its own, and
// compares what is told with what stands there. testdata/README has the language.
//
//	go test ./rollover -run TestTranscripts -rewrite
//
// writes what is told now into the stories: read the differences as a mail
// administrator would before you keep them.
//
// The world holds every handshake to the invariant: a step of ours after which a
// sender's answer fails what is presented ends the story. Where people do the harm
// (world people=careless) only our own steps are held to it, and the story tells
// which answers fail, and for how long.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 34 {
		t.Errorf("%d stories, want 34 at least", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := &story{}
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string { return s.play(t, d) })
			s.judge(t, preface(t, file))
		})
	}
}

// nothingMoves is what a story's preface says if nothing is swapped or repaired in it.
const nothingMoves = "Nothing is swapped, nothing repaired."

// judge holds a story to its preface.
func (s *story) judge(t *testing.T, preface []string) {
	if n := len(preface); n < 2 || n > 5 {
		t.Errorf("%d lines of comment on top, want two to five: what happens, and what is to be seen", n)
	}
	says := strings.Contains(strings.Join(preface, " "), nothingMoves)
	if moves := s.swaps+s.repairs > 0; moves == says {
		t.Errorf("%d swaps and %d repairs; that %q is said: %t", s.swaps, s.repairs, nothingMoves, says)
	}
}

// preface is the comment on top of a story.
func preface(t *testing.T, file string) (lines []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "# ") {
			break
		}
		lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "#")))
	}
	return lines
}

// play carries out one command of a story and tells what comes of it.
func (s *story) play(t *testing.T, d *datadriven.TestData) string {
	words := parseWords(t, d)
	command, known := s.commands()[d.Cmd]
	switch {
	case !known:
		t.Fatalf("%s: %s is no command", d.Pos, d.Cmd)
	case d.Cmd != "world" && s.World == nil:
		t.Fatalf("%s: the first command is world", d.Pos)
	case d.Input != "":
		t.Fatalf("%s: %q below a command", d.Pos, d.Input)
	}
	if s.World != nil {
		s.T = t
	}
	s.out.Reset()
	command(words)
	words.done()
	if s.out.Len() == 0 {
		return "ok\n"
	}
	told := s.out.String()
	if hash := regexp.MustCompile(`[0-9a-f]{8}`).FindString(told); hash != "" {
		t.Errorf("%s: %s is told and has no name:\n%s", d.Pos, hash, told)
	}
	return told
}

// commands are the language of the stories.
func (s *story) commands() map[string]func(*words) {
	return map[string]func(*words){
		"world":     s.world,
		"renew":     s.renew,
		"stage":     func(w *words) { s.offer(w, false) },
		"hand-in":   func(w *words) { s.offer(w, true) },
		"run":       func(w *words) { s.run(w.duration(w.next())) },
		"until":     s.until,
		"server":    s.server,
		"address":   s.address,
		"zone":      s.zone,
		"provider":  s.provider,
		"somebody":  s.somebody,
		"backup":    func(w *words) { s.backups[w.next()] = s.Zone },
		"fault":     s.fault,
		"crash":     s.crash,
		"reboot":    s.reboot,
		"lose":      s.lose,
		"config":    s.config,
		"freeze":    s.order,
		"thaw":      s.order,
		"rollback":  s.order,
		"cancel":    s.order,
		"withdraw":  s.order,
		"emergency": s.order,
		"rollover":  s.order,
		"status":    func(*words) { s.status() },
		"records":   func(*words) { s.records() },
		"ledger":    func(*words) { s.ledger() },
		"plan":      func(*words) { s.plan() },
	}
}

// words are those behind a command: plain ones in order, and named ones.
type words struct {
	t     *testing.T
	pos   string
	plain []string
	named map[string]string
}

func parseWords(t *testing.T, d *datadriven.TestData) *words {
	w := &words{t: t, pos: d.Pos, named: map[string]string{}, plain: []string{d.Cmd}}
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			w.plain = append(w.plain, a.Key)
		} else {
			w.named[a.Key] = strings.Join(a.Vals, ",")
		}
	}
	return w
}

// command is the first word.
func (w *words) command() string { return w.plain[0] }

// more reports whether plain words are left.
func (w *words) more() bool { return len(w.plain) > 1 }

// next takes the next plain word.
func (w *words) next() string {
	w.t.Helper()
	if !w.more() {
		w.fail("%s: a word is missing", w.command())
	}
	word := w.plain[1]
	w.plain = append(w.plain[:1:1], w.plain[2:]...)
	return word
}

// has takes a plain word wherever it stands, and reports whether it does.
func (w *words) has(word string) bool {
	for i := 1; i < len(w.plain); i++ {
		if w.plain[i] == word {
			w.plain = append(w.plain[:i:i], w.plain[i+1:]...)
			return true
		}
	}
	return false
}

// get takes a named word, or gives the one for when there is none.
func (w *words) get(name, otherwise string) string {
	if v, ok := w.named[name]; ok {
		delete(w.named, name)
		return v
	}
	return otherwise
}

// done fails if words are left that nobody took.
func (w *words) done() {
	w.t.Helper()
	if w.more() || len(w.named) > 0 {
		w.fail("%s: what is %v %v?", w.command(), w.plain[1:], w.named)
	}
}

func (w *words) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s: %s", w.pos, fmt.Sprintf(format, args...))
}
