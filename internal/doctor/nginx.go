package doctor

import (
	"fmt"
	"os"
	"time"

	"github.com/tailflux/tailflux/internal/nginxconf"
)

// nginxConf is where most packages of nginx have it.
const nginxConf = "/etc/nginx/nginx.conf"

// readNginx reads nginx.conf. Without it, or a part of it, less is said.
func (d *doctor) readNginx() {
	if found, err := nginxconf.Read(os.DirFS("/"), d.Nginx, nginxconf.Build{Conf: d.Nginx}); err == nil {
		d.accessLogs = found.Logs
	}
}

// buffers says how late nginx writes the lines of a log.
func (d *doctor) buffers(path string) {
	const soon = 5 * time.Second
	for _, l := range d.accessLogs {
		if !l.IsFile() || l.Path != path || l.Buffer == "" {
			continue
		}
		flush, err := time.ParseDuration(l.Flush)
		switch at := fmt.Sprintf("%s: access_log %s buffer=%s", l.At, path, l.Buffer); {
		case l.Flush == "":
			d.say(Warning, "buffer",
				at+" without flush=: nginx holds lines back until so many bytes are full, which takes hours on a quiet site",
				"add flush=1s")
		case err != nil || flush > soon:
			d.say(Note, "buffer", at+" flush="+l.Flush+": lines are seen that much later", "flush=1s")
		default:
			continue
		}
		return
	}
}
