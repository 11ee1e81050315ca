package tail_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Rotations 200 ms apart at 20,000 lines/s, the old file written for 50 ms
// beside the new one: every line comes once. First in synctest's time, in which
// the reader is never late, then in the real one.
func TestRotatedFiveTimesASecond(t *testing.T) {
	t.Run("ticks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { storm(t, false, 15) })
	})
	for _, wakeups := range []bool{false, true} {
		t.Run(fmt.Sprintf("real time, wakeups=%t", wakeups), func(t *testing.T) {
			const tries = 10
			for range tries {
				if storm(t, wakeups, 11) == 0 {
					return
				}
			}
			t.Errorf("the machine was late in each of %d tries, and lines were lost", tries)
		})
	}
}

// storm returns how late the machine was at worst if lines were lost and that
// may be why, else 0.
func storm(t *testing.T, wakeups bool, rotations int) (late time.Duration) {
	const (
		every    = 200 * time.Millisecond
		overlap  = 50 * time.Millisecond
		step     = 5 * time.Millisecond
		perStep  = 100
		lateOnes = 500 // of 4,000 lines in a file
	)
	path := logFile(t)
	o := rotating(wakeups)
	o.RotateWait = time.Second
	o.blocks = 64
	file, old := create(t, path, ""), (*os.File)(nil)
	f := follow(t, o, path)
	f.eventually("the first look", func() bool { return f.source().Open })

	total := 0
	started := time.Now()
	for i := 1; ; i++ {
		due := started.Add(time.Duration(i) * step)
		time.Sleep(time.Until(due))
		late = max(late, time.Since(due))
		if time.Duration(i)*step%every == 0 {
			if rotations--; rotations < 0 {
				break
			}
			rename(t, path, fmt.Sprintf("%s.%d", path, rotations))
			old, file = file, create(t, path, "")
		}
		for n := range perStep {
			to := file
			if time.Duration(i)*step%every < overlap && old != nil && n%2 == 0 {
				to = old
			}
			line := fmt.Sprintf("%d GET /%s HTTP/1.1\n", total, strings.Repeat("x", total%200))
			total++
			if n%10 == 0 { // nginx with a full pipe, and stdio
				half := total % len(line)
				add(t, to, line[:half])
				line = line[half:]
			}
			add(t, to, line)
		}
	}

	count := make([]int, total)
	missing := func() (n int) {
		clear(count)
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, file := range f.files {
			for _, line := range file.lines {
				number, _, _ := strings.Cut(line, " ")
				i, err := strconv.Atoi(number)
				if err != nil || i >= total || line != fmt.Sprintf("%d GET /%s HTTP/1.1", i, strings.Repeat("x", i%200)) {
					t.Fatalf("torn line %q", line)
				}
				count[i]++
			}
		}
		for _, c := range count {
			if c == 0 {
				n++
			}
		}
		return n
	}
	done := func() bool { return f.stats.Snapshot(time.Now()).Books.Read >= int64(total) }
	for wait := time.Now(); !done() && time.Since(wait) < 3*time.Second; time.Sleep(step) {
	}
	f.stop()
	lost, doubled := missing(), 0
	for _, c := range count {
		doubled += max(0, c-1)
	}
	if lost > 0 && late > every/4 {
		t.Logf("%d lines were lost, but the machine was %v late", lost, late)
		return late
	}
	if lost+doubled > 0 {
		t.Errorf("of %d lines in %d files %d were lost, %d doubled; the machine was up to %v late", total, len(f.files), lost, doubled, late)
	}
	for i := 1; i < len(f.files); i++ {
		if a, b := f.files[i-1].generation.FirstLine, f.files[i].generation.FirstLine; b < a+gap {
			t.Errorf("generations begin at lines %d and %d", a, b)
		}
	}
	return 0
}
