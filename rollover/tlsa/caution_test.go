package tlsa_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// cautions are the numbers of the sections that say something.
func cautions(all []tlsa.Caution) string {
	var sections []string
	for _, c := range all {
		sections = append(sections, strings.NewReplacer("RFC ", "", ", section ", "/").Replace(c.Section))
	}
	return strings.Join(sections, " ")
}

func TestCautions(t *testing.T) {
	for combination, want := range map[string][2]string{ // for SMTP, for another service
		"0 0 0": {"7672/3.1.3 7671/10.1.2", "7671/10.1.2"}, "0 0 1": {"7672/3.1.3", ""}, "0 0 2": {"7672/3.1.3 7671/2", "7671/2"},
		"0 1 0": {"7672/3.1.3 7671/10.1.2", "7671/10.1.2"}, "0 1 1": {"7672/3.1.3", ""}, "0 1 2": {"7672/3.1.3 7671/2", "7671/2"},
		"1 0 0": {"7672/3.1.3 7671/10.1.2 7671/5.1", "7671/10.1.2 7671/5.1"}, "1 0 1": {"7672/3.1.3 7671/5.1", "7671/5.1"}, "1 0 2": {"7672/3.1.3 7671/5.1 7671/2", "7671/5.1 7671/2"},
		"1 1 0": {"7672/3.1.3 7671/10.1.2", "7671/10.1.2"}, "1 1 1": {"7672/3.1.3", ""}, "1 1 2": {"7672/3.1.3 7671/2", "7671/2"},
		"2 0 0": {"7671/10.1.2", "7671/10.1.2"}, "2 0 1": {"", ""}, "2 0 2": {"7671/2", "7671/2"},
		"2 1 0": {"7671/10.1.2", "7671/10.1.2"}, "2 1 1": {"", ""}, "2 1 2": {"7671/2", "7671/2"},
		"3 0 0": {"7671/10.1.2 7671/5.1", "7671/10.1.2 7671/5.1"}, "3 0 1": {"7671/5.1", "7671/5.1"}, "3 0 2": {"7671/5.1 7671/2", "7671/5.1 7671/2"},
		"3 1 0": {"7671/10.1.2", "7671/10.1.2"}, "3 1 1": {"", ""}, "3 1 2": {"7671/2", "7671/2"},
	} {
		p, err := tlsa.ParseParams(combination)
		if err != nil {
			t.Fatal(err)
		}
		for i, smtp := range []bool{true, false} {
			if got := cautions(p.Cautions(nil, smtp)); got != want[i] {
				t.Errorf("%s, SMTP %t: got %q, want %q", combination, smtp, got, want[i])
			}
		}
		weaker := tlsa.Params{p.Usage, p.Selector, tlsa.SHA256}
		if got := cautions(p.Cautions([]tlsa.Params{tlsa.EE, weaker}, false)); strings.Contains(got+" ", "7671/2 ") {
			t.Errorf("%s beside %s: %s", combination, weaker, got)
		}
		if got := cautions(p.Cautions([]tlsa.Params{{p.Usage, 1 - p.Selector, tlsa.SHA256}}, false)); p.Matching == tlsa.SHA512 && !strings.Contains(got+" ", "7671/2 ") {
			t.Errorf("%s beside its like of the other selector: %q", combination, got)
		}
	}
}

func TestCautionsOfChains(t *testing.T) {
	old := issueCA(t, party{}, "Old Root")
	root := issueCA(t, party{}, "Root")
	cross := issueCA(t, old, "Root", keyed(root.key))
	inter := issueCA(t, root, "Intermediate")
	leaf, self := issueLeaf(t, inter), issueLeaf(t, party{}, dns(host))
	for _, test := range []struct {
		name        string
		chain       []party
		combination string
		index       int
		want        string
	}{
		{"a CA certificate of another CA", []party{leaf, inter, root}, "2 0 1", 1, "7671/5.2.1"},
		{"its key", []party{leaf, inter, root}, "2 1 1", 1, ""},
		{"for other services, too", []party{leaf, inter, root}, "0 0 1", 1, "7671/5.2.1"},
		{"a root, which stays", []party{leaf, inter, root}, "2 0 1", 2, ""},
		{"a root with a cross-certificate", []party{leaf, inter, root, cross}, "2 0 1", 2, "7671/5.2.1"},
		{"presented twice, it is one", []party{leaf, inter, root, root}, "2 0 1", 2, ""},
		{"a leaf of a CA", []party{leaf, inter}, "1 1 1", 0, ""},
		{"a leaf that nobody vouches for", []party{self}, "1 1 1", 0, "7671/5.3"},
		{"which DANE-EE does not ask", []party{self}, "3 1 1", 0, ""},
		{"two things at once", []party{leaf, inter}, "2 0 0", 1, "7671/10.1.2 7671/5.2.1"},
	} {
		p, err := tlsa.ParseParams(test.combination)
		if err != nil {
			t.Fatal(err)
		}
		if got := cautions(present(t, test.chain...).Cautions(p, test.index, nil, false)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// What is quoted stands in the RFCs, word by word. They are not part of this module: the
// folder is beside it, or named by TLSAROLL_RFCS.
func TestCautionsAreQuoted(t *testing.T) {
	dir := os.Getenv("TLSAROLL_RFCS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "rfc")
	}
	if _, err := os.Stat(dir); err != nil && os.Getenv("TLSAROLL_RFCS") == "" {
		t.Skipf("left out: %s: %v (hint: TLSAROLL_RFCS names a folder with rfc7671.txt and rfc7672.txt)", t.Name(), err)
	}
	ca := issueCA(t, party{}, "Root")
	inter := issueCA(t, ca, "Intermediate")
	chains := []*tlsa.Chain{present(t, issueLeaf(t, inter), inter), present(t, issueLeaf(t, party{}), inter)}
	said := map[tlsa.Caution]bool{}
	for _, chain := range chains {
		for usage := range 4 {
			for selector := range 2 {
				for matching := range 3 {
					for _, c := range chain.Cautions(tlsa.Params{tlsa.Usage(usage), tlsa.Selector(selector), tlsa.MatchingType(matching)}, 1, nil, true) {
						said[c] = true
					}
				}
			}
		}
	}
	if len(said) != 7 {
		t.Errorf("%d cautions, want all 7", len(said))
	}
	for c := range said {
		name, section, _ := strings.Cut(strings.TrimPrefix(c.Section, "RFC "), ", section ")
		text, err := os.ReadFile(filepath.Join(dir, "rfc"+name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(ofRFC(string(text), section), c.Sentence) {
			t.Errorf("%s does not say %q", c.Section, c.Sentence)
		}
	}
}

// ofRFC is a section's text in one line, without what stands between pages.
func ofRFC(text, section string) string {
	text = regexp.MustCompile(`(?m)^.*\[Page \d+\]\n\f?\n*RFC .*\n`).ReplaceAllString(text, "")
	_, body, _ := strings.Cut(text, "\n"+section+".  ")
	if next := regexp.MustCompile(`(?m)^\d+(\.\d+)*\.  `).FindStringIndex(body); next != nil {
		body = body[:next[0]]
	}
	return strings.Join(strings.Fields(body), " ")
}
