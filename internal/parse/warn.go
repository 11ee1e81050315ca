package parse

import (
	"bytes"
	"log/slog"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
)

// warnOfCR logs once that lines end with CR LF: no nginx writes them so by itself.
func (p *Parser) warnOfCR(s *source) {
	s.crlf = true
	p.log.Warn("lines end with CR LF; the CR is left out", "source", s.flow.Name, "file", s.file)
}

// warnOfRejects logs once when half of two hundred lines were rejected, and again when
// that begins anew.
func (p *Parser) warnOfRejects(s *source, b *flow.Batch, rejected int64) {
	const window = 200
	s.window += b.NumLines()
	s.rejected += rejected
	if s.window < window {
		return
	}
	mostly := 2*s.rejected >= s.window
	if mostly && !s.mostly && !s.fit.trouble {
		p.about(s, firstRejected(b)).Warn("half of the last lines or more were rejected: compare them with their format with tailflux explain",
			"lines", s.rejected)
	}
	s.mostly = mostly
	s.window, s.rejected = 0, 0
}

// about is the log with a source and the format that a line looks like, if there is one.
func (p *Parser) about(s *source, line []byte) *slog.Logger {
	log := p.log.With("source", s.flow.Name, "file", s.file)
	if format, known := logformat.Nearest(line); known {
		log = log.With("format", format)
	}
	return log
}

// firstRejected is the first line of a batch that does not match, if there is
// one.
func firstRejected(b *flow.Batch) []byte {
	rest, at := b.Lines, int32(0)
	for _, skip := range b.Skipped {
		for ; at < skip.Line; at++ {
			rest = rest[bytes.IndexByte(rest, '\n')+1:]
		}
		if skip.Reason == flow.NoMatch {
			return flow.TrimCR(rest[:bytes.IndexByte(rest, '\n')])
		}
	}
	return nil
}
