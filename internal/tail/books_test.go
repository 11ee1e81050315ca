// Harness: the books in which all tests enter what is sent, and the sink that acknowledges it.

package tail_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
)

// books hold what was sent as InfluxDB sees it: the lines of each source by
// their numbers. They are kept across restarts. No number may have two lines.
type books struct {
	once bool // every line is written once, so no line may have two numbers

	mu      sync.Mutex
	lines   map[numberOf]string
	numbers map[lineOf][]int64
}

type numberOf struct {
	source string
	number int64
}

type lineOf struct{ source, text string }

func newBooks() *books {
	return &books{lines: map[numberOf]string{}, numbers: map[lineOf][]int64{}}
}

// enter enters the lines of a chunk and returns what is wrong with them.
func (b *books) enter(c flow.Chunk) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wrong []error
	source, number := c.Start.Generation.Source.Name, c.Start.Line
	for text := range strings.Lines(string(c.Data)) {
		text = entered(strings.TrimSuffix(text, "\n"))
		at, line := numberOf{source, number}, lineOf{source, text}
		if before, known := b.lines[at]; !known {
			b.numbers[line] = append(b.numbers[line], number)
		} else if before != text {
			wrong = append(wrong, fmt.Errorf("number %d of %s has two lines: %.40q and %.40q", number, source, before, text))
		}
		b.lines[at] = text
		if numbers := b.numbers[line]; b.once && len(numbers) > 1 {
			wrong = append(wrong, fmt.Errorf("line %.40q of %s has two numbers: %d; further ones are not reported", text, source, numbers))
			b.once = false
		}
		number++
	}
	if number != c.End.Line {
		wrong = append(wrong, fmt.Errorf("a chunk of lines up to %d ends at %d", number, c.End.Line))
	}
	return errors.Join(wrong...)
}

// entered is how a line stands in the books. Of a line over the limit only the
// head is sent, unless it fits in a block.
func entered(text string) string { return text[:min(len(text), longHead)] }

// sent returns the numbers a line was sent under.
func (b *books) sent(source, text string) []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.numbers[lineOf{source, entered(text)}])
}

// compare reports the lines of a source that were sent less often than they must
// be, or more often than they may be; four of them at most. The lines are given
// as they stand in the books.
func (b *books) compare(source string, must, may map[string]int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wrong []error
	for line, numbers := range b.numbers {
		if most := max(may[line.text], 0); line.source == source && len(numbers) > most {
			wrong = append(wrong, fmt.Errorf("%.40q was written %d times and sent as %d", line.text, most, numbers))
		}
	}
	for text, least := range must {
		if numbers := b.numbers[lineOf{source, text}]; len(numbers) < least {
			wrong = append(wrong, fmt.Errorf("%.40q was written %d times and sent as %d", text, least, numbers))
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong[:min(len(wrong), 4)]...)
}

// sink stands where the writer does: it enters chunks in the books and
// acknowledges them when a test wants it to, in the order in which they came.
type sink struct {
	books      *books // nil: there are too many lines to enter them
	checkpoint *checkpoint.Checkpoint

	mu      sync.Mutex
	unacked []taken
}

// taken is what remains to be acknowledged of a chunk.
type taken struct {
	end  flow.Position
	last []byte
}

// take takes a chunk, which stays the caller's, and returns what is wrong with it.
func (s *sink) take(c flow.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := taken{end: c.End}
	if isAsInFile(c) { // else its bytes do not identify the place in the file
		one.last = bytes.Clone(c.Data)
	}
	s.unacked = append(s.unacked, one)
	if s.books == nil {
		return nil
	}
	return s.books.enter(c)
}

// isAsInFile reports whether a chunk has the bytes of the file: it is no head of
// a long line and no newline was added.
func isAsInFile(c flow.Chunk) bool { return int64(len(c.Data)) == c.End.Offset-c.Start.Offset }

// everything is more chunks than any test sends.
const everything = 1 << 30

// acknowledge acknowledges up to n chunks, and returns where they end.
func (s *sink) acknowledge(n int) (ends []flow.Position) {
	s.mu.Lock()
	n = min(n, len(s.unacked))
	some := s.unacked[:n]
	s.unacked = s.unacked[n:]
	s.mu.Unlock()
	for _, one := range some {
		s.checkpoint.Acknowledge(one.end, one.last)
		ends = append(ends, one.end)
	}
	return ends
}
