package accesslog

import (
	"bytes"
	"fmt"
	"regexp"
)

// folder makes few paths of many, so that a path can be a tag:
//
//	/users/42/orders/7                            /users/:id/orders/:id
//	/o/6b29fc40-ca47-1067-b31d-00dd010662da.pdf   /o/:uuid.pdf
//	/commit/da39a3ee5e6b4b0d3255bfef95601890      /commit/:hash
//	/reset/ZXlKaGJHY2lPaUpJVXpJMU5pSjkuMTIzNDU2   /reset/:token
//	/static/js/app.9e3779b1.js                    *.js, when asked
//
// What it gives depends on the path alone, and is not changed by folding again.
type folder struct {
	rules    []pathRule
	static   bool
	segments bool
	buf      []byte
}

type pathRule struct {
	match *regexp.Regexp
	as    []byte
}

func newFolder(s Schema) (folder, error) {
	f := folder{static: s.FoldStatic, segments: s.Fold}
	for _, rule := range s.Paths {
		re, err := regexp.Compile(rule.Match)
		if err != nil {
			return f, fmt.Errorf("path rule: %w", err)
		}
		f.rules = append(f.rules, pathRule{re, []byte(rule.As)})
	}
	return f, nil
}

// isPath reports whether values of the variable are paths.
func isPath(variable string) bool {
	switch variable {
	case "path", "uri", "document_uri", "request_uri":
		return true
	}
	return false
}

// fold returns path, or what it is folded to, which is valid until the next call.
func (f *folder) fold(path []byte) []byte {
	for i := range f.rules {
		if f.rules[i].match.Match(path) {
			return f.rules[i].as
		}
	}
	if f.static {
		if ext := extension(path[bytes.LastIndexByte(path, '/')+1:]); isStatic(ext) {
			f.buf = append(f.buf[:0], "*."...)
			for _, c := range ext {
				f.buf = append(f.buf, lower(c))
			}
			return f.buf
		}
	}
	if !f.segments {
		return path
	}
	f.buf = f.buf[:0]
	done := 0 // up to there it is in buf
	for start := 0; start <= len(path); {
		end, seen := start, uint8(0)
		for ; end < len(path) && path[end] != '/'; end++ {
			seen |= segmentBytes[path[end]]
		}
		if seen&digit != 0 { // nothing that is folded is without a digit
			segment := path[start:end]
			if ext := extension(segment); len(ext) > 0 {
				segment = segment[:len(segment)-len(ext)-1]
			}
			if name := classify(segment); name != "" {
				f.buf = append(append(f.buf, path[done:start]...), name...)
				done = start + len(segment)
			}
		}
		start = end + 1
	}
	if done == 0 {
		return path
	}
	f.buf = append(f.buf, path[done:]...)
	return f.buf
}

// Lengths from which a segment is taken for what no person typed.
const (
	uuidLen  = 36
	minHash  = 16
	minToken = 33
)

// What a byte of a segment is.
const (
	digit = 1 << iota
	hexLetter
	lowerLetter
	upperLetter
	otherByte
)

var segmentBytes = func() (class [256]uint8) {
	for i := range class {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			class[i] = digit
		case c >= 'a' && c <= 'z':
			class[i] = lowerLetter
		case c >= 'A' && c <= 'Z':
			class[i] = upperLetter
		default:
			class[i] = otherByte
		}
		if lower(byte(i)) >= 'a' && lower(byte(i)) <= 'f' {
			class[i] |= hexLetter
		}
	}
	return class
}()

// classify names what a segment is one of very many of; "" is for a segment
// that says something.
func classify(segment []byte) string {
	var seen uint8
	hexOnly, digits := true, 0
	for _, c := range segment {
		class := segmentBytes[c]
		seen |= class
		digits += int(class & digit)
		hexOnly = hexOnly && class&(digit|hexLetter) != 0
	}
	const bothCases = lowerLetter | upperLetter
	switch {
	case seen&digit == 0:
		return ""
	case seen == digit:
		return ":id"
	case hexOnly && len(segment) >= minHash:
		return ":hash"
	case len(segment) == uuidLen && isUUID(segment):
		return ":uuid"
	case len(segment) >= minToken && seen&bothCases != 0 && (seen&bothCases == bothCases || 8*digits >= len(segment)):
		return ":token"
	}
	return ""
}

// isUUID accepts 6b29fc40-ca47-1067-b31d-00dd010662da, in any case.
func isUUID(b []byte) bool {
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if segmentBytes[c]&(digit|hexLetter) == 0 {
				return false
			}
		}
	}
	return true
}

// extension is that of a file, without the dot: a letter and up to four more
// letters or digits. Empty when there is none, or nothing before it.
func extension(segment []byte) []byte {
	dot := bytes.LastIndexByte(segment, '.')
	ext := segment[dot+1:]
	if dot <= 0 || len(ext) == 0 || len(ext) > 5 || segmentBytes[ext[0]]&(lowerLetter|upperLetter) == 0 {
		return nil
	}
	for _, c := range ext {
		if segmentBytes[c]&otherByte != 0 {
			return nil
		}
	}
	return ext
}

// isStatic reports whether files with this extension are what pages are made of:
// scripts, styles, pictures, fonts, sound.
func isStatic(ext []byte) bool {
	var buf [5]byte
	if len(ext) > len(buf) {
		return false
	}
	for i, c := range ext {
		buf[i] = lower(c)
	}
	switch string(buf[:len(ext)]) {
	case "js", "mjs", "css", "map", "wasm",
		"png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp",
		"woff", "woff2", "ttf", "otf", "eot",
		"mp3", "ogg", "wav", "m4a", "mp4", "webm":
		return true
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
