package verify

import (
	"slices"
	"time"
)

// compare looks for each of the timestamps, which are ascending.
func (v *Verdict) compare(stamps []int64, points func(from, to int64) ([]int64, error)) error {
	const atOnce = 20_000
	for len(stamps) > 0 {
		some := stamps[:min(atOnce, len(stamps))]
		stamps = stamps[len(some):]
		there, err := points(some[0], some[len(some)-1])
		if err != nil {
			return err
		}
		found := make([]bool, len(some))
		for _, stamp := range there {
			if i, ok := slices.BinarySearch(some, stamp); ok {
				found[i] = true
			}
		}
		for i, stamp := range some {
			v.add(stamp, 1, count(found[i]))
		}
	}
	v.finish()
	return nil
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// count compares the numbers of points in each minute.
func (v *Verdict) count(stamps []int64, points func(from, to int64) ([]int64, error)) error {
	for len(stamps) > 0 {
		from := stamps[0] - stamps[0]%int64(time.Minute)
		n, _ := slices.BinarySearch(stamps, from+int64(time.Minute))
		found, err := points(from, from+int64(time.Minute)-1)
		if err != nil {
			return err
		}
		v.add(from, int64(n), int64(min(len(found), n)))
		stamps = stamps[n:]
	}
	v.finish()
	return nil
}
