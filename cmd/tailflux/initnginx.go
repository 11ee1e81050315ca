package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxconf"
)

// nginxPlaces are where nginx is when it is not on the PATH.
var nginxPlaces = []string{
	"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx",
	"/usr/local/openresty/nginx/sbin/nginx", "/opt/gitlab/embedded/sbin/nginx",
}

// findNginx is the path of nginx, or "".
func findNginx() string {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path
	}
	for _, path := range nginxPlaces {
		if path, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	return ""
}

// findLogs asks nginx, or reads what is given instead, for the logs; origin is whom it
// asked.
func findLogs(cmd *cobra.Command, given string) (found *nginxconf.Found, origin string, err error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute) // nginx -T may ask for the addresses of servers
	defer cancel()
	nginx := findNginx()
	var build nginxconf.Build
	if nginx != "" {
		_, said, err := runNginx(ctx, nginx, "-V")
		if err != nil {
			return nil, "", fmt.Errorf("init: %s -V: %w", nginx, err)
		}
		build = nginxconf.ReadBuild(said)
	}
	switch {
	case given == standardInput:
		origin = "what nginx -T has printed"
		found, err = nginxconf.ReadDump(cmd.InOrStdin(), build)
		if err != nil {
			err = config.UsageError{Err: fmt.Errorf("init: standard input: %w", err)}
		}
	case given != "":
		origin = given
		found, err = readConf(given, build)
	case nginx == "":
		return nil, "", config.UsageError{Err: errors.New("init: there is no nginx here; name its configuration with --nginx-conf FILE, " +
			"or run nginx -T where it is: docker exec NAME nginx -T | tailflux init -")}
	default:
		dump, said, failed := runNginx(ctx, nginx, "-T")
		if failed == nil {
			found, err = nginxconf.ReadDump(strings.NewReader(dump), build)
			return found, "nginx -T", wrong(err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: nginx -T: %s; reading %s instead\n", reason(said, failed), build.Conf)
		origin = build.Conf
		found, err = readConf(build.Conf, build)
	}
	return found, origin, wrong(err)
}

// readConf reads nginx.conf, or a file that nginx -T was saved to.
func readConf(path string, build nginxconf.Build) (*nginxconf.Found, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := nginxconf.ReadDump(f, build)
	if errors.Is(err, nginxconf.ErrNoDump) {
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		return nginxconf.Read(os.DirFS("/"), path, build)
	}
	return found, err
}

// wrong is an error about nginx.conf, which its owner has to fix.
func wrong(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w; run it as root", err)
	}
	if _, is := errors.AsType[config.UsageError](err); is {
		return err
	}
	return config.UsageError{Err: fmt.Errorf("init: %w", err)}
}

func runNginx(ctx context.Context, nginx, flag string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, nginx, flag)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// reason is why nginx rejects its configuration: the last line that it prints before "test
// failed".
func reason(said string, err error) string {
	why := err.Error()
	for line := range strings.Lines(said) {
		if _, text, ok := strings.Cut(line, "[emerg] "); ok {
			why = strings.TrimSpace(text)
		}
	}
	return why
}
