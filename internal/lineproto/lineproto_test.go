package lineproto_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/lineproto"
)

func TestAppendTag(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"plain", "/a/b", ",k=/a/b"},
		{"empty is left out", "", ""},
		{"escaped", "a,b=c d", `,k=a\,b\=c\ d`},
		{"newline", "a\nb", ",k=a?b"},
		{"carriage return at the end", "a\r", ",k=a?"},
		{"NUL", "\x00", ",k=?"},
		{"backslash inside", `a\b`, `,k=a\b`},
		{"backslash at the end", `a\`, ",k=a?"},
		{"two of them", `a\\`, ",k=a\\?"},
		{"backslash before a comma", `a\,b`, `,k=a\\,b`},
		{"UTF-8", "/ä/€", ",k=/ä/€"},
		{"invalid UTF-8", "a\xffb\xc3", ",k=a?b?"},
		{"long", strings.Repeat("ä", 600), ",k=" + strings.Repeat("ä", 512)},
		{"long, odd", "a" + strings.Repeat("ä", 600), ",k=a" + strings.Repeat("ä", 511)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lineproto.AppendTag(nil, lineproto.TagPrefix("k"), []byte(tt.value)); string(got) != tt.want {
				t.Errorf("AppendTag(%q) = %q, want %q", tt.value, got, tt.want)
			}
		})
	}
}

// What models.ParsePoints reads back is what was appended, cleaned.
func FuzzReadBack(f *testing.F) {
	f.Add("/a,b=c d", "Mozilla \"x\"\\", int64(1795168800000000001))
	f.Add(`\`, `\`, int64(1))
	f.Add("\\,\\=\\ \\", "\n\r\x00\xff", int64(-1))
	f.Add("=,", "\\\"", int64(0))
	f.Fuzz(func(t *testing.T, tag, field string, at int64) {
		if at < models.MinNanoTime || at > models.MaxNanoTime {
			return
		}
		p := lineproto.AppendMeasurement(nil, "nginx access,x")
		p = lineproto.AppendTag(p, lineproto.TagPrefix("path"), []byte(tag))
		p = append(append(p, ' '), lineproto.FieldPrefix("agent")...)
		p = lineproto.AppendString(p, []byte(field))
		p = lineproto.AppendEnd(p, at)
		if bytes.Count(p, []byte{'\n'}) != 1 {
			t.Fatalf("%q is not one line", p)
		}
		points, err := models.ParsePointsWithPrecision(p, time.Time{}, "ns")
		if err != nil || len(points) != 1 {
			t.Fatalf("ParsePoints(%q) = %d points, %v", p, len(points), err)
		}
		got := points[0]
		if string(got.Name()) != "nginx access,x" || got.UnixNano() != at {
			t.Errorf("ParsePoints(%q) = %q at %d", p, got.Name(), got.UnixNano())
		}
		wantTag := strings.ReplaceAll(clean(tag), "\uFFFD", "?")
		for len(wantTag) > lineproto.MaxTagValue {
			return // cut before it is cleaned: the table has it
		}
		if strings.HasSuffix(wantTag, `\`) {
			wantTag = wantTag[:len(wantTag)-1] + "?"
		}
		if tag := got.Tags().GetString("path"); tag != wantTag {
			t.Errorf("ParsePoints(%q): tag %q, want %q", p, tag, wantTag)
		}
		fields, err := got.Fields()
		if err != nil || fields["agent"] != clean(field) {
			t.Errorf("ParsePoints(%q): field %q, %v, want %q", p, fields["agent"], err, clean(field))
		}
	})
}

// An Ender writes what the function writes, in whatever order times come.
func FuzzEnder(f *testing.F) {
	f.Add(int64(1795168800_000000001), int64(1795168800_999999999))
	f.Add(int64(1795168800_000000001), int64(1795168801_000000002))
	f.Add(int64(0), int64(999_999_999))
	f.Add(int64(-1), int64(1_000_000_000))
	f.Add(int64(1<<63-1), int64(-1<<63))
	f.Add(int64(1795168800_000000008), int64(1795168800_999999995))
	f.Add(int64(1e18-3), int64(0))
	f.Fuzz(func(t *testing.T, a, b int64) {
		var e lineproto.Ender
		for i, at := range []int64{a, b, a, a + 1, a + 2, a + 3, b + 1, b + 2, b + 3, b + 4, b + 5, b + 7, a + 8, b} {
			room := make([]byte, 1, 20+i)
			got, want := e.AppendEnd(room, at), lineproto.AppendEnd(make([]byte, 1), at)
			if !bytes.Equal(got, want) {
				t.Fatalf("AppendEnd(%d) = %q, want %q", at, got, want)
			}
		}
	})
}

// clean is the slow twin of what Append does to bytes.
func clean(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			r = '\uFFFD'
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

func BenchmarkAppendTag(b *testing.B) {
	value, prefix := []byte("/api/v1/users/orders/42"), lineproto.TagPrefix("path")
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		dst = lineproto.AppendTag(dst[:0], prefix, value)
	}
}

func BenchmarkAppendEnd(b *testing.B) {
	var e lineproto.Ender
	dst := make([]byte, 0, 64)
	at := int64(1795168800_000000000)
	b.ReportAllocs()
	for b.Loop() {
		at++
		dst = e.AppendEnd(dst[:0], at)
	}
}
