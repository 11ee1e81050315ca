package influxdtest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	startTimeout = 60 * time.Second // a loaded machine under the race detector
	stopTimeout  = 15 * time.Second
)

// Options says how to run influxd. The zero value is enough for New; Start
// needs Dir.
type Options struct {
	// Dir receives the configuration file and all data. It is created when
	// missing and never removed here. A Dir that another server has left
	// behind is reused with its data.
	Dir string

	// Binary is the influxd to run; empty means what the function Binary
	// provides.
	Binary string

	// Output receives what influxd and Binary print; nil discards it. Writes
	// come from a goroutine of the server, one at a time.
	Output io.Writer

	// Config holds further settings by section and key, such as
	// "http.max-body-size": 1000, but not where to listen for HTTP. Values
	// are strings, integers, bools or durations. Start refuses a key that
	// influxd does not know.
	Config map[string]any

	// Username and Password, if set, turn authentication on and name the
	// administrator that Start creates and that Query and Count use.
	Username, Password string
}

// Server is one influxd with its data. URL, Query and Count may be called from
// several goroutines; all else only from the one that owns the server.
type Server struct {
	opts   Options
	env    []string
	file   string // configuration
	url    string
	client *http.Client
	proc   *process // nil when stopped or killed on purpose
	last   *process // the latest run, for its output
}

// errInUse means that a port was taken between choosing it and using it.
var errInUse = errors.New("address already in use")

// Start runs an influxd and returns when it answers. The caller must call Stop or
// Kill. ctx limits the start only; the server keeps running after ctx ends.
func Start(ctx context.Context, opts Options) (*Server, error) {
	s, err := start(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("start influxd: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Dir == "" {
		return nil, errors.New("no Dir given")
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	opts.Dir = dir
	if opts.Binary == "" {
		if opts.Binary, err = Binary(ctx, opts.Output); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}

	s := &Server{
		opts: opts,
		env:  []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, // INFLUXDB_* would override the file
		file: filepath.Join(dir, "influxd.conf"),
		client: &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, // leaves no goroutine behind
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		}},
	}
	scheme := "http://"
	if opts.Config["http.https-enabled"] == true {
		scheme = "https://"
	}
	for attempt := 1; ; attempt++ {
		port, err := freePorts(ctx)
		if err != nil {
			return nil, err
		}
		s.url = scheme + loopback(port)
		if err := writeConfig(ctx, s.file, port, opts, s.env); err != nil {
			return nil, err
		}
		err = s.launch(ctx)
		if errors.Is(err, errInUse) && attempt < 10 {
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	if opts.Username != "" { // not an error if the user exists already
		q := fmt.Sprintf(`CREATE USER %s WITH PASSWORD %s WITH ALL PRIVILEGES`, identifier(opts.Username), literal(opts.Password))
		if _, err := s.Query(ctx, "", q); err != nil {
			s.Kill()
			return nil, err
		}
	}
	return s, nil
}

// URL returns where the server listens, "http://127.0.0.1:PORT". Restart keeps it.
func (s *Server) URL() string { return s.url }

// PID returns the process ID of influxd, 0 when it is not running.
func (s *Server) PID() int {
	if s.proc == nil {
		return 0
	}
	return s.proc.cmd.Process.Pid
}

// Stop sends SIGTERM, waits until influxd has ended, and keeps its data. It
// returns an error if influxd had ended by itself or had to be killed. Stopping a
// stopped server does nothing.
func (s *Server) Stop() error {
	p := s.proc
	if p == nil {
		return nil
	}
	s.proc = nil
	return p.stop("influxd")
}

// Kill ends influxd at once with SIGKILL and waits until it has ended. Its data
// stays as it is.
func (s *Server) Kill() {
	if p := s.proc; p != nil {
		s.proc = nil
		p.kill()
	}
}

// Restart runs influxd again on the same ports and data and returns when it
// answers. A server that is still running is stopped first.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.launch(ctx)
		if !errors.Is(err, errInUse) || ctx.Err() != nil {
			return err
		}
	}
}

// launch starts the process on the ports of the configuration file and waits
// until it answers.
func (s *Server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := spawn(s.opts.Binary, s.opts.Dir, []string{"run", "-config", s.file}, s.env, s.opts.Output)
	if err != nil {
		return err
	}
	s.last = p
	if err := p.until(ctx, s.url, s.answers); err != nil {
		return err
	}
	s.proc = p
	return nil
}

// answers reports whether our influxd listens at the URL. A ping alone could be
// answered by the influxd of another test that chose the same port.
func (s *Server) answers(ctx context.Context) bool {
	resp, err := s.do(ctx, http.MethodGet, "/debug/vars", nil)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var vars struct {
		Cmdline []string `json:"cmdline"`
	}
	err = json.NewDecoder(resp.Body).Decode(&vars)
	return err == nil && slices.Contains(vars.Cmdline, s.file)
}

// freePorts returns a port that is free and whose successor is free too.
// They are below the ports that Linux uses for outgoing connections, so that
// nobody gets them by chance while influxd is down, and a client that keeps
// dialing does not connect to itself.
func freePorts(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := 20000 + 2*rand.IntN(6000)
		if err = tryListen(ctx, port); err != nil {
			continue
		}
		if err = tryListen(ctx, port+1); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

func tryListen(ctx context.Context, port int) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback(port))
	if err != nil {
		return err
	}
	return l.Close()
}
