package agent

import (
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
)

// pointBefore is the instant before an action is carried out.
func pointBefore(action rollover.Action) {
	switch action.(type) {
	case rollover.Publish:
		failpoint.Here("publish: before the update")
	case rollover.Retire:
		failpoint.Here("retire: before the update")
	case rollover.Adopt:
		failpoint.Here("adopt: before it")
	case rollover.Swap:
		failpoint.Here("swap: before it")
	case rollover.Back:
		failpoint.Here("back: before it")
	case rollover.Discard:
		failpoint.Here("discard: before it")
	}
}

// pointAfter is the instant when an action was carried out, and nobody knows yet.
func pointAfter(action rollover.Action) {
	switch action.(type) {
	case rollover.Publish:
		failpoint.Here("publish: updated")
	case rollover.Retire:
		failpoint.Here("retire: updated")
	case rollover.Adopt:
		failpoint.Here("adopt: done")
	case rollover.Swap:
		failpoint.Here("swap: done")
	case rollover.Back:
		failpoint.Here("back: done")
	case rollover.Discard:
		failpoint.Here("discard: done")
	}
}
