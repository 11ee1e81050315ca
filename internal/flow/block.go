package flow

import (
	"context"
	"sync/atomic"
)

// Block is a buffer shared by the chunks or batches that were cut from it. It
// returns to its pool when the last holder releases it.
type Block struct {
	buf  []byte
	refs atomic.Int32
	home chan *Block
}

// Hold adds a holder.
func (b *Block) Hold() { b.refs.Add(1) }

// Release removes a holder. It panics when there are more releases than holds,
// because the buffer would be overwritten while somebody still reads it. No block at all
// has no holders.
func (b *Block) Release() {
	if b == nil {
		return
	}
	switch n := b.refs.Add(-1); {
	case n == 0:
		b.home <- b // never blocks: the channel has room for every block of the pool
	case n < 0:
		panic("flow: block released too often")
	}
}

// Pool is a bounded set of blocks of one size, handed out piece by piece: many
// small chunks share a block, a large chunk has one to itself. Blocks are
// allocated when first needed and never freed. The size of the pool limits the
// memory of all data in flight; a caller that wants more than that waits.
//
// Room and Cut must be called by one goroutine only, the stage that fills the
// blocks. Hold and Release may be called by any.
type Pool struct {
	size, max, made int
	free            chan *Block
	current         *Block // held once by the pool
	used            int    // bytes of current that have been cut
}

// NewPool returns a pool of at most blocks blocks of size bytes each.
func NewPool(blocks, size int) *Pool {
	return &Pool{size: size, max: blocks, free: make(chan *Block, blocks)}
}

// BlockSize returns the size of a block in bytes, which is the most that Room
// returns.
func (p *Pool) BlockSize() int { return p.size }

// Room returns the unused rest of the current block, or a fresh block if fewer
// than least bytes are left. It waits while all blocks are in use; its only error
// is that of ctx. Until the next Cut it returns the same bytes again.
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
// which the caller now holds and must release.
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
