package nginxconf

import (
	"errors"
	"fmt"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// A word of a statement. Raw has the backslashes that text has not.
type word struct {
	raw, text string
	quoted    bool
}

// A statement is a directive with its words, and its block if it has one.
type statement struct {
	name  string
	args  []word
	block []statement
	at    Place
}

// Place is where something stands.
type Place struct {
	File string
	Line int
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// arg is the text of an argument, or "".
func (s statement) arg(i int) string {
	if i < len(s.args) {
		return s.args[i].text
	}
	return ""
}

// luaBrace is a block of Lua whose brace follows at once: the lexer would lose it.
var luaBrace = lazyregexp.New(`_by_lua_block\{`)

// parse reads the statements of one file.
func parse(file, text string) ([]statement, error) {
	text = luaBrace().ReplaceAllString(text, "_by_lua_block {")
	tokens := crossplane.LexWithOptions(strings.NewReader(text), crossplane.LexOptions{Lexers: []crossplane.RegisterLexer{luaLexer()}})
	p := parser{file: file, open: []statement{{}}}
	var err error
	for t := range tokens { // to the end: the lexer waits otherwise
		if err == nil {
			err = p.take(t)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case p.now != nil:
		return nil, fmt.Errorf("%s: %s: the file ends before the statement does; a ; or a closing quote is missing", p.now.at, p.now.name)
	case len(p.open) > 1:
		at := p.open[len(p.open)-1]
		return nil, fmt.Errorf("%s: %s: the block that begins here is not closed", at.at, at.name)
	}
	return p.open[0].block, nil
}

// A parser makes statements of words.
type parser struct {
	file string
	open []statement // the file itself, and the blocks that are not closed yet
	now  *statement  // not ended yet
}

func (p *parser) take(t crossplane.NgxToken) error {
	at := Place{p.file, t.Line}
	if t.Error != nil {
		if parse, ok := errors.AsType[*crossplane.ParseError](t.Error); ok {
			if strings.HasPrefix(parse.What, "unexpected end of file") {
				return nil // what is open then says where it began
			}
			return fmt.Errorf("%s: %s", at, parse.What)
		}
		return fmt.Errorf("%s: %w", at, t.Error)
	}
	last := &p.open[len(p.open)-1]
	switch {
	case !t.IsQuoted && strings.HasPrefix(t.Value, "#"):
	case !t.IsQuoted && t.Value == ";":
		if p.now == nil {
			return fmt.Errorf("%s: unexpected \";\"", at)
		}
		last.block = append(last.block, *p.now)
		p.now = nil
	case !t.IsQuoted && t.Value == "{":
		if p.now == nil {
			return fmt.Errorf("%s: unexpected \"{\"", at)
		}
		p.open = append(p.open, *p.now)
		p.now = nil
	case !t.IsQuoted && t.Value == "}":
		if p.now != nil || len(p.open) == 1 {
			return fmt.Errorf("%s: unexpected \"}\"", at)
		}
		p.open = p.open[:len(p.open)-1]
		around := &p.open[len(p.open)-1]
		around.block = append(around.block, *last)
	case p.now == nil:
		p.now = &statement{name: unescape(t.Value), at: at}
	default:
		p.now.args = append(p.now.args, word{raw: t.Value, text: unescape(t.Value), quoted: t.IsQuoted})
	}
	return nil
}

// unescape takes the backslashes out of a word as nginx does: those before quotes,
// backslashes and the letters t, r and n; any other stays. (crossplane takes out those
// before the quote that the word began with, so no pair is taken apart here.)
func unescape(raw string) string {
	if !strings.Contains(raw, `\`) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			b.WriteByte(raw[i])
			continue
		}
		i++
		if n := strings.IndexByte(`"'\trn`, raw[i]); n >= 0 {
			b.WriteByte("\"'\\\t\r\n"[n])
		} else {
			b.WriteByte('\\')
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}
