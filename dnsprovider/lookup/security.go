package lookup

// Security is the result of validation (RFC 4033, section 5).
type Security string

// The four states. Indeterminate is an error like Bogus for a DANE client (RFC
// 7672, section 2.1.1).
const (
	Secure        Security = "secure"
	Insecure      Security = "insecure"
	Bogus         Security = "bogus"
	Indeterminate Security = "indeterminate"
)

// worse reports whether s is worse news than t, for a name that needs both.
func (s Security) worse(t Security) bool {
	rank := map[Security]int{Secure: 1, Insecure: 2, Indeterminate: 3, Bogus: 4}
	return rank[s] > rank[t]
}
