package rejects

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io"
	"os"

	"github.com/valyala/fastjson"
)

// generation is one file of a source.
type generation struct {
	source string
	id     int64
}

// replay are the entries of a generation that were in the file when it was
// opened, of lines that may be read again.
type replay struct {
	lines map[int64]before
	last  int64 // the greatest number
}

// before is what is remembered of an entry. A number alone is not enough: when
// the checkpoint was lost, generations are counted from 1 again.
type before struct {
	line      uint64 // hash of what is shown of it
	lineBytes int64
	reason    string
}

var seed = maphash.MakeSeed()

// note remembers an entry if its line may be read again.
func (r *File) note(entry []byte, undelivered func(source string, generation, line int64) bool) {
	v, err := fastjson.ParseBytes(entry)
	if err != nil {
		return
	}
	g := generation{string(v.GetStringBytes("source")), v.GetInt64("generation")}
	number := v.GetInt64("line_number")
	if !undelivered(g.source, g.id, number) {
		return
	}
	if r.replays[g] == nil {
		r.replays[g] = &replay{lines: map[int64]before{}}
	}
	r.replays[g].lines[number] = before{
		line:      maphash.Bytes(seed, v.GetStringBytes("line")),
		lineBytes: v.GetInt64("line_bytes"),
		reason:    string(v.GetStringBytes("reason")),
	}
	r.replays[g].last = max(r.replays[g].last, number)
}

// Replays tells whether lines of a generation, from this number on, may have
// entries from before the file was opened.
func (r *File) Replays(source string, id, number int64) bool {
	replay := r.replays[generation{source, id}]
	return replay != nil && number <= replay.last
}

// Replayed tells whether a line, which Reason and Time do not belong to, has an
// entry from before the file was opened, and for which reason.
func (r *File) Replayed(e Entry) (reason string, ok bool) {
	replay := r.replays[generation{e.Source, e.Generation}]
	if replay == nil {
		return "", false
	}
	was, ok := replay.lines[e.LineNumber]
	if !ok {
		return "", false
	}
	line, lineBytes := shown(&e)
	if was.line != maphash.String(seed, line) || was.lineBytes != lineBytes {
		return "", false
	}
	return was.reason, true
}

// replayed tells the same of an entry that is to be written. Those of a
// generation come in the order of their numbers.
func (r *File) replayed(e *Entry) bool {
	if len(r.replays) == 0 {
		return false
	}
	g := generation{e.Source, e.Generation}
	if replay := r.replays[g]; replay != nil && e.LineNumber > replay.last {
		delete(r.replays, g)
	}
	_, ok := r.Replayed(*e)
	return ok
}

// survey counts the entries of a file, tells note of each, and finds the end of
// the last one. What is no JSON is no entry.
func survey(path string, note func(entry []byte)) (entries, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 256<<10) // entries are shorter
	at, long := int64(0), false
	for {
		piece, err := in.ReadSlice('\n')
		at += int64(len(piece))
		switch {
		case err == nil:
			if !long && fastjson.ValidateBytes(piece) == nil && piece[0] == '{' {
				entries++
				size = at
				if note != nil {
					note(piece)
				}
			}
			long = false
		case errors.Is(err, bufio.ErrBufferFull):
			long = true
		case errors.Is(err, io.EOF):
			return entries, size, nil
		default:
			return 0, 0, err
		}
	}
}
