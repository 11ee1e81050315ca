// Package keep writes scenes to files, with what the evidence said and what followed, and
// decides them again: for whoever wants to know why something happened to a log.
package keep

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

// Kept is a scene that can be written to a file and decided again: what was seen, what
// the evidence said when it was asked, and what followed.
type Kept struct {
	Scene    scene.Scene
	Ledger   ledger
	Troubles [2]string                  // of the path, and of listing its directory
	Answers  map[string]json.RawMessage // by question
	Actions  []scene.Action
	Errors   []string // of the actions, "" for none
}

// ledger has no way of its own to be written, which leaves out what is not saved.
type ledger checkpoint.Source

// Record makes a scene remember what its evidence says. Call Keep after Decide.
func Record(s *scene.Scene) {
	s.Evidence = &recorder{s.Evidence, map[string]json.RawMessage{}}
}

// Keep returns a recorded scene with what followed from it.
func Keep(s *scene.Scene, actions []scene.Action) *Kept {
	k := &Kept{Scene: *s, Ledger: ledger(s.Ledger), Actions: actions, Troubles: [2]string{text(s.Path.Trouble), text(s.Unlisted)}}
	if r, ok := s.Evidence.(*recorder); ok {
		k.Answers = r.answers
	}
	k.Scene.Evidence = nil
	for _, a := range actions {
		k.Errors = append(k.Errors, text(a.Err))
	}
	return k
}

// Replay decides a kept scene again. The error is a question that was not asked then.
func (k *Kept) Replay() (actions []scene.Action, err error) {
	s := k.Scene
	s.Ledger = checkpoint.Source(k.Ledger)
	s.Path.Trouble, s.Unlisted = failure(k.Troubles[0]), failure(k.Troubles[1])
	r := &replayer{answers: k.Answers}
	s.Evidence = r
	return scene.Decide(&s), r.err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func failure(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// recorder notes each answer of the evidence.
type recorder struct {
	of      scene.Evidence
	answers map[string]json.RawMessage
}

// note keeps an answer that can always be encoded.
func note[T any](r *recorder, question string, answer T) T {
	r.answers[question], _ = json.Marshal(answer)
	return answer
}

type agreement struct {
	From int64
	OK   bool
}

func about(what string, numbers ...int64) string { return fmt.Sprint(what, numbers) }

func of(what string, file int, g *checkpoint.Generation) string {
	return about(what, int64(file), g.ID, g.Offset, g.Modified)
}

func (r *recorder) Trouble(file int) error {
	err := r.of.Trouble(file)
	note(r, about("trouble", int64(file)), text(err))
	return err
}

func (r *recorder) Born(file int) logfile.Inode {
	return note(r, about("born", int64(file)), r.of.Born(file))
}

func (r *recorder) Size(file int) int64 { return note(r, about("size", int64(file)), r.of.Size(file)) }

func (r *recorder) Is(file int, g *checkpoint.Generation) logfile.Identity {
	return note(r, of("is", file, g), r.of.Is(file, g))
}

func (r *recorder) HoldsAll(file int, g *checkpoint.Generation) bool {
	return note(r, of("holds all", file, g), r.of.HoldsAll(file, g))
}

func (r *recorder) Copies(file int, open int64) bool {
	return note(r, about("copies", int64(file), open), r.of.Copies(file, open))
}

func (r *recorder) CopyOf(file, other int) bool {
	return note(r, about("copy of", int64(file), int64(other)), r.of.CopyOf(file, other))
}

func (r *recorder) IsPart(file int, open int64) bool {
	return note(r, about("is part", int64(file), open), r.of.IsPart(file, open))
}

func (r *recorder) Within(file, other int) bool {
	return note(r, about("within", int64(file), int64(other)), r.of.Within(file, other))
}

func (r *recorder) Agrees(file int, open int64) (from int64, ok bool) {
	from, ok = r.of.Agrees(file, open)
	note(r, about("agrees", int64(file), open), agreement{from, ok})
	return from, ok
}

func (r *recorder) Anonymised(file int) int64 {
	return note(r, about("anonymised", int64(file)), r.of.Anonymised(file))
}

func (r *recorder) Imported(file int) bool {
	return note(r, about("imported", int64(file)), r.of.Imported(file))
}

// replayer gives the answers that were noted.
type replayer struct {
	answers map[string]json.RawMessage
	err     error
}

func answer[T any](r *replayer, question string) (answer T) {
	text, ok := r.answers[question]
	if !ok {
		r.err = fmt.Errorf("the scene does not say: %s", question)
		return answer
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		r.err = fmt.Errorf("%s: %w", question, err)
	}
	return answer
}

func (r *replayer) Trouble(file int) error {
	return failure(answer[string](r, about("trouble", int64(file))))
}

func (r *replayer) Born(file int) logfile.Inode {
	return answer[logfile.Inode](r, about("born", int64(file)))
}

func (r *replayer) Size(file int) int64 { return answer[int64](r, about("size", int64(file))) }

func (r *replayer) Is(file int, g *checkpoint.Generation) logfile.Identity {
	return answer[logfile.Identity](r, of("is", file, g))
}

func (r *replayer) HoldsAll(file int, g *checkpoint.Generation) bool {
	return answer[bool](r, of("holds all", file, g))
}

func (r *replayer) Copies(file int, open int64) bool {
	return answer[bool](r, about("copies", int64(file), open))
}

func (r *replayer) CopyOf(file, other int) bool {
	return answer[bool](r, about("copy of", int64(file), int64(other)))
}

func (r *replayer) IsPart(file int, open int64) bool {
	return answer[bool](r, about("is part", int64(file), open))
}

func (r *replayer) Within(file, other int) bool {
	return answer[bool](r, about("within", int64(file), int64(other)))
}

func (r *replayer) Agrees(file int, open int64) (from int64, ok bool) {
	a := answer[agreement](r, about("agrees", int64(file), open))
	return a.From, a.OK
}

func (r *replayer) Anonymised(file int) int64 {
	return answer[int64](r, about("anonymised", int64(file)))
}

func (r *replayer) Imported(file int) bool { return answer[bool](r, about("imported", int64(file))) }
