// Fetch prints the path of the influxd that the tests use, or with the argument
// victoria-metrics that of the VictoriaMetrics, and builds it first when it is not there, so
// that no test has to wait for that.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	binary := influxdtest.Binary
	if len(os.Args) > 1 && os.Args[1] == "victoria-metrics" {
		binary = influxdtest.VictoriaBinary
	}
	path, err := binary(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}
