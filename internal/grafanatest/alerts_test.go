package grafanatest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// alertStore has a database for each scene, and keeps answers: a mutant asks most again.
type alertStore struct {
	db     *influxdtest.Server
	policy string // of rollups; "" is the default one

	mu   sync.Mutex
	kept map[string][]influxdtest.Series
}

func (a *alertStore) fill(t *testing.T, name string, s *alertScene) {
	t.Helper()
	query := func(q string) {
		if _, err := a.db.Query(t.Context(), "", q); err != nil {
			t.Fatal(err)
		}
	}
	query("CREATE DATABASE " + name)
	if a.policy != "" {
		query(fmt.Sprintf("CREATE RETENTION POLICY %q ON %s DURATION INF REPLICATION 1", a.policy, name))
	}
	for i := range s.machines {
		lines := strings.SplitAfter(s.machines[i].points(), "\n")
		for part := range slices.Chunk(lines, 20000) {
			a.write(t, name, strings.Join(part, ""))
		}
	}
}

func (a *alertStore) write(t *testing.T, database, lines string) {
	t.Helper()
	to := a.db.URL() + "/write?" + url.Values{"db": {database}, "rp": {a.policy}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusNoContent {
		t.Fatalf("write: %s: %.300s", answer.Status, text)
	}
}

// asks is what a rule may ask of a scene.
func (a *alertStore) asks(name string, s *alertScene) asker {
	return func(ctx context.Context, query string) ([]influxdtest.Series, error) {
		if s.away != nil {
			return nil, s.away
		}
		key := name + " " + query
		a.mu.Lock()
		defer a.mu.Unlock()
		if kept, ok := a.kept[key]; ok {
			return kept, nil
		}
		answer, err := a.db.Query(ctx, name, query)
		if err == nil {
			a.kept[key] = answer
		}
		return answer, err
	}
}

// newAlertStore has the scenes.
func newAlertStore(t *testing.T, db *influxdtest.Server, policy string, scenes []alertScene) *alertStore {
	t.Helper()
	a := &alertStore{db: db, policy: policy, kept: map[string][]influxdtest.Series{}}
	for i := range scenes {
		a.fill(t, a.database(i), &scenes[i])
	}
	return a
}

func (a *alertStore) database(scene int) string { return fmt.Sprintf("scene%d%s", scene, a.policy) }

// differs says in which scene a rule does not what it should, "" if in none.
func (a *alertStore) differs(ctx context.Context, r *alertRule, scenes []alertScene) string {
	for i := range scenes {
		s := &scenes[i]
		fires, err := r.evaluate(ctx, a.asks(a.database(i), s), alertNow)
		if want := s.fires[r.UID]; err != nil || !slices.Equal(fires, want) {
			return fmt.Sprintf("%s in %q: fires for %q (%v), want %q", r.UID, s.name, fires, err, want)
		}
	}
	return ""
}

// Every alert fires in the scenes that are made for it, for the right host, and in no
// other one; in both places where rollups may be.
func TestAlerts(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	scenes := alertScenes()
	rules := readAlerts(t)
	fired := map[string]bool{}
	for _, s := range scenes {
		for uid := range maps.Keys(s.fires) {
			fired[uid] = true
		}
	}
	for _, policy := range []string{"tailflux_rollups", ""} {
		store := newAlertStore(t, db, policy, scenes)
		for _, r := range rules {
			if policy == "" {
				r = inDefaultPolicy(r)
			}
			if wrong := store.differs(t.Context(), r, scenes); wrong != "" {
				t.Errorf("in policy %q, %s", policy, wrong)
			}
			if !fired[r.UID] {
				t.Errorf("no scene is made for %s", r.UID)
			}
		}
		if policy != "" {
			alertMutants(t, store, rules, scenes)
		}
	}
}
