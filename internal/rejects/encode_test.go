package rejects_test

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
)

// slowly is an entry as encoding/json writes it.
func slowly(e *rejects.Entry) ([]byte, error) {
	const maxLine = 8 << 10
	out := struct {
		Time       time.Time   `json:"time"`
		Source     string      `json:"source"`
		Generation int64       `json:"generation"`
		LineNumber int64       `json:"line_number"`
		Number     int64       `json:"number,omitempty"`
		Kind       string      `json:"kind,omitempty"`
		Rollup     string      `json:"rollup,omitempty"`
		Reason     flow.Reason `json:"reason"`
		Line       string      `json:"line"`
		LineBytes  int64       `json:"line_bytes,omitempty"`
		Whole      []byte      `json:"line_base64,omitempty"`
	}{Time: e.Time, Source: e.Source, Generation: e.Generation, LineNumber: e.LineNumber, Kind: e.Kind, Rollup: e.Rollup, Reason: e.Reason}
	if e.Number != e.LineNumber {
		out.Number = e.Number
	}
	head := e.Line[:min(len(e.Line), maxLine)]
	if e.LineBytes > int64(len(head)) {
		out.LineBytes = e.LineBytes
	}
	out.Line = escape.Invalid(string(head), escape.Hex)
	if e.LineBytes == int64(len(e.Line)) && out.Line != "" && (out.LineBytes > 0 || !utf8.Valid(e.Line) || escaped.MatchString(out.Line)) {
		out.Whole = e.Line
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(out)
	return buf.Bytes(), err
}

var escaped = regexp.MustCompile(`\\x[89A-F][0-9A-F]`)

// An entry is what encoding/json would write, to the byte, also behind another one.
func FuzzEncode(f *testing.F) {
	f.Add([]byte(`1.2.3.4 - - "GET /<a>&b \x22 \xE4\" 200`), "web", "no match", "", int64(0), int64(1), int64(1))
	f.Add([]byte("\x00\b\t\n\v\f\r\x1b \x7f\u0080\u2028\u2029\ufffd\U0001f600\xff\xe2\x80"), "\u2028\xff<>&", "refused: \"\\\n", "rollup", int64(1), int64(2), int64(-3))
	f.Add([]byte(strings.Repeat("ab\"é", 2048)), "", "", "redelivered", int64(7000), int64(math.MaxInt64), int64(0))
	f.Add([]byte(`\x`), "", `\xA`, `\xFF`, int64(math.MinInt64), int64(0), int64(5))
	f.Add([]byte(`\x8 \xA0`), "", "\xf0\x9f\x98", "\xed\xa0\x80", int64(-1), int64(0), int64(5))
	encode, dst := rejects.NewEncoder(), []byte(nil)
	f.Fuzz(func(t *testing.T, line []byte, source, reason, kind string, more, number, lineNumber int64) {
		e := rejects.Entry{
			Time: time.Unix(number%1e12, more).UTC(), Source: source, Generation: more, LineNumber: lineNumber, Number: number,
			Kind: kind, Rollup: kind, Reason: flow.Reason(reason), Line: line, LineBytes: int64(len(line)) + max(0, more),
		}
		for range 2 { // the second has the same head
			want, wantErr := slowly(&e)
			var err error
			if dst, err = encode(dst[:0], &e); (err != nil) != (wantErr != nil) || err == nil && !bytes.Equal(dst, want) {
				t.Fatalf("%+v is encoded as\n%s, %v, want\n%s, %v", e, dst, err, want, wantErr)
			}
			e.Kind, e.Rollup, e.LineNumber = "", "", number
			e.LineBytes = int64(len(line))
		}
	})
}

// Each byte at each place of a word is written as it must be.
func TestEncodeEachByte(t *testing.T) {
	encode := rejects.NewEncoder()
	for c := range 256 {
		for at := range 17 {
			line := []byte("0123456789abcdefg")
			line[at] = byte(c)
			line[at/2] = byte(c + 1)
			if at%3 == 0 {
				line[at/2] = 'x'
			}
			e := rejects.Entry{Source: "web", Reason: "no match", Line: line, LineBytes: int64(len(line))}
			want, _ := slowly(&e)
			if got, err := encode(nil, &e); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q is encoded as\n%s, %v, want\n%s", line, got, err, want)
			}
		}
	}
}

// What an entry has in common with the one before it is not taken from that otherwise.
func TestEncodeHeads(t *testing.T) {
	encode := rejects.NewEncoder()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	check := func(e rejects.Entry) {
		t.Helper()
		want, wantErr := slowly(&e)
		if got, err := encode(nil, &e); (err != nil) != (wantErr != nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%+v is encoded as\n%s, %v, want\n%s, %v", e, got, err, want, wantErr)
		}
	}
	check(rejects.Entry{Time: noon, Source: "web", Generation: 1})
	check(rejects.Entry{Time: noon, Source: "web", Generation: 2})
	check(rejects.Entry{Time: noon, Source: "api", Generation: 2})
	check(rejects.Entry{Time: noon.Add(1), Source: "api", Generation: 2})
	check(rejects.Entry{Time: noon.In(time.FixedZone("", -3600)), Source: "api", Generation: 2})
	check(rejects.Entry{Time: noon.AddDate(9000, 0, 0), Source: "api", Generation: 2}) // no year of RFC 3339
	check(rejects.Entry{Time: noon.AddDate(9000, 0, 0), Source: "api", Generation: 2})
	check(rejects.Entry{Time: noon, Source: "api", Generation: 2})
}

func TestEncodeAllocatesNothing(t *testing.T) {
	encode, dst := rejects.NewEncoder(), make([]byte, 0, 4096)
	e := entry(7, "caf\xe9 \"\\x22\" \xff")
	e.Number = 1 << 40
	if n := testing.AllocsPerRun(100, func() { dst, _ = encode(dst[:0], &e) }); n != 0 {
		t.Errorf("an entry allocates %v times", n)
	}
}
