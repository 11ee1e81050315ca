package verify_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/verify"
)

// deltas answers with those that it holds.
type deltas struct {
	all   []influx.Delta
	asked []influx.Rollup
}

func (*deltas) Timestamps(context.Context, influx.Series, int64, int64) ([]int64, error) {
	return nil, nil
}

func (d *deltas) Deltas(_ context.Context, r influx.Rollup, from, to int64) (in []influx.Delta, err error) {
	d.asked = append(d.asked, r)
	for _, of := range d.all {
		if of.At >= from && of.At <= to {
			in = append(in, of)
		}
	}
	return in, nil
}

// A file that the state directory does not know is compared with all that is in its windows:
// less than its lines is too little, more may be of other files.
func TestSumsOfUnknownFile(t *testing.T) {
	const lines = 12 // in two windows of a minute, 5 bytes each
	at := func(window, number int, values ...int64) influx.Delta {
		return influx.Delta{At: start.Add(time.Duration(window)*time.Minute).UnixNano() + int64(number), Fields: append(values, make([]int64, len(rollup.SumFields)-len(values))...)}
	}
	window := func(minute int, field string, want, got int64) verify.Window {
		return verify.Window{Time: start.Add(time.Duration(minute) * time.Minute), Expected: map[string]int64{field: want}, Found: map[string]int64{field: got}}
	}
	for _, tt := range []struct {
		name  string
		is    []influx.Delta
		found int64
		want  []verify.Window
	}{
		{"equal", []influx.Delta{at(0, 1, 6, 0, 30), at(1, 1, 6, 0, 30)}, 12, nil},
		{"in several", []influx.Delta{at(0, 1, 4, 0, 20), at(1, 7, 6, 0, 30), at(0, 900, 2, 0, 10)}, 12, nil},
		{"with those of others", []influx.Delta{at(0, 1, 6, 0, 30), at(1, 1, 7, 0, 95)}, 12, nil},
		{"a line is missing", []influx.Delta{at(0, 1, 6, 0, 30), at(1, 1, 5, 0, 30)}, 11, []verify.Window{window(1, "requests", 6, 5)}},
		{"bytes are missing", []influx.Delta{at(0, 1, 6, 0, 29), at(1, 1, 6, 0, 30)}, 12, []verify.Window{window(0, "body_bytes_sent", 30, 29)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeLog(t, lines)
			c := config.Default()
			c.StateDir, c.Sources, c.Host, c.Raw = t.TempDir(), []config.Source{{Name: "web", Path: file, Format: "combined"}}, "web1", false
			c.Drop = []config.DropRule{{{Variable: "path", Match: "/healthz"}}}
			is := &deltas{all: tt.is}
			v, err := verify.Open(&c, is, []rollup.Definition{{Measurement: "site", Interval: time.Minute, RetentionPolicy: "ever"}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Verify(t.Context(), file, "")
			if err != nil {
				t.Fatal(err)
			}
			r := got.Rollups[0]
			if r.Expected != lines || r.Found != tt.found || r.Compared != 2 || got.Added != lines || got.Expected != 0 || got.Differ() != (tt.want != nil) {
				t.Errorf("Verify = %+v, rollup %+v", got, r)
			}
			if diff := cmp.Diff(append([]verify.Window{}, tt.want...), r.Windows); diff != "" {
				t.Errorf("windows (-want +got):\n%s", diff)
			}
			if of := is.asked[0]; of.Measurement != "site" || of.RetentionPolicy != "ever" || of.Source != "web" || of.Host != "web1" || of.Fields[0] != "requests" {
				t.Errorf("it asked for %+v", of)
			}
			var text strings.Builder
			if err := got.Print(&text); err != nil || strings.Contains(text.String(), "points") || !strings.Contains(text.String(), "rollup site\n") ||
				strings.Contains(text.String(), "2026-11-20T10:01:00Z  requests 5 of 6\n") != (tt.name == "a line is missing") {
				t.Errorf("Print: %v\n%s", err, &text)
			}
		})
	}
}

// The last window of all, in which nanoseconds since 1970 end, is compared as others are.
func TestSumsOfTheLastWindow(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		msec     string
	}{
		{time.Minute, "9223372035.500"},
		{24 * time.Hour, "9223372035.500"},
		{24 * time.Hour, "9223286399.999"}, // of the last whole day
	} {
		file := filepath.Join(t.TempDir(), "access.log")
		if err := os.WriteFile(file, []byte(tt.msec+" 200\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		msec, err := strconv.ParseInt(strings.ReplaceAll(tt.msec, ".", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		d := rollup.Definition{Measurement: "site", Interval: tt.interval}
		c := config.Default()
		c.StateDir, c.Sources, c.Raw = t.TempDir(), []config.Source{{Name: "web", Path: file, Format: "$msec $status"}}, false
		is := &deltas{all: []influx.Delta{{At: d.Window(msec*1e6) + 1, Fields: append([]int64{1}, make([]int64, len(rollup.SumFields)-1)...)}}}
		v, err := verify.Open(&c, is, []rollup.Definition{d})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Verify(t.Context(), file, ""); err != nil || got.Rollups[0].Found != 1 || got.Differ() {
			t.Errorf("%s of %s: Verify = %+v, %v", tt.msec, tt.interval, got.Rollups[0], err)
		}
	}
}

// However many points there are in a window, no window is left out.
func TestSumsOfManyWindows(t *testing.T) {
	var b strings.Builder
	is := &deltas{}
	const windows = 500
	for i := range windows {
		at := start.Add(time.Duration(i) * 10 * time.Second)
		fmt.Fprintf(&b, "192.0.2.1 - - [%s] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl\"\n", at.Format("02/Jan/2006:15:04:05 -0700"))
		n := 1
		if i/50%2 == 1 {
			n = 3000
		}
		for j := range n {
			d := influx.Delta{At: at.UnixNano() + int64(j), Fields: make([]int64, len(rollup.SumFields))}
			if d.Fields[0], d.Fields[2] = 1, 5; j > 0 {
				d.Fields[0], d.Fields[2] = 0, 0
			}
			is.all = append(is.all, d)
		}
	}
	file := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.StateDir, c.Sources, c.Raw = t.TempDir(), []config.Source{{Name: "web", Path: file, Format: "combined"}}, false
	v, err := verify.Open(&c, is, []rollup.Definition{{Measurement: "site", Interval: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(t.Context(), file, "")
	if err != nil || got.Rollups[0].Found != windows || got.Rollups[0].Compared != windows || got.Differ() {
		t.Errorf("Verify = %+v, %v", got.Rollups[0], err)
	}
	if n := len(is.asked); n < 20 || n > windows {
		t.Errorf("it asked %d times", n)
	}
}
