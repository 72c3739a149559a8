package rollover

// keyCodes are about keys that are made before there is a certificate for them. The
// rules tell none of them; who keeps the keys does, with [NewWarning].
var keyCodes = []Explanation{
	{
		Code: CodeStandbyLost, Severity: Warn,
		Means:  "The standby key whose record stands is not in the state directory any more. Another one was made, and its wait starts anew.",
		Shows:  "When the key is missed; until the record of the new one can be in every cache, or this process ends.",
		Clears: "When a certificate of the new key could be swapped in at once.",
		Do:     "Nothing, if the directory was removed on purpose. A renewal before the new key is ready waits as one without a standby key does.",
	}, {
		Code: CodeStandbyUnreadable, Severity: Danger,
		Means:  "The standby key cannot be read, or another one cannot be made. Its record stays, and a renewal cannot use it.",
		Shows:  "When a poll cannot read it.",
		Clears: "When a poll can read it.",
		Do:     "Do what the sentence says; to give the key up, remove its file: another one is made then.",
	}, {
		Code: CodeStandbyAbsent, Severity: Warn,
		Means:  "The scheme asks for a standby key, and the ACME client keeps none, so that nothing is published ahead.",
		Shows:  "While the file of the client's next key is missing.",
		Clears: "When it is there and can be read.",
		Do:     "Set what the sentence names in the ACME client, or take standby out of the scheme.",
	}, {
		Code: CodeStandbyOtherType, Severity: Info,
		Means:  "The standby key was made before key-type was changed. It has waited, so that it is used first.",
		Shows:  "While the standby key is of another type than the configuration asks for.",
		Clears: "When the next one is made.",
		Do:     "Nothing; to change the type at once, at the price of a wait, remove the key's file.",
	}, {
		Code: CodeStandbyToCome, Severity: Info,
		Means:  "There is no standby key yet: it is made with the first pass that may change something, once it is known what is live.",
		Shows:  "Until it is made.",
		Clears: "When it is made.",
		Do:     "Nothing.",
	},
}
