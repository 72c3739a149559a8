package breakages

// matching are breakages of the DANE match.
func matching() []breakage {
	return []breakage{
		{
			name: "only the first combination is checked",
			file: "rollover/tlsa/vouch.go",
			was:  "\t\tif i, v := vouch(rest[:n], c, &ref); v.kind != \"\" && v.kind != KindUnusable {\n\t\t\treturn c.explain(&rest[i], &ref, v)\n\t\t}\n\t\trest = rest[n:]",
			is:   "\t\tif i, v := vouch(rest[:n], c, &ref); v.kind != \"\" && v.kind != KindUnusable {\n\t\t\treturn c.explain(&rest[i], &ref, v)\n\t\t}\n\t\trest = nil",
			by:   catch{pkg: "rollover/tlsa", test: "TestVouches", says: "want \"no-match\""},
			also: chaos(invariant),
			why:  "RFC 7671, section 8: for each combination",
		},
		{
			name: "digest agility is dropped",
			file: "rollover/tlsa/vouch.go",
			was:  "if s.outclassed(i, ref) {",
			is:   "if i < 0 {",
			by:   catch{pkg: "rollover/tlsa", test: "TestVouches", says: "Authenticates: got"},
			why:  "RFC 7671, section 9; RFC 7672, section 5",
		},
		{
			name: "a trust anchor need only be the leaf",
			file: "rollover/tlsa/match.go",
			was:  "for h := top.next(ref.Time); h != nil; h = h.next(ref.Time) {",
			is:   "for h := top; h != nil; h = h.next(ref.Time) {",
			by:   catch{pkg: "rollover/tlsa", test: "TestMatch", says: ": <nil>"},
			why:  "RFC 7671, section 5.2: it stands above the leaf",
		},
		{
			name: "DANE-TA does not ask for the name",
			file: "rollover/tlsa/match.go",
			was:  "case !c.named(ref.Names):",
			is:   "case false:",
			by:   catch{pkg: "rollover/tlsa", test: "TestMatchReasons", says: "want the leaf is for a.example.org"},
			why:  "RFC 7671, section 5.2; RFC 7672, section 3.2.2",
		},
		{
			name: "an expired intermediate is accepted",
			file: "rollover/tlsa/path.go",
			was:  "\tfor ; h != nil; h = h.below {\n\t\tif !inDate(h.cert, at) {",
			is:   "\tfor ; h != nil; h = h.below {\n\t\tif h.below == nil && !inDate(h.cert, at) {",
			by:   catch{pkg: "rollover/tlsa", test: "TestMatchReasons", says: "got  <nil>"},
			why:  "RFC 5280, section 6.1.3 (a)(2)",
		},
		{
			name: "the PKIX usages are taken for SMTP",
			file: "rollover/tlsa/usable.go",
			was:  "case a.Usage < DANETA && ref.SMTP:",
			is:   "case false:",
			by:   catch{pkg: "rollover/tlsa", test: "TestUnusable", says: "got <nil>, want tlsa 0 1 1"},
			why:  "RFC 7672, section 3.1.3",
		},
		{
			name: "the PKIX usages do without a trusted CA",
			file: "rollover/tlsa/match.go",
			was:  "if a.Usage < DANETA && ref.Roots != nil {",
			is:   "if a.Usage < DANETA && ref.Roots == nil {",
			by:   catch{pkg: "rollover/tlsa", test: "TestMatchTrusted", says: "\"untrusted\""},
			why:  "RFC 7671, section 5.3",
		},
		{
			name: "a publisher counts on trust anchors from the record",
			file: "rollover/tlsa/vouch.go",
			was:  "\t\tif w.bare {",
			is:   "\t\tif false {",
			by:   catch{pkg: "rollover/tlsa", test: "TestVouches", says: "want \"ta-not-in-chain\""},
			why:  "RFC 7671, section 5.2.3: not every client finds them",
		},
	}
}
