package page_test

import (
	"strconv"
	"testing"
)

// controls are what can be operated and is seen, in their order.
const controls = `[...document.querySelectorAll("a[href], summary, button, input, select, textarea, [tabindex='0']")].filter((e) => e.checkVisibility())`

// press presses a key, and releases it.
func (tb *tab) press(key string, code int, text string) {
	tb.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		params := map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
		if kind == "keyDown" && text != "" {
			params["text"] = text
		}
		tb.must(tb.session, "Input.dispatchKeyEvent", params, nil)
	}
}

// TestKeyboard goes through the page without a mouse: each control gets the focus, in the
// order in which they are read, is in the window then, and has an outline that is seen.
func TestKeyboard(t *testing.T) {
	b := browse(t)
	w := serve(t)
	tb := b.tab()
	tb.must(tb.session, "Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	w.put(site())
	tb.look(1200, "light")
	tb.open(w.url + "/")
	tb.eval(`window.controls = ` + controls + `; window.focused = () => {
		const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
		return controls.indexOf(e) + " " + (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) + " " + (box.top > -1 && box.left > -1 && box.bottom < innerHeight + 1 && box.right < innerWidth + 1 || JSON.stringify(box));
	}; undefined`)
	all, err := strconv.Atoi(tb.eval(`controls.length`))
	if err != nil || all < 20 {
		t.Fatalf("%d controls, %v", all, err)
	}
	for i := range all {
		tb.press("Tab", 9, "")
		if got, want := tb.eval(`focused()`), strconv.Itoa(i)+" true true"; got != want {
			t.Fatalf("control %d, %s: it is %s, want %s (its place, an outline, in the window)", i, tb.eval(`controls[`+strconv.Itoa(i)+`].textContent`), got, want)
		}
	}
	tb.eval(`controls[0].focus()`) // over all that stands above, at once
	tb.press("Enter", 13, "\r")
	tb.press("Tab", 9, "")
	if got := tb.eval(`document.activeElement === document.querySelector("main a[href], main summary")`); got != "true" {
		t.Errorf("the first link leads to %s", tb.eval(`document.activeElement.outerHTML`))
	}
	tb.eval(`document.querySelector(".endpoint summary").focus()`)
	tb.press("Enter", 13, "\r")
	if got := tb.eval(`document.activeElement.parentElement.open`); got != "true" {
		t.Errorf("Enter folds nothing out: %s", got)
	}
}

// TestMotion has nothing move for those whom it makes sick.
func TestMotion(t *testing.T) {
	b := browse(t)
	w := serve(t)
	tb := b.tab()
	w.put(site())
	tb.look(1200, "light")
	tb.open(w.url + "/")
	moving := func(want string) {
		t.Helper()
		if got := tb.eval(`String(document.getAnimations().length > 0)`); got != want {
			t.Errorf("it moves: %s, want %s", got, want)
		}
	}
	moving("false")
	tb.must(tb.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-reduced-motion", "value": "no-preference"}}}, nil)
	moving("true") // or the silence above means nothing
}
