// Gen writes what Grafana is provisioned with: dashboards, and alert rules.
//
//	go run ./deploy/grafana/gen      # from the root of the repository; make grafana
//
// Queries, colours and units that several panels have in common are said once here. What it
// writes is committed, and a test says if that is old.
//
//	dashboard.go   Grafana's JSON
//	panel.go       kinds of panels
//	look.go        colours, units, thresholds
//	variable.go    what can be chosen, and links that keep it
//	influxql.go    queries
//	overview.go, explore.go, pipeline.go, alerts.go   what is shown
//	rules.go       Grafana's alert rules
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "deploy/grafana", "directory to write to")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// file is one that is written.
type file struct {
	name string // below deploy/grafana
	make func() ([]byte, error)
}

func files() []file {
	dashboards := []struct {
		name string
		make func() *dashboard
	}{
		{"overview", overview}, {"explore", explore}, {"pipeline", pipeline},
	}
	var all []file
	for _, d := range dashboards {
		all = append(all, file{"dashboards/" + d.name + ".json", func() ([]byte, error) { return encode(d.make()) }})
	}
	return append(all, file{"alerting.yaml", alertingYAML})
}

func write(dir string) error {
	for _, f := range files() {
		text, err := f.make()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
