// Package dice is chance that repeats itself: the same seed gives the same
// draws, today and with the next version of Go.
package dice

import (
	"math"
	"math/rand/v2"
)

// Dice is where all chance comes from. It uses only the algorithm of the PCG
// source, which is fixed for good, and none of the methods built upon it. It is
// not safe for concurrent use.
type Dice struct {
	pcg rand.PCG
}

// New returns the dice number stream of the seed: those of one seed have
// nothing to do with each other.
func New(seed, stream uint64) *Dice {
	return &Dice{*rand.NewPCG(seed, stream)}
}

// Bits returns 64 random bits.
func (d *Dice) Bits() uint64 {
	return d.pcg.Uint64()
}

// Roll returns a number in [0, n).
func (d *Dice) Roll(n int) int {
	return int(d.pcg.Uint64() >> 32 * uint64(n) >> 32)
}

// Chance is true with probability p.
func (d *Dice) Chance(p float64) bool {
	return d.Share() < p
}

// Share returns a number in [0, 1).
func (d *Dice) Share() float64 {
	return float64(d.pcg.Uint64()>>11) / (1 << 53)
}

// Stretch returns a length with the given mean, exponentially distributed and
// at least 1: how long a state lasts which has no memory.
func (d *Dice) Stretch(mean int) int {
	return 1 + int(-math.Log(1-d.Share())*float64(mean))
}

// Weighted draws values by weight with one look into a table.
type Weighted[T any] struct {
	values []T
	slots  []uint16
}

const slotCount = 1 << 13

// NewWeighted panics when the numbers of values and weights differ: both are
// written in source code. Weights need not add up to anything. A value of less
// than 1/8192 of the whole may never be drawn.
func NewWeighted[T any](values []T, weights []float64) Weighted[T] {
	if len(values) != len(weights) {
		panic("dice: values and weights differ in number")
	}
	total := 0.0
	for _, w := range weights {
		total += w
	}
	slots := make([]uint16, slotCount)
	sum, from := 0.0, 0
	for i, w := range weights {
		sum += w
		to := int(math.Round(sum / total * slotCount))
		for ; from < to; from++ {
			slots[from] = uint16(i)
		}
	}
	return Weighted[T]{values, slots}
}

// Pick draws a value.
func (w *Weighted[T]) Pick(d *Dice) T {
	return w.values[w.slots[d.Roll(len(w.slots))]]
}

// Zipf returns n weights: few values are drawn very often, most seldom.
func Zipf(n int) []float64 {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i)+3, -1.05)
	}
	return weights
}

// LogNormal draws from a log-normal distribution, rounded to whole numbers:
// sizes and durations of the web have this shape.
type LogNormal struct {
	quantiles []float64
}

// NewLogNormal makes a distribution with the given median, and sigma being the
// standard deviation of the logarithm.
func NewLogNormal(median, sigma float64) LogNormal {
	const n = 2048
	q := make([]float64, n)
	for i := range q {
		p := (float64(i) + 0.5) / n
		q[i] = median * math.Exp(sigma*math.Sqrt2*math.Erfinv(2*p-1))
	}
	return LogNormal{q}
}

// Draw draws a value.
func (l *LogNormal) Draw(d *Dice) int64 {
	x := d.Share() * float64(len(l.quantiles)-1)
	i := int(x)
	low, high := l.quantiles[i], l.quantiles[i+1]
	return int64(low + (x-float64(i))*(high-low))
}
