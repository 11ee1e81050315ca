package main

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/rollup"
)

// No field of a rollup may be a tag of one: the configuration knows all of them.
func TestFieldsOfRollupsAreNoTags(t *testing.T) {
	fields := append([]string{"requests", "upstream_tries"}, accesslog.Sizes[:]...)
	for _, time := range accesslog.Times {
		fields = append(fields, time+"_ms", time+"_ms_max")
		for bucket := range rollup.Buckets {
			fields = append(fields, rollup.BucketField(time, bucket))
		}
	}
	config := writeTemp(t, "t.yaml", "sources: [{path: /a.log}]\nrollups: [{measurement: m, interval: 10s, tags: ["+strings.Join(fields, ", ")+"]}]\n")
	code, _, errs := printed("check", "--print", "--config", config)
	for _, field := range fields {
		if code != exitUsage || !strings.Contains(errs, `got "`+field+`", which is a field of every rollup`) {
			t.Errorf("a tag %s of a rollup: exit code %d, %s", field, code, errs)
		}
	}
}
