package influx_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// golden are the answers of one server, in testdata/answers.
type golden struct {
	server    string
	ping      int
	version   string // header
	past      time.Duration
	future    time.Duration
	retention string // "" if it has none
	writes    []goldenWrite
}

type goldenWrite struct {
	want   influx.Verdict
	status int
	body   string // CLIENT stands for text of a client
}

// client is what stands for it.
const client = "CLIENT"

var verdicts = map[string]influx.Verdict{
	"Stored": influx.Stored, "Retry": influx.Retry, "Slow": influx.Slow, "TooLarge": influx.TooLarge,
	"Refused": influx.Refused, "OutOfTime": influx.OutOfTime, "Unclear": influx.Unclear,
}

func goldenAnswers(tb testing.TB) (all []golden) {
	tb.Helper()
	files, err := filepath.Glob("testdata/answers/*.txt")
	if err != nil || len(files) < 6 {
		tb.Fatalf("found %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		g := golden{server: strings.TrimSuffix(filepath.Base(file), ".txt")}
		for line := range strings.Lines(string(text)) {
			words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
			switch words[0] {
			case "ping":
				g.ping, err = strconv.Atoi(words[1])
				if len(words) == 4 {
					g.version = words[3]
				}
			case "retention":
				g.past, _ = time.ParseDuration(words[1])
				g.future, _ = time.ParseDuration(words[2])
				g.retention = words[3]
			case "write":
				want, known := verdicts[words[1]]
				status, notStatus := strconv.Atoi(words[2])
				if !known {
					tb.Fatalf("%s: no verdict %s", file, words[1])
				}
				err = notStatus
				g.writes = append(g.writes, goldenWrite{want, status, words[3]})
			case "#":
			default:
				tb.Fatalf("%s: %s", file, line)
			}
			if err != nil {
				tb.Fatalf("%s: %s: %v", file, line, err)
			}
		}
		all = append(all, g)
	}
	return all
}

// said is a body that quotes a text of a client, as the servers do.
func said(body, text string) string {
	if strings.HasPrefix(body, "{") {
		quoted, err := json.Marshal(text)
		if err != nil {
			panic(err)
		}
		text = string(quoted[1 : len(quoted)-1])
	}
	return strings.ReplaceAll(body, client, text)
}

// inRefusals are texts of clients that may be taken for the server's.
var inRefusals = []string{
	"/a", "/x pending deletion", "/x points beyond retention policy HTTP/1.1", "/x dropped 1 points outside retention policy of duration 1h",
	"timeout", "413", "influxdb answered 413: x", "partial write: shard 1 is pending deletion dropped=1", "dropped=0",
	`{"error":"database is required"}`, `"}`, `","error":"x`, `\`, `\"`, `'`, "a\nb", "\npartial write: points beyond retention policy", "<html>", "\x00\xff", "field type conflict",
	"unable to parse '", "max-values-per-tag limit exceeded", "ä€😀", " ", "%s%d", "retention policy not found", strings.Repeat("x", 70_000),
}

// Each answer of each server, whatever a client has written into it.
func TestAnswersAreJudgedByWhatTheServerWrote(t *testing.T) {
	status, body := 0, ""
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	c := newClient(t, s.URL, nil)
	for _, g := range goldenAnswers(t) {
		for i, answer := range g.writes {
			t.Run(fmt.Sprint(g.server, i), func(t *testing.T) {
				want := ""
				for _, text := range inRefusals {
					status, body = answer.status, said(answer.body, text)
					err := c.Write(t.Context(), pieces(10))
					if got := influx.VerdictOf(err); got != answer.want {
						t.Errorf("the verdict of %d %.300s is %v, want %v", status, body, got, answer.want)
					}
					brief := influx.Brief(err.Error())
					if !slices.Contains(influx.Briefs(), brief) {
						t.Errorf("Brief = %q, which is not among Briefs", brief)
					}
					if want == "" {
						want = brief
					}
					if brief != want || answer.status == 413 != (brief == "too large") {
						t.Errorf("%d %.300s is in brief %q, want %q", status, body, brief, want)
					}
				}
			})
		}
	}
}

// Random text of clients changes nothing either.
func FuzzClientTextInAnswers(f *testing.F) {
	for _, text := range inRefusals {
		f.Add(text)
	}
	all := goldenAnswers(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, g := range all {
			for _, answer := range g.writes {
				body := said(answer.body, text)
				err := influx.AnswerOf(answer.status, []byte(body))
				if got := influx.VerdictOf(err); got != answer.want {
					t.Errorf("the verdict of %d %s is %v, want %v", answer.status, body, got, answer.want)
				}
				plain := influx.AnswerOf(answer.status, []byte(said(answer.body, "x")))
				if got, want := influx.Brief(err.Error()), influx.Brief(plain.Error()); got != want {
					t.Errorf("%d %s is in brief %q, want %q", answer.status, body, got, want)
				}
			}
		}
	})
}

// What a policy takes is read from the answers of each version.
func TestRetentionOfEachVersion(t *testing.T) {
	for _, g := range goldenAnswers(t) {
		if g.retention == "" {
			continue
		}
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, g.retention)
		})
		got, err := newClient(t, s.URL, nil).Retention(t.Context())
		if want := (influx.Window{Past: g.past, Future: g.future}); got != want || (err == nil) != (g.past > 0) {
			t.Errorf("%s: Retention = %v, %v, want %v", g.server, got, err, want)
		}
	}
}
