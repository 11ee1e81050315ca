package influxdtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// Each act: what the client hears, and what is stored.
func TestFront(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	if _, err := db.Query(t.Context(), "", "CREATE DATABASE db"); err != nil {
		t.Fatal(err)
	}
	var act influxdtest.Act
	front, err := influxdtest.NewFront(db.URL(), func() influxdtest.Act { return act })
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	want := map[influxdtest.Act]struct {
		status int // 0: no answer
		says   string
		stored int64
	}{
		influxdtest.Pass:      {204, "", 300},
		influxdtest.Page:      {200, "<html>", 0},
		influxdtest.Redirect:  {302, "", 0},
		influxdtest.BadQuery:  {400, "database is required", 0},
		influxdtest.Login:     {401, "authorization failed", 0},
		influxdtest.Forbidden: {403, "not authorized", 0},
		influxdtest.NotFound:  {404, "database not found", 0},
		influxdtest.Large:     {413, "Request Entity Too Large", 0},
		influxdtest.Busy:      {429, "", 0},
		influxdtest.Broken:    {500, "partial write", 0},
		influxdtest.Throttled: {503, "request throttled", 0},
		influxdtest.Hang:      {0, "", 0},
		influxdtest.Reset:     {0, "", 0},
		influxdtest.Cut:       {400, "unexpected EOF", 0},
		influxdtest.Lost:      {0, "", 300},
		influxdtest.LostLate:  {0, "", 300},
		influxdtest.Trickle:   {204, "", 300},
	}
	for _, act = range influxdtest.Acts {
		t.Run(string(act), func(t *testing.T) {
			var body strings.Builder
			for i := range 300 { // more than MaxBody bytes
				fmt.Fprintf(&body, "m v=1i %d\n", i)
			}
			client.Timeout = time.Minute
			if want[act].status == 0 {
				client.Timeout = 300 * time.Millisecond
			}
			status, says := 0, ""
			resp, err := client.Post(front.URL+"/write?db=db", "", strings.NewReader(body.String()))
			if err == nil {
				text, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				status, says = resp.StatusCode, string(text)
			}
			if status != want[act].status || !strings.Contains(says, want[act].says) {
				t.Errorf("answer is %d %q, %v, want %d %q", status, says, err, want[act].status, want[act].says)
			}
			if n := front.Done(act); n != 1 {
				t.Errorf("played %d times", n)
			}
			if n, err := db.Count(t.Context(), "db", "m", ""); n != want[act].stored || err != nil {
				t.Errorf("%d points are stored, %v, want %d", n, err, want[act].stored)
			}
			if _, err := db.Query(t.Context(), "db", "DROP SERIES FROM m"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
