package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// reloads takes over new configurations, each completely or not at all:
// docs/adr/0013-reload.md.
type reloads struct {
	p          *pipeline
	loadConfig func() (*config.Config, error)
	stats      *stats.Stats
	log        *slog.Logger
	asked      chan struct{} // there is one to be taken over

	mu     sync.Mutex // guards what follows
	config *config.Config
	next   *pending // nil: nothing is to be taken over
}

// pending is a configuration that waits until what was read before is acknowledged.
type pending struct {
	config *config.Config
	client *influx.Client
	token  string // of /monitor
	newest bool   // no later one was refused
}

// newReloads is for a pipeline that runs with the configuration of its state.
func newReloads(p *pipeline, do job) (*reloads, error) {
	r := &reloads{p: p, loadConfig: do.loadConfig, stats: p.stats, log: p.log, asked: make(chan struct{}, 1), config: p.kept.config}
	if c := p.kept.next; c != nil {
		client, err := openInflux(c, p.log)
		if err != nil {
			return nil, err
		}
		r.wait(&pending{c, client, *p.token.Load(), true})
	}
	return r, nil
}

// onSIGHUP is what SIGHUP does; nil if it does nothing.
func (r *reloads) onSIGHUP() func() {
	if r.loadConfig == nil {
		return nil
	}
	return r.reload
}

// reload reads the configuration, and takes it over as soon as that is safe.
func (r *reloads) reload() {
	r.log.Info("reloading the configuration")
	r.p.unit.Reloading()
	next, err := r.read()
	if err != nil {
		r.fail(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := config.Changed(r.config, next.config)
	if err := immovable(keys); err != nil {
		r.failLocked(err)
		return
	}
	if r.next == nil && !slices.ContainsFunc(keys, func(key string) bool { return !slices.Contains(atOnce, key) }) {
		r.config = next.config
		r.p.sink.use(next.client)
		r.p.use(next.config, next.token)
		r.applied(keys)
		return
	}
	r.log.Info("reload is pending: nothing more is read until all that was read before is acknowledged", "keys", keys)
	r.wait(next)
}

// wait has the pipeline end, so that a configuration can be taken over. In an outage, what was
// read is sent the new way to InfluxDB: that may be just what the reload puts right.
func (r *reloads) wait(next *pending) {
	r.next = next
	r.stats.Reloaded(time.Now(), stats.Pending, "")
	r.p.unit.Reloaded("reload pending: what was read before is being delivered")
	r.p.sink.await(next.client)
	if r.stats.Snapshot(time.Now()).InfluxDB.Outage > 0 {
		r.p.sink.turn()
	}
	select {
	case r.asked <- struct{}{}:
	default: // it was asked for already
	}
}

// read reads the configuration again, and what it names.
func (r *reloads) read() (*pending, error) {
	c, err := r.loadConfig()
	if err != nil {
		return nil, err
	}
	client, err := openInflux(c, r.log)
	if err != nil {
		return nil, err
	}
	token, err := c.HTTPToken()
	if err != nil {
		return nil, err
	}
	return &pending{c, client, token, true}, r.p.kept.try(c)
}

// atOnce are the keys that change neither points nor where they go.
var atOnce = []string{
	"influxdb.username", "influxdb.password_file", "influxdb.token_file", "influxdb.ca_file", "influxdb.client_cert_file",
	"influxdb.client_key_file", "influxdb.insecure_skip_verify", "influxdb.headers", "influxdb.gzip", "influxdb.timeout",
	"on_reject", "http.token_file", "http.hosts",
}

// immovable is why a reload cannot change these keys, or nil.
func immovable(keys []string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		return key != "state_dir" && key != "listen" && key != "http.public"
	})
	if len(keys) == 0 {
		return nil
	}
	return fmt.Errorf("%s cannot be changed by a reload: systemctl restart tailflux", strings.Join(keys, ", "))
}

func (r *reloads) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failLocked(err)
}

