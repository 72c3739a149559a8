package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS string

//go:embed live.js
var liveJS string

// whole is the page. What it has of style and script is ours alone, and as we wrote it.
var whole = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(styleCSS) },
	"script": func() template.JS { return template.JS(liveJS) },
}).Parse(pageHTML))

// Write writes a page.
func Write(w io.Writer, v View) error { return whole.Execute(w, v) }

// Policy is the Content-Security-Policy of the page: its own style and script, known by
// their digests, its icon, and the way to ask for news. All else a browser refuses.
var Policy = "default-src 'none'; style-src " + digest(styleCSS) + "; script-src " + digest(liveJS) +
	"; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
