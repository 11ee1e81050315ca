package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"sync"
)

//go:embed web/report.html
var markup string

//go:embed web/report.css
var style string

//go:embed web/report.js
var script string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("report").Parse(markup)) })

// WritePage writes the report as one page of HTML. assets are the scripts and styles of the
// live page, which it shares.
func (r *Report) WritePage(w io.Writer, assets fs.FS, version string, fullAddresses bool) error {
	css, js, err := together(assets)
	if err != nil {
		return err
	}
	data, err := r.json()
	if err != nil {
		return err
	}
	v := view{
		Title: r.title(), Version: version, Policy: policy(css, js),
		Style: template.CSS(css), Script: template.JS(js), Data: template.JS(data), // nothing of a log can end them
		At: r.At.UTC(), From: r.From.UTC(), To: r.To.UTC(),
		Tiles: r.tiles(), Notes: r.notes(), Charts: r.charts(), Slots: r.figures(), Tables: r.tables(),
		Rejects: r.rejectRows(), RejectsNote: r.rejectsNote(), Files: r.fileRows(),
		Clients: "Of clients' addresses only the network is shown.",
	}
	if fullAddresses {
		v.Clients = ""
	}
	var b bytes.Buffer
	if err := page().Execute(&b, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = b.WriteTo(w)
	return err
}

// policy lets nothing run but the script of the page, and nothing be asked for.
func policy(css, js string) template.HTML {
	return template.HTML(fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; `+
		`script-src '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'">`, hash(js), hash(css)))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
