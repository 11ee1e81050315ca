package scan

import "fmt"

// choose writes alternatives one after the other, each with a jump to the end.
func (a *assembler) choose(n *node) error {
	s, err := chooseStep(n.heads)
	if err != nil {
		return err
	}
	a.add(s)
	var jumps []int
	for i, sub := range n.subs {
		s.choice.targets[i].step = len(a.steps)
		if err := a.emit(sub, false); err != nil {
			return err
		}
		jumps = append(jumps, len(a.steps))
		a.add(jump(0))
	}
	for _, j := range jumps {
		a.steps[j].target = int32(len(a.steps))
	}
	return nil
}

// loop writes a repeat of more than one character.
//
//	min 0:  top: choose(body, out); body; jump top; out:
//	min 1:  top: body; choose(top, out); out:
func (a *assembler) loop(n *node, steady bool) error {
	s, err := chooseStep(n.heads)
	if err != nil {
		return err
	}
	top := len(a.steps)
	if n.min == 0 {
		a.add(s)
	}
	body := len(a.steps)
	a.tail = -1 // the loop leads here too
	if err := a.emit(n.subs[0], steady && n.min > 0); err != nil {
		return err
	}
	if n.min == 0 {
		a.add(jump(top))
	} else {
		a.add(s)
	}
	out := len(a.steps)
	repeat, leave := &s.choice.targets[0], &s.choice.targets[1]
	if n.lazy {
		repeat, leave = leave, repeat
	}
	repeat.step, leave.step = body, out
	a.loops = append(a.loops, [2]int{top, out})
	return nil
}

func jump(target int) step {
	return step{op: opJump, capture: -1, target: int32(target), forced: true}
}

// chooseStep makes the step that chooses between heads, all but the targets.
func chooseStep(heads []head) (step, error) {
	if len(heads) > maxTargets {
		return step{}, fmt.Errorf("there are more than %d alternatives", maxTargets)
	}
	c := &choice{targets: make([]target, len(heads))}
	s := step{op: opChoose, capture: -1, choice: c, forced: true}
	for i := range heads {
		h, bit := &heads[i], uint8(1)<<i
		for _, text := range h.texts {
			c.targets[i].texts = append(c.targets[i].texts, newPrefix(text))
		}
		for b := range c.byNext {
			if h.open || h.first[b] {
				c.byNext[b] |= bit
			}
		}
		if h.open || h.end {
			c.atEnd |= bit
		}
		for j := range i {
			s.forced = s.forced && h.excludes(&heads[j])
		}
	}
	return s, nil
}
