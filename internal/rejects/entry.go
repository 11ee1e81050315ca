package rejects

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
)

// maxLine is how many bytes of a line an entry has at most.
const maxLine = 8 << 10

// Entry is a rejected line.
type Entry struct {
	Time       time.Time
	Source     string
	Generation int64
	LineNumber int64
	Reason     flow.Reason
	Line       []byte // without its newline; or its first bytes
	LineBytes  int64  // its full length without the newline

	SourceIndex int // for package stats; not in the file
}

// encode appends one entry and a newline.
func encode(buf *bytes.Buffer, e *Entry) error {
	out := struct {
		Time       time.Time   `json:"time"`
		Source     string      `json:"source"`
		Generation int64       `json:"generation"`
		LineNumber int64       `json:"line_number"`
		Reason     flow.Reason `json:"reason"`
		Line       string      `json:"line"`
		LineBytes  int64       `json:"line_bytes,omitempty"`
	}{Time: e.Time, Source: e.Source, Generation: e.Generation, LineNumber: e.LineNumber, Reason: e.Reason}
	out.Line, out.LineBytes = shown(e)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("reject file: encode: %w", err)
	}
	return nil
}

// shown returns the line as the entry has it, and the full length if that is more.
func shown(e *Entry) (line string, lineBytes int64) {
	head := e.Line[:min(len(e.Line), maxLine)]
	if e.LineBytes > int64(len(head)) {
		lineBytes = e.LineBytes
	}
	return escape.Invalid(string(head), escape.Hex), lineBytes
}
