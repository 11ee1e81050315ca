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

// judged is what becomes of lines that are read as one text: of those that are joined, how
// many they are, and of the others 0.
func judged(m *logformat.Matcher, text string, most int) (all []int) {
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		_, n := m.MatchPieces([]byte(text), most)
		if _, ok := m.Match([]byte(line)); ok || n == 0 {
			n = 0
		}
		for range n - 1 {
			_, rest, _ = strings.Cut(rest, "\n")
		}
		all, text = append(all, n), rest
	}
	return all
}

// Wherever a file is cut into blocks, the same lines are joined.
func TestPiecesAreJoinedAcrossEveryCut(t *testing.T) {
	const cri, most = "2026-11-20T10:00:00.123456789Z ", 300
	p, f := cri+"stdout P ", cri+"stdout F "
	half, rest := combinedLine[:40], combinedLine[40:]
	other := cri + "stderr F oh\n"
	text := f + combinedLine + "\n" +
		p + half + "\n" + f + rest + "\n" +
		p + half + "\n" + other + p + "\n" + other + f + rest + "\r\n" + other +
		docker(t, half, "stdout") + docker(t, "oh\n", "stderr") + docker(t, rest+"\n", "stdout") +
		"\n" + p + half + "\n\n" + f + rest + "\n" + // an empty line between
		p + half + "\n" + combinedLine + "\n" + p + half + "\n" + p + half + "\n" + f + rest + "\n" +
		p + half + "\n" + docker(t, half, "stdout") + f + rest + "\n" + docker(t, rest+"\n", "stdout") +
		strings.Repeat(p+half+"\n", 9) + f + rest + "\n" + // too much in all
		p + half + "\n" + f + rest + strings.Repeat("x", most) + "\n" + p + half + "\n" + f + rest + "\n" +
		p + half + "\n" + other
	for _, format := range []string{"combined", "cri combined", "docker combined"} {
		m := mustFormat(t, format).NewMatcher()
		want := judged(m, text, most)
		pieces, joined := logformat.NewPieces(most, 1<<20), 0
		for _, n := range want {
			joined += n
		}
		if joined == 0 {
			t.Fatalf("%s: nothing is joined", format)
		}
		for cut := range len(text) {
			if cut%41 > 0 && !strings.Contains(text[max(0, cut-2):cut+1], "\n") {
				continue
			}
			end := strings.LastIndexByte(text[:cut], '\n') + 1
			whole := pieces.Whole([]byte(text[:end]), cut-end)
			if got := append(judged(m, text[:whole], most), judged(m, text[whole:], most)...); !slices.Equal(got, want) {
				t.Fatalf("%s: %d of %d bytes: %v, want %v", format, whole, cut, got, want)
			}
		}
	}
}

// The pieces of a line, and what stands between them, fit in one block, or are not joined.
func TestPiecesThatAreFarApart(t *testing.T) {
	const cri, most = "2026-11-20T10:00:00.123456789Z ", 1000
	half, rest := cri+"stdout P "+combinedLine[:40]+"\n", cri+"stdout F "+combinedLine[40:]+"\n"
	m, pieces, room := mustFormat(t, "cri combined").NewMatcher(), logformat.NewPieces(most, 1<<30), logformat.PiecesBytes(most)
	other := func(size int) string { // lines of the other stream
		line := cri + "stderr F " + strings.Repeat("x", 460) + "\n"
		all := strings.Repeat(line, size/len(line)-1)
		return all + cri + "stderr F " + strings.Repeat("y", size-len(all)-len(cri)-10) + "\n"
	}
	for more := range 2 {
		between := other(room + more - len(half) - len(rest))
		text := half + between + rest
		want, wantWhole := strings.Count(text, "\n"), 0
		if more > 0 {
			want, wantWhole = 0, len(half)+len(between)
		}
		if _, n := m.MatchPieces([]byte(text), most); len(text) != room+more || n != want {
			t.Errorf("%d bytes of %d: %d lines, want %d", len(text), room, n, want)
		}
		if got := pieces.Whole([]byte(half+between), 0); got != 0 {
			t.Errorf("%d bytes of %d: Whole = %d, want 0", len(text), room, got)
		}
		if got := pieces.Whole([]byte(half+between), len(rest)-1); got != wantWhole {
			t.Errorf("%d bytes of %d, but for a newline: Whole = %d, want %d", len(text), room, got, wantWhole)
		}
	}
}

func TestNothingIsAllocatedToLookForPieces(t *testing.T) {
	for name, text := range map[string]string{
		"combined": combinedLine + "\n", "JSON": `{"status":200,"request":"GET / HTTP/1.1"}` + "\n",
		"cri": "2026-11-20T10:00:00.123456789Z stdout P x\n", "docker": docker(t, combinedLine[:40], "stdout"),
	} {
		lines, pieces := []byte(strings.Repeat(text, 3)), logformat.NewPieces(1000, 1<<20)
		if n := testing.AllocsPerRun(100, func() { pieces.Whole(lines, 0) }); n > 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
