package checkpoint_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// A release must read what the one before it wrote. Who changes the format
// raises its number, and keeps this test.
func TestFormatStaysTheSame(t *testing.T) {
	const body = `{
 "sources": {
  "api": {
   "path": "/srv/api/access.log",
   "open": [
    {
     "file": {
      "device": 0,
      "inode": 0
     },
     "head": {
      "length": 0
     },
     "size": 0,
     "modified": 0,
     "id": 1,
     "first_line": 1,
     "offset": 0,
     "line": 1,
     "before": {
      "length": 0
     },
     "left": -1
    }
   ]
  },
  "web": {
   "path": "/var/log/nginx/access.log",
   "directories": [
    "/old"
   ],
   "open": [
    {
     "file": {
      "device": 9223372036854775810,
      "inode": 4611686018427387906,
      "birth": 1790000000123456791
     },
     "head": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "size": 1099511627778,
     "modified": 1790000001123456791,
     "id": 2,
     "first_line": 500001,
     "offset": 200,
     "line": 500021,
     "before": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "left": 300
    }
   ],
   "finished": [
    {
     "file": {
      "device": 9223372036854775811,
      "inode": 4611686018427387907,
      "birth": 1790000000123456792
     },
     "head": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "size": 1099511627779,
     "modified": 1790000001123456792,
     "id": 3,
     "first_line": 1000001,
     "last_line": 1000031,
     "offset": 300,
     "before": {
      "length": 3,
      "hash": "ba7816bf8f01cfea"
     },
     "lost": true
    }
   ]
  }
 }
}
`
	described := func(id int64) logfile.File {
		f := file(id)
		f.Head = logfile.SumOf([]byte("abc"))
		return f
	}
	o := open(t, t.TempDir())
	o.source(api)
	o.Begin(at(generation(api, 1), 0), logfile.Sum{}, logfile.File{})
	o.source(web)
	o.RotatedTo("web", "/old")
	o.Begin(at(generation(web, 2), 0), logfile.Sum{}, described(2))
	o.Begin(at(generation(web, 3), 0), logfile.Sum{}, described(3))
	o.Acknowledge(at(generation(web, 2), 200), []byte("abc"))
	o.Leave(at(generation(web, 2), 300))
	o.Acknowledge(at(generation(web, 3), 300), []byte("abc"))
	o.Lose("web", 3)
	o.save()
	want := string(sealed("1", body))
	if diff := cmp.Diff(want, contents(t, o.dir)[latest]); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	wantWeb, wantAPI := o.source(web), o.source(api)
	o.Close()
	put(t, o.dir, map[string]string{latest: want})
	o = open(t, o.dir)
	o.want(web, wantWeb)
	o.want(api, wantAPI)
}

// Names of files are bytes. A file that a glob found must not be a new source
// after a restart because its name is not UTF-8, nor be taken for another one.
func TestNamesNeedNotBeUTF8(t *testing.T) {
	names := []string{
		"\xff", "\xfe", "caf\xe9", "café", "caf\ufffd", "caf\\xe9", "\xe2\x82", "\xe2\x82\xac\x82", "\xed\xa0\x80", "\xc0\x80",
		"\x80\xffxff", "\xff\"<ü>\"\n\u2028", "",
	}
	o := open(t, t.TempDir())
	want := map[string]checkpoint.Source{}
	for i, name := range names {
		s := &flow.Source{Name: "web:" + name, Path: "/log/" + name + ".log"}
		o.source(&flow.Source{Name: s.Name, Path: "/before/" + name})
		o.Begin(at(generation(s, int64(i+1)), 0), logfile.Sum{}, file(1))
		for _, dir := range names {
			o.RotatedTo(s.Name, "/old/"+dir)
		}
		want[s.Name] = o.source(s)
	}
	for range 2 {
		o.RotatedTo("web:", fmt.Sprint("/old/", o.dir)) // so that something is saved
		want["web:"] = o.source(&flow.Source{Name: "web:", Path: "/log/.log"})
		o.save()
		for _, text := range []string{`"web:café"`, `"/log/caf\\xe9.log"`, `"/log/caf\u0000xe9.log"`} {
			if !strings.Contains(contents(t, o.dir)[latest], text) {
				t.Errorf("saved %s\nwithout %s", contents(t, o.dir)[latest], text)
			}
		}
		o = o.crash()
		for name, s := range want {
			got, known := o.Source(name, s.Path)
			if diff := cmp.Diff(s, got, cmpopts.EquateEmpty()); diff != "" || !known {
				t.Errorf("Source(%q) is known: %v; (-want +got):\n%s", name, known, diff)
			}
		}
	}
}

