package installer

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadRequest(t *testing.T) {
	whole := request{protocol, verbSwitch, "mx1", "e1", []byte("chain"), []byte("planted key")}
	got, err := readRequest(strings.NewReader(string(encode(whole)) + "and what nobody reads"))
	if diff := cmp.Diff(whole, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	line := strings.TrimSuffix(string(encode(whole)), "\n")
	for _, test := range []struct {
		text string
		want error
	}{
		{"", errCutOff},
		{line, errCutOff}, // its end was not seen: it was not asked for
		{line[:len(line)-9] + "\n", errRequest},
		{line + line + "\n", errRequest},
		{strings.Repeat(" ", maxLine+1) + "\n", errLong},
		{strings.Replace(line, `"protocol":1`, `"protocol":2`, 1) + "\n", errRequest},
		{strings.Replace(line, `"verb":"switch"`, `"verb":"reload"`, 1) + "\n", errRequest},
		{strings.Replace(line, `"chain"`, `"path"`, 1) + "\n", errRequest},
		{strings.Replace(line, `"mx1"`, `""`, 1) + "\n", errNoLineage},
		{strings.Replace(line, `"mx1"`, `"`+strings.Repeat("planted", 20)+`"`, 1) + "\n", errLineage}, // a name is logged
		{`{"protocol":1,"verb":"adopt","lineage":"mx1","entry":"e1","chain":"eA=="}` + "\n", errNoPair},
	} {
		q, err := readRequest(strings.NewReader(test.text))
		if !errors.Is(err, test.want) || q.Lineage != "" || strings.Contains(err.Error(), "planted") {
			t.Errorf("%.60q: %v, want %v", test.text, err, test.want)
		}
	}
	if _, err := readRequest(io.MultiReader(strings.NewReader(line), broken{})); !errors.Is(err, errCutOff) {
		t.Errorf("a connection that breaks: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// FuzzRequest: whatever comes is a request as it is encoded, or an error that says nothing
// of it.
func FuzzRequest(f *testing.F) {
	f.Add(encode(request{Protocol: protocol, Verb: verbInstalled, Lineage: "mx1"}))
	f.Add(encode(request{protocol, verbSwitch, "mx1", "e1", []byte("chain"), []byte("planted key")}))
	f.Add([]byte(`{"protocol":1,"verb":"adopt","lineage":"mx1","chain":"planted"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := readRequest(strings.NewReader(string(text)))
		if err != nil {
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("it says %v", err)
			}
			return
		}
		if q.Lineage == "" || q.acts() && (len(q.Chain) == 0 || len(q.Key) == 0 || q.Entry == "") {
			t.Errorf("it takes %q", text)
		}
		again, err := readRequest(strings.NewReader(string(encode(q))))
		if err == nil && !cmp.Equal(q, again) || err != nil && !errors.Is(err, errLong) {
			t.Errorf("%q is another one the second time: %v", text, err)
		}
	})
}

// FuzzReply: whatever comes is an answer, or an error.
func FuzzReply(f *testing.F) {
	f.Add(encode(reply{Protocol: protocol, Entry: "e1"}))
	f.Add(encode(reply{Protocol: protocol, Failed: &failure{Step: "reload", Switched: true, Text: "x"}}))
	f.Add(encode(refused(errGone)))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := readReply(strings.NewReader(string(text)))
		if err != nil {
			return
		}
		if _, err := r.result("mx1"); (err == nil) != (r.Refused == "" && r.Failed == nil) {
			t.Errorf("%q comes to %v", text, err)
		}
	})
}
