package rejects

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/flow"
)

// generation identifies a generation of a source.
type generation struct {
	source string
	id     int64
}

// replay holds the entries of a generation that were in the file when it was
// opened and whose lines may be read again.
type replay struct {
	lines map[int64]before
	last  int64 // the greatest number
}

// before identifies an entry. The number of the line is not enough: if the
// checkpoint was lost, generations are numbered from 1 again.
type before struct {
	line      uint64 // hash of the line as the entry has it
	lineBytes int64
	reason    flow.Reason
}

// delta identifies the entry of a delta: its text has the series, and in its stamp the window
// and the first line of its cut.
type delta struct {
	of     generation
	rollup string
	text   string
}

var seed = maphash.MakeSeed()

// note keeps an entry for [File.Replayed] if its line may be read again.
func (r *File) note(entry []byte, undelivered func(rollup, source string, generation, line int64) bool) {
	v, err := fastjson.ParseBytes(entry)
	kind := string(v.GetStringBytes("kind"))
	if err != nil || kind != "" && kind != Rollup {
		return
	}
	g := generation{string(v.GetStringBytes("source")), v.GetInt64("generation")}
	number, destination := numberOf(v), string(v.GetStringBytes("rollup"))
	if !undelivered(destination, g.source, g.id, number) {
		return
	}
	if kind == Rollup {
		of := delta{g, destination, string(v.GetStringBytes("line"))}
		r.deltas[of] = flow.Reason(v.GetStringBytes("reason"))
		return
	}
	if r.replays[g] == nil {
		r.replays[g] = &replay{lines: map[int64]before{}}
	}
	r.replays[g].lines[number] = before{
		line:      maphash.Bytes(seed, v.GetStringBytes("line")),
		lineBytes: v.GetInt64("line_bytes"),
		reason:    flow.Reason(v.GetStringBytes("reason")),
	}
	r.replays[g].last = max(r.replays[g].last, number)
}

// Replays reports whether lines of a generation, from this number on, may have
// entries from before the file was opened.
func (r *File) Replays(source string, id, number int64) bool {
	for of := range r.deltas {
		if of.of.source == source && of.of.id == id {
			return true
		}
	}
	replay := r.replays[generation{source, id}]
	return replay != nil && number <= replay.last
}

// Replayed reports whether a line has an entry from before the file was opened,
// and for which reason. It ignores e.Reason and e.Time.
func (r *File) Replayed(e Entry) (reason flow.Reason, ok bool) {
	if e.Kind == Rollup {
		line, _ := shown(&e)
		reason, ok = r.deltas[delta{generation{e.Source, e.Generation}, e.Rollup, line}]
		return reason, ok
	}
	replay := r.replays[generation{e.Source, e.Generation}]
	if replay == nil {
		return "", false
	}
	was, ok := replay.lines[e.number()]
	if !ok {
		return "", false
	}
	line, lineBytes := shown(&e)
	if was.line != maphash.String(seed, line) || was.lineBytes != lineBytes {
		return "", false
	}
	return was.reason, true
}

// replayed is Replayed for an entry that is about to be written. Those of a
// generation come in the order of their numbers.
func (r *File) replayed(e *Entry) bool {
	if e.Kind == Rollup {
		_, ok := r.Replayed(*e)
		return ok
	}
	if len(r.replays) == 0 || e.Kind != "" {
		return false
	}
	g := generation{e.Source, e.Generation}
	if replay := r.replays[g]; replay != nil && e.number() > replay.last {
		delete(r.replays, g)
	}
	_, ok := r.Replayed(*e)
	return ok
}

// A survey is what a reject file contains.
type survey struct {
	entries int64
	other   int64 // lines before the last entry that are not entries
	end     int64 // of the last entry
	torn    int64 // bytes after that
}

// look reads a reject file and calls note, if any, for each entry. It returns an
// error if the file cannot be read or is something else.
func look(f io.Reader, note func(entry []byte)) (s survey, err error) {
	in := bufio.NewReaderSize(f, 256<<10) // more than most entries have
	var head []byte                       // of a longer one
	first, err := in.Peek(1)
	foreign := err == nil && first[0] != '{' // if no entry comes either
	at, other, long := int64(0), int64(0), false
	for {
		piece, err := in.ReadSlice('\n')
		at += int64(len(piece))
		if len(head) > 0 && !errors.Is(err, bufio.ErrBufferFull) {
			piece = append(head, piece...)
			head = head[:0]
		}
		switch {
		case err == nil:
			if !long && fastjson.ValidateBytes(piece) == nil && piece[0] == '{' {
				s.entries++
				s.other += other
				s.end, other = at, 0
				if note != nil {
					note(piece)
				}
			} else {
				other++
			}
			long = false
		case errors.Is(err, bufio.ErrBufferFull):
			if long = long || len(head) == 0 && piece[0] != '{' || len(head) > maxEntry; !long {
				head = append(head, piece...)
			} else {
				head = head[:0]
			}
		case errors.Is(err, io.EOF):
			s.torn = at - s.end
			if s.entries == 0 && foreign {
				return survey{}, errors.New("it is not a reject file: it has no rejected lines")
			}
			return s, nil
		default:
			return survey{}, err
		}
	}
}
