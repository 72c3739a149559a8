package tlsrpt

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attached is a mail with a part of a type and a transfer encoding.
func attached(kind, encoding string, content []byte) []byte {
	return []byte("From: a@two.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>here it is</p>\r\n--b\r\nContent-Type: " + kind +
		"\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + string(content) + "\r\n--b--\r\n")
}

func day(n int) (start, end time.Time) {
	start = time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC)
	return start, start.Add(24*time.Hour - time.Second)
}

// rfc8460 is the example of RFC 8460, appendix B.
func rfc8460() Report {
	start, end := day(1)
	return Report{Organization: "Sender One", ID: "5065427c-23d3-47ca-b6e0-946ea0e8c4be", Contact: "sts-reporting@one.example", Start: start, End: end, Policies: []Policy{{
		Type: "sts", Text: []string{"version: STSv1", "mode: testing", "mx: *.example.org", "max_age: 86400"}, Domain: "example.org", MXHosts: []string{"*.example.org"},
		Successful: 5326, Failed: 303, Failures: []Failure{
			{ResultType: "certificate-expired", SendingIP: "2001:db8:abcd:12::1", Host: "mx1.example.org", Sessions: 100},
			{ResultType: "starttls-not-supported", SendingIP: "2001:db8:abcd:13::1", Host: "mx2.example.org", ReceivingIP: "203.0.113.56", Sessions: 200,
				Info: "https://reports.one.example/report_info?id=5065427c-23d3#StarttlsNotSupported"},
			{ResultType: "validation-failure", SendingIP: "198.51.100.62", Host: "mx-backup.example.org", ReceivingIP: "203.0.113.58", Sessions: 3, Reason: "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"},
		}}}}
}

