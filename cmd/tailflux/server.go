package main

import (
	"context"
	"fmt"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
)

// readable returns a [config.UsageError] if what answers at influxdb.url cannot do
// what a command is for. One that does not answer may do so later.
func readable(ctx context.Context, client *influx.Client, command string) error {
	server, err := client.Server(ctx)
	if err != nil {
		return nil //nolint:nilerr // the command itself says so
	}
	if why := server.NoInfluxQL(); why != "" {
		return config.UsageError{Err: fmt.Errorf("%s: %s", command, why)}
	}
	return nil
}
