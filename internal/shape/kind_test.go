package shape_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
)

// How lines are cut is known before there is one, unless the format is to be detected.
func TestKindBeforeTheFirstLine(t *testing.T) {
	for _, tt := range []struct {
		name, format, regexp, path, log, source, want string
	}{
		{name: "a preset", format: "combined", source: "web", want: "scanner"},
		{name: "JSON", format: "json", source: "web", want: "json"},
		{name: "a regexp", regexp: `^(?P<msec>\S+) (?P<status>\d+)\b`, source: "web", want: "regexp"},
		{name: "a file of a glob", format: "combined", path: "*.log", source: "web:access", want: "scanner"},
		{name: "auto, no line", format: "auto", source: "web", want: ""},
		{name: "auto, with lines", format: "auto", log: strings.Repeat(jsonLine, 5), source: "web", want: "json"},
		{name: "not configured", format: "combined", source: "other", want: ""},
	} {
		h := newHouse(t)
		h.config.Sources = []config.Source{{Name: "web", Path: h.source.Path, Format: tt.format, Regexp: tt.regexp}}
		if tt.path != "" {
			h.config.Sources[0].Path = filepath.Join(filepath.Dir(h.source.Path), tt.path)
		}
		h.write(tt.log)
		s := h.mustOpen()
		for range 2 {
			if got := s.Kind(tt.source, h.source.Path); got != tt.want {
				t.Errorf("%s: Kind(%s) = %q, want %q", tt.name, tt.source, got, tt.want)
			}
		}
		if tt.name == "auto, no line" {
			h.names(s, strings.Repeat(times, 5))
			if got := s.Kind("web", h.source.Path); got != "scanner" {
				t.Errorf("Kind after the first lines = %q, want scanner", got)
			}
		}
	}
}
