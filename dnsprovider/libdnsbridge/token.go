package libdnsbridge

import "errors"

// headerText says what about a token cannot stand in a header of HTTP, nil if nothing. It does not
// repeat it.
func headerText(name, text string) error {
	if text == "" {
		return errors.New(name + ": nothing in it")
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return errors.New(name + ": blanks, line ends or other characters that no token has (hint: write nothing but the token into it)")
		}
	}
	return nil
}
