package history

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// form is how an answer is wanted.
type form struct {
	csv bool
	of  string // "": all of it
}

// sheets are what can be wanted alone.
var sheets = []string{
	"requests", "classes", "errors", "times", "bytes", partObserved,
	partPaths, partFailing, partSlowest, partHosts, partSources, partStatuses,
}

func parseForm(v url.Values) (f form, err error) {
	f.of = v.Get("of")
	switch {
	case v.Has("of") && !slices.Contains(sheets, f.of):
		return f, fmt.Errorf("of: got %q, want one of %s", f.of, strings.Join(sheets, ", "))
	case v.Get("format") == "csv" && f.of == "":
		return f, fmt.Errorf("format=csv: want of=, one of %s", strings.Join(sheets, ", "))
	case v.Has("format") && v.Get("format") != "csv" && v.Get("format") != "json":
		return f, fmt.Errorf("format: got %q, want csv or json", v.Get("format"))
	}
	f.csv = v.Get("format") == "csv"
	return f, nil
}

func (f form) contentType() string {
	if f.csv {
		return "text/csv; charset=utf-8; header=present"
	}
	return "application/json"
}

func (f form) fileName(a *Answer) string {
	const layout = "20060102T1504Z"
	ext := "json"
	if f.csv {
		ext = "csv"
	}
	return fmt.Sprintf("tailflux-%s-%s-%s.%s", f.of, a.From.Format(layout), a.To.Format(layout), ext)
}

func (f form) render(a *Answer) ([]byte, error) {
	if f.of == "" {
		return encode(a)
	}
	s := a.sheet(f.of)
	if f.csv {
		return s.csv()
	}
	return s.json()
}

// sheet is a table of texts, numbers and times.
type sheet struct {
	columns []string
	rows    [][]any // string, int64, live.Number or time.Time
}

func (s *sheet) add(row ...any) { s.rows = append(s.rows, row) }

// json has an object for each row.
func (s *sheet) json() ([]byte, error) {
	objects := make([]map[string]any, 0, len(s.rows))
	for _, row := range s.rows {
		object := map[string]any{}
		for i, column := range s.columns {
			object[column] = row[i]
		}
		objects = append(objects, object)
	}
	return encode(objects)
}

func (s *sheet) csv() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if err := w.Write(s.columns); err != nil {
		return nil, err
	}
	for _, row := range s.rows {
		var cells []string
		for _, value := range row {
			cells = append(cells, cell(value))
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// cell is a value as text. A path may begin with what makes it a formula for whoever opens
// it in a spreadsheet: an apostrophe before it makes it text.
func cell(value any) string {
	switch v := value.(type) {
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r\n", rune(v[0])) {
			return "'" + v
		}
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		return v.Format(time.RFC3339)
	case live.Number:
		if isNone(v) {
			return ""
		}
		return strconv.FormatFloat(float64(v), 'f', -1, 64)
	}
	return ""
}

// sheet is a part of the answer.
func (a *Answer) sheet(of string) *sheet {
	s, before := &a.Series, &a.Previous.Series
	out := &sheet{columns: []string{"time", "seconds"}}
	// each makes a row of each bucket.
	each := func(columns []string, values func(i int) []any) *sheet {
		out.columns = append(out.columns, columns...)
		for i := range s.Time {
			out.add(append([]any{time.Unix(s.Time[i], 0).UTC(), s.Seconds[i]}, values(i)...)...)
		}
		return out
	}
	switch of {
	case "requests":
		return each([]string{"requests", "requests_per_second", "previous_requests", "previous_requests_per_second", "observed"}, func(i int) []any {
			return []any{
				s.Requests[i], s.Requests[i] / live.Number(s.Seconds[i]), before.Requests[i],
				before.Requests[i] / live.Number(s.Seconds[i]), s.Observed[i],
			}
		})
	case "bytes":
		return each([]string{"bytes", "bytes_per_second", "previous_bytes", "previous_bytes_per_second"}, func(i int) []any {
			return []any{s.Bytes[i], s.Bytes[i] / live.Number(s.Seconds[i]), before.Bytes[i], before.Bytes[i] / live.Number(s.Seconds[i])}
		})
	case "classes":
		return each(classes, func(i int) (row []any) {
			for _, name := range classes {
				n := live.None()
				if counts := s.Classes[name]; counts != nil && !isNone(s.Requests[i]) {
					n = live.Number(counts[i])
				}
				row = append(row, n)
			}
			return row
		})
	case "errors":
		return each([]string{"error_share", "previous_error_share"}, func(i int) []any { return []any{s.Errors[i], before.Errors[i]} })
	case "times":
		return each([]string{"p50", "p95", "p99", "previous_p50", "previous_p95", "previous_p99"}, func(i int) []any {
			return []any{s.P50[i], s.P95[i], s.P99[i], before.P50[i], before.P95[i], before.P99[i]}
		})
	case partObserved:
		out.columns = append(out.columns, "host", "source", "observed")
		for _, o := range a.Observed {
			for i := range s.Time {
				out.add(time.Unix(s.Time[i], 0).UTC(), s.Seconds[i], o.Host, o.Source, o.Share[i])
			}
		}
		return out
	case partStatuses: // nothing else is asked of them
		out.columns = []string{"name", "requests", "client_errors", "server_errors"}
		for _, r := range a.Tables[of] {
			out.add(r.Name, r.Requests, r.ClientErrors, r.ServerErrors)
		}
		return out
	}
	out.columns = []string{"name", "requests", "client_errors", "server_errors", "bytes", "mean", "p95"}
	for _, r := range a.Tables[of] {
		out.add(r.Name, r.Requests, r.ClientErrors, r.ServerErrors, r.Bytes, r.Mean, r.P95)
	}
	return out
}
