package accesslog_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/logtime"
)

// everything is switched on.
func everything(t testing.TB, values accesslog.Admitter) *accesslog.Encoder {
	t.Helper()
	s := standard
	s.Zone = time.UTC
	s.Fold, s.FoldStatic, s.Values = true, true, values
	s.Paths = []accesslog.Path{{Match: "^/p/", As: "/p/:slug"}}
	s.Drop = []accesslog.Rule{{{"path", "/healthz"}, {"status", "200"}}, {{"http_user_agent", "~^kube-probe/"}}}
	s.Mask = []string{"remote_addr"}
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s.Fields = append(s.Fields[:len(s.Fields):len(s.Fields)], "client", "http_user_agent", "http_referer", "remote_user", "query", "request")
	e, err := accesslog.New(timed, s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Whatever the log holds, the point is one that InfluxDB's own parser reads, and
// an encoder that has met many values gives the point that a new one gives.
func FuzzAppend(f *testing.F) {
	f.Add("20/Nov/2026:10:00:00 +0000", "GET /p/1?q HTTP/1.1", "200", "https", "curl", "0.1, 0.2")
	f.Add("20/Nov/2026:10:00:00", `GET /\xD0\x9F/42\x5C HTTP/1.1`, `\`, "a,b= c", "\\\"\n", "-, 1")
	f.Add("20/Nov/2026:10:00:00 +0000", "\x16\x03", "", "-", "\xff\x00", "9, 9 : ")
	old := everything(f, &limit{max: 3, seen: map[string]bool{}})
	f.Fuzz(func(t *testing.T, at, request, status, scheme, agent, upstream string) {
		l := captures(map[string]string{
			"time_local": at, "request": request, "status": status, "scheme": scheme, "http_user_agent": agent, "upstream_response_time": upstream,
		})
		admitted := &limit{max: 1 << 30, seen: map[string]bool{}}
		got, why := appended(everything(t, admitted), nil, l, 7)
		if why != "" && len(got) > 0 {
			t.Fatalf("Append = %q, %q", got, why)
		}
		_, _ = old.Append(nil, l, 7) // other, or what was admitted
		if fresh, same := everything(t, nil), everything(t, nil); why == "" {
			first, _ := fresh.Append(nil, l, 7)
			again, _ := fresh.Append(nil, l, 7)
			_, _ = same.Append(nil, captures(nil), 6)
			for i := range l {
				l[i] = slices.Clip(l[i]) // what stands behind it in the line is nothing to the point
			}
			other, _ := same.Append(nil, l, 7)
			if !bytes.Equal(first, got) || !bytes.Equal(again, got) || !bytes.Equal(other, got) {
				t.Fatalf("points of one line:\n%s%s%s%s", got, first, again, other)
			}
		}
		if why != "" {
			return
		}
		if !utf8.Valid(got) || bytes.Count(got, []byte("\n")) != 1 {
			t.Errorf("point %q", got)
		}
		points, err := models.ParsePointsWithPrecision(got, time.Time{}, "ns")
		stamp, known := logtime.Parse(l[slices.Index(timed, "time_local")], time.UTC)
		if err != nil || len(points) != 1 || !known || points[0].UnixNano() != stamp.Nano+7%stamp.Resolution {
			t.Errorf("%q is read as %v, %v", got, points, err)
		}
	})
}

// Values that were met before, in any order and however many, give what they
// gave the first time.
func FuzzMemo(f *testing.F) {
	f.Add([]byte("abcabcdeff"), uint8(3))
	f.Fuzz(func(t *testing.T, order []byte, most uint8) {
		long := everything(t, &limit{max: int(most), seen: map[string]bool{}})
		// The slow twin forgets: a new encoder for each line, with the same limit.
		shared := &limit{max: int(most), seen: map[string]bool{}}
		for i, c := range order {
			l := captures(map[string]string{"request": "GET /x" + strings.Repeat(string(rune('A'+c%64)), int(c)/5) + "/" + string(rune('0'+c/64)) + " HTTP/1.1"})
			got, _ := long.Append(nil, l, int64(i))
			want, _ := everything(t, shared).Append(nil, l, int64(i))
			if !bytes.Equal(got, want) {
				t.Fatalf("line %d of %q:\n%swant\n%s", i, order, got, want)
			}
		}
	})
}

// A short value is kept as one number, in which zeros behind it do not show.
func TestMemoTellsZerosApart(t *testing.T) {
	for _, order := range [][]string{{"20", "20\x00"}, {"20\x00", "20"}} {
		long := everything(t, nil)
		for _, status := range order {
			l := captures(map[string]string{"status": status})
			got, _ := long.Append(nil, l, 1)
			want, _ := everything(t, nil).Append(nil, l, 1)
			if !bytes.Equal(got, want) {
				t.Errorf("status %q in the order %q:\n%swant\n%s", status, order, got, want)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties the pools of package regexp")
	}
	lines := [][][]byte{
		captures(nil),
		captures(map[string]string{"request": "GET /users/42/orders/7.jpg?a=b HTTP/1.1"}),
		captures(map[string]string{"request": "GET /p/1 HTTP/2.0", "http_user_agent": `a\x22b`}),
		captures(map[string]string{"request": `GET /\xD0\x9F/da39a3ee5e6b4b0d3255 HTTP/1.1`, "upstream_response_time": "0.1, 0.2 : 0.3"}),
		captures(map[string]string{"request": "GET /healthz HTTP/1.1", "status": "200"}),
		captures(map[string]string{"http_user_agent": "kube-probe/1.30"}),
		captures(map[string]string{"http_referer": "https://example.com/?q", "remote_addr": "2001:db8::1"}),
		captures(map[string]string{"remote_addr": "no address"}),
	}
	for range 100 { // paths that are over the limit, and more than are remembered
		lines = append(lines, captures(map[string]string{"request": "GET /" + string(rune('a'+len(lines))) + "/1 HTTP/1.1"}))
	}
	e := everything(t, &limit{max: 20, seen: map[string]bool{}})
	dst := make([]byte, 0, 4096)
	number := int64(0)
	each := func() {
		for _, line := range lines {
			number++
			dst, _ = e.Append(dst[:0], line, number)
		}
	}
	each()
	if n := testing.AllocsPerRun(100, each); n != 0 {
		t.Errorf("%v allocations in %d lines", n, len(lines))
	}
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"", "0", "9", "12345678", "00000001", "99999999", "123456789", "1234567890", "12345678901", "1234567:", "/2345678", "1 2", "-1", "1\x002", "\x00", "90/", "\xb0"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := accesslog.ManyDigits(text)
		if got := accesslog.Number(text); got != want {
			t.Errorf("Number(%q) = %d, want %d", text, got, want)
		}
		padded := append(text, "12345678"...)[:len(text)] // what stands behind it does not count
		if got := accesslog.Number(padded); got != want {
			t.Errorf("Number(%q), with digits behind it, = %d, want %d", text, got, want)
		}
	})
}

func FuzzCountList(f *testing.F) {
	for _, text := range []string{"", "-", "0.010", "0.1, 0.2", "1 : 2", "1,2", ",", " ", "a b", "0.1,", "1, 2 : 3, 4", "12345678", "1234567,"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := int64(0)
		for rest := text; len(rest) > 0; want++ {
			_, rest = accesslog.NextOfList(rest)
		}
		if got := accesslog.CountList(text); got != want {
			t.Errorf("CountList(%q) = %d, want %d", text, got, want)
		}
	})
}

// Numbers that are copied as words are those that are numbers byte by byte, wherever the room
// for points ends.
func FuzzFieldWords(f *testing.F) {
	for _, text := range []string{"", "-", "0", "7", "12", "1234567", "12345678", "123456789", "1.5", ".5", ".123", "1.123", "5.", ".", "0.340", "1234.567", "1.2.3", "12.45678", "1234567.", "-1.5", "+1", "1e5", "1:2", "/12", "1.-2", "\x00", "1\x00", "\xb0\xb1", "\x1e1", "0.1, 0.2", "1..2"} {
		f.Add(text, "5", uint8(200))
		f.Add("0.340", text, uint8(100))
		f.Add("12", text, uint8(60))
	}
	f.Fuzz(func(t *testing.T, first, second string, room uint8) {
		names := []string{"msec", "bytes_sent", "request_time", "status", "own"}
		s := accesslog.Schema{Measurement: "m", Fields: []string{"bytes_sent", "request_time", "status", "a_long_name_of_a_field_that_is_one", "own"}, Lists: len(first)%2 > 0}
		encoder := func() *accesslog.Encoder {
			e, err := accesslog.New(names, s)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		quick, slow := encoder(), encoder()
		accesslog.WithoutWords(slow)
		behind := func(text, more string) []byte { return []byte(text + more)[:len(text)] }
		for _, more := range []string{"", "1", "........", "00000000"} {
			captures := [][]byte{[]byte("1795168800.123"), behind(first, more), behind(second, more), behind(first, more), behind(second, more)}
			got, _ := quick.Append(make([]byte, 0, room), captures, 1)
			want, _ := slow.Append(nil, captures, 1)
			if !bytes.Equal(got, want) || quick.Omitted() != slow.Omitted() {
				t.Fatalf("%q, %q with %q behind: %s (%d omitted), want %s (%d)", first, second, more, got, quick.Omitted(), want, slow.Omitted())
			}
		}
	})
}

func FuzzSame(f *testing.F) {
	f.Add("20/Nov/2026:10:00:00 +0000", "20/Nov/2026:10:00:01 +0000")
	f.Fuzz(func(t *testing.T, a, b string) {
		check := func(a, b string) {
			if got := accesslog.IsSame([]byte(a), []byte(b)); got != (a == b) {
				t.Errorf("IsSame(%q, %q) = %t", a, b, got)
			}
		}
		check(a, b)
		check(a, a)
		for i := range a { // one byte is another
			other := []byte(a)
			other[i] ^= 1
			check(a, string(other))
		}
	})
}