func (r *reloads) failLocked(err error) {
	if r.next != nil {
		r.next.newest = false
	}
	r.log.Error("reload is refused: nothing of the new configuration is used", "err", err)
	r.stats.Reloaded(time.Now(), stats.NotApplied, err.Error())
	r.p.unit.Reloaded("reload refused: " + err.Error())
}

func (r *reloads) applied(keys []string) {
	r.log.Info("reload is done", "keys", keys)
	r.stats.Reloaded(time.Now(), stats.Applied, "")
	r.p.unit.Reloaded("")
}

func (r *reloads) pending() *pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

func (r *reloads) inForce() *config.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config
}

// stand ends the reading of a run when a reload is pending, or the store has lost something,
// until all is settled. What an earlier process has sent, and did not see acknowledged, is
// read again before.
func (r *reloads) stand(settled context.Context, lost <-chan struct{}, enough func()) {
	for r.pending() == nil && !isClosed(lost) {
		select {
		case <-r.asked:
		case <-lost:
		case <-settled.Done():
			return
		}
	}
	if !r.p.kept.settings.Clean() {
		select {
		case <-r.p.reader.CaughtUp():
		case <-settled.Done():
		}
	}
	enough()
}

// save makes durable, for a reload that is pending, that everything that was read is
// acknowledged. It tries again while the disk is full, until stopping ends.
func (r *reloads) save(stopping context.Context) {
	for r.pending() != nil {
		err := errors.Join(r.p.kept.shaper.Sync(stopping), r.p.kept.checkpoint.SaveTwice())
		if err == nil {
			return
		}
		r.stats.Reloaded(time.Now(), stats.Pending, err.Error())
		r.p.unit.Alive() // nobody else says so now
		select {
		case <-time.After(time.Second):
		case <-stopping.Done():
			return
		}
	}
}

// takeOver changes the pipeline to the configuration of a pending reload, while no stage runs
// and everything is saved. It reports whether to go on.
func (r *reloads) takeOver(stopping context.Context) bool {
	next := r.pending()
	if next == nil || stopping.Err() != nil {
		return false
	}
	before := r.inForce()
	err := r.p.reshape(next.config)
	if err == nil {
		r.p.sink.use(next.client)
	} else if client, back := openInflux(before, r.log); back == nil {
		r.p.sink.use(client)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	latest := r.next == next
	if latest {
		r.next = nil
	}
	switch {
	case err != nil && latest:
		r.failLocked(err)
	case err != nil:
		r.log.Error("reload is refused: nothing of the new configuration is used", "err", err)
	default:
		r.config = next.config
		r.p.use(next.config, next.token)
		if latest && next.newest {
			r.applied(config.Changed(before, next.config))
		}
	}
	if !latest {
		r.p.sink.await(r.next.client)
	}
	r.stats.Reconnected()
	return true
}

// writeConfig is the configuration of the write stage. A change of on_reject takes effect at
// once.
func (r *reloads) writeConfig() write.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := writeConfig(r.config)
	if r.loadConfig != nil {
		w.Watchdog = write.Watchdog{Alive: r.p.unit.Alive, Every: r.p.unit.Watchdog()}
	}
	w.Hold = func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.next != nil {
			return r.next.config.OnReject == "hold"
		}
		return r.config.OnReject == "hold"
	}
	return w
}

// reshape changes the pipeline to another configuration, between two runs. If it fails,
// nothing has changed.
func (p *pipeline) reshape(c *config.Config) error {
	if err := p.kept.rollups.undelivered(p.kept.mode.again()); err != nil {
		return err
	}
	if err := p.kept.open(c, true); err != nil {
		return err
	}
	lines, points := pools(c)
	p.reader.Reconfigure(tailConfig(c, job{}, p.kept), lines)
	p.parser.Reshape(p.kept.shaper, int(c.MaxLineBytes), points)
	p.kept.rollups.addUp(p.parser, c.Raw)
	p.show(c)
	p.reads(c)
	p.kept.rejects.Limit(c.RejectsMaxBytes)
	prepare(c, false, p.log)
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
