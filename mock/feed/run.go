package feed

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/tailflux/tailflux/mock/nginxlog"
)

// flushBytes is when a batch is written even before its tick is over.
const flushBytes = 64 << 10

// Run writes until everything asked for is written, or ctx is done; both are no
// error, and the last line is whole. It returns once the file is closed. A
// writer that blocks is not interrupted.
//
// After a stall of the writer or the machine it makes up for at most a second's
// worth of lines.
func (f *Feed) Run(ctx context.Context) (err error) {
	b := batch{feed: f, out: f.options.Output}
	if f.options.Path != "" {
		file, err := openFile(f.options.Path, f.options.Rotation)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.close()) }()
		b.out, b.file = file, file
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	p := newPace(f.options, time.Now())
	for ctx.Err() == nil {
		n, last := p.due(time.Now())
		if err := b.write(ctx, p, n); err != nil {
			return err
		}
		if last {
			return nil
		}
		if f.options.Rate == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}

// batch collects lines on their way to the output.
type batch struct {
	feed *Feed
	out  io.Writer
	file *file // nil for a writer
	buf  []byte

	lines, torn, garbage int64 // in buf
}

// write makes n lines, or fewer when ctx is done.
func (b *batch) write(ctx context.Context, p *pace, n int64) error {
	for i := range n {
		if err := b.add(p.at(i, n)); err != nil {
			return err
		}
		if len(b.buf) >= flushBytes {
			if err := b.flush(); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	p.made += n
	if b.file != nil && !p.imagined { // a quiet log is rotated too
		if err := b.rotate(p.to); err != nil {
			return err
		}
	}
	return b.flush()
}

func (b *batch) add(at time.Time) error {
	if b.file != nil {
		if err := b.rotate(at); err != nil {
			return err
		}
		b.file.lines++
	}
	g := b.feed.generator
	b.buf = g.Append(b.buf, at)
	b.lines++
	switch g.Kind() {
	case nginxlog.Torn:
		b.torn++
	case nginxlog.Garbage:
		b.garbage++
	}
	return nil
}

// rotate takes the steps of a rotation that are due, behind the lines so far.
func (b *batch) rotate(at time.Time) error {
	for b.file.due(at) {
		if err := b.flush(); err != nil {
			return err
		}
		renamed, err := b.file.turn(at)
		if err != nil {
			return err
		}
		if renamed {
			b.feed.rotations.Add(1)
		}
	}
	return nil
}

func (b *batch) flush() error {
	size := len(b.buf)
	if b.feed.options.WriteBytes > 0 {
		size = b.feed.options.WriteBytes
	}
	for rest := b.buf; len(rest) > 0; {
		n, err := b.out.Write(rest[:min(size, len(rest))])
		b.feed.bytes.Add(int64(n))
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	b.feed.lines.Add(b.lines)
	b.feed.torn.Add(b.torn)
	b.feed.garbage.Add(b.garbage)
	b.buf = b.buf[:0]
	b.lines, b.torn, b.garbage = 0, 0, 0
	return nil
}
