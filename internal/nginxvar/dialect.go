package nginxvar

// A Dialect is the table with what an operator says beside it. The zero value is the
// table alone.
type Dialect struct {
	Types  map[string]Kind   // of variables: Int, Float or String, whatever the table says
	Rename map[string]string // what a format calls a value, and the variable that it is
}

// Types are the kinds that an operator can give to a variable, by the names for them.
var Types = map[string]Kind{"integer": Int, "float": Float, "string": String}

// Lookup is like the function, in the dialect. A number of which the table knows
// nothing is absent or a list wherever one of nginx could be.
func (d Dialect) Lookup(name string) Variable {
	v := Lookup(name)
	kind, said := d.Types[name]
	switch {
	case !said || kind == v.Kind:
		return v
	case kind == String:
		return Variable{Name: name}
	}
	v.List = v.List || !Known(name)
	v.Kind, v.Empty = kind, true
	return v
}

// Name is the variable that a format calls name.
func (d Dialect) Name(name string) string {
	if variable, ok := d.Rename[name]; ok {
		return variable
	}
	return name
}

// Known reports whether the table has a variable of that name, or a family does.
func Known(name string) bool {
	_, ok := variables[name]
	return ok || family(name)
}
