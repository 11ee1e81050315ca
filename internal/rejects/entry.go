package rejects

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"strconv"
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

// A head is what entries begin with that were made at once. Most are: so it is kept.
type head struct {
	of   Entry // Time, Source and Generation of it
	text []byte
}

// begin returns what an entry begins with, up to its number.
func (h *head) begin(e *Entry) ([]byte, error) {
	//nolint:staticcheck // no Equal: one that is written otherwise is another
	if len(h.text) > 0 && h.of.Time == e.Time && h.of.Source == e.Source && h.of.Generation == e.Generation {
		return h.text, nil
	}
	h.of = Entry{Time: e.Time, Source: e.Source, Generation: e.Generation}
	h.text = append(h.text[:0], `{"time":"`...)
	text, err := e.Time.AppendText(h.text)
	if err != nil {
		h.text = h.text[:0]
		return nil, fmt.Errorf("reject file: encode: %w", err)
	}
	text = appendText(append(text, `","source":`...), []byte(e.Source), asReplacement)
	text = strconv.AppendInt(append(text, `,"generation":`...), e.Generation, 10)
	text = append(text, `,"line_number":`...)
	h.text = text
	return text, nil
}

// encode appends one entry and a newline. It is what encoding/json would write.
func (h *head) encode(dst []byte, e *Entry) ([]byte, error) {
	begin, err := h.begin(e)
	if err != nil {
		return dst, err
	}
	dst = strconv.AppendInt(append(dst, begin...), e.LineNumber, 10)
	if e.Number != e.LineNumber && e.Number != 0 {
		dst = strconv.AppendInt(append(dst, `,"number":`...), e.Number, 10)
	}
	if e.Kind != "" {
		dst = appendText(append(dst, `,"kind":`...), []byte(e.Kind), asReplacement)
	}
	if e.Rollup != "" {
		dst = appendText(append(dst, `,"rollup":`...), []byte(e.Rollup), asReplacement)
	}
	dst = appendText(append(dst, `,"reason":`...), []byte(e.Reason), asReplacement)
	line := e.Line[:min(len(e.Line), maxLine)]
	dst = append(dst, `,"line":`...)
	easy := isEasy(line)
	if easy {
		dst = appendEasy(dst, line)
	} else {
		dst = appendText(dst, line, asHex)
	}
	if e.LineBytes > int64(len(line)) {
		dst = strconv.AppendInt(append(dst, `,"line_bytes":`...), e.LineBytes, 10)
	}
	if e.LineBytes == int64(len(e.Line)) && (len(e.Line) > len(line) || !easy && (!utf8.Valid(line) || mayBeInvalid(line))) {
		dst = base64.StdEncoding.AppendEncode(append(dst, `,"line_base64":"`...), e.Line)
		dst = append(dst, '"')
	}
	return append(dst, '}', '\n'), nil
}

// mayBeInvalid reports whether a line has what may stand for a byte that is no UTF-8. nginx
// writes the same, so that a line with it is known only if the entry has it whole.
func mayBeInvalid(line []byte) bool {
	for {
		at := bytes.Index(line, []byte(`\x`))
		if at < 0 || at+4 > len(line) {
			return false
		}
		high, low := line[at+2], line[at+3]
		if (high == '8' || high == '9' || high >= 'A' && high <= 'F') && (low >= '0' && low <= '9' || low >= 'A' && low <= 'F') {
			return true
		}
		line = line[at+2:]
	}
}

// shown returns the line as the entry has it, and the full length if that is more.
func shown(e *Entry) (line string, lineBytes int64) {
	head := e.Line[:min(len(e.Line), maxLine)]
	if e.LineBytes > int64(len(head)) {
		lineBytes = e.LineBytes
	}
	return escape.Invalid(string(head), escape.Hex), lineBytes
}
