//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// axe is a program that looks for what keeps people from using a page; make e2e fetches it.
func axe(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("../../.cache/axe-core-*/axe.min.js")
	if err != nil || len(found) != 1 {
		t.Fatalf("axe-core is at %q (%v): make e2e fetches it", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Nothing keeps people from using the page that a program can find: contrast, names, roles,
// order. It looks at all views, light, dark and on a phone, with all that can be opened open.
func testPageAxe(t *testing.T, w *watched) {
	defer w.visit()()
	program := axe(t)
	dark := desk
	dark.dark = true
	for name, on := range map[string]screen{"light": desk, "dark": dark, "phone": {width: 390, height: 844, phone: true}} {
		for _, view := range views {
			p := w.see(t, on, view.at)
			p.until("%s", view.there)
			p.run("document.querySelectorAll('details').forEach((n) => { n.open = true; })")
			p.run("window.scrollTo(0, document.body.scrollHeight)") // requests come
			if view.at == "" {
				p.until("document.querySelector('[data-table=tail] tbody tr')")
			}
			wantAccessible(t, p, program, fmt.Sprintf("%s, %s", name, view.name))
		}
	}
	p := w.see(t, desk, "")
	p.key("?")
	p.until("document.querySelector('#help').open")
	wantAccessible(t, p, program, "keys")
}

func wantAccessible(t *testing.T, p *tab, program, what string) {
	t.Helper()
	p.run("%s", program)
	found := eval[[]string](p, `axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.flatMap((v) =>
		v.nodes.map((n) => v.id + ' (' + v.impact + '): ' + n.target.join(' ') + ': ' + n.html.slice(0, 120) + ' ' + (n.any[0]?.message ?? n.failureSummary))))`)
	if len(found) > 0 {
		t.Errorf("%s: axe-core finds %d:\n%.4000s", what, len(found), strings.Join(found, "\n"))
	}
	if ran := eval[float64](p, "axe.getRules().length"); ran < 80 {
		t.Errorf("axe-core has only %v rules", ran)
	}
}
