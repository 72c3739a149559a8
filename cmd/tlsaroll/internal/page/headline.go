package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// kinds are lineages that stand alike, by their names.
type kinds struct {
	errors, warnings, doubtful []string
	moving                     []Lineage
	pairless, plain            []string
	steady                     int
}

func (v View) kinds() (k kinds) {
	for _, l := range v.Lineages {
		switch {
		case l.Tone == Bad:
			k.errors = append(k.errors, l.Name)
		case l.Tone == Doubtful && l.Warnings > 0:
			k.warnings = append(k.warnings, l.Name)
		case l.Tone == Doubtful:
			k.doubtful = append(k.doubtful, l.Name)
		case l.Tone == Moving:
			k.moving = append(k.moving, l)
		case l.Badge.Tone == Plain:
			k.pairless = append(k.pairless, l.Name)
		case l.Tone == Plain:
			k.plain = append(k.plain, l.Name)
		default:
			k.steady++
		}
	}
	return k
}

// summary is how all of it stands: in a headline, in the same without what changes while
// nothing happens, and in a sentence. All is well only where all was seen to be.
func (v View) summary() (headline, told, said string) {
	k := v.kinds()
	headline = v.headline(k)
	told = headline
	if len(k.moving) == 1 && strings.HasPrefix(headline, rolling) {
		told = rolling + k.moving[0].Name + ", " + k.moving[0].Badge.Word
	}
	return headline, told, v.said(k)
}

const rolling = "Rolling over: "

func (v View) headline(k kinds) string {
	watch := slices.Concat(k.warnings, k.doubtful)
	switch {
	case len(k.errors) > 0:
		return few(k.errors) + needs(len(k.errors)) + "you"
	case v.Tone == Bad:
		return "tlsaroll itself needs you"
	case len(watch) > 0:
		return few(watch) + cmp.Or(v.claim(watch), needs(len(watch))+"a look")
	case v.Tone == Doubtful:
		return "tlsaroll itself needs a look"
	case len(v.Lineages) == 0:
		return "There is no lineage yet"
	case len(k.moving) == 1:
		return rolling + k.moving[0].Name + ", " + k.moving[0].going
	case len(k.moving) > 1:
		var names []string
		for _, l := range k.moving {
			names = append(names, l.Name)
		}
		return rolling + few(names)
	}
	if open := slices.Concat(k.pairless, k.plain); len(open) > 0 {
		return few(open) + cmp.Or(v.claim(open), " are not verified")
	}
	return "All is well"
}

// claim is what the worst doubt says of all of them, "" where they differ, or where it is not
// what is worst about them.
func (v View) claim(names []string) (claim string) {
	for _, l := range v.Lineages {
		if !slices.Contains(names, l.Name) {
			continue
		}
		if len(l.Doubts) == 0 || l.Doubts[0].Tone != l.Tone {
			return ""
		}
		d := " " + l.Doubts[0].one
		if len(names) > 1 {
			d = " " + l.Doubts[0].many
		}
		if claim != "" && claim != d {
			return ""
		}
		claim = d
	}
	return claim
}

func (v View) said(k kinds) string {
	switch len(v.Lineages) {
	case 0:
		return "The configuration names none (hint: tlsaroll init writes one from what it finds on this host)."
	case 1:
		return v.Lineages[0].Sentence + "."
	}
	parts := []string{}
	for _, p := range []struct {
		n    int
		text string
	}{
		{len(k.errors), "with errors"}, {len(k.warnings), "with warnings"}, {len(k.doubtful), "in doubt"}, {len(k.pairless), "without a pair"},
		{len(k.plain), "not verified"}, {len(k.moving), "rolling over"}, {k.steady, "steady"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.text))
		}
	}
	return number(len(v.Lineages), "lineage", "lineages") + ": " + strings.Join(parts, ", ") + "."
}

// soonest is the next step of all that have a time, nil where none has.
func (v View) soonest() (next *NextStep) {
	for i := range v.Lineages {
		l := &v.Lineages[i]
		if l.Next.When == nil || next != nil && !l.Next.When.at.Before(next.When.at) {
			continue
		}
		next = &NextStep{l.Next.Text, l.Next.When}
		if len(v.Lineages) > 1 {
			next.Text = l.Name + ": " + next.Text
		}
	}
	return next
}

func needs(n int) string {
	if n == 1 {
		return " needs "
	}
	return " need "
}

// few names a handful, and counts more.
func few(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%d lineages", len(names))
	}
	if len(names) > 1 {
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return names[0]
}
