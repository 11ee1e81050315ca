package grafanatest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Prometheus' own tool in a directory that has the rules of docs/alerts.md, and
// the cases. It is TAILFLUX_PROMTOOL; make prometheus-rules sets it.
func promtool(t *testing.T, rules string, args ...string) (out string, err error) {
	t.Helper()
	dir := t.TempDir()
	cases, err := os.ReadFile("testdata/prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"rules.yaml": rules, "cases.yaml": string(cases)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("TAILFLUX_PROMTOOL"), args...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// rulesOfPrometheus are those of docs/alerts.md.
func rulesOfPrometheus(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(runbookFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rules, is := strings.Cut(string(text), "```yaml\n")
	rules, _, ended := strings.Cut(rules, "```")
	if !is || !ended {
		t.Fatalf("%s has no rules in YAML", runbookFile)
	}
	return rules
}

// Prometheus takes the rules. Each fires on figures made for it, and not just below its
// bound; with a mistake in one, a case fails.
func TestPrometheusTakesTheRules(t *testing.T) {
	if os.Getenv("TAILFLUX_PROMTOOL") == "" {
		t.Skip("TAILFLUX_PROMTOOL is not set: make prometheus-rules has it from Debian")
	}
	rules := rulesOfPrometheus(t)
	if out, err := promtool(t, rules, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := promtool(t, rules, "test", "rules", "cases.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, mistake := range [][2]string{
		{"== 0\n        for: 5m", "== 0\n        for: 4m"},
		{`up{job="tailflux"}`, "up"},
		{"outage_seconds > 120", "outage_seconds >= 120"},
		{"outage_seconds > 120", "outage_seconds > 181"},
		{"open == 0 or", "open == 0 and"},
		{"trouble == 1\n        for: 5m", "trouble == 1\n        for: 4m"},
		{"min_over_time(tailflux_source_lag_seconds", "max_over_time(tailflux_source_lag_seconds"},
		{"[5m]) > 120", "[5m]) > 121"},
		{"min_over_time(tailflux_undelivered_seconds", "max_over_time(tailflux_undelivered_seconds"},
		{"[5m]) > 60", "[5m]) > 61"},
		{"1000)", "100)"},
		{"> 0.01", "> 0.05"},
		{"[1h]) > 0", "[1h]) >= 0"},
		{"[1h]) > 0", "[10m]) > 0"},
		{"> 0.8", ">= 0.8"},
		{"[15m]) > 2", "[15m]) > 1"},
		{"[15m]) > 2", "[15m]) > 3"},
		{"severity: warning", "severity: critical"},
	} {
		wrong := strings.Replace(rules, mistake[0], mistake[1], 1)
		if wrong == rules {
			t.Errorf("the rules have no %q", mistake[0])
			continue
		}
		if out, err := promtool(t, wrong, "test", "rules", "cases.yaml"); err == nil {
			t.Errorf("%q for %q: no case fails\n%s", mistake[1], mistake[0], out)
		}
	}
}
