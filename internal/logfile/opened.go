package logfile

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// Opened is a file that is open for reading.
type Opened struct {
	Sibling
	File    *os.File
	Inode   Inode
	Content io.ReaderAt // of the uncompressed bytes
	Head    Head
}

// Open opens the file, and reads its head, by which it is plain or compressed. The
// error is a [PackedError] if it cannot be unpacked.
func (s Sibling) Open() (*Opened, error) { return s.open(daemonMemory) }

func (s Sibling) open(memory uint64) (*Opened, error) {
	// Should it have become a pipe meanwhile, do not wait for its writer.
	f, err := os.OpenFile(s.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	o := &Opened{Sibling: s, File: f, Content: f}
	if o.Info, err = f.Stat(); err == nil {
		err = RegularFile(s.Path, o.Info.Mode())
	}
	if err == nil {
		o.Inode, err = inodeOf(f)
	}
	if err == nil {
		err = o.begin(memory)
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// begin reads the head, and if it is that of a compressed file, that of what is in it.
func (o *Opened) begin(memory uint64) error {
	_, _ = o.Head.Grow(o.File) // who reads it will see
	is := formatOf(o.Head, o.File)
	switch {
	case is == nil:
		return nil
	case is.unpack == nil:
		return is.unreadable(o.Path)
	}
	z := &Compressed{f: o.File, format: is, memory: memory}
	o.Content, o.Head = z, nil
	_, _ = o.Head.Grow(z)
	if packed, ok := errors.AsType[PackedError](z.damage); ok {
		return packed
	}
	if within := formatOf(o.Head, z); within != nil {
		return is.twice(o.Path, within)
	}
	return nil
}

// OpenPlain opens the file at a path that is followed. The error is a [PackedError]
// if it is compressed: nobody who follows it could read it while it grows.
func OpenPlain(path string) (*Opened, error) {
	o, err := Sibling{Path: path}.Open()
	if err != nil {
		return nil, err
	}
	if z, ok := o.Content.(*Compressed); ok {
		o.Close()
		return nil, z.format.notPlain(path)
	}
	return o, nil
}

// Size is that of the uncompressed bytes; -1 if nobody knows.
func (o *Opened) Size() int64 {
	if _, plain := o.Content.(*os.File); plain {
		return o.Info.Size()
	}
	return -1
}

// Begins reports whether the file begins as the saved one did.
func (o *Opened) Begins(saved Sum) bool {
	switch {
	case saved.Length > HeadBytes:
		return o.beginsBehind(saved)
	case saved.Length == 0 || len(o.Head) < saved.Length:
		return false
	}
	return SumOf(o.Head[:saved.Length]) == saved
}

// Bytes returns the bytes from an offset on, fewer at the end of the file. Of a
// compressed file it reads all before them.
func (o *Opened) Bytes(offset int64, length int) ([]byte, error) {
	text := make([]byte, length)
	for {
		n, err := o.Content.ReadAt(text, offset)
		switch {
		case errors.Is(err, ErrSkipping):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		return text[:n], nil
	}
}

// HasMore reports whether there is anything but NULs behind an offset.
func (o *Opened) HasMore(offset int64) bool {
	more, err := o.more(offset)
	return err == nil && more
}

// Ending is the length of the uncompressed bytes, and the last ones of them. Of a
// compressed file it reads all.
func (o *Opened) Ending() (length int64, last []byte, err error) {
	if size := o.Size(); size >= 0 {
		from := max(0, size-MarkBytes)
		last, err = o.Bytes(from, int(size-from))
		return size, last, err
	}
	const step = 64 << 10
	for {
		text, err := o.Bytes(length, step)
		if err != nil {
			return 0, nil, err
		}
		length += int64(len(text))
		last = append(last, text...)
		last = append([]byte(nil), last[max(0, len(last)-MarkBytes):]...)
		if len(text) < step {
			return length, last, nil
		}
	}
}

// Close closes the file.
func (o *Opened) Close() {
	if z, ok := o.Content.(*Compressed); ok {
		z.Close()
	}
	o.File.Close()
}

// CloseAll closes those that nobody has taken.
func CloseAll(files []*Opened) {
	for _, o := range files {
		if o != nil {
			o.Close()
		}
	}
}
