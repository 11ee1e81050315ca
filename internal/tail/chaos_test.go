// x

package tail_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever happens to the files, in whatever order: within what the package
// promises every line comes once, in the order of its file.
func TestAnythingInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, rand.New(rand.NewPCG(seed, 0))) })
		}) {
			return
		}
	}
}

// logged is a file of the chaos.
type logged struct {
	file  *os.File
	name  string
	lines []string // whole ones
	part  string   // behind the last newline
	grown time.Time
	gone  bool // deleted, or for good elsewhere
}

func chaos(t *testing.T, random *rand.Rand) {
	const tick = 250 * time.Millisecond
	path := logFile(t)
	o := rotating(false)
	o.blocks = 2 + random.IntN(4)
	if random.IntN(2) == 0 {
		o.pause = time.Duration(random.IntN(100)) * time.Millisecond
	}
	var all []*logged
	var happened []string
	note := func(format string, args ...any) {
		happened = append(happened, fmt.Sprintf("%v  "+format, append([]any{time.Now().Format("05.000")}, args...)...))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("\n" + strings.Join(happened, "\n"))
		}
	})
	lines := 0
	write := func(l *logged) {
		var b strings.Builder
		for range 1 + random.IntN(5) {
			lines++
			n := random.IntN(300)
			switch random.IntN(12) {
			case 0:
				n = random.IntN(3 * blockSize)
			case 1:
				n = blockSize/8 + random.IntN(blockSize)
			}
			text := fmt.Sprint(lines, " ", strings.Repeat("x", n))
			cut := len(text)
			newline := random.IntN(4) > 0
			if !newline {
				cut = random.IntN(len(text) + 1)
			}
			b.WriteString(text[:cut])
			l.part += text[:cut]
			if newline {
				b.WriteByte('\n')
				l.lines = append(l.lines, l.part)
				l.part = ""
			}
		}
		add(t, l.file, b.String())
		l.grown = time.Now()
		note("%s grows by %d to line %d and %d bytes", l.name, b.Len(), len(l.lines), len(l.part))
	}
	begin := func() *logged {
		l := &logged{file: create(t, path, ""), name: fmt.Sprint("file", len(all)), grown: time.Now()}
		all = append(all, l)
		note("%s is at the path", l.name)
		return l
	}
	current := begin()
	f := follow(t, o, path)
	// Only then is it sure to have been seen.
	seen := func() { time.Sleep(tick) }
	seen()
	for range 40 {
		switch random.IntN(8) {
		case 0: // rotated
			if current != nil {
				rename(t, path, path+current.name)
				note("%s is renamed", current.name)
			}
			current = begin()
			seen()
		case 1: // deleted
			if current != nil {
				remove(t, path)
				note("%s is deleted", current.name)
				current.gone, current = true, nil
			}
		case 2: // moved away, and nothing in its place
			if current != nil {
				rename(t, path, path+current.name)
				note("%s is renamed, nothing new", current.name)
				current = nil
			}
		case 3: // an older one comes back while it is open
			for _, l := range slices.Backward(all) {
				if l == current || l.gone || time.Since(l.grown) > rotateWait-tick {
					continue
				}
				if current != nil {
					rename(t, path, path+current.name)
				}
				rename(t, path+l.name, path)
				note("%s is back", l.name)
				current = l
				break
			}
			seen()
		case 4, 5: // late writes
			l := all[random.IntN(len(all))]
			if time.Since(l.grown) < rotateWait-tick {
				write(l)
			}
		default:
			if current != nil {
				write(current)
			}
		}
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
	}
	if current != nil {
		rename(t, path, path+current.name)
	}
	begin() // so that the others are left
	time.Sleep(time.Minute)
	f.stop()

	var want, got []string
	for _, l := range all {
		if l.part != "" {
			l.lines = append(l.lines, l.part)
		}
		want = append(want, l.lines...)
	}
	numbers := map[int64]bool{}
	for _, file := range f.files {
		got = append(got, file.lines...)
		for n := file.start.Line; n < file.end.Line; n++ {
			if numbers[n] {
				t.Fatalf("number %d was given twice", n)
			}
			numbers[n] = true
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d lines came, want %d", len(got), len(want))
	}
	// Generations come in the order of their first lines, so sort.
	slices.Sort(want)
	slices.Sort(got)
	for i := range min(len(want), len(got)) {
		isHead := len(got[i]) == longHead && strings.HasPrefix(want[i], got[i])
		if got[i] != want[i] && !isHead {
			t.Fatalf("got line %.40q of %d bytes, want %.40q of %d", got[i], len(got[i]), want[i], len(want[i]))
		}
	}
}
