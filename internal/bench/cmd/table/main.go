// Table reads the results of interleaved runs and prints their medians, and how
// the row "command" compares with the others. It fails if any run did.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/tailflux/tailflux/internal/bench/internal/result"
)

const ours = "command"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: table RESULTS.jsonl")
		os.Exit(2)
	}
	ok, err := table(os.Stdout, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func table(out io.Writer, file string) (ok bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var names []string
	runs := map[string][]result.Run{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var r result.Run
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return false, err
		}
		if runs[r.Name] == nil {
			names = append(names, r.Name)
		}
		runs[r.Name] = append(runs[r.Name], r)
	}
	if err := sc.Err(); err != nil {
		return false, err
	}

	ok = len(names) > 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "medians\tlines/s\twall s\tCPU-s per 1M\tRSS MB\tstore CPU-s per 1M\tpoints")
	for _, name := range names {
		rs := runs[name]
		status := fmt.Sprintf("%d of %d in %d runs", rs[0].Stored, rs[0].Lines, len(rs))
		for i, r := range rs {
			if r.Status != result.OK {
				ok = false
				status = fmt.Sprintf("WRONG in run %d: %s", i+1, r.Status)
			}
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.2f\t%s\n", name, median(rs, speed),
			median(rs, func(r result.Run) float64 { return r.WallS }), median(rs, cpu),
			median(rs, func(r result.Run) float64 { return r.RSSMB }),
			median(rs, func(r result.Run) float64 { return r.StoreCPUS / float64(r.Lines) * 1e6 }), status)
	}
	if err := w.Flush(); err != nil {
		return false, err
	}

	mine := runs[ours]
	for _, name := range names {
		if name == ours || mine == nil {
			continue
		}
		fmt.Fprintf(out, "\n%s / %s: lines/s %s, CPU-s %s", ours, name, ratio(mine, runs[name], speed), ratio(mine, runs[name], cpu))
	}
	if mine != nil {
		fmt.Fprint(out, "   (ratio of the medians, and the range over the rounds)\n")
	}
	return ok, nil
}

func speed(r result.Run) float64 { return r.LinesPerS }
func cpu(r result.Run) float64   { return r.CPUS / float64(r.Lines) * 1e6 }

func values(runs []result.Run, of func(result.Run) float64) []float64 {
	var vs []float64
	for _, r := range runs {
		vs = append(vs, of(r))
	}
	return vs
}

func median(runs []result.Run, of func(result.Run) float64) float64 {
	vs := values(runs, of)
	slices.Sort(vs)
	return (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2
}

// ratio compares medians, and round by round: the runs of a round are neighbours
// in time and share the machine's mood.
func ratio(a, b []result.Run, of func(result.Run) float64) string {
	var rounds []float64
	as, bs := values(a, of), values(b, of)
	for i := range min(len(as), len(bs)) {
		rounds = append(rounds, as[i]/bs[i])
	}
	return fmt.Sprintf("%.3gx (%.3g-%.3g)", median(a, of)/median(b, of), slices.Min(rounds), slices.Max(rounds))
}
