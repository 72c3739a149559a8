package suggest

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"endpoints", "ttl", "ta", "staged", "control-group"}
	for word, want := range map[string]string{
		"endpoint": "endpoints", "Endpoints": "endpoints", "endpionts": "endpoints", "tll": "ttl", "control_group": "control-group", "stagged": "staged",
		"x": "", "colour": "", "": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	for word, want := range map[string]string{"imap": "did you mean imaps?", "gopher": "write smtp, imaps"} {
		if got := Hint(word, []string{"smtp", "imaps"}, "write "); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Hint("x", nil, "write "); got != "" {
		t.Errorf("%q for nothing to choose from", got)
	}
}
