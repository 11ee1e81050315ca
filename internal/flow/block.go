package flow

import (
	"context"
	"sync/atomic"
)

// Block is a buffer shared by the chunks or batches that were cut from it. It
// goes back to its pool when the last holder releases it.
type Block struct {
	buf  []byte
	refs atomic.Int32
	home chan *Block
}

// Hold adds a holder.
func (b *Block) Hold() { b.refs.Add(1) }

// Release takes a holder away. Releasing more often than holding panics: the
// buffer would be written while it is read.
func (b *Block) Release() {
	switch n := b.refs.Add(-1); {
	case n == 0:
		b.home <- b // has room for every block there is
	case n < 0:
		panic("flow: block released too often")
	}
}

// Pool is a bounded set of equal blocks, handed out piece by piece: many small
// chunks share a block, a large one has its own. Blocks are made when they are
// first needed and never given up. What the pool may hold at most bounds the
// memory of everything that is on the way; who asks for more waits.
//
// Room and Cut are for one goroutine, the stage that fills the blocks. Hold and
// Release are for any.
type Pool struct {
	size, max, made int
	free            chan *Block
	current         *Block // held once by the pool
	used            int    // bytes of current that were cut off
}

// NewPool returns a pool of at most so many blocks of size bytes.
func NewPool(blocks, size int) *Pool {
	return &Pool{size: size, max: blocks, free: make(chan *Block, blocks)}
}

// BlockSize is the size of the pool's blocks in bytes: the most that Room gives.
func (p *Pool) BlockSize() int { return p.size }

// Room returns the unused rest of the current block, or a fresh block if that
// is less than least bytes. It waits while all blocks are in use; the only error
// is ctx's. The room stays the same until something is cut from it.
func (p *Pool) Room(ctx context.Context, least int) ([]byte, error) {
	if p.current != nil && p.size-p.used >= least {
		return p.current.buf[p.used:], nil
	}
	if p.current != nil {
		p.current.Release()
		p.current = nil
	}
	b, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	b.refs.Store(1)
	p.current, p.used = b, 0
	return b.buf, nil
}

// Cut takes the first n bytes of the room and returns them with their block,
// which the caller then holds once.
func (p *Pool) Cut(n int) ([]byte, *Block) {
	piece := p.current.buf[p.used : p.used+n : p.used+n]
	p.used += n
	p.current.Hold()
	return piece, p.current
}

func (p *Pool) take(ctx context.Context) (*Block, error) {
	select {
	case b := <-p.free:
		return b, nil
	default:
	}
	if p.made < p.max {
		p.made++
		return &Block{buf: make([]byte, p.size), home: p.free}, nil
	}
	select {
	case b := <-p.free:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
