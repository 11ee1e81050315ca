package checkpoint

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/lazyregexp"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/statedir"
)

// The first line of the file says what it is and has a checksum of the JSON after it.
const (
	header  = "tailflux checkpoint "
	version = 1 // of the format
)

// content is what stands in a file.
type content struct {
	Sources      map[string]*Source `json:"sources"`
	Destinations []string           `json:"destinations,omitempty"`
	FirstLines   map[string]int64   `json:"first_lines,omitempty"` // by the name of a source; earlier versions do not know them
}

func encode(c content) ([]byte, error) {
	body, err := json.MarshalIndent(content{renamed(c.Sources, escaping), c.Destinations, byName(c.FirstLines, escaping)}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	body = append(body, '\n')
	return append(fmt.Appendf(nil, "%s%d %08x\n", header, version, checksum(body)), body...), nil
}

// saved, reading and finished are what stands in the file.
type (
	saved struct {
		Path        string     `json:"path"`
		Directories []string   `json:"directories,omitempty"`
		Open        []reading  `json:"open,omitempty"`
		Finished    []finished `json:"finished,omitempty"`
		Imports     []reading  `json:"imports,omitempty"`
		SearchSince int64      `json:"refused,omitempty"` // what it was in earlier versions
		Awaited     *Awaited   `json:"awaited,omitempty"` // earlier versions do not know it
	}
	reading struct {
		logfile.File
		ID        int64       `json:"id"`
		FirstLine int64       `json:"first_line"`
		Earlier   int64       `json:"earlier,omitempty"`
		Offset    int64       `json:"offset"`
		Line      int64       `json:"line"`
		Before    logfile.Sum `json:"before"`
		Left      *int64      `json:"left"` // -1 unless its state is Left
		Ahead     []ahead     `json:"ahead,omitempty"`
		Spans     []span      `json:"spans,omitempty"`
	}
	span struct {
		Destination string `json:"destination"`
		From        int64  `json:"from"`
		To          int64  `json:"to,omitempty"`
	}
	ahead struct {
		Destination string      `json:"destination"`
		Offset      int64       `json:"offset"`
		Line        int64       `json:"line"`
		Before      logfile.Sum `json:"before"`
	}
	finished struct {
		logfile.File
		ID        int64       `json:"id"`
		FirstLine int64       `json:"first_line"`
		Earlier   int64       `json:"earlier,omitempty"`
		LastLine  int64       `json:"last_line"` // number that the next line would have had
		Offset    int64       `json:"offset"`
		Before    logfile.Sum `json:"before"`
		Lost      bool        `json:"lost,omitempty"`
		Ahead     []ahead     `json:"ahead,omitempty"` // if it was lost
		Spans     []span      `json:"spans,omitempty"`
	}
)

// MarshalJSON writes a source as it stands in the file.
func (s *Source) MarshalJSON() ([]byte, error) {
	to := saved{
		Path: s.Path, Directories: s.Directories, Open: toReading(s.Open), Imports: toReading(s.Imports),
		SearchSince: s.SearchSince, Awaited: s.Awaited,
	}
	for _, g := range s.Finished {
		to.Finished = append(to.Finished, finished{
			g.File, g.ID, g.FirstLine, g.Earlier, g.Line, g.Offset, g.Before, g.State == Lost, toAhead(g.Ahead),
			toSpans(g.Spans),
		})
	}
	return json.Marshal(to)
}

func toReading(all []Generation) (to []reading) {
	for _, g := range all {
		left := int64(-1)
		if g.State == Left {
			left = g.Left.Offset
		}
		to = append(to, reading{g.File, g.ID, g.FirstLine, g.Earlier, g.Offset, g.Line, g.Before, &left, toAhead(g.Ahead), toSpans(g.Spans)})
	}
	return to
}

func toAhead(all []Ahead) (to []ahead) {
	for _, a := range all {
		to = append(to, ahead{a.Destination, a.Offset, a.Line, a.Before})
	}
	return to
}

// UnmarshalJSON reads a source as it stands in the file.
func (s *Source) UnmarshalJSON(text []byte) error {
	var from saved
	if err := json.Unmarshal(text, &from); err != nil {
		return err
	}
	*s = Source{
		Path: from.Path, Directories: from.Directories, Open: fromReading(from.Open), Imports: fromReading(from.Imports),
		SearchSince: from.SearchSince, Awaited: from.Awaited,
	}
	for _, g := range from.Finished {
		state := Finished
		if g.Lost {
			state = Lost
		}
		s.Finished = append(s.Finished, Generation{
			File: g.File, State: state, ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier, Offset: g.Offset, Line: g.LastLine, Before: g.Before,
			Ahead: fromAhead(g.Ahead), Spans: fromSpans(g.Spans),
		})
	}
	return nil
}

func fromReading(all []reading) (to []Generation) {
	for _, g := range all {
		is := Generation{File: g.File, ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier, Offset: g.Offset, Line: g.Line, Before: g.Before}
		if g.Left != nil && *g.Left >= 0 {
			is.State, is.Left.Offset = Left, *g.Left
		}
		is.Ahead, is.Spans = fromAhead(g.Ahead), fromSpans(g.Spans)
		to = append(to, is)
	}
	return to
}

func fromAhead(all []ahead) (to []Ahead) {
	for _, a := range all {
		to = append(to, Ahead{a.Destination, Reached{a.Offset, a.Line, a.Before}})
	}
	return to
}

func toSpans(all []Span) (to []span) {
	for _, s := range all {
		to = append(to, span(s))
	}
	return to
}

func fromSpans(all []span) (to []Span) {
	for _, s := range all {
		to = append(to, Span(s))
	}
	return to
}

func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}

