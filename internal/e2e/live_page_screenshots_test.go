//go:build e2e

package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "directory that gets pictures of the live page; by default they are artefacts of the test (go test -artifacts)")

// Pictures of the page, to be looked at.
func testPageScreenshots(t *testing.T, w *watched) {
	dir := *screenshots
	if dir == "" {
		dir = t.ArtifactDir()
	}
	defer w.visit()()
	dark := desk
	dark.dark = true
	for _, tt := range []struct {
		name string
		on   screen
		view int
	}{
		{"live", desk, 1},
		{"live-dark", dark, 1},
		{"live-phone", screen{width: 390, height: 844, phone: true}, 1},
		{"history", desk, 0},
		{"history-dark", dark, 0},
		{"history-phone", screen{width: 390, height: 844, phone: true}, 0},
	} {
		p := w.see(t, tt.on, views[tt.view].at)
		p.until("%s", views[tt.view].there)
		if tt.view == 1 {
			time.Sleep(6 * time.Second) // rates are of some seconds, and a slot is whole
		}
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, tt.name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
