//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// The checks, by what is wrong when one fails.
const (
	checkLost    = "a line is neither a point nor rejected"
	checkDoubled = "a line is two points"
	checkNumbers = "a line has not the number after the one before it, or a number is given twice"
	checkSums    = "points and bytes_sent by status"
	checkValues  = "a point is not what its line says"
	checkRejects = "an entry is in the reject file twice"
	checkReasons = "a line is rejected for no reason, or a point although it is refused"
	checkUnknown = "a point or an entry of no line"
	checkAgain   = "lines are read although all is delivered"
)

// crashPoint is what is of interest of a point.
type crashPoint struct {
	crashLine
	number int64 // of its line
}

// points returns all of the run.
func (c *crashRun) points() (points []crashPoint) {
	c.t.Helper()
	// Not all at once: an answer is held in memory.
	const step = 30 * time.Second
	for from := c.began.Add(-step); from.Before(c.ended.Add(step)); from = from.Add(step) {
		series, err := c.db.Query(c.t.Context(), database, fmt.Sprintf(
			`SELECT path, bytes_sent, status::tag FROM nginx_access WHERE source = 'crash' AND time >= %d AND time < %d`,
			from.UnixNano(), from.Add(step).UnixNano()))
		if err != nil {
			c.t.Fatal(err)
		}
		for _, one := range series {
			for _, row := range one.Values {
				at, err := row[0].(json.Number).Int64()
				if err != nil {
					c.t.Fatal(err)
				}
				sent, err := row[2].(json.Number).Int64()
				if err != nil {
					c.t.Fatal(err)
				}
				points = append(points, crashPoint{
					crashLine: crashLine{path: row[1].(string), sent: sent, status: row[3].(string)},
					number:    at % int64(time.Second),
				})
			}
		}
	}
	return points
}

// sums adds up in InfluxDB: points and bytes_sent by status.
func (c *crashRun) sums() map[string][2]int64 {
	c.t.Helper()
	series, err := c.db.Query(c.t.Context(), database,
		`SELECT count(path), sum(bytes_sent) FROM nginx_access WHERE source = 'crash' GROUP BY status`)
	if err != nil {
		c.t.Fatal(err)
	}
	sums := map[string][2]int64{}
	for _, one := range series {
		var of [2]int64
		for i := range of {
			if of[i], err = one.Values[0][1+i].(json.Number).Int64(); err != nil {
				c.t.Fatal(err)
			}
		}
		sums[one.Tags["status"]] = of
	}
	return sums
}

// check holds what nginx wrote against what is stored and rejected. The lines
// that logrotate has lost between copying and truncating may be there, once.
func (c *crashRun) check() []finding {
	c.t.Helper()
	reference, _ := readCrashLog(c.t, c.site.reference)
	if len(reference) != c.visits {
		c.t.Fatalf("%d requests, %d lines in the reference", c.visits, len(reference))
	}
	wanted := make(map[string]crashLine, len(reference))
	for _, line := range reference {
		wanted[line.path] = line
	}
	files, torn := map[string][]crashLine{}, 0
	inFiles := make(map[string]bool, len(reference))
	for _, file := range c.site.files() {
		lines, cut := readCrashLog(c.t, file)
		files[file] = lines
		for _, line := range lines {
			if inFiles[line.path] {
				c.t.Fatalf("%s is twice in the files of the log", line.path)
			}
			inFiles[line.path] = true
			if want := wanted[line.path]; line != want {
				c.t.Fatalf("%s: %+v, and in the reference %+v", filepath.Base(file), line, want)
			}
		}
		if cut {
			torn++
		}
	}
	gap := len(wanted) - len(inFiles)
	if c.site.turns[byCopy] == 0 && gap+torn > 0 {
		c.t.Fatalf("nginx and logrotate lost %d lines and cut %d", gap, torn)
	}

	numbers := make(map[string]int64, len(wanted)) // of lines that are points or rejected
	c.checkPoints(wanted, numbers)
	c.checkRejected(wanted, numbers, torn)
	rescued := c.checkLines(wanted, inFiles, numbers)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		for i, line := range files[file][min(1, len(files[file])):] {
			before := files[file][i]
			is, ok := numbers[line.path]
			was, wasOK := numbers[before.path]
			if ok && wasOK && is != was+1 {
				c.find(checkNumbers, "line %d in %s, %s, has number %d, and the one before it %d", i+2, filepath.Base(file), line.path, is, was)
			}
		}
	}
	c.gap, c.rescued = gap, rescued
	return c.found
}

