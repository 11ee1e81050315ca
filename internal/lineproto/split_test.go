package lineproto_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/lineproto"
)

// What a point is taken apart into is what InfluxDB's own reader finds in it.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"/a", `/a\,b`, `/a\\ =,`, `"`, `\"`, `"a", b="c\`, "/ü", "x y=1i,z", "\n\x00\xff", `a\,b\\ c\`} {
		f.Add(text, text, int64(9223372036854775807), 0.12)
	}
	f.Fuzz(func(t *testing.T, tag, text string, whole int64, number float64) {
		p := lineproto.AppendMeasurement(nil, "a b,c")
		p = lineproto.AppendTag(p, lineproto.TagPrefix("pa th"), []byte(tag))
		p = append(append(p, ' '), lineproto.FieldPrefix("agent=")...)
		p = lineproto.AppendString(p, []byte(text))
		p = fmt.Appendf(append(append(p, ','), lineproto.FieldPrefix("bytes")...), "%di", whole)
		p = fmt.Appendf(append(append(p, ','), lineproto.FieldPrefix("time")...), "%f", number)
		p = lineproto.AppendEnd(p, 1)
		points, err := models.ParsePointsWithPrecision(p, time.Time{}, "ns")
		if err != nil {
			return // NaN
		}
		tags, fields, ok := lineproto.Split(string(p))
		if !ok {
			t.Fatalf("Split(%q) takes it for no point", p)
		}
		got, want := map[string]string{}, map[string]string{}
		for _, pair := range tags {
			got[pair.Key] = pair.Value
		}
		maps.Copy(want, points[0].Tags().Map())
		all, err := points[0].Fields()
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range fields {
			value, quoted := lineproto.Unquote(pair.Value)
			switch wanted := all[pair.Key].(type) {
			case string:
				if !quoted || value != wanted {
					t.Errorf("Split(%q): %s is %s, want %q", p, pair.Key, pair.Value, wanted)
				}
			case int64:
				if quoted || pair.Value != fmt.Sprintf("%di", wanted) {
					t.Errorf("Split(%q): %s is %s, want %di", p, pair.Key, pair.Value, wanted)
				}
			case float64:
				if quoted || pair.Value != fmt.Sprintf("%f", number) {
					t.Errorf("Split(%q): %s is %s, want %f", p, pair.Key, pair.Value, wanted)
				}
			default:
				t.Errorf("Split(%q): a field %q that InfluxDB does not find", p, pair.Key)
			}
		}
		if len(fields) != len(all) {
			t.Errorf("Split(%q) = %d fields, want %d", p, len(fields), len(all))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Split(%q): tags (-models +got)\n%s", p, diff)
		}
	})
}

// Text that is not a point is refused, whatever it is.
func FuzzSplitOfOther(f *testing.F) {
	for _, text := range []string{"", "m", "m,", "m,a", "m,a=", "m,a=1", "m ", "m a", "m a=", "m a=1", `m a="`, `m a="\`, `m a="x"`, "m a=1,", "m a=1, ", "m a= 1"} {
		if _, _, ok := lineproto.Split(text); ok {
			f.Errorf("Split(%q) takes it for a point", text)
		}
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) { lineproto.Split(text) })
}