// Whatever the file holds, either all of it is known or nothing, which is said;
// and what is known can be gone on with, saved, and read again.
func FuzzRead(f *testing.F) {
	before, last := two(f)
	f.Add([]byte(last))
	f.Add([]byte(last)[:len(last)-1])
	f.Add([]byte(last[strings.Index(last, "\n")+1:]))
	f.Add([]byte(`{"sources":{"\u0000xff":{"path":"\u0000xC3\u0000x80\u0000xe9\u0000","directories":["/\u0000xc3\u0000xa9"]}}}`))
	f.Add([]byte{})
	f.Add([]byte("tailflux checkpoint 2 00000000\n{}\n"))
	f.Add([]byte(`{"sources":{}}`))
	f.Add([]byte(`{"sources":{"web":null}}`))
	f.Add([]byte(`{"sources":{"web":{},"":{"path":"\ud800","open":[{"id":1,"left":-1},{"id":1},{"id":7}],"finished":[{"id":1},{"lost":true}]}}}`))
	f.Add([]byte(`{"sources":{"a":{"open":[{"left":5,"id":-1,"head":{"length":-1},"size":-1}],"directories":["",""]},"a":{}}} `))
	f.Add([]byte(`{"sources":{"a":{"open":[{"id":9,"path":"/\u0000xe9"}],"imports":[{"id":-1,"offset":3},{"id":-2}]},"b":{"imports":[{"id":-1}]}}}`))
	f.Add([]byte(`{"sources":{"a":{"imports":[{"id":1}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, text := range [][]byte{data, sealed("1", string(data))} {
			if isNewer(text) {
				continue // see TestNewerFormatIsRefused
			}
			want := slowRead(text)
			dir := inMemory(t)
			put(t, dir, map[string]string{latest: string(text)})
			o := open(t, dir)
			check := func() {
				t.Helper()
				for name, s := range want {
					got, known := o.Source(name, s.Path)
					onlyImported := s.Path == "" && len(s.Imports) > 0
					if diff := cmp.Diff(*s, got, cmpopts.EquateEmpty()); diff != "" || known == onlyImported {
						t.Errorf("Source(%q) is known: %v; (-want +got):\n%s", name, known, diff)
					}
				}
			}
			if o.Fresh() != (len(want) == 0) {
				t.Errorf("Fresh = %v with %d sources in the file", o.Fresh(), len(want))
			}
			check()
			if want == nil {
				o.logged(1, 0)
				if kept := contents(t, dir)[bad]; kept != string(text) {
					t.Errorf("kept %q, want %q", kept, text)
				}
			} else {
				o.logged(0, 0)
			}
			another := &flow.Source{Name: "another", Path: "/another"}
			for want[another.Name] != nil {
				another.Name += "+"
			}
			o.source(another)
			o.save()
			o = o.crash()
			o.logged(0, 0)
			check()
			o.want(another, checkpoint.Source{Path: another.Path})
			for name, s := range want {
				goOn(o, name, s)
			}
			o.save()
			o = o.crash()
			o.logged(0, 0)
			o.Close()

			put(t, dir, map[string]string{latest: string(text), previous: before})
			o = open(t, dir)
			if want == nil && o.offset() != 100 {
				t.Errorf("continues at %d, want the position in the one before it", o.offset())
			}
			check()
			o.Close()
		}
	})
}

// goOn does with the generations of a source what can be done.
func goOn(o *opened, name string, s *checkpoint.Source) {
	source := &flow.Source{Name: name, Path: s.Path}
	for i, open := range s.Open {
		g := &flow.Generation{Source: source, ID: open.ID, FirstLine: open.FirstLine}
		o.Stay(g)
		o.Describe(g, file(1))
		o.Acknowledge(at(g, 100), []byte("x\n"))
		if i%2 == 0 {
			o.Lose(name, open.ID)
		}
		o.Leave(at(g, 100))
	}
	known := o.source(source)
	if len(known.Open) > 0 || len(known.Finished) > max(64, len(s.Finished)) {
		o.t.Errorf("of %d generations of %q %d are open when all were left, and %d finished", len(s.Open), name, len(known.Open), len(known.Finished))
	}
}

// slowRead is what a file says, nil when it is not a checkpoint.
func slowRead(text []byte) map[string]*checkpoint.Source {
	first, body, ok := strings.Cut(string(text), "\n")
	words := strings.Split(first, " ")
	if !ok || len(words) != 4 || !slices.Contains([]string{"1", "+1", "01", "+01"}, words[2]) || string(sealed(words[2], body)) != string(text) {
		return nil
	}
	var content struct {
		Sources map[string]*checkpoint.Source `json:"sources"`
	}
	if json.Unmarshal([]byte(body), &content) != nil || content.Sources == nil {
		return nil
	}
	var pairs []string
	for b := 0x80; b <= 0xff; b++ {
		pairs = append(pairs, fmt.Sprintf("\x00x%02x", b), string([]byte{byte(b)}))
	}
	unescape := strings.NewReplacer(pairs...).Replace
	sources := map[string]*checkpoint.Source{}
	for name, s := range content.Sources {
		if s == nil {
			return nil
		}
		s.Path = unescape(s.Path)
		for i, dir := range s.Directories {
			s.Directories[i] = unescape(dir)
		}
		for i := range s.Open {
			s.Open[i].Path = unescape(s.Open[i].Path)
			if s.Open[i].ID < 1 {
				return nil
			}
		}
		for _, g := range s.Imports {
			if g.ID >= 0 {
				return nil
			}
		}
		sources[unescape(name)] = s
	}
	return sources
}
