package traffic

import (
	"fmt"
	"net/netip"
	"strconv"
	"sync"

	"github.com/tailflux/tailflux/mock/dice"
)

// site is the imagined web site and its visitors. It is the same for every
// seed and never changes once built, so that all generators share it.
type site struct {
	reading  dice.Weighted[resource] // GET, HEAD, OPTIONS
	writing  dice.Weighted[resource] // POST, PUT, PATCH, DELETE
	clients  dice.Weighted[client]
	scanners dice.Weighted[client]
	referers dice.Weighted[string] // of people; "" is none
}

// content decides how a resource behaves: its size, its time, whether nginx
// asks an upstream for it.
type content uint8

const (
	page content = iota
	api
	static
	download
	health // only what monitors ask for
)

// resource is a path, with or without an id in its middle.
type resource struct {
	prefix, suffix string
	ids            int // how many different ids; 0: none
	content        content
	zipped         bool // its type is compressed
}

// client is somebody with one address and one program.
type client struct {
	addr, agent      string
	scheme, protocol string
	person           bool // has referrers, understands gzip, keeps a cache
	monitor          bool // asks for /healthz and nothing else
}

// theSite is built on first use.
var theSite = sync.OnceValue(func() *site {
	d := dice.New(1, 1)
	all := resources()
	var writable []resource
	for _, r := range all {
		if r.content == api || r.prefix == "/login" || r.prefix == "/cart" || r.prefix == "/checkout" {
			writable = append(writable, r)
		}
	}
	// Shuffled, so that every kind has popular and forgotten paths. The home
	// page stays in front.
	shuffle(d, all[1:])
	shuffle(d, writable)
	clients := visitors(d, 600)
	return &site{
		reading:  dice.NewWeighted(all, dice.Zipf(len(all))),
		writing:  dice.NewWeighted(writable, dice.Zipf(len(writable))),
		clients:  dice.NewWeighted(clients, dice.Zipf(len(clients))),
		scanners: dice.NewWeighted(scanners(d), dice.Zipf(30)),
		referers: dice.NewWeighted(referers(all)),
	}
})

