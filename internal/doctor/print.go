package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A Printer writes findings for people, each when it is found: a line a finding, below its
// subject. Of what is fine with many files of a glob, it writes the first ones.
type Printer struct {
	W       io.Writer
	Colour  bool
	subject string
	fine    map[string]int // findings of the subject, by their check
}

// mostFine is so many of one check.
const mostFine = 3

// colours are those of the verdicts.
var colours = []string{"\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"}

// Print writes a finding.
func (p *Printer) Print(f Finding) {
	if f.Subject != p.subject {
		p.endSubject()
		fmt.Fprintln(p.W, f.Subject)
		p.subject, p.fine = f.Subject, map[string]int{}
	}
	if f.Verdict == OK {
		if p.fine[f.Check]++; p.fine[f.Check] > mostFine {
			return
		}
	}
	p.line(f)
}

func (p *Printer) line(f Finding) {
	verdict := fmt.Sprintf("%-7s", f.Verdict)
	if p.Colour {
		verdict = colours[f.Verdict] + verdict + "\x1b[0m"
	}
	fmt.Fprintf(p.W, "  %s  %-13s  %s\n", verdict, f.Check, f.text())
}

func (p *Printer) endSubject() {
	for _, check := range slices.Sorted(maps.Keys(p.fine)) {
		if n := p.fine[check] - mostFine; n > 0 {
			p.line(Finding{Check: check, Reason: fmt.Sprintf("and %d more; --json has them", n)})
		}
	}
	if p.subject != "" {
		fmt.Fprintln(p.W)
	}
}

func (f Finding) text() string {
	if f.Remedy == "" {
		return f.Reason
	}
	return f.Reason + "; " + f.Remedy
}

// End writes the sum.
func (p *Printer) End(all []Finding) {
	p.endSubject()
	var parts []string
	for _, v := range []Verdict{Error, Warning, Note} {
		n := 0
		for _, f := range all {
			if f.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, count(n, v.String()))
		}
	}
	text := "all is well"
	if len(parts) > 0 {
		text = strings.Join(parts, ", ")
	}
	fmt.Fprintln(p.W, text)
}

// Failed is the error of findings with errors among them.
func Failed(all []Finding) error {
	n := 0
	for _, f := range all {
		if f.Verdict == Error {
			n++
		}
	}
	return fmt.Errorf("check: %s", count(n, "error"))
}

// JSON writes all findings as one object, as docs/check.md has it.
func JSON(w io.Writer, o Options, all []Finding) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Verdict  Verdict   `json:"verdict"`
		User     string    `json:"user"`
		Findings []Finding `json:"findings"`
	}{Worst(all), o.User.Name, all})
}
