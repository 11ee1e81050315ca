package main

import (
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/live"
)

// show keeps what happens in memory, for those who ask the HTTP server. It is called while
// nothing is parsed.
func (p *pipeline) show(c *config.Config) {
	board := p.live.Load()
	switch {
	case !c.HTTP.Live || c.Listen == "":
		board = nil
	case board == nil:
		board = live.New(live.Config{FullAddresses: c.HTTP.FullAddresses})
	default:
		board.ShowAddresses(c.HTTP.FullAddresses)
	}
	p.live.Store(board)
	p.parser.Show(board)
}
