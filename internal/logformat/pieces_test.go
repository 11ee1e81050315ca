package logformat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

func docker(t *testing.T, log, stream string) string {
	t.Helper()
	text, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	return `{"log":` + string(text) + `,"stream":"` + stream + `","time":"2026-11-20T10:00:00.123456789Z"}` + "\n"
}

func TestALineInPiecesIsJoined(t *testing.T) {
	const cri, cut = "2026-11-20T10:00:00.123456789Z stdout ", 40
	half, rest := combinedLine[:cut], combinedLine[cut:]
	want, _ := mustFormat(t, "combined").NewMatcher().Match([]byte(combinedLine))
	check := func(name, format, text string, most, lines int) {
		t.Helper()
		got, n := mustFormat(t, format).NewMatcher().MatchPieces([]byte(text), most)
		if n != lines || n > 0 && string(got[3]) != string(want[3]) {
			t.Errorf("%s: MatchPieces(%q) = %q, %d, want %d lines", name, text, got, n, lines)
		}
	}
	check("two", "cri combined", cri+"P "+half+"\n"+cri+"F "+rest+"\nmore\n", 1000, 2)
	check("three", "cri combined", cri+"P "+half[:9]+"\n"+cri+"P "+half[9:]+"\n"+cri+"F "+rest+"\n", 1000, 3)
	check("an empty last one", "cri combined", cri+"P "+combinedLine+"\n"+cri+"F \n", 1000, 2)
	check("Docker", "docker combined", docker(t, half, "stdout")+docker(t, rest+"\n", "stdout"), 1000, 2)
	check("another stream between", "docker combined", docker(t, half, "stdout")+docker(t, "x\n", "stderr")+docker(t, rest+"\n", "stdout"), 1000, 3)
	check("just not too long", "cri combined", cri+"P "+half+"\n"+cri+"F "+rest+"\n", len(combinedLine), 2)
	check("too long", "cri combined", cri+"P "+half+"\n"+cri+"F "+rest+"\n", len(combinedLine)-1, 0)
	check("whole", "cri combined", cri+"F "+combinedLine+"\n", 1000, 0)
	check("no last one", "cri combined", cri+"P "+combinedLine+"\n", 1000, 0)
	check("something else between", "cri combined", cri+"P "+half+"\n"+combinedLine+"\n"+cri+"F "+rest+"\n", 1000, 0)
	check("no match", "cri combined", cri+"P x\n"+cri+"F y\n", 1000, 0)
	check("not wrapped", "combined", combinedLine+"\n", 1000, 0)
}

// What was a number in pieces of JSON is one, and the line after it is unwrapped again.
func TestPiecesOfJSONAreJoined(t *testing.T) {
	const cri, line = "2026-11-20T10:00:00.123456789Z stdout ", `{"time":"2026-11-20T10:00:00+00:00","status":200,"request":"GET /a HTTP/1.1"}`
	f := mustFormat(t, "cri json")
	m := f.NewMatcher()
	status := slices.Index(f.Names(), "status")
	for range 2 {
		got, n := m.MatchPieces([]byte(cri+"P "+line[:30]+"\n"+cri+"F "+line[30:]+"\n"), 1000)
		if n != 2 || string(got[status]) != "200" || !m.Numbers()[status] {
			t.Fatalf("MatchPieces = %q, %d, want status 200, a number", got, n)
		}
		if got, ok := m.Match([]byte(cri + "F " + strings.Replace(line, "200", `"404"`, 1))); !ok || string(got[status]) != "404" || m.Numbers()[status] {
			t.Errorf("Match = %q, %v, want status 404, a string", got, ok)
		}
	}
}

// Pieces of long lines say nothing of the format, however many they are.
func TestPiecesDoNotDecideTheFormat(t *testing.T) {
	const cri = "2026-11-20T10:00:00.123456789Z stdout "
	lines := strings.Split(strings.Repeat(cri+"P "+combinedLine[:40]+"\n"+cri+"F "+combinedLine[40:]+"\n", 9)+cri+"F "+combinedLine, "\n")
	var all [][]byte
	for _, line := range lines {
		all = append(all, []byte(line))
	}
	if got, err := logformat.Detect(all); got != "cri combined" || err != nil {
		t.Errorf("Detect = %q, %v, want cri combined", got, err)
	}
}
