package live

import "bytes"

// botWords are what agents have in their names that say they are no browsers: search engines,
// monitors, feed readers, tools and libraries. Who poses as a browser is taken for one.
var botWords = [][]byte{
	[]byte("bot"), []byte("crawl"), []byte("spider"), []byte("slurp"), []byte("fetch"), []byte("scan"), []byte("preview"),
	[]byte("monitor"), []byte("uptime"), []byte("pingdom"), []byte("probe"), []byte("check"), []byte("headless"), []byte("feed"),
	[]byte("facebookexternalhit"), []byte("curl/"), []byte("wget"), []byte("python"), []byte("go-http-client"), []byte("java/"),
	[]byte("okhttp"), []byte("libwww"), []byte("httpclient"), []byte("scrapy"), []byte("axios"), []byte("node-fetch"),
}

// notBots are phones that have such a word in their names.
var notBots = [][]byte{[]byte("cubot")}

// isBot reports whether the agent says that it is one.
func isBot(agent []byte) bool {
	name := bytes.ToLower(agent)
	for _, phone := range notBots {
		name = bytes.ReplaceAll(name, phone, nil)
	}
	for _, word := range botWords {
		if bytes.Contains(name, word) {
			return true
		}
	}
	return false
}

// isBot is found out once.
func (r *row) isBot() bool {
	if r.bot == unknown {
		if r.bot = person; isBot(r.name) {
			r.bot = bot
		}
	}
	return r.bot == bot
}

const (
	unknown = iota
	person
	bot
)
