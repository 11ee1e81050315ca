package nginxconf

import (
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// luaBlocks are the directives of OpenResty whose block is a program in Lua.
var luaBlocks = []string{
	"init_by_lua_block", "init_worker_by_lua_block", "exit_worker_by_lua_block", "set_by_lua_block", "content_by_lua_block",
	"server_rewrite_by_lua_block", "rewrite_by_lua_block", "access_by_lua_block", "precontent_by_lua_block",
	"header_filter_by_lua_block", "body_filter_by_lua_block", "log_by_lua_block", "balancer_by_lua_block", "preread_by_lua_block",
	"ssl_client_hello_by_lua_block", "ssl_certificate_by_lua_block", "ssl_session_fetch_by_lua_block",
	"ssl_session_store_by_lua_block", "proxy_ssl_certificate_by_lua_block", "proxy_ssl_verify_by_lua_block",
}

// luaLexer skips programs in Lua, whose quotes and braces are not nginx's. crossplane's
// own takes the apostrophe of a comment for a quote, and the rest of the file for text.
func luaLexer() crossplane.RegisterLexer { return crossplane.LexWithLexer(lua{}, luaBlocks...) }

type lua struct{}

// Lex makes one word of a block.
func (lua) Lex(s *crossplane.SubScanner, _ string) <-chan crossplane.NgxToken {
	words := make(chan crossplane.NgxToken, 2)
	defer close(words)
	p := program{s: s}
	if !p.skip() {
		return words // the file ends
	}
	words <- crossplane.NgxToken{Value: "lua", Line: s.Line(), IsQuoted: true}
	words <- crossplane.NgxToken{Value: ";", Line: s.Line()}
	return words
}

// program reads Lua, one rune ahead.
type program struct {
	s      *crossplane.SubScanner
	ahead  string
	peeked bool
}

func (p *program) next() (r string, ok bool) {
	if p.peeked {
		p.peeked = false
		return p.ahead, p.ahead != ""
	}
	if !p.s.Scan() {
		return "", false
	}
	return p.s.Text(), true
}

func (p *program) peek() string {
	if !p.peeked {
		p.ahead, _ = p.next()
		p.peeked = true
	}
	return p.ahead
}

// skip reads to the brace that closes the block, and reports whether there is one.
func (p *program) skip() bool {
	for depth := 0; ; {
		r, ok := p.next()
		if !ok {
			return false
		}
		switch r {
		case "{":
			depth++
		case "}":
			if depth--; depth == 0 {
				return true
			}
		case `"`, "'":
			if depth > 0 {
				p.quoted(r)
			}
		case "[":
			p.long()
		case "-":
			if p.peek() != "-" {
				continue
			}
			_, _ = p.next()
			if p.peek() == "[" {
				if _, _ = p.next(); p.long() {
					continue
				}
			}
			for p.peek() != "\n" && p.peek() != "" {
				_, _ = p.next()
			}
		}
	}
}

// quoted reads to the end of a text in quotes.
func (p *program) quoted(quote string) {
	for r, ok := p.next(); ok && r != quote; r, ok = p.next() {
		if r == `\` {
			_, _ = p.next()
		}
	}
}

// long reads, after a first bracket, to the end of a text in long brackets, [[ ]] or
// [=[ ]=]; it reports whether there is one.
func (p *program) long() bool {
	level := 0
	for p.peek() == "=" {
		level++
		_, _ = p.next()
	}
	if p.peek() != "[" {
		return false
	}
	end, seen := "]"+strings.Repeat("=", level)+"]", ""
	for r, ok := p.next(); ok && !strings.HasSuffix(seen, end); r, ok = p.next() {
		if seen += r; len(seen) > 64 {
			seen = seen[len(seen)-32:]
		}
		if strings.HasSuffix(seen, end) {
			break
		}
	}
	return true
}
