// Package agent is the shell around the rules of package rollover: it looks,
// asks rollover.Next, remembers, acts. It is what an embedding program calls.
//
// Each pass walks the whole line for one owner group: the staged files, the
// authoritative servers, the validating resolver and the endpoints are looked
// at as far as a look is due; Next decides; the state that it returns is synced
// to the journal; then the actions are carried out, and how each ended is
// entered and synced again. A crash at any line is followed by a pass that looks
// again and plans the same or a later step.
//
// Nothing here decides. What is due when, and why nothing more is done, stands in
// the plan.
package agent
