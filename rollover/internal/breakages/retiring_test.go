package breakages

// retiring are breakages of what may leave an RRset.
func retiring() []breakage {
	return []breakage{
		{
			name: "a foreign record is taken out",
			file: "rollover/retire.go",
			was:  "\t\tfor _, a := range x.Owners[owner].Ours {",
			is:   "\t\tl := x.Owners[owner]\n\t\tfor _, a := range l.latest().Associations {",
			by:   catch{pkg: "rollover", test: "TestForeignRecordsAreNeverTouched", says: "a foreign record was removed"},
			why:  "DESIGN 1: records that are not ours are never touched",
		},
		{
			name: "records are retired without a look",
			file: "rollover/retire.go",
			was:  "if r := x.needed(s, standing, a); r != nil {",
			is:   "if r := (*Reason)(nil); r != nil {",
			by:   catch{pkg: "rollover", test: "TestRetireWaitsForEveryAddress", says: "takes the match away from"},
			also: chaos(invariant),
			why:  "DESIGN 1, retire; DESIGN 4.8",
		},
		{
			name: "an old look is enough where nobody was seen to need a record",
			file: "rollover/retire.go",
			was:  "if r := l.justLooked(x.now); r != nil {",
			is:   "if r := (*Reason)(nil); r != nil {",
			by:   catch{pkg: "rollover", test: "TestRecordOfADroppedPairWaitsForALook", says: "takes the match away from"},
			why:  "DESIGN 1, retire: unknown is never absent",
		},
		{
			name: "the retire window is dropped",
			file: "rollover/retire.go",
			was:  "\treturn x.policy.Timing.Retire\n",
			is:   "\treturn 0\n",
			by:   catch{pkg: "rollover", test: "TestRetireWaitsForTheWindow", says: "retiring took"},
			why:  "DESIGN 4.8: for a day, so that rollback is free",
		},
		{
			name: "records are retired before every address is seen",
			file: "rollover/evidence.go",
			was:  "\treturn l.sinceThen(p.Last)",
			is:   "\treturn nil",
			by:   catch{pkg: "rollover", test: "TestRetireWaitsForEveryAddress", says: "retired"},
			also: chaos(invariant),
			why:  "DESIGN 4.8: no probe of any address",
		},
		{
			name: "an address presents the old chain, and the record leaves",
			file: "rollover/evidence.go",
			was:  `if at := l.presenting(p.Chain); at != "" {`,
			is:   `if at := l.presenting(p.Chain); at == "nowhere" {`,
			by:   catch{pkg: "rollover", test: "TestChainOfAnotherHostKeepsItsRecord", says: "192.0.2.2:25 presents chain"},
			why:  "DESIGN 4.8: a chain that is presented keeps its records",
		},
		{
			name: "an address is forgotten when DNS shows it no more",
			file: "rollover/evidence.go",
			was:  "return !a.Gone.IsZero() && !now.Before(a.forgotten())",
			is:   "return !a.Gone.IsZero()",
			by:   catch{pkg: "rollover", test: "TestAddressThatLeftDNSCountsForItsTTL", says: "takes the match away from"},
			also: orderly(invariant),
			why:  "DESIGN 4.8: listed now or within its TTL before",
		},
		{
			name: "to install a chain does not count as seeing it",
			file: "rollover/recognize.go",
			was:  `l.presented(id, x.now, "every address of "+lineage)`,
			is:   "_ = id",
			by:   catch{pkg: "rollover", test: "TestRetireWaitsForTheWindow", says: "retiring took"},
			why:  "DESIGN 4.8: installing and taking out count as seeing",
		},
		{
			name: "a sibling's records count for nothing",
			file: "rollover/want.go",
			was:  "for _, name := range s.lineages {\n\t\t\ts.wanted",
			is:   "for _, name := range s.lineages[:1] {\n\t\t\ts.wanted",
			by:   catch{pkg: "rollover", test: "TestSiblingsAreSwappedOneAfterTheOther", says: "not within"},
			why:  "DESIGN 2: all lineages that share an owner name, together",
		},
		{
			name: "a record inside the window is not published again",
			file: "rollover/want.go",
			was:  "if chain == nil || !x.inSight(&l, p) {",
			is:   "if chain == nil || true {",
			by:   catch{pkg: "rollover", test: "TestRecordInsideTheWindowIsPublishedAgain", says: "not within"},
			why:  "DESIGN 4.8: it is still needed",
		},
		{
			name: "the last record is retired",
			file: "rollover/retire.go",
			was:  "\tif left.Denial() {",
			is:   "\tif false {",
			by:   catch{pkg: "rollover", test: "TestLastRecordStays", says: "the zone holds []"},
			why:  "DESIGN 1, retire: DANE is not switched off in passing",
		},
		{
			name: "a freeze keeps no record",
			file: "rollover/retire.go",
			was:  "len(gone) > 0 && !x.frozenAt(s) {",
			is:   "len(gone) > 0 {",
			by:   catch{pkg: "rollover", test: "TestFreezeKeepsRecords", says: "retired in a freeze"},
			why:  "DESIGN 9, freeze: no swap, no retire",
		},
	}
}

// orders are breakages of what a person's words may do.
func orders() []breakage {
	return []breakage{
		{
			name: "withdraw ignores siblings",
			file: "rollover/withdraw.go",
			was:  `return x.Lineages[name].Withdrawn.IsZero() || x.keptBy(name) != ""`,
			is:   "return x.Lineages[name].Withdrawn.IsZero()",
			by:   catch{pkg: "rollover", test: "TestWithdrawBesideASibling", says: "not within"},
			why:  "DESIGN 1: what is left would refuse its chain",
		},
		{
			name: "withdraw leaves foreign records alone that fail the chain",
			file: "rollover/withdraw.go",
			was:  "\tif !left.Denial() {",
			is:   "\tif false {",
			by:   catch{pkg: "rollover", test: "TestWithdrawBesideForeignRecords", says: "takes the match away from"},
			why:  "DESIGN 1, retire: every chain does as well by what is left",
		},
		{
			name: "the server may change before withdrawn records are dead",
			file: "rollover/withdraw.go",
			was:  "case len(alive) == 0:",
			is:   "case !slices.ContainsFunc(l.Ours, l.somewhere):",
			by:   catch{pkg: "rollover", test: "TestWithdraw", says: "the server may change after"},
			why:  "DESIGN 9, withdraw: when the last cached copy is gone",
		},
		{
			name: "rollback asks nobody",
			file: "rollover/orders.go",
			was:  "return unknown || chain == nil || x.strands(owner, chain, previous)",
			is:   "return false && (unknown || x.strands(owner, chain, previous))",
			by:   catch{pkg: "rollover", test: "TestRollbackOfARetiredPair", says: invariant},
			why:  "DESIGN 1, back; DESIGN 9, rollback",
		},
		{
			name: "rollback trusts answers of unknown content",
			file: "rollover/orders.go",
			was:  "return unknown || chain == nil ||",
			is:   "_ = unknown\n\t\t\treturn chain == nil ||",
			by:   catch{pkg: "rollover", test: "TestRollbackBesideTheUnknown", says: "did not wait for caches"},
			why:  "DESIGN 4.4: they may be any",
		},
	}
}
