// Nobody takes the chunks, or nobody gives the blocks back.

package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/tail"
)

// What the reader cannot send stays in the files, and it keeps all of them open.
func TestNobodyTakesTheChunksWhileFilesRotate(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		blockedWhileRotated(t, wakeups, func(f *follower) func() {
			return func() { f.drain(0) }
		})
	})
}

func TestNobodyReleasesTheBlocksWhileFilesRotate(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		blockedWhileRotated(t, wakeups, func(f *follower) func() {
			release, taken := make(chan struct{}), make(chan flow.Chunk, 1000)
			go func() {
				for chunk := range f.chunks {
					taken <- chunk
				}
				close(taken)
			}()
			go func() {
				defer close(f.drained)
				<-release
				for chunk := range taken {
					f.collect(chunk)
					chunk.Block.Release()
				}
			}()
			return func() { close(release) }
		})
	})
}

func blockedWhileRotated(t *testing.T, wakeups bool, block func(*follower) (unblock func())) {
	const lines = 3 * blockSize / 100
	o := rotating(wakeups)
	o.blocks = 3
	path := logFile(t)
	text, want := numbered("1", 0, lines)
	file := create(t, path, text)
	f := start(t, o, path)
	unblock := block(f)
	wants := [][]string{want}
	for id := 2; id <= 6; id++ {
		time.Sleep(200 * time.Millisecond)
		rename(t, path, fmt.Sprint(path, id))
		text, want = numbered(fmt.Sprint(id), 0, lines)
		late, more := numbered("late", 0, 10)
		old := file
		file = create(t, path, text)
		f.eventually("the rotation", func() bool { return f.source().Rotations == int64(id-1) })
		add(t, old, late)
		wants[len(wants)-1] = append(wants[len(wants)-1], more...)
		wants = append(wants, want)
	}
	remove(t, path+"4") // it is held
	truncated, want := numbered("truncated", 0, 10)
	truncate(t, file, 0) // and not read: its lines are lost
	time.Sleep(3 * rotateWait)
	read := f.stats.Snapshot(time.Now()).Books.Read
	if most := int64(4 * blockSize / 100); read > most {
		t.Errorf("read %d lines with nowhere to put them, want at most %d", read, most)
	}
	unblock()
	add(t, file, truncated)
	for i, want := range wants[:5] {
		f.want(i+1, want...)
	}
	// It is another generation if the file was not empty when it was opened.
	f.eventually("what came after it was truncated", func() bool { return slices.Equal(want, f.got(6)) || slices.Equal(want, f.got(7)) })
	f.wants[6], f.wants[7] = f.got(6), f.got(7)
}

// Blocked for nearly a tick with every chunk, of many files: the paths are
// looked at in between.
func TestSlowConsumerOfManyFilesWhileOneRotates(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		var paths []string
		for range 20 {
			paths = append(paths, logFile(t))
		}
		const rotations = 12
		text, _ := numbered("others", 0, rotations*blockSize/100) // does not end before the test
		for _, path := range paths[1:] {
			create(t, path, text)
		}
		o := rotating(wakeups)
		o.pause = 60 * time.Millisecond
		create(t, paths[0], "1\n")
		f := follow(t, o, paths...)
		f.eventually("the first chunk", func() bool { return f.stats.Snapshot(time.Now()).Books.Read > 0 })
		soon := 150 * time.Millisecond
		if wakeups { // then time is real, and the machine may be busy
			soon = 3 * time.Second
		}
		for i := range rotations {
			seen := func() bool { return f.source().Rotations == int64(i) }
			for deadline := time.Now().Add(soon); time.Now().Before(deadline) && !seen(); {
				time.Sleep(5 * time.Millisecond)
			}
			if !seen() {
				t.Errorf("%d rotations seen, want %d", f.source().Rotations, i)
			}
			rename(t, paths[0], fmt.Sprint(paths[0], i))
			create(t, paths[0], "1\n")
		}
	})
}

func TestContextEndsWhileNobodyTakesTheChunks(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, _ := numbered("x", 0, 10_000)
		create(t, path, text)
		f := start(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		f.eventually("a full channel", func() bool { return len(f.chunks) == cap(f.chunks) })
		time.Sleep(500 * time.Millisecond)
		endsAtOnce(t, f, wakeups)
		f.drain(0)
		f.closed()
	})
}

func TestContextEndsWhileAllBlocksAreInUse(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, _ := numbered("x", 0, 10_000)
		create(t, path, text)
		f := start(t, options{Config: tail.Config{Wakeups: wakeups}, blocks: 2}, path)
		chunks := []flow.Chunk{<-f.chunks, <-f.chunks}
		time.Sleep(500 * time.Millisecond)
		if len(f.chunks) > 0 {
			t.Error("more chunks than blocks")
		}
		endsAtOnce(t, f, wakeups)
		for _, chunk := range chunks {
			f.collect(chunk)
			chunk.Block.Release()
		}
		f.drain(0)
		f.closed()
	})
}

func endsAtOnce(t *testing.T, f *follower, wakeups bool) {
	t.Helper()
	ended := time.Now()
	f.stopRun()
	f.stopRun = nil
	if err := <-f.ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	took := time.Since(ended)
	if took > 500*time.Millisecond || !wakeups && took > 0 {
		t.Errorf("Run returned %v after the end", took)
	}
}

// Every source gets its turn: none is two chunks ahead of another that has more.
func TestManySourcesAreReadFairly(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		const sources, lines = 200, 600 // of three blocks or so
		var paths []string
		dir := t.TempDir()
		for i := range sources {
			path := filepath.Join(dir, fmt.Sprint(i))
			text, _ := numbered(fmt.Sprint(i), 0, lines)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}, pause: time.Microsecond}, paths...)
		f.eventually("all lines", func() bool { // not only read, but taken
			f.mu.Lock()
			defer f.mu.Unlock()
			n := 0
			for _, file := range f.files {
				n += len(file.lines)
			}
			return n == sources*lines
		})
		f.stop()
		for _, file := range f.files {
			_, want := numbered(file.generation.Source.Name[1:], 0, lines)
			if !slices.Equal(file.lines, want) {
				t.Errorf("source %s: %d lines, want %d", file.generation.Source.Name, len(file.lines), lines)
			}
		}
		for round := range 2 { // the third is short, or empty
			seen := slices.Clone(f.order[round*sources : (round+1)*sources])
			slices.Sort(seen)
			if n := len(slices.Compact(seen)); n != sources {
				t.Errorf("round %d: %d sources had their turn, want %d", round, n, sources)
			}
		}
	})
}
