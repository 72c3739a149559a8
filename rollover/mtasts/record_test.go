package mtasts

import "testing"

func TestParseRecord(t *testing.T) {
	for _, test := range []struct {
		name  string
		texts []string
		want  Record
		err   string
	}{
		{"one", []string{"v=STSv1; id=20260101T000000;"}, Record{"v=STSv1; id=20260101T000000;", "20260101T000000"}, ""},
		{"no blanks, no end", []string{"v=STSv1;id=a"}, Record{"v=STSv1;id=a", "a"}, ""},
		{"a blank before the semicolon", []string{"v=STSv1 ;\tid=a ; "}, Record{"v=STSv1 ;\tid=a ; ", "a"}, ""},
		{"extension", []string{"v=STSv1; id=a; x.y-z_1=!:~;"}, Record{"v=STSv1; id=a; x.y-z_1=!:~;", "a"}, ""},
		{"beside others", []string{"v=spf1 -all", "v=STSv1;id=a", "v=STSv10; id=b"}, Record{"v=STSv1;id=a", "a"}, ""},
		{"twice in one: the first counts", []string{"v=STSv1; id=a; id=b"}, Record{"v=STSv1; id=a; id=b", "a"}, ""},
		{"none", nil, Record{}, ""},
		{"others alone", []string{"v=spf1 -all", "STSv1"}, Record{}, ""},

		{"two", []string{"v=STSv1; id=a", "v=STSv1; id=b"}, Record{Text: "v=STSv1; id=a v=STSv1; id=b"}, "2 records, want one (RFC 8461, section 3.1)"},
		{"no id", []string{"v=STSv1; foo=bar"}, Record{Text: "v=STSv1; foo=bar"}, "it has no id (RFC 8461, section 3.1)"},
		{"nothing but the version", []string{"v=STSv1;"}, Record{Text: "v=STSv1;"}, "it has no id (RFC 8461, section 3.1)"},
		{"an id with dashes", []string{"v=STSv1; id=2026-01-01;"}, Record{"v=STSv1; id=2026-01-01;", "2026-01-01"}, `id "2026-01-01": want up to 32 letters and digits (RFC 8461, section 3.1)`},
		{"an id that is too long", []string{"v=STSv1; id=123456789012345678901234567890123"}, Record{"v=STSv1; id=123456789012345678901234567890123", "123456789012345678901234567890123"},
			`id "123456789012345678901234567890123": want up to 32 letters and digits (RFC 8461, section 3.1)`},
		{"an empty id", []string{"v=STSv1; id=;"}, Record{Text: "v=STSv1; id=;"}, `id "": want up to 32 letters and digits (RFC 8461, section 3.1)`},
		{"blanks around =", []string{"v=STSv1; id = a"}, Record{"v=STSv1; id = a", "a"}, `"id = a": want NAME=VALUE (RFC 8461, section 3.1)`},
		{"no =", []string{"v=STSv1; id=a; x"}, Record{"v=STSv1; id=a; x", "a"}, `"x": want NAME=VALUE (RFC 8461, section 3.1)`},
		{"two semicolons", []string{"v=STSv1;; id=a"}, Record{"v=STSv1;; id=a", "a"}, `"": want NAME=VALUE (RFC 8461, section 3.1)`},
		{"no semicolon", []string{"v=STSv1 id=a"}, Record{Text: "v=STSv1 id=a"}, `it begins with "v=STSv1 id=a", want "v=STSv1;" (RFC 8461, section 3.1)`},
		{"case", []string{"v=stsv1; id=a"}, Record{Text: "v=stsv1; id=a"}, `it begins with "v=stsv1; id=a", want "v=STSv1;" (RFC 8461, section 3.1)`},
		{"a blank in front", []string{" v=STSv1; id=a"}, Record{Text: " v=STSv1; id=a"}, `it begins with " v=STSv1; id=a", want "v=STSv1;" (RFC 8461, section 3.1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := ParseRecord(test.texts)
			if r != test.want || said(err) != test.err {
				t.Errorf("got  %+v, %v\nwant %+v, %s", r, err, test.want, test.err)
			}
		})
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add("v=STSv1; id=a", "v=STSv1; id=b")
	f.Add("v=STSv1;;", "v=stsv1")
	f.Add("v=STSv1; id = a; =", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, err := ParseRecord([]string{a})
		if err == nil && one.Text != "" && !identifier.MatchString(one.ID) {
			t.Errorf("usable with id %q", one.ID)
		}
		ab, errAB := ParseRecord([]string{a, b})
		ba, errBA := ParseRecord([]string{b, a})
		if ab.ID != ba.ID || (errAB == nil) != (errBA == nil) {
			t.Errorf("the order decides: %+v %v, %+v %v", ab, errAB, ba, errBA)
		}
	})
}