// checkPoints looks at each point, and notes its number.
func (c *crashRun) checkPoints(wanted map[string]crashLine, numbers map[string]int64) {
	c.t.Helper()
	given := map[int64]string{}
	for _, p := range c.points() {
		want, ok := wanted[p.path]
		switch before, doubled := numbers[p.path]; {
		case !ok:
			c.find(checkUnknown, "%s is a point", p.path)
			continue
		case doubled:
			c.find(checkDoubled, "%s is two points: of lines %d and %d", p.path, before, p.number)
		case want.reason != "":
			c.find(checkReasons, "%s is a point, and is to be rejected: %s", p.path, want.reason)
		case p.crashLine != want:
			c.find(checkValues, "%+v of the line %+v", p.crashLine, want)
		}
		if other, twice := given[p.number]; twice {
			c.find(checkNumbers, "%s and %s have number %d", p.path, other, p.number)
		}
		numbers[p.path], given[p.number] = p.number, p.path
	}
}

// checkRejected looks at each entry of the reject file, and notes its number.
func (c *crashRun) checkRejected(wanted map[string]crashLine, numbers map[string]int64, torn int) {
	c.t.Helper()
	c.rejected = map[string]int{}
	entries, cut := map[reject]bool{}, 0
	for _, entry := range rejects(c.t, c.daemon) {
		number := cmp.Or(entry.Number, entry.LineNumber)
		key := reject{Source: entry.Source, Generation: entry.Generation, Number: number}
		if entries[key] {
			c.find(checkRejects, "line %d of generation %d: %s", entry.LineNumber, entry.Generation, entry.Line)
			continue
		}
		entries[key] = true
		line, whole := readCrashLine(entry.Line)
		if !whole {
			if cut++; cut > torn {
				c.find(checkUnknown, "%q is rejected, and logrotate has cut only %d lines", entry.Line, torn)
			}
			continue
		}
		want, ok := wanted[line.path]
		switch before, is := numbers[line.path]; {
		case !ok:
			c.find(checkUnknown, "%s is rejected", line.path)
			continue
		case is && want.reason == "":
			c.find(checkReasons, "%s is point %d, and line %d is rejected: %s", line.path, before, entry.LineNumber, entry.Reason)
		case is:
			c.find(checkRejects, "%s is rejected as line %d and as line %d: %s", line.path, before, entry.LineNumber, entry.Reason)
		case want.reason == "" || !strings.Contains(entry.Reason, want.reason):
			c.find(checkReasons, "%s is rejected: %s; want %q", line.path, entry.Reason, want.reason)
		}
		numbers[line.path] = number
		c.rejected[want.reason]++
	}
}

// checkLines looks at each line, and adds up by hand. It returns how many are
// there that logrotate has lost.
func (c *crashRun) checkLines(wanted map[string]crashLine, inFiles map[string]bool, numbers map[string]int64) (rescued int) {
	c.t.Helper()
	sums := map[string][2]int64{}
	for path, line := range wanted {
		_, there := numbers[path]
		switch {
		case there && !inFiles[path]:
			rescued++
		case !there && inFiles[path]:
			c.find(checkLost, "%s, that should be: %s", path, cmp.Or(line.reason, "a point"))
		}
		if line.reason == "" && (there || inFiles[path]) {
			of := sums[line.status]
			sums[line.status] = [2]int64{of[0] + 1, of[1] + line.sent}
		}
	}
	if diff := gocmp.Diff(sums, c.sums()); diff != "" {
		c.find(checkSums, "of the lines (-) and stored (+):\n%s", diff)
	}
	return rescued
}
