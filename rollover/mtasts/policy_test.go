package mtasts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const good = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.mx.example.org\r\nmax_age: 604800\r\n"

func TestParsePolicy(t *testing.T) {
	week := 7 * 24 * time.Hour
	lf := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	for _, test := range []struct {
		name, text string
		want       Policy
		err        string
	}{
		{"as in section 3.2", good, Policy{Mode: Enforce, MX: []string{"mx1.example.org", "*.mx.example.org"}, MaxAge: week}, ""},
		{"LF alone, another order, no end of line", "max_age: 604800\nmx:a.example.org\nmode:testing\nversion:  STSv1 ", Policy{Mode: Testing, MX: []string{"a.example.org"}, MaxAge: week}, ""},
		{"none needs no mx", lf("version: STSv1", "mode: none", "max_age: 0"), Policy{Mode: None}, ""},
		{"unknown fields", lf("version: STSv1", "future: x: y", "mode: none", "max_age: 1"), Policy{Mode: None, MaxAge: time.Second}, ""},
		{"blank lines at the end", good + "\r\n\r\n", Policy{Mode: Enforce, MX: []string{"mx1.example.org", "*.mx.example.org"}, MaxAge: week}, ""},
		{"twice: the first counts", lf("version: STSv1", "mode: none", "mode: enforce", "max_age: 1", "max_age: x"),
			Policy{Mode: None, MaxAge: time.Second, Faults: []string{"mode stands more than once: the first counts", "max_age stands more than once: the first counts"}}, ""},
		{"CRLF and LF", "version: STSv1\r\nmode: none\nmax_age: 1\r\n", Policy{Mode: None, MaxAge: time.Second, Faults: []string{"some lines end in CRLF, others in LF"}}, ""},
		{"no field, blanks, no value", lf("version: STSv1", "nonsense", " mode : none", "max_age: 1", "note:"),
			Policy{Mode: None, MaxAge: time.Second, Faults: []string{`"nonsense" is not a line of the form NAME: VALUE`, "blanks around the name mode", "note without a value"}}, ""},
		{"patterns that fit nothing", lf("version: STSv1", "mode: testing", "mx: mx1.example.org.", "mx: m*.example.org", "mx: ", "mx: mx1.example.org, mx2.example.org", "max_age: 1"),
			Policy{Mode: Testing, MX: []string{"mx1.example.org.", "m*.example.org", "", "mx1.example.org, mx2.example.org"}, MaxAge: time.Second, Faults: []string{
				`mx "mx1.example.org.": it ends with a dot`, `mx "m*.example.org": a wildcard is the whole leftmost label or none`, "mx without a value",
				`mx "": no name`, `mx "mx1.example.org, mx2.example.org": no host name`}}, ""},
		{"longest", lf("version: STSv1", "mode: none", "max_age: 31557600"), Policy{Mode: None, MaxAge: LongestAge}, ""},
		{"too long", lf("version: STSv1", "mode: none", "max_age: 31557601"), Policy{Mode: None, MaxAge: LongestAge,
			Faults: []string{"max_age 31557601: more than 31557600, and some senders then refuse the policy"}}, ""},
		{"ten digits", lf("version: STSv1", "mode: none", "max_age: 9999999999"), Policy{Mode: None, MaxAge: LongestAge,
			Faults: []string{"max_age 9999999999: more than 31557600, and some senders then refuse the policy"}}, ""},

		{"eleven digits", lf("version: STSv1", "mode: none", "max_age: 10000000000"), Policy{Mode: None}, `max_age "10000000000": want seconds`},
		{"no number", lf("version: STSv1", "mode: none", "max_age: 1d"), Policy{Mode: None}, `max_age "1d": want seconds`},
		{"negative", lf("version: STSv1", "mode: none", "max_age: -1"), Policy{Mode: None}, `max_age "-1": want seconds`},
		{"no max_age", lf("version: STSv1", "mode: enforce", "mx: a"), Policy{Mode: Enforce, MX: []string{"a"}}, "no max_age"},
		{"no mx", lf("version: STSv1", "mode: enforce", "max_age: 1"), Policy{Mode: Enforce, MaxAge: time.Second}, "mode enforce, and no mx"},
		{"no mx in testing", lf("version: STSv1", "mode: testing", "max_age: 1"), Policy{Mode: Testing, MaxAge: time.Second}, "mode testing, and no mx"},
		{"no version", lf("mode: enforce"), Policy{}, "no version STSv1"},
		{"another version", lf("version: STSv2", "mode: enforce"), Policy{}, "no version STSv1"},
		{"byte order mark", "\ufeff" + good, Policy{MX: []string{"mx1.example.org", "*.mx.example.org"},
			Faults: []string{`"\ufeffversion: STSv1" is not a line of the form NAME: VALUE`}}, "no version STSv1: the text begins with a byte order mark"},
		{"no mode", lf("version: STSv1"), Policy{}, `mode "": neither enforce nor testing nor none`},
		{"another mode", lf("version: STSv1", "mode: Enforce"), Policy{}, `mode "Enforce": neither enforce nor testing nor none`},
		{"nothing", "", Policy{Faults: []string{`"" is not a line of the form NAME: VALUE`}}, "no version STSv1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ParsePolicy(test.text)
			if said(err) != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
			if diff := cmp.Diff(test.want, p); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestFaultsAreFew: a page of something else is not repeated line by line.
func TestFaultsAreFew(t *testing.T) {
	text := strings.Repeat("<p>", 3) + "\n"
	for i := range 100 {
		text += strings.Repeat("x", i) + "\n"
	}
	if p, err := ParsePolicy(text); err == nil || len(p.Faults) != 8 {
		t.Errorf("%d faults, %v", len(p.Faults), err)
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, host string
		want          bool
	}{
		{"mx1.example.org", "mx1.example.org", true},
		{"MX1.Example.ORG", "mx1.example.org.", true},
		{"mx1.example.org", "mx2.example.org", false},
		{"*.example.org", "mx1.example.org", true},
		{"*.Example.org", "MX1.EXAMPLE.ORG", true},
		{"*.example.org", "example.org", false},
		{"*.example.org", "a.mx1.example.org", false},
		{"*.example.org", ".example.org", false},
		{"example.org", "mx1.example.org", false},
		{".example.org", "mx1.example.org", false},
		{"mx1.example.org.", "mx1.example.org", false},
		{"*.*.org", "mx1.example.org", false},
		{"*", "mx1", false},
		{"*.", "mx1.", false},
		{"", "", false},
		{"xn--mx-1ia.example.org", "xn--mx-1ia.example.org", true},
		{"mäx.example.org", "xn--mx-1ia.example.org", false},
	} {
		if got := Match(test.pattern, test.host); got != test.want {
			t.Errorf("%q and %q: %t", test.pattern, test.host, got)
		}
	}
}

func TestMatchAny(t *testing.T) {
	patterns := []string{"a.example.org", "*.example.org", "b.example.org"}
	for host, want := range map[string]string{"a.example.org": "a.example.org", "b.example.org": "*.example.org", "example.org": ""} {
		if got := MatchAny(patterns, host); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, text := range []string{good, "version: STSv1\nmode: none", ":\n::\r\n\x00", "version: STSv1\nmode: testing\nmx: *.\nmax_age: 0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if (p.Mode == "") && err == nil || p.MaxAge < 0 || len(p.Faults) > 8 {
			t.Errorf("%+v, %v", p, err)
		}
		if err == nil && p.Mode != None && len(p.MX) == 0 {
			t.Errorf("usable without mx: %+v", p)
		}
		again, _ := ParsePolicy(strings.ReplaceAll(text, "\r\n", "\n"))
		if again.Mode != p.Mode || again.MaxAge != p.MaxAge || !slices.Equal(again.MX, p.MX) {
			t.Errorf("the end of a line decides: %+v, %+v", p, again)
		}
		for _, pattern := range p.MX {
			if CheckPattern(pattern) == nil && !Match(pattern, strings.Replace(pattern, "*.", "a.", 1)) {
				t.Errorf("%q fits not even itself", pattern)
			}
		}
	})
}
