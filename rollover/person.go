package rollover

// NeedsPerson reports whether a condition stays until somebody does something:
// waiting longer will not meet it.
func (c Code) NeedsPerson() bool {
	switch c {
	case CodeNotAdopted, CodePairUnfit, CodeNameMissing, CodeExpired,
		CodeNoProvider, CodeZoneInsecure, CodeForeignCombo, CodeUnlistedOwner, CodeRRsetFull,
		CodeSwapFailed, CodeBackBlocked, CodeFrozen, CodeStashUnreadable:
		return true
	}
	return false
}
