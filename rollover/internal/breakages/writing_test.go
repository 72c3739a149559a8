package breakages

// writing are breakages of the providers.
func writing() []breakage {
	return []breakage{
		{
			name: "an unsigned reply is believed",
			file: "dnsprovider/rfc2136/tsig.go",
			was:  "\tt, offset, err := findTSIG(raw)\n\tif err != nil {",
			is:   "\tt, offset, err := findTSIG(raw)\n\tif errors.Is(err, errUnsigned) {\n\t\treturn nil\n\t}\n\tif err != nil {",
			by:   catch{pkg: "dnsprovider/rfc2136", test: "TestUnsignedReplyIsNotBelieved", says: "NOERROR, and yet nothing has changed"},
			why:  "DESIGN 6; RFC 8945, section 5.3",
		},
		{
			name: "an update has no prerequisites",
			file: "dnsprovider/rfc2136/update.go",
			was:  "\t\tm.Answer = append(m.Answer, prerequisites(it)...)\n",
			is:   "",
			by:   catch{pkg: "dnsprovider/rfc2136", test: "TestPrerequisites", says: "_25._tcp.mx.example.org. 0 NONE CNAME"},
			why:  "DESIGN 6; RFC 2136, section 2.4: compare-and-set",
		},
		{
			name: "a lost reply counts as success",
			file: "dnsprovider/rfc2136/settle.go",
			was:  "\tfor _, it := range items {\n\t\tswitch {\n\t\tcase it.blind != nil:\n\t\t\tit.err = &trouble{",
			is:   "\tfor _, it := range items {\n\t\tswitch {\n\t\tcase true:\n\t\t\tit.err = nil\n\t\tcase it.blind != nil:\n\t\t\tit.err = &trouble{",
			by:   catch{pkg: "dnsprovider/rfc2136", test: "TestRequestLostBeforeTheChange", says: "0 updates arrived, want 1"},
			why:  "DESIGN 6: a lost reply is settled by reading back",
		},
		{
			name: "what the server says it has made is not read back",
			file: "dnsprovider/rfc2136/settle.go",
			was:  "it.err = it.verdict().at(d.here().address)",
			is:   "it.err = nil",
			by:   catch{pkg: "dnsprovider/rfc2136", test: "TestServerIgnoresTheAddition", says: "NOERROR, and yet nothing has changed"},
			why:  "DESIGN 1: a provider's success proves nothing",
		},
		{
			name: "compare-and-set is dropped",
			file: "dnsprovider/memory/provider.go",
			was:  "case !found.Same(c.Before):",
			is:   "case false:",
			by:   catch{pkg: "dnsprovider/memory", test: "TestProvider", says: "error is <nil>, want one of kind [conflict]"},
			why:  "DESIGN 6: only what was read is changed",
		},
	}
}
