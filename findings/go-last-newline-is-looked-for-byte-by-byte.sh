#!/usr/bin/env bash
# Go's standard library (bytes of go1.26), amd64: the last newline of a block that was read,
# which everything that follows a file looks for, to know where its last whole line ends.
#
# Expected: bytes.LastIndexByte is as fast as bytes.IndexByte, which it mirrors: that compares
# 32 bytes at a time on this processor.
#
# Seen: LastIndexByte is a loop in plain Go that compares byte by byte. Over 4 KiB without a
# newline it takes twenty times as long, more than a microsecond. Where lines are short nobody
# notices; where a block ends in the middle of a long line, such as JSON with a long address, one
# does. To go back in steps, and to ask IndexByte whether there is one in the step, takes an
# eighth of it.
# (2 CPUs, go1.26.8: 4 KiB in 59 ns, 1,336 ns, and in steps of 256 bytes 171 ns.)
set -euo pipefail
[[ $(go env GOARCH) == amd64 ]] || { echo "wants amd64" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module last
go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"time"
)

func inSteps(text []byte) int {
	for end := len(text); end > 0; {
		begin := max(0, end-256)
		if bytes.IndexByte(text[begin:end], '\n') >= 0 {
			return begin + bytes.LastIndexByte(text[begin:end], '\n')
		}
		end = begin
	}
	return -1
}

func main() {
	const rounds, each = 200, 1000
	text := bytes.Repeat([]byte{'x'}, 4096)
	for _, find := range []func() int{
		func() int { return bytes.IndexByte(text, '\n') },
		func() int { return bytes.LastIndexByte(text, '\n') },
		func() int { return inSteps(text) },
	} {
		least := time.Hour
		for range rounds {
			began := time.Now()
			for range each {
				if find() >= 0 {
					panic("found")
				}
			}
			least = min(least, time.Since(began)/each)
		}
		fmt.Print(least.Nanoseconds(), " ")
	}
	fmt.Println()
}
GO
read -r first last steps < <(GOTOOLCHAIN=local GOFLAGS= go run .) # nanoseconds, of the quickest rounds
failed=0
say() { if (($1)); then echo "as described: $2"; else echo "CHANGED: $2"; failed=1; fi; }
go version
say $((last > 5 * first)) "4 KiB without a newline: IndexByte $first ns, LastIndexByte $last ns"
say $((3 * steps < last)) "in steps of 256 bytes $steps ns"
exit $failed
