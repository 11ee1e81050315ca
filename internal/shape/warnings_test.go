package shape_test

import (
	"strings"
	"testing"
)

// JSON of which nothing is known becomes points without content: that is said once, as
// soon as there are lines, with the keys that there are.
func TestJSONWithoutAKnownKeyIsSaid(t *testing.T) {
	const (
		unknown = `{"time":"2026-11-20T10:00:00Z","DownstreamStatus":200,"req":{"Verb":"GET"}}` + "\n"
		known   = `{"time":"2026-11-20T10:00:00Z","status":200}` + "\n"
	)
	for _, tt := range []struct {
		name, there, read string
		want              int // times it is said
	}{
		{"at the start", unknown, unknown, 1},
		{"when there are lines", "", unknown + unknown, 1},
		{"of one line that has a key", "", unknown + known, 0},
		{"known ones", known, known, 0},
		{"no JSON", "", "x\n", 0},
		{"nothing", "", "\n", 0},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.write(tt.there)
		s := h.mustOpen()
		h.names(s, tt.read)
		if got := strings.Count(h.log.String(), "lines do not have what points are made of"); got != tt.want {
			t.Errorf("%s: said %d times, want %d:\n%s", tt.name, got, tt.want, h.log.String())
		}
		if tt.want > 0 && (!strings.Contains(h.log.String(), "DownstreamStatus, req.Verb") || !strings.Contains(h.log.String(), "rename: {DownstreamStatus: status}")) {
			t.Errorf("%s: want the keys and a remedy in\n%s", tt.name, h.log.String())
		}
	}
}

func TestWhatCanNeverComeIsSaidAtTheStart(t *testing.T) {
	h := newHouse(t)
	h.config.Sources[0].Format = "combined"
	h.config.Tags = []string{"methd"}
	h.mustOpen()
	if want := "tags: the format has nothing for methd; did you mean method?"; !strings.Contains(h.log.String(), want) {
		t.Errorf("the start says\n%swant %q", h.log.String(), want)
	}
}

// Of JSON, only its lines show what can never come.
func TestWhatJSONLinesNeverHaveIsSaid(t *testing.T) {
	for there, want := range map[string]string{
		`{"time":"2026-11-20T10:00:00Z","status":200,"method":"GET"}`: "tags: the lines have nothing for methd; did you mean method?",
		`{"time":"2026-11-20T10:00:00Z","status":200,"methd":""}`:     "",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.config.Tags = []string{"methd", "status"}
		h.write(there + "\n")
		h.mustOpen()
		if got := h.log.String(); want != "" && !strings.Contains(got, want) || want == "" && strings.Contains(got, "nothing for") {
			t.Errorf("%s: the start says\n%swant %q", there, got, want)
		}
	}
}