func shuffle[T any](d *dice.Dice, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := d.Roll(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

// resources returns about 200 paths.
func resources() []resource {
	list := []resource{{prefix: "/", content: page, zipped: true}}
	add := func(c content, zipped bool, ids int, suffix string, prefixes ...string) {
		for _, p := range prefixes {
			list = append(list, resource{p, suffix, ids, c, zipped})
		}
	}
	add(page, true, 0, "", "/about", "/pricing", "/contact", "/login", "/logout", "/search", "/cart", "/checkout",
		"/account", "/account/orders", "/account/settings", "/blog", "/jobs", "/terms", "/privacy", "/status",
		"/docs", "/docs/install", "/docs/quickstart", "/docs/configuration", "/docs/faq", "/caf\xc3\xa9")
	add(page, true, 4000, "", "/products/", "/users/", "/tags/")
	add(page, true, 4000, "/reviews", "/products/")
	for _, c := range []string{"books", "music", "garden", "kitchen", "toys", "tools", "shoes", "lamps", "bikes", "tea"} {
		add(page, true, 0, "", "/category/"+c, "/category/"+c+"/new")
	}
	for _, what := range []string{"winter", "garden", "city", "ocean", "coffee"} {
		for _, how := range []string{"guide", "checklist", "story", "mistakes", "interview"} {
			add(page, true, 0, "", "/blog/"+what+"-"+how)
		}
	}
	for _, what := range []string{"users", "orders", "items", "carts", "payments", "reviews", "messages", "sessions"} {
		add(api, true, 0, "", "/api/v1/"+what, "/api/v2/"+what)
		add(api, true, 100_000, "", "/api/v1/"+what+"/", "/api/v2/"+what+"/")
	}
	add(api, true, 0, "", "/api/v1/search", "/api/v1/feed", "/api/v1/events", "/graphql")
	add(static, true, 0, "", "/robots.txt", "/sitemap.xml", "/manifest.json")
	add(static, false, 0, "", "/favicon.ico", "/apple-touch-icon.png")
	for i, what := range []string{"app", "vendor", "runtime", "cart", "search", "account", "blog", "admin", "print", "theme"} {
		hash := fmt.Sprintf(".%08x", uint32(i+1)*2654435761)
		add(static, true, 0, "", "/static/js/"+what+hash+".js", "/static/css/"+what+hash+".css")
		add(static, false, 0, "", "/static/img/"+what+".webp", "/static/img/"+what+"@2x.webp")
	}
	add(static, false, 4000, ".jpg", "/media/products/", "/media/products/thumb/", "/media/avatars/")
	add(static, false, 0, "", "/static/fonts/inter.woff2", "/static/fonts/mono.woff2", "/static/img/logo.png")
	for _, what := range []string{"catalogue", "manual", "report", "firmware", "backup"} {
		add(download, false, 0, "", "/downloads/"+what+".pdf", "/downloads/"+what+".zip")
	}
	return list
}

// referers returns where people come from, and how often.
func referers(all []resource) ([]string, []float64) {
	values := []string{
		"", "https://www.google.com/", "https://duckduckgo.com/", "https://www.bing.com/",
		"https://news.example.net/item?id=40123456", "https://t.example/Qz81", "android-app://com.example.reader/",
		"https://forum.example.org/search?q=\"tea kettle\"", "https://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.example/", `file:///C:\Users\me\links.html`,
	}
	weights := []float64{33, 9, 2, 2, 1, 1, 0.5, 0.2, 0.2, 0.1}
	for _, r := range all {
		if r.content == page {
			path := r.prefix
			if r.ids > 0 {
				path += "12" + r.suffix
			}
			values = append(values, "https://www.example.com"+path)
			weights = append(weights, 0.7)
		}
	}
	return values, weights
}

// visitors makes n clients. Addresses are from the ranges reserved for
// documentation, so that none is anybody's.
func visitors(d *dice.Dice, n int) []client {
	agents := dice.NewWeighted(peopleAgents, peopleWeights)
	bots := dice.NewWeighted(botAgents, botWeights)
	list := make([]client, 0, n)
	for i := range n {
		c := client{addr: addr4(d), agent: agents.Pick(d), scheme: "https", protocol: "HTTP/1.1", person: true}
		if d.Chance(0.18) {
			c.addr = addr6(d)
		}
		if d.Chance(0.2) {
			c.scheme = "http"
		}
		if c.scheme == "https" && d.Chance(0.62) {
			c.protocol = "HTTP/2.0"
		}
		if i%7 == 5 { // programs
			c.person, c.agent, c.protocol = false, bots.Pick(d), "HTTP/1.1"
			if d.Chance(0.18) {
				c.protocol = "HTTP/1.0"
			}
		}
		list = append(list, c)
	}
	list[12] = client{addr: "192.0.2.9", agent: "kube-probe/1.33", scheme: "http", protocol: "HTTP/1.1", monitor: true}
	list[19] = client{addr: "192.0.2.10", scheme: "http", protocol: "HTTP/1.0", monitor: true}
	return list
}

// scanners makes 30 clients without good intentions.
func scanners(d *dice.Dice) []client {
	agents := dice.NewWeighted(scannerAgents, scannerWeights)
	list := make([]client, 30)
	for i := range list {
		list[i] = client{addr: addr4(d), agent: agents.Pick(d), scheme: "http", protocol: "HTTP/1.1"}
		if i%6 == 5 {
			list[i].addr = addr6(d)
		}
	}
	return list
}

func addr4(d *dice.Dice) string {
	nets := [...]string{"192.0.2.", "198.51.100.", "203.0.113."}
	return nets[d.Roll(len(nets))] + strconv.Itoa(11+d.Roll(244))
}

func addr6(d *dice.Dice) string {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(d.Roll(4)), byte(d.Roll(256))}
	if d.Chance(0.7) { // a host with privacy extensions, else a server
		for i := 8; i < 16; i++ {
			a[i] = byte(d.Roll(256))
		}
	} else {
		a[15] = byte(1 + d.Roll(250))
	}
	return netip.AddrFrom16(a).String()
}
