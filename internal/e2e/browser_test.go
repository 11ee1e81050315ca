//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium without a window.
type browser struct{ ctx context.Context }

// foreignName leads to this machine, as a name does that an attacker has made to.
const foreignName = "figures.example"

func startBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath("chromium"),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(arrival),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("lang", "en"),
		// No other host can be asked for by accident.
		chromedp.Flag("host-resolver-rules", "MAP "+foreignName+" 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root with one
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium, which make e2e-deps installs: %v", err)
	}
	return &browser{ctx: ctx}
}

// tab is a page in a profile of its own, as a browser has it that was never here. What it
// complains of fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex // guards what follows
	faults  []string
	expects []string // parts of complaints that the test causes
	asked   map[network.RequestID]string
	hosts   map[string]bool
	loaded  float64 // compressed bytes of answers that have ended
	weights map[string]float64
}

// screen is what a page is shown on.
type screen struct {
	width, height int64
	dark, phone   bool
}

var desk = screen{width: 1280, height: 900}

// open makes a tab, which shows nothing yet.
func (b *browser) open(t *testing.T, on screen) *tab {
	t.Helper()
	p := &tab{t: t, asked: map[network.RequestID]string{}, hosts: map[string]bool{}, weights: map[string]float64{}}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	ctx, timeout := context.WithTimeout(ctx, 2*arrival)
	p.ctx = ctx
	t.Cleanup(func() {
		p.wantSilence()
		timeout()
		cancel()
	})
	scheme := "light"
	if on.dark {
		scheme = "dark"
	}
	p.do(
		protocol(network.Enable, network.EnableParams{}),
		protocol(cdplog.Enable, cdp.Empty{}),
		protocol(audits.Enable, cdp.Empty{}),
		protocol(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: on.width, Height: on.height, DeviceScaleFactor: 1, Mobile: on.phone}),
		protocol(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: on.phone}),
		protocol(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"}),
		protocol(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
	)
	return p
}

// protocol is a command of the protocol of Chromium's own tools.
func protocol[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

// hear notes what goes on in the tab. It may not ask it anything.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.fault("console.%s: %s", e.Type, printed(e.Args))
	case *runtime.EventExceptionThrown:
		p.fault("exception: %s", printed(e.ExceptionDetails))
	case *cdplog.EventEntryAdded:
		p.fault("console, %s of %s: %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *audits.EventIssueAdded:
		if e.Issue.Code != audits.InspectorIssueCodeGenericIssue {
			p.fault("issue: %s", printed(e.Issue))
		}
	case *cdppage.EventJavascriptDialogOpening:
		p.fault("dialog: %s", e.Message)
	case *network.EventRequestWillBeSent:
		p.asked[e.RequestID] = e.Request.URL
		if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme != "data" {
			p.hosts[u.Host] = true
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			p.fault("request: %s answers %d", e.Response.URL, e.Response.Status)
		}
	case *network.EventLoadingFinished:
		p.loaded += e.EncodedDataLength
		p.weights[p.asked[e.RequestID]] += e.EncodedDataLength
	case *network.EventLoadingFailed:
		if !e.Canceled { // the page itself ends its streams
			p.fault("request: %s fails: %s %s", p.asked[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	}
}

func (p *tab) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// expect lets complaints pass that have one of these parts, from now on.
func (p *tab) expect(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expects = append(p.expects, parts...)
}

// wantSilence fails the test for every complaint and every host but this one.
func (p *tab) wantSilence() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fault := range p.faults {
		if !slices.ContainsFunc(p.expects, func(part string) bool { return strings.Contains(fault, part) }) {
			p.t.Errorf("the page is not silent: %.2000s", fault)
		}
	}
	p.faults = nil
	for host := range p.hosts {
		if name, _, _ := strings.Cut(host, ":"); name != "127.0.0.1" && name != "localhost" && name != foreignName {
			p.t.Errorf("the page asks %s", host)
		}
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// load shows an address.
func (p *tab) load(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// eval is the value of an expression, or of its promise. The page's policy does not apply.
func eval[T any](p *tab, expression string, args ...any) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](fmt.Sprintf(expression, args...), chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%.1000s: %v", fmt.Sprintf(expression, args...), err)
	}
	return value
}

// run evaluates for the effect.
func (p *tab) run(expression string, args ...any) {
	p.t.Helper()
	eval[chromedp.Void](p, expression, args...)
}

// until waits until an expression is true.
func (p *tab) until(expression string, args ...any) {
	p.t.Helper()
	for end := time.Now().Add(arrival); !eval[bool](p, "Boolean("+expression+")", args...); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not within %v: %s; the page says:\n%.3000s", arrival, fmt.Sprintf(expression, args...), eval[string](p, "document.body.innerText"))
		}
	}
}

// figure is the value of a figure of the page; -1 is none.
func (p *tab) figure(name string) float64 {
	p.t.Helper()
	return eval[float64](p, `Number(document.querySelector('[data-figure="%s"]').dataset.value || -1)`, name)
}

// key presses one key after the other, as a keyboard does: a character that the page takes
// for itself is not typed.
func (p *tab) key(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		if key[0] < ' ' || key[0] > '~' || len(key) > 1 {
			p.do(chromedp.KeyEvent(key)) // of the package kb
			continue
		}
		p.do(protocol(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key}),
			protocol(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key}))
	}
}

func printed(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
