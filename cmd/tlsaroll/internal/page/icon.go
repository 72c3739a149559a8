package page

import "strings"

// icon is a ring that closes, as a rollover does, around the tone of the page.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="12.5" fill="none" stroke="COLOUR" stroke-width="4" stroke-dasharray="66 13" stroke-linecap="round" transform="rotate(-60 16 16)"/><circle cx="16" cy="16" r="5" fill="COLOUR"/></svg>`

// Icon is what a browser shows beside the page's title, so that a tab tells how all of it
// stands.
func Icon(t Tone) (svg string, ok bool) {
	// They are seen on light and on dark.
	colour, ok := map[Tone]string{Plain: "#7d8790", Good: "#2e9e5b", Moving: "#3d8bd4", Doubtful: "#d19a1b", Bad: "#e0453a"}[t]
	return strings.ReplaceAll(icon, "COLOUR", colour), ok
}
