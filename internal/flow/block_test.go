package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

func mustRoom(t testing.TB, p *flow.Pool, least int) []byte {
	t.Helper()
	room, err := p.Room(t.Context(), least)
	if err != nil {
		t.Fatal(err)
	}
	return room
}

func TestRoomIsWhatIsLeftOfTheBlock(t *testing.T) {
	p := flow.NewPool(2, 100)
	if p.BlockSize() != 100 {
		t.Errorf("BlockSize = %d", p.BlockSize())
	}
	room := mustRoom(t, p, 1)
	if len(room) != 100 {
		t.Fatalf("first room is %d bytes, want 100", len(room))
	}
	if again := mustRoom(t, p, 100); &again[0] != &room[0] {
		t.Error("room changed, and nothing was cut from it")
	}
	copy(room, "hello, world")
	hello, a := p.Cut(5)
	if string(hello) != "hello" || cap(hello) != 5 {
		t.Errorf("Cut(5) = %q of capacity %d", hello, cap(hello))
	}
	rest := mustRoom(t, p, 95)
	if len(rest) != 95 || string(rest[:7]) != ", world" {
		t.Errorf("room after that is %d bytes, %q…", len(rest), rest[:7])
	}
	if nothing, b := p.Cut(0); len(nothing) != 0 || b != a {
		t.Errorf("Cut(0) = %q of another block", nothing)
	} else {
		b.Release()
	}
	fresh := mustRoom(t, p, 96) // more than is left
	if len(fresh) != 100 || &fresh[0] == &room[0] {
		t.Errorf("a room of 96 where 95 were left has %d bytes", len(fresh))
	}
	if string(hello) != "hello" {
		t.Errorf("what was cut has become %q", hello)
	}
	a.Release()
}

func TestBlockIsUsedAgainWhenItsLastHolderReleasesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := flow.NewPool(1, 10)
		first := mustRoom(t, p, 10)
		_, b := p.Cut(4)
		_, c := p.Cut(6)
		if b != c {
			t.Fatal("two pieces of one block have two blocks")
		}
		b.Hold()
		for holders := 3; holders > 0; holders-- {
			wait, cancel := context.WithTimeout(t.Context(), time.Hour)
			if _, err := p.Room(wait, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Room with %d holders = %v, want to wait until the deadline", holders, err)
			}
			cancel()
			b.Release()
		}
		if again := mustRoom(t, p, 1); &again[0] != &first[0] {
			t.Error("there is a second block in a pool of one")
		}
	})
}

func TestRoomWaitsForARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := flow.NewPool(2, 10)
		var blocks []*flow.Block
		for range 2 {
			mustRoom(t, p, 10)
			_, b := p.Cut(10)
			blocks = append(blocks, b)
		}
		go func() {
			time.Sleep(time.Minute)
			blocks[1].Release()
		}()
		began := time.Now()
		mustRoom(t, p, 10)
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("waited %v, want %v", waited, time.Minute)
		}
	})
}

func TestRoomThatIsThereIsGivenAfterTheEnd(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	p := flow.NewPool(1, 10)
	if _, err := p.Room(over, 1); err != nil {
		t.Errorf("Room = %v, want the free block", err)
	}
	_, b := p.Cut(10)
	if _, err := p.Room(over, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Room = %v, want %v", err, context.Canceled)
	}
	b.Release()
	if _, err := p.Room(over, 1); err != nil {
		t.Errorf("Room = %v, want the free block", err)
	}
}

func TestReleasedTooOften(t *testing.T) {
	p := flow.NewPool(1, 10)
	mustRoom(t, p, 10)
	_, b := p.Cut(10)
	b.Release()
	b.Release() // the pool's own, which it does not know of
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b.Release()
}

func TestCutMoreThanThereIs(t *testing.T) {
	p := flow.NewPool(1, 10)
	mustRoom(t, p, 10)
	p.Cut(6)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	p.Cut(5)
}

// One goroutine fills, many hold and release. No byte changes while it is held,
// and there are never more blocks than allowed.
func TestManyHolders(t *testing.T) {
	const holders, blocks, size, pieces = 8, 5, 1000, 20_000
	type piece struct {
		data  []byte
		block *flow.Block
		mark  byte
	}
	p := flow.NewPool(blocks, size)
	cut := make(chan piece, 64)
	var wg sync.WaitGroup
	for range holders {
		wg.Go(func() {
			check := func(c piece) {
				for _, b := range c.data {
					if b != c.mark {
						t.Errorf("held byte is %d, want %d", b, c.mark)
						return
					}
				}
				c.block.Release()
			}
			for c := range cut {
				c.block.Hold()
				wg.Go(func() { check(c) })
				check(c)
			}
		})
	}
	seen := map[*flow.Block]bool{}
	for i := range pieces {
		n := 1 + i*37%199
		room := mustRoom(t, p, n)[:n]
		for j := range room {
			room[j] = byte(i)
		}
		data, block := p.Cut(n)
		seen[block] = true
		cut <- piece{data, block, byte(i)}
	}
	close(cut)
	wg.Wait()
	if len(seen) > blocks {
		t.Errorf("%d blocks, want at most %d", len(seen), blocks)
	}
	for range blocks { // all have come back
		mustRoom(t, p, size)
		p.Cut(size)
	}
}

func TestNothingIsAllocatedOnceTheBlocksAreThere(t *testing.T) {
	p := flow.NewPool(2, 100)
	if n := testing.AllocsPerRun(1000, func() {
		mustRoom(t, p, 30)
		_, b := p.Cut(30)
		b.Release()
	}); n != 0 {
		t.Errorf("%v allocations per piece", n)
	}
}
