package swap

import "context"

// relabel gives new files the SELinux label of where they lie, on hosts that
// have restorecon. That it fails is no reason not to install: the servers' own
// test is the reload and what they serve afterwards.
func (h Host) relabel(ctx context.Context, e *entry, paths []string) []Problem {
	argv := []string{"restorecon"}
	if _, err := h.lookup(argv); err != nil || len(paths) == 0 {
		return nil
	}
	if err := h.run(ctx, append(argv, paths...), e.dir); err != nil {
		return []Problem{{CodeLabel, Warning, err.Error()}}
	}
	return nil
}
