package top

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"
)

// terminal is the screen and the keyboard. Only close may be called by any goroutine.
type terminal struct {
	screen tcell.Screen
	styles map[style]tcell.Style
	ascii  bool
}

// open takes the terminal of the process; close gives it back as it was.
func open() (*terminal, error) {
	screen, err := tcell.NewScreen(
		tcell.OptNegotiation(false), // nothing is asked of the terminal, so that no answer can come late
		tcell.OptKeyboardProtocol(tcell.LegacyKeyboard),
		tcell.OptSanitizeContent(true),
	)
	if err == nil {
		err = screen.Init()
	}
	if err != nil {
		return nil, fmt.Errorf("terminal: %w (tailflux top --once needs none)", err)
	}
	screen.HideCursor()
	return &terminal{
		screen: screen, styles: stylesOf(screen.Colors()),
		ascii: !strings.EqualFold(strings.ReplaceAll(screen.CharacterSet(), "-", ""), "utf8"),
	}, nil
}

func (t *terminal) close() { t.screen.Fini() }

func (t *terminal) size() (w, h int) { return t.screen.Size() }

// stylesOf are the styles with so many colours. Each is told from the others without any,
// or by the words beside it.
func stylesOf(colours int) map[style]tcell.Style {
	plain := tcell.StyleDefault
	all := map[style]tcell.Style{
		normal: plain, dim: plain.Dim(true), bold: plain.Bold(true), title: plain.Bold(true),
		chosen: plain.Reverse(true), alarm: plain.Reverse(true).Bold(true), well: plain.Bold(true),
		bad: plain.Bold(true),
	}
	if colours < 8 {
		return all
	}
	colour := func(s style, is color.Color) { all[s] = all[s].Foreground(is) }
	colour(good, color.Green)
	colour(moved, color.Teal)
	colour(warn, color.Olive)
	colour(bad, color.Maroon)
	colour(title, color.Teal)
	colour(well, color.Green)
	colour(alarm, color.Maroon)
	return all
}

// show draws a canvas; what is as it was costs nothing.
func (t *terminal) show(c *canvas) {
	t.screen.Clear()
	for i, cell := range c.cells {
		if cell.r == 0 {
			continue
		}
		r := cell.r
		if t.ascii {
			r = inASCII(r)
		}
		t.screen.Put(i%c.w, i/c.w, string(r), t.styles[cell.style])
	}
	t.screen.Show()
}

// inASCII is what stands for one of our signs where there is only ASCII.
func inASCII(r rune) rune {
	for signs, ascii := range map[string]string{"·▁▂▃▄▅▆▇█░…→↑↓←": "._-:=+*##.~>^v<"} {
		if i := strings.IndexRune(signs, r); i >= 0 {
			return rune(ascii[len([]rune(signs[:i]))])
		}
	}
	return r
}

// press does what an event means, and reports whether that is the end.
func (t *terminal) press(v *view, event tcell.Event) (quit bool) {
	switch event := event.(type) {
	case *tcell.EventResize:
		t.screen.Sync()
	case *tcell.EventKey:
		switch k := event.Key(); k {
		case tcell.KeyCtrlC:
			return true
		case tcell.KeyCtrlL:
			t.screen.Sync()
		case tcell.KeyCtrlZ:
			t.stop()
		case tcell.KeyRune:
			for _, r := range event.Str() {
				if v.press(key(r)) {
					return true
				}
			}
		default:
			if named, is := named[k]; is {
				return v.press(named)
			}
		}
	}
	return false
}

var named = map[tcell.Key]key{
	tcell.KeyTab: keyTab, tcell.KeyBacktab: keyBackTab, tcell.KeyUp: keyUp, tcell.KeyDown: keyDown,
	tcell.KeyLeft: keyLeft, tcell.KeyRight: keyRight, tcell.KeyPgUp: keyPageUp, tcell.KeyPgDn: keyPageDown,
	tcell.KeyHome: keyHome, tcell.KeyEnd: keyEnd, tcell.KeyEnter: keyEnter, tcell.KeyEscape: keyEscape,
	tcell.KeyBackspace: keyBackspace,
}

// stop lets the shell continue, until it brings the process back.
func (t *terminal) stop() {
	if t.screen.Suspend() != nil {
		return
	}
	back := make(chan os.Signal, 1)
	signal.Notify(back, syscall.SIGCONT)
	defer signal.Stop(back)
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGTSTP)
	// It stops a moment later: a terminal that is taken before is not ours when it is
	// continued. Without a shell that could do that, it does not stop at all.
	const moment = 200 * time.Millisecond
	select {
	case <-back:
	case <-time.After(moment):
	}
	_ = t.screen.Resume()
	t.screen.Sync()
}
