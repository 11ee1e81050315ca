package checkpoint

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/statedir"
)

// The first line of the file says what it is and has a checksum of the JSON after it.
const (
	header  = "tailflux checkpoint "
	version = 1 // of the format
)

func encode(sources map[string]*Source) ([]byte, error) {
	body, err := json.MarshalIndent(struct {
		Sources map[string]*Source `json:"sources"`
	}{renamed(sources, escaping)}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	body = append(body, '\n')
	return append(fmt.Appendf(nil, "%s%d %08x\n", header, version, checksum(body)), body...), nil
}

func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}

func decode(data []byte) (map[string]*Source, error) {
	first, body, _ := bytes.Cut(data, []byte{'\n'})
	number, sum, ok := strings.Cut(strings.TrimPrefix(string(first), header), " ")
	written, err := strconv.Atoi(number)
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case !strings.HasPrefix(string(first), header) || !ok || err != nil:
		return nil, fmt.Errorf("it begins with %.40q, want %q: it is not a checkpoint", first, header+"1 …")
	case written > version:
		return nil, fmt.Errorf("it is in format %d, this tailflux knows format %d: %w", written, version, statedir.ErrNewer)
	case written != version:
		return nil, fmt.Errorf("it is in format %d, this tailflux knows format %d", written, version)
	case sum != fmt.Sprintf("%08x", checksum(body)):
		return nil, errors.New("its checksum is wrong: it is torn or was changed")
	}
	var content struct {
		Sources map[string]*Source `json:"sources"`
	}
	if err := json.Unmarshal(body, &content); err != nil {
		return nil, err
	}
	for name, s := range content.Sources {
		if s == nil {
			return nil, fmt.Errorf("source %q is null", name)
		}
		if err := s.numbered(); err != nil {
			return nil, fmt.Errorf("source %q: %w", name, err)
		}
	}
	if content.Sources == nil {
		return nil, errors.New("it has no sources")
	}
	return renamed(content.Sources, unescape), nil
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
		c.Open = slices.Clone(s.Open)
		for i := range c.Open {
			c.Open[i].Path = change(c.Open[i].Path)
		}
		changed[change(name)] = &c
	}
	return changed
}

// JSON cannot hold bytes that are not UTF-8. They are written like \xff, but with a
// NUL, which no name or path contains, in place of the backslash.
var escaped = regexp.MustCompile(`\x00x[89a-f][0-9a-f]`)

func escaping(s string) string { return escape.Invalid(s, "\x00x%02x") }

func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(s string) string {
		b, _ := hex.DecodeString(s[2:])
		return string(b)
	})
}
