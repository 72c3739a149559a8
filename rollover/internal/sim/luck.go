package sim

// unlucky is true one time in n, while chaos reigns. What it is asked for decides,
// not how often it was asked before: looks are made side by side.
func (w *World) unlucky(n uint64, what string) bool {
	if w.rng == nil {
		return false
	}
	h := w.seed ^ uint64(w.passes)*0x9e3779b97f4a7c15 ^ uint64(w.Now.UnixNano())
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 0x100000001b3
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return (h^h>>31)%n == 0
}

// fault is the error that the next action of a kind is to end with, if any.
func (w *World) fault(action string) string {
	if err := w.Faults[action]; err != "" {
		delete(w.Faults, action)
		return err
	}
	if w.limited {
		return "429: too many requests (retry after 60 s)"
	}
	if w.unlucky(25, action) {
		return action + ": out of luck"
	}
	return ""
}
