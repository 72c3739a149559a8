package swap

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// A Result is what a switch did.
type Result struct {
	Previous string    // the entry that was live before, "" if none was
	Changed  []string  // the paths that were switched, the live symlink last
	Warnings []Problem // what did not keep the switch from being done
}

// A change is one path that goes from the old pair to the new one.
type change interface {
	at() string
	// prepare makes the new content beside the old one: all that can fail short
	// of a rename fails here. Without changes there is nothing to commit.
	prepare() error
	changes() bool
	holds() bool // whether the path is already as it should be
	commit() error
	restore() error // undo commit
	discard()       // undo prepare
	tidy() []Problem
	temporary() []string
	final() []string
}

// Switch makes the entry in a directory the live pair: it reads and checks the
// entry, runs the check commands, installs the targets, turns the live symlink
// and runs the reload commands. Of the check commands the first failure ends it;
// reload commands are all run, as each is another server's.
//
// Done again with the same entry it installs what differs and reloads again.
// Going back is a Switch to the [Result]'s Previous. A failure is an [Error] that
// names the step; one before the reload leaves the old pair in place, one of
// the reload the new pair.
//
// Commands run from / as a process group of their own, which is killed whole when
// the timeout is over, with nothing on standard input and nothing in the
// environment but PATH, LC_ALL=C, TLSAROLL_LINEAGE, TLSAROLL_LIVE and
// TLSAROLL_ENTRY (the directory of the pair to become live).
func (h Host) Switch(ctx context.Context, entryDir string) (Result, error) {
	e, err := readEntry(entryDir)
	if err != nil {
		return Result{}, h.stopped(StepLoad, err)
	}
	for _, argv := range h.Check {
		failpoint.Here("check: before a command")
		if err := h.run(ctx, argv, e.dir); err != nil {
			return Result{}, h.stopped(StepCheck, err)
		}
		failpoint.Here("check: after a command")
	}
	result, err := h.install(ctx, e)
	if err != nil {
		return result, err
	}
	var failures several
	for _, argv := range h.Reload {
		failpoint.Here("reload: before a command")
		if err := h.run(ctx, argv, e.dir); err != nil {
			failures = append(failures, err)
		}
		failpoint.Here("reload: after a command")
	}
	if len(failures) > 0 {
		return result, &Error{Lineage: h.Lineage, Step: StepReload, Switched: true, Err: failures}
	}
	return result, nil
}

// Adopt turns the live symlink to an entry and leaves everything else alone: the
// servers have this pair already.
func (h Host) Adopt(entryDir string) error {
	e, err := readEntry(entryDir)
	if err != nil {
		return h.stopped(StepLoad, err)
	}
	h.Install = nil
	_, err = h.install(context.Background(), e)
	return err
}

func (h Host) stopped(step Step, err error) *Error {
	return &Error{Lineage: h.Lineage, Step: step, Err: err}
}

// install prepares all changes, then commits them one by one; if one fails,
// those before it are put back.
func (h Host) install(ctx context.Context, e *entry) (Result, error) {
	var result Result
	changes, err := h.changesTo(e)
	if err != nil {
		return result, h.stopped(StepInstall, err)
	}
	if result.Previous, err = h.Installed(); err != nil {
		return result, h.stopped(StepInstall, err)
	}
	defer func() {
		for _, c := range changes {
			c.discard()
		}
	}()
	failpoint.Here("install: before anything is written")
	var temporary, final []string
	for _, c := range changes {
		if err := c.prepare(); err != nil {
			return result, h.stopped(StepInstall, failed(c.at(), err))
		}
		if c.changes() {
			temporary, final = append(temporary, c.temporary()...), append(final, c.final()...)
		}
	}
	failpoint.Here("install: all is written beside the old")
	result.Warnings = h.relabel(ctx, e, temporary)
	if err := ctx.Err(); err != nil {
		return result, h.stopped(StepInstall, fmt.Errorf("stopped before anything was installed: %w", err))
	}
	for i, c := range changes {
		if !c.changes() {
			continue
		}
		if err := c.commit(); err != nil {
			result.Changed = nil
			return result, h.putBack(changes[:i+1], failed(c.at(), err))
		}
		result.Changed = append(result.Changed, c.at())
		failpoint.Here("install: after one of the renames")
	}
	failpoint.Here("install: all is renamed, before tidying")
	_ = h.before(opTidy, h.Live) // a test may crash here; there is nothing to go back for
	result.Warnings = append(result.Warnings, h.relabel(ctx, e, final)...)
	for _, c := range changes {
		result.Warnings = append(result.Warnings, c.tidy()...)
	}
	failpoint.Here("install: tidied")
	return result, nil
}

// putBack undoes committed changes, the last first.
func (h Host) putBack(changes []change, because error) error {
	e := h.stopped(StepInstall, because)
	for i := len(changes) - 1; i >= 0; i-- {
		if err := changes[i].restore(); err != nil {
			e.Mixed = append(e.Mixed, changes[i].at())
			e.Err = several{e.Err, failed(changes[i].at(), err)}
		}
	}
	return e
}

// changesTo lists the changes, the live symlink last: what it says has been
// installed has been installed.
func (h Host) changesTo(e *entry) ([]change, error) {
	if problems := h.malformed(); len(problems) > 0 {
		return nil, &FileError{problems[0].where, problems[0].what, problems[0].hint, ErrTarget}
	}
	var changes []change
	for _, t := range h.Install {
		owner, err := lookupOwner(t.Owner)
		if err != nil {
			return nil, &FileError{t.at(), cause(err), "", ErrTarget}
		}
		if t.Dir != "" {
			changes = append(changes, &directoryChange{host: h, path: filepath.Clean(t.Dir), entry: e, owner: owner, mode: t.mode()})
			continue
		}
		content := e.content(t.Content)
		if len(content) == 0 {
			return nil, &FileError{t.at(), "nothing to install: the chain has no issuer", "leave out this target, or have the chain issued with its issuers", ErrTarget}
		}
		changes = append(changes, &fileChange{host: h, path: filepath.Clean(t.Path), content: content, owner: owner, mode: t.mode()})
	}
	return append(changes, &liveChange{host: h, entry: e}), nil
}
