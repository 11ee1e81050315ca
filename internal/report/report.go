// Package report adds up the lines of logs, and shows what they say as one page that needs
// nothing else. It needs no daemon, no InfluxDB and no state directory, and keeps nothing.
//
//	files ──ahead──► blocks ──counter──► live.Board ──► Report ──► page, JSON
//
//	report.go  is what is found
//	read.go    opens files, the oldest first; input.go is one of them
//	ahead.go   reads them while lines are counted
//	count.go   cuts lines
//	line.go    counts them; board.go is where
//	page.go    is what is shown: view.go and tables.go in words, format.go figures, bundle.go style and script
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf16"

	"github.com/tailflux/tailflux/internal/live"
)

// Report is what logs say. Its JSON is documented in docs/report.md, and relied on.
type Report struct {
	*live.Snapshot

	From time.Time `json:"from,omitzero"` // of the first and the last request; zero if there is none
	To   time.Time `json:"to,omitzero"`

	Files   []*File          `json:"files"`
	Lines   Lines            `json:"lines"`
	Reasons map[string]int64 `json:"reasons"` // why lines were rejected, and how many
	Rejects []Reject         `json:"rejects"` // the first ones
}

// Lines is what became of lines. Those that were read are the sum of the others.
type Lines struct {
	Read     int64 `json:"read"`
	Requests int64 `json:"requests"`
	Filtered int64 `json:"filtered"`
	Rejected int64 `json:"rejected"`
}

// File is one of the logs.
type File struct {
	Name    string   `json:"name"`
	Bytes   int64    `json:"bytes"` // on the disk
	Formats []string `json:"formats"`
	Lines   Lines    `json:"lines"`
	Error   string   `json:"error,omitempty"` // why it was not read to its end
}

// Reject is a line that is no request.
type Reject struct {
	Source     string `json:"source"`
	LineNumber int64  `json:"line_number"` // in its file
	Reason     string `json:"reason"`
	Line       string `json:"line"`          // a part of it, with what is unprintable escaped
	Caret      int    `json:"caret"`         // so many characters of that are before what is wrong
	Column     int    `json:"column"`        // of that in the line, in bytes from 1
	Why        string `json:"why,omitempty"` // what was expected there
}

// WriteJSON writes the report as one JSON object, in ASCII: what is in a line cannot be seen
// then by a terminal, nor by who looks at the source of the page.
func (r *Report) WriteJSON(w io.Writer) error {
	text, err := r.json()
	if err == nil {
		_, err = fmt.Fprintln(w, text)
	}
	return err
}

// json has no < or > either.
func (r *Report) json() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	ascii := make([]byte, 0, len(text))
	for _, c := range string(text) {
		switch high, low := utf16.EncodeRune(c); {
		case c < 0x7f:
			ascii = append(ascii, byte(c))
		case c > 0xffff:
			ascii = fmt.Appendf(ascii, `\u%04x\u%04x`, high, low)
		default:
			ascii = fmt.Appendf(ascii, `\u%04x`, c)
		}
	}
	return string(ascii), nil
}
