// What was written and what was sent, in the model.

package scene_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// written is what was written to one file, or to it since it was truncated.
type written struct {
	inode   *inode // where it is now
	text    []byte
	refused bool      // the daemon has looked while it could not be opened
	copied  bool      // a copy of its beginning is beside it: were it lost, that would be read once more
	deleted bool      // nobody has a name for it
	gone    bool      // what was not sent when it was, may be lost
	ended   bool      // half a line at its end will never be completed
	since   time.Time // it has grown or lost its name
}

// books hold what was sent as InfluxDB sees it. No number may have two lines.
type books struct {
	lines   map[int64]string
	numbers map[string][]int64
}

func (b *books) enter(at flow.Position, data []byte) error {
	number := at.Line
	for text := range strings.Lines(string(data)) {
		text = strings.TrimSuffix(text, "\n")
		before, known := b.lines[number]
		switch {
		case !known:
			b.lines[number] = text
			b.numbers[text] = append(b.numbers[text], number)
		case before != text:
			return fmt.Errorf("number %d has two lines: %q and %q", number, before, text)
		}
		number++
	}
	return nil
}

// compare compares what was written with what was sent.
func (b *books) compare(files []*written) error {
	must, may := map[string]int{}, map[string]int{}
	for _, f := range files {
		for text := range bytes.Lines(f.text) {
			whole := bytes.HasSuffix(text, []byte{'\n'})
			text := string(bytes.TrimSuffix(text, []byte{'\n'}))
			if whole || f.ended { // half of a line that will be completed must not be sent
				may[text]++
			}
			if !whole && len(text) == len(f.text) { // nothing but its inode is known of a file without a whole line
				may[text]++
			}
			if whole && !f.gone {
				must[text]++
			}
		}
	}
	var wrong []error
	for text, numbers := range b.numbers {
		if len(numbers) > may[text] {
			wrong = append(wrong, fmt.Errorf("%.20q was written %d times and sent as %d", text, may[text], numbers))
		}
	}
	for text, least := range must {
		if numbers := b.numbers[text]; len(numbers) < least {
			wrong = append(wrong, fmt.Errorf("%.20q was written %d times and sent as %d", text, least, numbers))
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errors.Join(wrong[:min(len(wrong), 4)]...), b.inOrder(files))
}

// inOrder reports a line whose number is not above that of the line before it in its
// file. Lines that were sent more than once say nothing.
func (b *books) inOrder(files []*written) error {
	for i, f := range files {
		last := int64(-1)
		for text := range bytes.Lines(f.text) {
			numbers := b.numbers[string(bytes.TrimSuffix(text, []byte{'\n'}))]
			if len(numbers) != 1 || text[0] == 'b' {
				continue
			}
			if numbers[0] <= last {
				return fmt.Errorf("file %d: %.20q has number %d, and the line before it %d", i, text, numbers[0], last)
			}
			last = numbers[0]
		}
	}
	return nil
}
