package oracle

import (
	"errors"
	"fmt"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A verdict is how a client would go on.
type verdict string

// Verdicts.
const (
	accepts  verdict = "accepts"
	refuses  verdict = "refuses"
	unusable verdict = "finds nothing usable" // and goes on without DANE
	silent   verdict = "has no answer"
)

// An answer is a verdict, and the depth of the certificate that matched, -1 where it is
// not said.
type answer struct {
	verdict verdict
	depth   int
}

func (a answer) String() string {
	if a.verdict == accepts && a.depth >= 0 {
		return fmt.Sprintf("%s at depth %d", a.verdict, a.depth)
	}
	return string(a.verdict)
}

// agrees reports whether two answers are the same, as far as both are known.
func (a answer) agrees(b answer) bool {
	return a.verdict == b.verdict && (a.verdict != accepts || a.depth < 0 || b.depth < 0 || a.depth == b.depth)
}

// judged is the answer of rollover/tlsa.
func judged(depth int, err error) answer {
	var miss *tlsa.MatchError
	switch {
	case err == nil:
		return answer{accepts, depth}
	case errors.As(err, &miss) && miss.Kind == tlsa.KindUnusable:
		return answer{unusable, -1}
	}
	return answer{refuses, -1}
}
