package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// The log and the error at the end have one number: the lines that any stage holds,
// whichever stage ended first.
func TestLinesThatAreNotDelivered(t *testing.T) {
	for _, ended := range []error{fmt.Errorf("7 lines %w", write.ErrUndelivered), context.Canceled} {
		st := stats.New(time.Now())
		st.Read(time.Now(), 53, 1000)
		var log bytes.Buffer
		err := (&state{}).end(ended, true, st, slog.New(slog.NewTextHandler(&log, nil)))
		if !errors.Is(err, write.ErrUndelivered) || !strings.HasPrefix(err.Error(), "53 lines not delivered") {
			t.Errorf("after %v: %v, want 53 lines", ended, err)
		}
		if !strings.Contains(log.String(), "lines.in_flight=53") {
			t.Errorf("after %v it logged %s", ended, &log)
		}
	}
}

// No start reads again what an import or a redelivery leaves: the same command does.
func TestWhoReadsAgainWhatIsNotDelivered(t *testing.T) {
	for mode, want := range map[mode]string{
		following: "they are read again at the next start", readingOnce: "they are read again at the next start",
		importing: "the same command reads them again", redelivering: "the same command reads them again",
	} {
		st := stats.New(time.Now())
		st.Read(time.Now(), 53, 1000)
		err := (&state{mode: mode}).end(context.Canceled, true, st, slog.New(slog.DiscardHandler))
		if err == nil || err.Error() != "53 lines not delivered; "+want {
			t.Errorf("mode %d: %v, want %s", mode, err, want)
		}
	}
}

// An address of IPv4 is not one of IPv6 too.
func TestListen(t *testing.T) {
	for address, want := range map[string]string{"0.0.0.0:0": "0.0.0.0:", "127.0.0.1:0": "127.0.0.1:", ":0": "[::]:"} {
		l, err := listen(address, false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if got := addr(l); !strings.HasPrefix(got, want) {
			t.Errorf("listen(%s) = %s, want %s", address, got, want)
		}
		l.Close()
	}
}