func decode(data []byte) (c content, err error) {
	first, body, _ := bytes.Cut(data, []byte{'\n'})
	number, sum, ok := strings.Cut(strings.TrimPrefix(string(first), header), " ")
	written, errNumber := strconv.Atoi(number)
	switch {
	case len(data) == 0:
		return c, errors.New("it is empty")
	case !strings.HasPrefix(string(first), header) || !ok || errNumber != nil:
		return c, fmt.Errorf("it begins with %.40q, want %q: it is not a checkpoint", first, header+"1 …")
	case written > version:
		return c, fmt.Errorf("it is in format %d, this tailflux knows format %d: %w", written, version, statedir.ErrNewer)
	case written != version:
		return c, fmt.Errorf("it is in format %d, this tailflux knows format %d", written, version)
	case sum != fmt.Sprintf("%08x", checksum(body)):
		return c, errors.New("its checksum is wrong: it is torn or was changed")
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return content{}, err
	}
	if c.Sources == nil {
		return c, errors.New("it has no sources")
	}
	for name, s := range c.Sources {
		if s == nil {
			return c, fmt.Errorf("source %q is null", name)
		}
		if err := s.numbered(); err != nil {
			return c, fmt.Errorf("source %q: %w", name, err)
		}
	}
	c.Sources, c.FirstLines = renamed(c.Sources, unescape), byName(c.FirstLines, unescape)
	return c, nil
}

// numbered returns an error unless open generations have positive numbers and
// imported files negative ones.
func (s *Source) numbered() error {
	for _, g := range s.Open {
		if g.ID < 1 {
			return fmt.Errorf("an open generation is numbered %d", g.ID)
		}
	}
	for _, g := range s.Imports {
		if g.ID > -1 {
			return fmt.Errorf("an imported file is numbered %d", g.ID)
		}
	}
	return nil
}

// renamed returns the sources with their names and paths changed.
func renamed(sources map[string]*Source, change func(string) string) map[string]*Source {
	changed := make(map[string]*Source, len(sources))
	for name, s := range sources {
		c := *s
		c.Path, c.Directories = change(s.Path), slices.Clone(s.Directories)
		for i, dir := range c.Directories {
			c.Directories[i] = change(dir)
		}
		c.Open, c.Finished = slices.Clone(s.Open), slices.Clone(s.Finished)
		for _, all := range [][]Generation{c.Open, c.Finished} {
			for i := range all {
				all[i].Path = change(all[i].Path)
			}
		}
		if s.Awaited != nil {
			awaited := *s.Awaited
			awaited.Path = change(awaited.Path)
			c.Awaited = &awaited
		}
		changed[change(name)] = &c
	}
	return changed
}

// byName returns numbers by the changed names.
func byName(numbers map[string]int64, change func(string) string) map[string]int64 {
	changed := make(map[string]int64, len(numbers))
	for name, n := range numbers {
		changed[change(name)] = n
	}
	return changed
}

// JSON cannot hold bytes that are not UTF-8. They are written like \xff, but with a
// NUL, which no name or path contains, in place of the backslash.
var escaped = lazyregexp.New(`\x00x[89a-f][0-9a-f]`)

func escaping(s string) string { return escape.Invalid(s, "\x00x%02x") }

func unescape(s string) string {
	return escaped().ReplaceAllStringFunc(s, func(s string) string {
		b, _ := hex.DecodeString(s[2:])
		return string(b)
	})
}
