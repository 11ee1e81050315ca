package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// listen asks the tailflux that is running how it is, or whether the address is free; and
// who else follows the logs.
func (d *doctor) listen(ctx context.Context) {
	at := d.Config.Listen
	if d.running {
		d.ask(ctx, at)
	} else if at != "" {
		d.free(at)
	}
	d.twins()
}

// ask asks the running one whether it is ready.
func (d *doctor) ask(ctx context.Context, at string) {
	is := "a tailflux with this state_dir is running"
	if d.holder > 0 {
		is += ", pid " + strconv.Itoa(d.holder)
	}
	_, port, _ := net.SplitHostPort(at)
	if at == "" || port == "0" {
		d.ok("running", "%s; it does not say where it listens", is)
		return
	}
	d.asking("asking http://%s/readyz", at)
	status, body, err := fetch(ctx, "http://"+reachable(at)+"/readyz")
	switch {
	case err != nil:
		d.say(Warning, "running", fmt.Sprintf("%s, and does not answer at %s: %v", is, at, cause(err)),
			"it may have another listen: systemctl restart tailflux takes over this configuration")
	case status != http.StatusOK:
		d.say(Warning, "running", fmt.Sprintf("%s, and is not ready: %s", is, strings.Join(strings.Fields(body), " ")), "")
	default:
		d.ok("running", "%s, and is ready", is)
	}
}

// reachable is an address to ask at which somebody listens.
func reachable(at string) string {
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return at
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// patience is for what is asked on this machine.
const patience = 2 * time.Second

func fetch(ctx context.Context, url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	const most = 500
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	return resp.StatusCode, string(text), err
}

// free says whether somebody else has the address.
func (d *doctor) free(at string) {
	host, text, err := net.SplitHostPort(at)
	if err != nil {
		return // refused by config.Load
	}
	port, _ := strconv.Atoi(text) // or the name of a service
	network := "tcp"
	if strings.Contains(host, ".") && net.ParseIP(host) != nil {
		network = "tcp4"
	}
	l, err := net.Listen(network, at)
	if err == nil {
		err = l.Close()
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		by := "something else"
		if pid, name := d.listener(port); pid > 0 {
			by = fmt.Sprintf("%s (pid %d)", name, pid)
		}
		d.say(Error, "listen", fmt.Sprintf("%s has %s", by, at), "choose another listen, or stop it: ss -ltnp 'sport = :"+text+"'")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		d.say(Error, "listen", at+" is no address of this machine", "choose another listen, such as 127.0.0.1:9193")
	case errors.Is(err, syscall.EACCES), d.User.UID != 0 && text != "0" && port < d.firstFree():
		d.say(Error, "listen",
			fmt.Sprintf("%q may not listen on port %s: it is below %d", d.User.Name, text, d.firstFree()),
			"choose a higher port, such as 9193")
	case err != nil:
		d.say(Error, "listen", err.Error(), "choose another listen")
	default:
		d.ok("listen", "%s is free", at)
	}
}

// firstFree is the lowest port that not only root may take.
func (d *doctor) firstFree() int {
	const usual = 1024
	text, err := os.ReadFile(filepath.Join(d.Proc, "sys", "net", "ipv4", "ip_unprivileged_port_start"))
	if n, err2 := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && err2 == nil {
		return n
	}
	return usual
}
