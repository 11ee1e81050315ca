package top

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Options say what is looked at.
type Options struct {
	Name  string // for people: an address, or a file
	Alone bool   // it is a file that is read here: there is no InfluxDB
	// Ask returns what GET /live answers. It is called by one goroutine at a time, until ctx
	// ends. After an [EndedError] there is nothing more to be had.
	Ask func(ctx context.Context) ([]byte, error)
}

// EndedError is why no answer will come any more.
type EndedError struct{ Err error }

func (e EndedError) Error() string { return e.Err.Error() }
func (e EndedError) Unwrap() error { return e.Err }

// every is how often it is asked.
const every = time.Second

// once returns an answer, and what it says.
func (o Options) once(ctx context.Context) (answer []byte, p *Picture, err error) {
	if answer, err = o.Ask(ctx); err == nil {
		p, err = parse(answer)
	}
	return answer, p, err
}

// Once prints one answer: in plain text, or the JSON that came.
func Once(ctx context.Context, o Options, asJSON bool, out io.Writer) error {
	answer, p, err := o.once(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		_, err = out.Write(printable(answer))
		return err
	}
	v := &view{name: o.Name, alone: o.Alone}
	v.came(p, nil, time.Now())
	return v.print(out)
}

// Run draws until a key or ctx ends it. It asks once before it takes the terminal: what does
// not answer at all is the error. Later it waits for the next answer, and says so.
func Run(ctx context.Context, o Options) error {
	v := &view{name: o.Name, alone: o.Alone}
	_, p, err := o.once(ctx)
	if err != nil {
		return err
	}
	v.came(p, nil, time.Now())
	t, err := open()
	if err != nil {
		return err
	}
	defer t.close()

	ctx, stop := context.WithCancel(ctx)
	pictures := make(chan came)
	var asker sync.WaitGroup
	asker.Go(func() {
		defer func() {
			if why := recover(); why != nil {
				t.close() // what a panic writes is for the shell's screen
				panic(why)
			}
		}()
		o.ask(ctx, pictures)
	})
	defer asker.Wait()
	defer stop()
	second := time.NewTicker(every) // for what is told of passing time
	defer second.Stop()
	for {
		t.show(v.draw(t.size()))
		select {
		case <-ctx.Done():
			return nil
		case is := <-pictures:
			if _, ended := errors.AsType[EndedError](is.err); ended {
				return is.err
			}
			v.came(is.picture, is.err, time.Now())
		case now := <-second.C:
			v.now = now
		case event, ok := <-t.screen.EventQ():
			if !ok || t.press(v, event) {
				return nil
			}
		}
	}
}

// came is an answer, or why there is none.
type came struct {
	picture *Picture
	err     error
}

func (o Options) ask(ctx context.Context, out chan<- came) {
	wait := time.NewTicker(every)
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
		case <-ctx.Done():
			return
		}
		var is came
		_, is.picture, is.err = o.once(ctx)
		select {
		case out <- is:
		case <-ctx.Done():
			return
		}
	}
}
