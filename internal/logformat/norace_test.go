//go:build !race

package logformat_test

const raceEnabled = false
