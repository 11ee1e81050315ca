package rejects

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
)

// maxLine is how many bytes of a line an entry has at most.
const maxLine = 8 << 10

// maxEntry is how many bytes an entry has at most: a line of the greatest max_line, in
// base64, with what is around it.
const maxEntry = 24 << 20

// Redelivered is the kind of an entry which says that the line of an earlier one has
// become a point after all.
const Redelivered = "redelivered"

// Rollup is the kind of an entry of a delta that was refused, which is its line.
const Rollup = "rollup"

// Entry is a rejected line.
type Entry struct {
	Time       time.Time
	Source     string
	Generation int64
	LineNumber int64 // in the file, from 1
	Number     int64 // in the time of the point; 0: LineNumber
	Kind       string
	Rollup     string // the key of the rollup of a delta
	Reason     flow.Reason
	Line       []byte // without its newline; or its first bytes
	LineBytes  int64  // its full length without the newline

	SourceIndex int // for package stats; not in the file
}

// number identifies the line within its generation.
func (e *Entry) number() int64 { return cmp.Or(e.Number, e.LineNumber) }

// numberOf is the number of an entry in the file.
func numberOf(v *fastjson.Value) int64 {
	return cmp.Or(v.GetInt64("number"), v.GetInt64("line_number"))
}

// encode appends one entry and a newline.
func encode(buf *bytes.Buffer, e *Entry) error {
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
	out.Line, out.LineBytes = shown(e)
	if e.LineBytes == int64(len(e.Line)) && out.Line != "" && (out.LineBytes > 0 || !utf8.Valid(e.Line) || escaped.MatchString(out.Line)) {
		out.Whole = e.Line
	}
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("reject file: encode: %w", err)
	}
	return nil
}

// escaped finds what may stand for a byte that is no UTF-8. nginx writes the same, so that
// a line with it is known only if the entry has it whole.
var escaped = regexp.MustCompile(`\\x[89A-F][0-9A-F]`)

// shown returns the line as the entry has it, and the full length if that is more.
func shown(e *Entry) (line string, lineBytes int64) {
	head := e.Line[:min(len(e.Line), maxLine)]
	if e.LineBytes > int64(len(head)) {
		lineBytes = e.LineBytes
	}
	return escape.Invalid(string(head), escape.Hex), lineBytes
}
