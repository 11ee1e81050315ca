package logformat

// list writes a run and a loop as one step if together they are a list:
// [^ ,"]+(?:(?:,| :) [^ ,"]*)*, elements of the same set with literals between
// them. It tells whether they are.
//
// The step does what the steps of the run and of the loop would do; it is there
// because upstream times and addresses are such lists, mostly of one element.
func (a *assembler) list(run, loop *node) bool {
	if run.kind != nodeRun || run.max != unlimited || loop.kind != nodeLoop || loop.min != 0 || loop.lazy {
		return false
	}
	body := loop.subs[0].subs
	if loop.subs[0].kind != nodeSequence || len(body) < 2 {
		return false
	}
	element := body[len(body)-1]
	if element.kind != nodeRun || element.min != 0 || element.max != unlimited || *element.set != *run.set {
		return false
	}
	forced := loop.heads[0].excludes(&loop.heads[1])
	var texts []string
	switch separator := body[:len(body)-1]; {
	case len(separator) == 1 && separator[0].kind == nodeLiteral:
		texts = []string{separator[0].text}
	case len(separator) == 2 && separator[0].kind == nodeChoice && separator[1].kind == nodeLiteral:
		for i, s := range separator[0].subs {
			if s.kind != nodeLiteral {
				return false
			}
			texts = append(texts, s.text+separator[1].text)
			for j := range i {
				forced = forced && separator[0].heads[i].excludes(&separator[0].heads[j])
			}
		}
	default:
		return false
	}
	// Elements must end in one place only, before a separator or what follows.
	if run.next.open || run.set.overlaps(&run.next.first) || element.next.open || run.set.overlaps(&element.next.first) {
		return false
	}
	s := step{
		op: opList, capture: -1, min: int32(run.min), max: unlimited, forced: forced,
		prefix: newPrefix(loop.next.literal()), spanner: newSpanner(run.set),
	}
	if !s.wide {
		return false
	}
	for _, text := range texts {
		s.texts = append(s.texts, newPrefix(text))
	}
	a.add(s)
	return true
}
