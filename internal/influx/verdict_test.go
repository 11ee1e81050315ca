package influx_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/tailflux/tailflux/internal/influx"
)

// The table of docs/delivery.md.
func TestVerdictOf(t *testing.T) {
	refusal := func(message string) error { return &influx.AnswerError{Status: 400, Message: message} }
	status := func(status int) error { return &influx.AnswerError{Status: status, Message: "partial write"} }
	for _, tt := range []struct {
		err  error
		want influx.Verdict
	}{
		{nil, influx.Stored},
		{errors.New("connection refused"), influx.Retry},
		{fmt.Errorf("write: %w", os.ErrDeadlineExceeded), influx.Slow},
		{status(200), influx.Retry},
		{status(401), influx.Retry},
		{status(404), influx.Retry},
		{status(408), influx.Slow},
		{status(413), influx.TooLarge},
		{status(429), influx.Retry},
		{status(500), influx.Retry},
		{status(503), influx.Retry},
		{fmt.Errorf("write: %w", status(504)), influx.Slow},
		{refusal("database is required"), influx.Unclear},
		{refusal("unexpected EOF"), influx.Unclear},
		{refusal("partial write: shard 7 is pending deletion dropped=1"), influx.Unclear},
		{refusal("partial write: points beyond retention policy dropped=1"), influx.OutOfTime},
		{refusal("partial write: field type conflict: input field dropped=1"), influx.Refused},
		{refusal("field type conflict: input field"), influx.Refused},
		{refusal("unable to parse 'm v=': missing field value"), influx.Refused},
	} {
		if got := influx.VerdictOf(tt.err); got != tt.want {
			t.Errorf("VerdictOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}
