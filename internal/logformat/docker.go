package logformat

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

const dockerHead = `{"log":"`

func isDocker(line []byte) bool { return bytes.HasPrefix(line, []byte(dockerHead)) }

// unwrapDocker is for files of Docker's driver json-file. Docker cuts lines at 16 KiB.
//
// https://docs.docker.com/engine/logging/drivers/json-file/
func unwrapDocker(line, room []byte) (inner []byte, what wrapped) {
	if inner, what = unwrapDockersOwn(line, room); what == otherwise {
		return unwrapDockerObject(line, room)
	}
	return inner, what
}

// unwrapDockersOwn is for lines to the byte as Docker writes them: the parser is slower.
func unwrapDockersOwn(line, room []byte) (inner []byte, what wrapped) {
	if !isDocker(line) {
		return nil, otherwise
	}
	inner, rest, ok := appendJSONString(room, line[len(dockerHead):])
	if !ok {
		return nil, otherwise
	}
	stream, ok := bytes.CutPrefix(rest, []byte(`,"stream":"`))
	switch {
	case ok && bytes.HasPrefix(stream, []byte(`stderr"`)):
		return wholeOfDocker(inner, aside)
	case !ok || !bytes.HasPrefix(stream, []byte(`stdout"`)) || stream[len(stream)-1] != '}':
		return nil, otherwise
	}
	return wholeOfDocker(inner, aLine)
}

// wholeOfDocker is what Docker holds, without the end of the line, by which it can be told
// from a piece.
func wholeOfDocker(log []byte, what wrapped) ([]byte, wrapped) {
	if what == aside {
		return bytes.TrimRight(log, "\r\n"), aside
	}
	inner, ok := bytes.CutSuffix(log, []byte{'\n'})
	if !ok {
		return inner, aPiece
	}
	return bytes.TrimSuffix(inner, []byte{'\r'}), aLine
}

var dockerParsers fastjson.ParserPool

// unwrapDockerObject is for lines that a shipper has written anew, and those with the
// attributes that Docker can be told to add: an object with the same keys, in any order,
// with blanks, and others among them.
func unwrapDockerObject(line, room []byte) (inner []byte, what wrapped) {
	if !opensObject(line) || !bytes.Contains(line, []byte(`"log"`)) || !bytes.Contains(line, []byte(`"stream"`)) {
		return nil, otherwise
	}
	p := dockerParsers.Get()
	defer dockerParsers.Put(p)
	v, err := p.ParseBytes(line)
	if err != nil {
		return nil, otherwise
	}
	log := v.Get("log")
	if log == nil || log.Type() != fastjson.TypeString {
		return nil, otherwise
	}
	room = append(room[:0], log.GetStringBytes()...)
	switch string(v.GetStringBytes("stream")) {
	case "stdout":
		return wholeOfDocker(room, aLine)
	case "stderr":
		return wholeOfDocker(room, aside)
	}
	return nil, otherwise
}

// appendJSONString appends the text of a JSON string up to its closing quote, and
// returns what follows that.
func appendJSONString(dst, text []byte) (all, rest []byte, ok bool) {
	for {
		at := bytes.IndexAny(text, `"\`)
		if at < 0 || at+1 == len(text) && text[at] == '\\' {
			return dst, nil, false
		}
		dst = append(dst, text[:at]...)
		if text[at] == '"' {
			return dst, text[at+1:], true
		}
		escape := text[at+1]
		text = text[at+2:]
		if escape != 'u' {
			dst = append(dst, jsonEscapes(escape))
			continue
		}
		r, ok := hexRune(text)
		if !ok {
			return dst, nil, false
		}
		text = text[4:]
		if utf16.IsSurrogate(r) && len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
			if low, ok := hexRune(text[2:]); ok {
				if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
					r, text = both, text[6:]
				}
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

func jsonEscapes(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c // a quote, a backslash or a slash
}

// hexRune is the four hexadecimal digits that a text begins with.
func hexRune(text []byte) (r rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