// TestRead: however the report comes, it says the same.
func TestRead(t *testing.T) {
	plain, eml := sample(t, "rfc8460.json"), sample(t, "report.eml")
	encoded := []byte(base64.StdEncoding.EncodeToString(zipped(t, plain)))
	one := []Report{rfc8460()}
	for _, test := range []struct {
		name    string
		content []byte
		want    []Report
	}{
		{"JSON", plain, one},
		{"JSON with a byte order mark", append([]byte("\ufeff"), plain...), one},
		{"JSON after blank lines", append([]byte("\r\n \n"), plain...), one},
		{"gzip", zipped(t, plain), one},
		{"gzip of two members", append(zipped(t, plain[:100]), zipped(t, plain[100:])...), one},
		{"two in a row", append(append([]byte{}, plain...), plain...), []Report{rfc8460(), rfc8460()}},
		{"mail", eml, one},
		{"mail with CRLF", bytes.ReplaceAll(eml, []byte("\n"), []byte("\r\n")), one},
		{"mail as mbox has it", append([]byte("From tlsrpt@one.example Mon Mar  2 02:10:00 2026\n"), eml...), one},
		{"mail without its end", bytes.TrimSuffix(bytes.TrimSpace(eml), []byte("------=_NextPart_000_024E_01CC9B0A.AFE54C00--")), one},
		{"mail that is the report", append([]byte("From: a@two.example\nContent-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\n\n"), encoded...), one},
		{"mail, of another type", attached("application/gzip; name=report.json.gz", "base64", encoded), one},
		{"mail, of no type", attached("application/octet-stream", "BASE64 ", encoded), one},
		{"mail, JSON as it is", attached("application/tlsrpt+json", "7bit", plain), one},
		{"mail, gzip as it is", attached("application/tlsrpt+gzip", "binary", zipped(t, plain)), one},
		{"mail, quoted-printable", attached("application/json", "quoted-printable", bytes.ReplaceAll(plain, []byte("="), []byte("=3D"))), one},
		{"mail, blanks in base64", attached("application/tlsrpt+gzip", "base64", bytes.ReplaceAll(encoded, []byte("A"), []byte("A \t\r\n"))), one},
		{"mail, forwarded", attached("message/rfc822", "7bit", eml), one},
		{"mail with two", attached("message/rfc822", "7bit", attached("message/rfc822", "7bit", append(append([]byte{}, "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n"...),
			append(append(append([]byte{}, plain...), "\r\n--c\r\n\r\n"...), append(append([]byte{}, plain...), "\r\n--c--\r\n"...)...)...))), []Report{rfc8460(), rfc8460()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(bytes.NewReader(test.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadShapes: what senders do that the RFC does not say.
func TestReadShapes(t *testing.T) {
	start, end := day(3)
	for _, test := range []struct {
		name string
		text string
		want Report
	}{
		{"of every kind", string(sample(t, "loose.json")), Report{Organization: "Sender Three", ID: "133742", Start: start, End: end, Policies: []Policy{{
			Type: "tlsa", Text: []string{"3 1 1 8f3c21aa"}, Domain: "_25._tcp.mx1.example.org", MXHosts: []string{"mx1.example.org"}, Successful: 7, Failed: 5,
			Failures: []Failure{{ResultType: "tlsa-invalid", ReceivingIP: "192.0.2.1", Sessions: 2}, {ResultType: "unspecified", Sessions: 3}}}}}},
		{"nothing but policies", `{"policies":[]}`, Report{Policies: []Policy{}}},
		{"nothing but a time", `{"date-range":{"start-datetime":"2026-03-03T01:00:00+01:00"}}`, Report{Start: start, Policies: []Policy{}}},
		{"times of other kinds", `{"date-range":{"start-datetime":1772496000,"end-datetime":"2026-03-03 23:59:59z"}}`, Report{Start: start, End: end, Policies: []Policy{}}},
		{"a day", `{"date-range":{"start-datetime":"2026-03-03","end-datetime":""}}`, Report{Start: start, Policies: []Policy{}}},
		{"null", `{"organization-name":null,"date-range":null,"policies":[{"policy":null,"summary":null,"failure-details":null}]}`,
			Report{Policies: []Policy{{Text: []string{}, MXHosts: []string{}, Failures: []Failure{}}}}},
		{"failures that count 0", string(sample(t, "success.json"))[strings.Index(string(sample(t, "success.json")), `{"policy":{"policy-type":"tlsa"`):], Report{}},
		{"a failure without a number, and no summary", `{"policies":[{"failure-details":[{"result-type":"Tlsa-Invalid"},{}]}]}`,
			Report{Policies: []Policy{{Text: []string{}, MXHosts: []string{}, Failed: 2, Failures: []Failure{{ResultType: "tlsa-invalid", Sessions: 1}, {ResultType: "unspecified", Sessions: 1}}}}}},
		{"numbers that nobody counts", `{"policies":[{"summary":{"total-successful-session-count":-3,"total-failure-session-count":1e300},"failure-details":[{"failed-session-count":99999999999999999999},{"failed-session-count":1.5e3}]}]}`,
			Report{Policies: []Policy{{Text: []string{}, MXHosts: []string{}, Failed: 1<<62 + 1500, Failures: []Failure{{ResultType: "unspecified", Sessions: 1 << 62}, {ResultType: "unspecified", Sessions: 1500}}}}}},
		{"orders for terminals", `{"organization-name":" a\u001b[2Jb\r\nc\u202ed ","policies":[]}`, Report{Organization: "a\ufffd[2Jb  c\ufffdd", Policies: []Policy{}}},
		{"a long text", `{"organization-name":"` + strings.Repeat("ä", 500) + `","policies":[]}`, Report{Organization: strings.Repeat("ä", 399) + "…", Policies: []Policy{}}},
	} {
		if strings.HasPrefix(test.text, `{"policy":{`) { // of the sample, the second policy alone
			test.text = `{"policies":[` + test.text
			test.want = Report{Policies: []Policy{{Type: "tlsa", Text: []string{"3 1 1 8f3c21aa"}, Domain: "mx1.example.org", MXHosts: []string{}, Successful: 41, Failures: []Failure{}}}}
		}
		got, err := Read(strings.NewReader(test.text))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %d reports, %v", test.name, len(got), err)
			continue
		}
		if diff := cmp.Diff(test.want, got[0]); diff != "" {
			t.Errorf("%s\n%s", test.name, diff)
		}
	}
}

func TestReadErrors(t *testing.T) {
	plain, eml := sample(t, "rfc8460.json"), sample(t, "report.eml")
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "report.json", Size: 0, Mode: 0o600, Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	bomb := zipped(t, append(bytes.Repeat([]byte(" "), maxUnpacked), "{}"...))
	nested := eml
	for range maxDepth + 1 {
		nested = append([]byte("From: a@two.example\nContent-Type: message/rfc822\n\n"), nested...)
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"nothing", nil, "it is empty"},
		{"blanks", []byte(" \r\n"), "it is empty"},
		{"gzip of nothing", zipped(t, nil), "it is empty"},
		{"something else", []byte("hello\n"), "neither a TLSRPT report, gzipped or not, nor a mail"},
		{"a list", []byte("[1]"), "neither a TLSRPT report, gzipped or not, nor a mail"},
		{"cut off", plain[:200], "the JSON is cut off"},
		{"something after it", append(append([]byte{}, plain...), "xyz"...), "no JSON of a report: invalid character 'x' looking for beginning of value"},
		{"another JSON", []byte(`{"feedback":{}}`), "JSON, and no TLSRPT report: it has neither policies nor date-range"},
		{"a number for policies", []byte(`{"policies":7}`), "no JSON of a report: policies: a number where something else is due"},
		{"a list for a name", []byte(`{"policies":[],"organization-name":["a"]}`), `no JSON of a report: ["a"] where a string is due`},
		{"a word for a number", []byte(`{"policies":[{"summary":{"total-failure-session-count":"many"}}]}`), `no JSON of a report: "many" where a number of sessions is due`},
		{"a word for a time", []byte(`{"date-range":{"start-datetime":"monday"}}`), `no JSON of a report: "monday" where a time is due`},
		{"gzip cut off", zipped(t, plain)[:100], "gzip: it is cut off"},
		{"gzip, damaged", append(append([]byte{}, zipped(t, plain)[:60]...), bytes.Repeat([]byte{0xff}, 60)...), "gzip: flate: corrupt input before offset 52"},
		{"gzip in gzip", zipped(t, zipped(t, plain)), "no JSON of a report: invalid character '\\x1f' looking for beginning of value"},
		{"bomb", bomb, "gzip: more than 32 MiB unpacked, and no report is that large"},
		{"large", bytes.Repeat([]byte(" "), maxFile+1), "larger than 16 MiB, and no report is"},
		{"many entries", zipped(t, []byte(`{"policies":[`+strings.Repeat("{},", maxEntries)+"{}]}")), "more than 200000 entries, and no report has as many"},
		{"many texts", zipped(t, []byte(`{"policies":[{"policy":{"policy-string":[`+strings.Repeat(`"",`, 10*maxEntries+1)+`""]}}]}`)), "more than 200000 entries, and no report has as many"},
		{"many reports", []byte(strings.Repeat(`{"policies":[]}`, maxReports+1)), "more than 1000 reports in one file"},
		{"zip", []byte("PK\x03\x04..."), "a zip archive (hint: unpack it, and name the files in it)"},
		{"tar", archive.Bytes(), "a tar archive (hint: unpack it, and name the files in it)"},
		{"mail without one", attached("application/pdf", "7bit", []byte("%PDF")), "a mail without a TLSRPT report attached"},
		{"mail without anything", []byte("From: a@two.example\n\n"), "a mail without a TLSRPT report attached"},
		{"mail, the report cut off", attached("application/tlsrpt+json", "7bit", plain[:200]), "mail: the part of type application/tlsrpt+json: the JSON is cut off"},
		{"mail, perhaps a report, cut off", attached("application/json", "7bit", plain[:200]), "mail: the part of type application/json: the JSON is cut off"},
		{"mail, base64 damaged", attached("application/tlsrpt+gzip", "base64", []byte("abc=d")), "mail: the part of type application/tlsrpt+gzip: neither JSON nor gzip"},
		{"mail, cut off before the report", eml[:900], "mail: its parts: malformed MIME header: missing colon: \"Content-Transfer-Enco\""},
		{"mail without a boundary", []byte("From: a@two.example\nContent-Type: multipart/report\n\nx"), "mail: its parts: multipart: boundary is empty"},
		{"mail in mail in mail", nested, "mail: too many parts within parts"},
		{"mail of many parts", []byte("From: a@two.example\nContent-Type: multipart/mixed; boundary=c\n\n" + strings.Repeat("--c\n\nx\n", maxParts+1) + "--c--\n"), "mail: too many parts within parts"},
		{"mailbox", []byte("From a Mon\nFrom: a@two.example\n\nx\n\nFrom b Tue\nFrom: b@two.example\n\ny\n"), "a mailbox of several mails (hint: save each as a file)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(bytes.NewReader(test.content))
			if err == nil || err.Error() != test.want || got != nil {
				t.Errorf("%d reports, %v\nwant %s", len(got), err, test.want)
			}
		})
	}
}

// TestReadRoom: the limit is for all that is in a file.
func TestReadRoom(t *testing.T) {
	report := append([]byte(`{"policies":[]}`), bytes.Repeat([]byte(" "), 60)...)
	mailed := func(parts ...[]byte) []byte {
		return slices.Concat([]byte("From: a@two.example\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n"), bytes.Join(parts, []byte("\n--c\n\n")), []byte("\n--c--\n"))
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    int // reports; 0: there is no room
	}{
		{"gzip", zipped(t, report), 1},
		{"larger", zipped(t, append(report, bytes.Repeat([]byte(" "), 60)...)), 0},
		{"mail", mailed(zipped(t, report)), 1},
		{"two of them", mailed(zipped(t, report), zipped(t, report)), 0},
		{"JSON as it is", mailed(report, report), 0},
	} {
		got, err := (&unpacker{left: 100}).open(test.content)
		if len(got) != test.want || errors.Is(err, errLarge) != (test.want == 0) {
			t.Errorf("%s: %d reports, %v", test.name, len(got), err)
		}
	}
}

// FuzzRead: whatever a file holds, reading it ends, and what is read can be shown.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"rfc8460.json", "dane.json", "loose.json", "success.json", "report.eml"} {
		f.Add(sample(f, name))
	}
	f.Add(zipped(f, sample(f, "success.json")))
	f.Add(attached("application/json", "quoted-printable", sample(f, "success.json")))
	f.Fuzz(func(t *testing.T, content []byte) {
		reports, err := Read(bytes.NewReader(content))
		if (reports == nil) == (err == nil) {
			t.Errorf("%d reports, %v", len(reports), err)
		}
		for _, g := range Groups(reports) {
			days := int64(0)
			for _, d := range g.Days {
				days = sum(days, d.Sessions)
			}
			if g.Sessions < 1 || days != g.Sessions || g.Place() == "" || g.ResultType == "" || strings.ContainsAny(g.Place()+g.ResultType, "\n\x1b") {
				t.Errorf("%+v", g)
			}
		}
	})
}
