package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// double adds one more request to a rollup, as a cut would that begins at the line of that
// number.
func (in *installation) double(measurement string, number int64) {
	in.t.Helper()
	delta := fmt.Sprintf("%s,host=h,source=web,method=GET,status=200 requests=1i %d", measurement, start.UnixNano()+number)
	r, err := http.Post(in.db.URL()+"/write?db=nginx", "", strings.NewReader(delta))
	if err != nil {
		in.t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode != http.StatusNoContent {
		in.t.Fatal(r.Status)
	}
}

// Whatever becomes of the last lines of a file, verify sees that a rollup has more than its
// lines.
func TestVerifyOfDoubledRollups(t *testing.T) {
	const stderr = "2026-11-20T10:00:00.123456789Z stderr F oh\n"
	long := strings.Repeat("x", 70_000) + "\n"
	for _, tt := range []struct {
		name, before, after, later string // before the first start, after the lines, and after the last run
	}{
		{name: "a point"},
		{name: "rejected", after: "odd\nodd\n"},
		{name: "filtered", after: stderr + stderr},
		{name: "empty", after: "\n\n"},
		{name: "too long", after: long},
		{name: "in pieces", after: inPieces(t, lines(9, 1))},
		{name: "the middle was read", before: lines(100, 3), after: "odd\n", later: lines(60, 2) + "odd\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInstallation(t, "--start", "end")
			in.write(tt.before)
			if tt.before != "" {
				in.daemon()()
			}
			in.write(lines(0, 9) + tt.after)
			in.deliver()
			in.write(tt.later)
			code, v := in.verify(in.log)
			if code != 0 || v.Approximate || v.Rollups[0].Found != v.Rollups[0].Expected {
				t.Fatalf("verify before: exit code %d, %+v", code, v)
			}
			in.double("nginx_site", 3)
			want := v.Rollups[0].Expected + 1
			if code, v := in.verify(in.log); code != 1 || v.Rollups[0].Found != want || !v.Differ() {
				t.Errorf("verify: exit code %d, want 1, %d lines found, want %d: %+v", code, v.Rollups[0].Found, want, v.Rollups[0])
			}
		})
	}
}
