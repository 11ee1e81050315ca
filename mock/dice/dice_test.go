package dice_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tailflux/tailflux/mock/dice"
)

func TestSameSeedSameDraws(t *testing.T) {
	draws := func(seed, stream uint64) []uint64 {
		d := dice.New(seed, stream)
		return []uint64{d.Bits(), d.Bits(), d.Bits()}
	}
	// Fixed numbers: another version of Go must not change any log.
	want := []uint64{0xc4f5a58656eef510, 0x9dcec3ad077dec6c, 0xc8d04605312f8088}
	if got := draws(1, 2); !slices.Equal(got, want) {
		t.Errorf("New(1, 2) draws %#x, want %#x", got, want)
	}
	if slices.Equal(draws(1, 2), draws(1, 3)) || slices.Equal(draws(1, 2), draws(2, 2)) {
		t.Error("another seed or stream draws the same")
	}
}

func TestRangesAndMeans(t *testing.T) {
	d := dice.New(1, 1)
	const n = 100_000
	var rolls [6]int
	var hits int
	var stretch, share float64
	for range n {
		rolls[d.Roll(6)]++
		if d.Chance(0.25) {
			hits++
		}
		s := d.Stretch(100)
		if s < 1 {
			t.Fatalf("Stretch(100) = %d, want at least 1", s)
		}
		stretch += float64(s)
		share += d.Share()
	}
	for face, count := range rolls {
		near(t, "Roll", float64(count)/n, 1.0/6, 0.01)
		if count == 0 {
			t.Errorf("Roll(6) never gave %d", face)
		}
	}
	near(t, "Chance(0.25)", float64(hits)/n, 0.25, 0.01)
	near(t, "mean of Stretch(100)", stretch/n, 100.5, 2)
	near(t, "mean of Share", share/n, 0.5, 0.01)
}

func TestWeighted(t *testing.T) {
	w := dice.NewWeighted([]string{"often", "never", "seldom"}, []float64{9, 0, 1})
	d := dice.New(1, 1)
	count := map[string]float64{}
	const n = 100_000
	for range n {
		count[w.Pick(d)]++
	}
	near(t, "often", count["often"]/n, 0.9, 0.01)
	near(t, "seldom", count["seldom"]/n, 0.1, 0.01)
	near(t, "never", count["never"], 0, 0)
}

func TestLogNormal(t *testing.T) {
	l := dice.NewLogNormal(1000, 1)
	d := dice.New(1, 1)
	values := make([]int64, 100_000)
	for i := range values {
		values[i] = l.Draw(d)
	}
	slices.Sort(values)
	for _, q := range []struct{ p, z float64 }{{0.5, 0}, {0.8413, 1}, {0.9772, 2}} {
		want := 1000 * math.Exp(q.z)
		near(t, "quantile", float64(values[int(q.p*float64(len(values)))]), want, want*0.06)
	}
	if values[0] < 0 {
		t.Errorf("smallest value = %d, want none below 0", values[0])
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}
