// Beside compares what tailflux report --json and GoAccess say of one log, count by count,
// and says of each that differs by how much. GoAccess gets --no-query-string,
// --http-method=no and --http-protocol=no, so that its rows are paths.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

type tailflux struct {
	Lines struct{ Read, Requests, Filtered, Rejected int64 }
	Total struct{ Bytes int64 }
	Top   struct{ Paths, Statuses []row }
}

type row struct {
	Name     string
	Requests int64
}

type goaccess struct {
	General struct {
		Total     int64 `json:"total_requests"`
		Valid     int64 `json:"valid_requests"`
		Failed    int64 `json:"failed_requests"`
		Bandwidth int64
	}
	Requests panel
	Static   panel `json:"static_requests"`
	NotFound panel `json:"not_found"`
	Statuses panel `json:"status_codes"`
}

type panel struct{ Data []item }

type item struct {
	Hits  struct{ Count int64 }
	Data  string
	Items []item
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: beside TAILFLUX.json GOACCESS.json")
		os.Exit(2)
	}
	var ours tailflux
	var theirs goaccess
	read(os.Args[1], &ours)
	read(os.Args[2], &theirs)
	c := comparison{}
	c.is("lines", ours.Lines.Read, theirs.General.Total)
	c.is("requests", ours.Lines.Requests, theirs.General.Valid)
	c.is("not matched", ours.Lines.Rejected, theirs.General.Failed)
	c.is("bytes", ours.Total.Bytes, theirs.General.Bandwidth)
	statuses := map[string]int64{}
	for _, class := range theirs.Statuses.Data {
		for _, is := range class.Items {
			status, _, _ := strings.Cut(is.Data, " ")
			statuses[status] += is.Hits.Count
		}
	}
	for _, is := range ours.Top.Statuses {
		c.is("status "+is.Name, is.Requests, statuses[is.Name])
		delete(statuses, is.Name)
	}
	for status, n := range statuses {
		c.is("status "+status, 0, n)
	}
	paths := map[string]int64{}
	for _, p := range []panel{theirs.Requests, theirs.Static, theirs.NotFound} {
		for _, is := range p.Data {
			paths[is.Data] += is.Hits.Count
		}
	}
	for _, is := range ours.Top.Paths {
		c.is("path "+is.Name, is.Requests, paths[is.Name])
	}
	fmt.Printf("%d counts, %d differ\n", c.all, len(c.differ))
	slices.Sort(c.differ)
	for _, line := range c.differ {
		fmt.Println(" ", line)
	}
}

type comparison struct {
	all    int
	differ []string
}

func (c *comparison) is(what string, ours, theirs int64) {
	if c.all++; ours != theirs {
		c.differ = append(c.differ, fmt.Sprintf("%s: tailflux %d, GoAccess %d (%+d)", what, ours, theirs, theirs-ours))
	}
}

func read(file string, into any) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "beside: %s: %v\n", file, err)
		os.Exit(1)
	}
}
