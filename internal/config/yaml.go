package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads one YAML document into a value. A file with nothing but
// comments is an empty mapping. The only error is a problem, with its position.
func parseYAML(name string, data []byte) (value, error) {
	f := yamlFile(name)
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// The library counts the lines of a quoted text twice when they end in \r\n.
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	if at, ok := f.notUTF8(data); ok {
		return value{}, problem{at, "got bytes that are not UTF-8, want a text file in UTF-8"}
	}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return value{}, f.syntax(err, data)
	}
	root := value{at: position{name: name}, shape: yamlMapping}
	found := false
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		body := f.value(doc.Body)
		if found {
			return value{}, problem{body.at, "got a second document, want only one"}
		}
		root, found = body, true
	}
	if root.shape == yamlNull {
		root = value{at: root.at, shape: yamlMapping}
	}
	if root.shape != yamlMapping {
		return value{}, problem{root.at, "got " + root.got() + ", want keys and their values"}
	}
	return root, nil
}

// yamlFile is the name of a file, for positions.
type yamlFile string

func (f yamlFile) at(t *token.Token) position {
	at := position{name: string(f)}
	if t != nil && t.Position != nil {
		// The end of a file may be told as column 0.
		at.line, at.column = t.Position.Line, max(1, t.Position.Column)
	}
	return at
}

// syntax turns an error of the parser, which spans several lines, into one line.
func (f yamlFile) syntax(err error, data []byte) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return problem{f.at(nil), "got what is not YAML: " + strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	at, message := f.at(e.GetToken()), e.GetMessage()
	if strings.Contains(message, "'\t'") || strings.Contains(message, "tab character") {
		// The position of some of these is behind the tab.
		if lines := bytes.Split(data, []byte("\n")); 0 < at.line && at.line <= len(lines) {
			at.column = max(0, bytes.IndexByte(lines[at.line-1], '\t')) + 1
		}
		return problem{at, "got a tab in the indentation, want spaces"}
	}
	hint := ""
	if lines := strings.Split(string(data), "\n"); 0 < at.line && at.line <= len(lines) {
		hint = syntaxHint(message, lines[at.line-1])
	}
	return problem{at, "got what is not YAML: " + message + hint}
}

func (f yamlFile) notUTF8(data []byte) (position, bool) {
	at := position{name: string(f), line: 1, column: 1}
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			return at, true
		case r == '\n':
			at.line, at.column = at.line+1, 1
		default:
			at.column++
		}
		data = data[n:]
	}
	return position{}, false
}

func (f yamlFile) value(node ast.Node) value {
	t := node.GetToken()
	v := value{at: f.at(t), text: t.Value}
	switch n := node.(type) {
	case *ast.NullNode:
		v.shape = yamlNull
	case *ast.BoolNode:
		v.shape = yamlBool
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		v.shape = yamlNumber
	case *ast.StringNode:
		v.shape, v.text = yamlString, n.Value
		// The library loses a tab inside text without quotes (TestErrors).
		if t.Type == token.StringType && strings.Contains(strings.TrimSpace(t.Origin), "\t") {
			v.shape, v.text = unsupported, "a tab in text without quotes"
		}
	case *ast.LiteralNode:
		// No setting has several lines; the newline that ends a block is not meant.
		v.shape, v.text = yamlString, strings.TrimRight(n.Value.Value, "\n")
	case *ast.SequenceNode:
		v.shape = yamlSequence
		for _, item := range n.Values {
			v.items = append(v.items, f.value(item))
		}
	case *ast.MappingNode:
		v.shape = yamlMapping
		for _, e := range n.Values {
			v.entries = append(v.entries, f.entry(e))
		}
		if !n.IsFlowStyle && len(v.entries) > 0 {
			v.at = v.entries[0].key.at // the token is the first colon
		}
	case *ast.MappingValueNode:
		e := f.entry(n)
		v.shape, v.at, v.entries = yamlMapping, e.key.at, []entry{e}
	case *ast.AnchorNode:
		v.shape, v.text = unsupported, "an anchor (&)"
	case *ast.AliasNode:
		v.shape, v.text = unsupported, "an alias (*)"
	case *ast.TagNode:
		v.shape, v.text = unsupported, "a YAML tag (!)"
	default:
		v.shape, v.text = unsupported, "a part of YAML that is not used here"
	}
	return v
}

func (f yamlFile) entry(e *ast.MappingValueNode) entry {
	key := f.value(e.Key)
	switch e.Key.(type) {
	case *ast.MergeKeyNode:
		key.text = "a merge key (<<)"
	case *ast.MappingKeyNode:
		key.text = "an explicit key (?)"
	}
	val := f.value(e.Value)
	if e.Value.GetToken().Type == token.ImplicitNullType {
		val.at = key.at // its own place is somewhere behind the end of the line
	}
	return entry{key: key, val: val}
}
