package checkpoint

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Names of the files.
const (
	Name     = "checkpoint"
	previous = Name + ".1"
	aside    = ".bad" // behind the name of one that cannot be used
	lockName = "lock"
)

// version is that of the format.
const version = 1

// ErrInUse is returned by Open while another process has the directory.
var ErrInUse = errors.New("another tailflux uses it; stop that one, or choose another with --state-dir")

// disk is the directory.
type disk struct {
	dir    string
	held   *os.File      // the lock
	saving chan struct{} // holds one token while a save is under way
}

func (d *disk) lock(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return fmt.Errorf("state_dir %s: %w", dir, err)
	}
	d.dir, d.held, d.saving = dir, f, make(chan struct{}, 1)
	return nil
}

func (d *disk) unlock() { d.held.Close() }

// load reads the latest save that is good; nil when there is none.
func (d *disk) load(log *slog.Logger) (map[string]*Source, error) {
	latest, err := d.read(Name)
	if err == nil {
		return latest, nil
	}
	before, errBefore := d.read(previous)
	if errors.Is(err, errUnreadable) || errors.Is(errBefore, errUnreadable) {
		// Going on would write over a checkpoint that may be good.
		return nil, fmt.Errorf("state_dir: %w", errors.Join(err, errBefore))
	}
	kept, errKept := d.setAside(err, errBefore)
	switch {
	case errKept != nil:
		return nil, fmt.Errorf("state_dir: %w", errKept)
	case kept == nil: // there is none, or it ended between two renames
	case errBefore == nil:
		log.Error("checkpoint cannot be used, going on with the one before it: lines may be read again, which does no harm",
			"err", err, "kept_as", kept)
	default:
		log.Error("checkpoint cannot be used, nor the one before it: each log begins where start says, as at the very first start; "+
			"tailflux verify and import find and add what is missing", "err", err, "before", errBefore, "kept_as", kept)
	}
	return before, nil
}

// setAside keeps the files that are there and bad for a look, or for the newer
// version that wrote them, and returns under which names.
func (d *disk) setAside(latest, before error) (kept []string, err error) {
	for _, file := range []struct {
		name string
		bad  error
	}{{Name, latest}, {previous, before}} {
		if file.bad == nil || errors.Is(file.bad, fs.ErrNotExist) {
			continue
		}
		path := filepath.Join(d.dir, file.name)
		if err := os.Rename(path, path+aside); err != nil {
			return nil, err
		}
		kept = append(kept, path+aside)
	}
	return kept, nil
}

// errUnreadable marks trouble of the disk, not of what is on it.
var errUnreadable = errors.New("cannot be read")

func (d *disk) read(name string) (map[string]*Source, error) {
	path := filepath.Join(d.dir, name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s %w: %w", path, errUnreadable, err)
	}
	sources, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sources, nil
}

// The file is a line that says what it is, with a checksum of the JSON after it.
const header = "tailflux checkpoint "

func encode(sources map[string]*Source) ([]byte, error) {
	body, err := json.MarshalIndent(struct {
		Sources map[string]*Source `json:"sources"`
	}{renamed(sources, escape)}, "", " ")
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
		return nil, fmt.Errorf("it begins with %.40q, want %q: it is no checkpoint", first, header+"1 …")
	case written != version:
		return nil, fmt.Errorf("it is of format %d, this tailflux knows format %d", written, version)
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
	}
	if content.Sources == nil {
		return nil, errors.New("it has no sources")
	}
	return renamed(content.Sources, unescape), nil
}

// renamed are the sources with their names and paths changed.
func renamed(sources map[string]*Source, change func(string) string) map[string]*Source {
	changed := make(map[string]*Source, len(sources))
	for name, s := range sources {
		c := *s
		c.Path, c.Directories = change(s.Path), slices.Clone(s.Directories)
		for i, dir := range c.Directories {
			c.Directories[i] = change(dir)
		}
		changed[change(name)] = &c
	}
	return changed
}

// JSON has no bytes that are not UTF-8. They are written like \xff, with a NUL,
// which no name or path holds, for the backslash.
var escaped = regexp.MustCompile(`\x00x[89a-f][0-9a-f]`)

func escape(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "\x00x%02x", s[0])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(s string) string {
		b, _ := hex.DecodeString(s[2:])
		return string(b)
	})
}

// save replaces the file. Whatever happens, a good one is there: the new one, or
// the latest one under its name or the other.
func (d *disk) save(data []byte) error {
	path := filepath.Join(d.dir, Name)
	fresh := path + ".new"
	err := writeSynced(fresh, data)
	if err == nil {
		err = os.Rename(path, filepath.Join(d.dir, previous))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // the first one
		}
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err == nil {
		err = syncDir(d.dir)
	}
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
