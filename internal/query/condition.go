package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Condition is what a tag of a line must be.
type Condition struct {
	Tag   string
	Not   bool   // it must not
	Text  string // the value; "" is also a line without the tag
	Match bool   // Text is a regular expression that is found in the value
}

// ParseCondition reads tag=value, tag!=value, tag=~regexp or tag!~regexp.
func ParseCondition(s string) (c Condition, err error) {
	at := strings.IndexAny(s, "=!")
	if at > 0 && at+1 < len(s) || at == len(s)-1 && at > 0 && s[at] == '=' {
		c.Tag = s[:at]
		switch op := s[at:]; {
		case strings.HasPrefix(op, "!="):
			c.Not, c.Text = true, op[2:]
		case strings.HasPrefix(op, "!~"):
			c.Not, c.Match, c.Text = true, true, op[2:]
		case strings.HasPrefix(op, "=~"):
			c.Match, c.Text = true, op[2:]
		case op[0] == '=':
			c.Text = op[1:]
		default:
			c.Tag = ""
		}
	}
	if c.Tag == "" {
		return c, fmt.Errorf("got %q, want tag=value, tag!=value, tag=~regexp or tag!~regexp", s)
	}
	if c.Match {
		if _, err := quotePattern(c.Text); err != nil {
			return c, err
		}
	}
	return c, nil
}

const (
	statusTag = "status"
	classTag  = "status_class"
)

var class = lazyregexp.New(`^\dxx$`)

// in is the condition for points with these tags: a class of statuses is also known by the
// status. ok is false if these tags do not tell.
func (c Condition) in(tags []string) (as Condition, ok bool) {
	if slices.Contains(tags, c.Tag) {
		return c, true
	}
	if c.Tag == classTag && !c.Match && class().MatchString(c.Text) && slices.Contains(tags, statusTag) {
		return Condition{Tag: statusTag, Not: c.Not, Match: true, Text: "^" + c.Text[:1]}, true
	}
	return c, false
}

// influxQL writes it.
func (c Condition) influxQL() (string, error) {
	op, text := "=", quoteText(c.Text)
	if c.Match {
		op = "~"
		var err error
		if text, err = quotePattern(c.Text); err != nil {
			return "", err
		}
	}
	switch {
	case c.Not:
		op = "!" + op
	case c.Match:
		op = "=" + op
	}
	return quoteName(c.Tag) + " " + op + " " + text, nil
}
