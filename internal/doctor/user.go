package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// User is whose rights count: the one that the daemon runs as.
type User struct {
	Name     string
	UID, GID int
	Groups   []int  // the others that it is in
	Why      string // it is this one
}

// Self is who runs this.
func Self() User {
	groups, _ := os.Getgroups() // none, where nobody can tell
	return User{Name: nameOf(user.LookupId, os.Geteuid()), UID: os.Geteuid(), GID: os.Getegid(), Groups: groups, Why: "who runs this"}
}

func (u *User) isSelf() bool { return u.UID == os.Geteuid() }

// Lookup returns a user of this machine.
func Lookup(name string) (User, error) {
	is, err := user.Lookup(name)
	if err != nil {
		return User{}, err
	}
	u := User{Name: name}
	u.UID, err = strconv.Atoi(is.Uid)
	gid, err2 := strconv.Atoi(is.Gid)
	u.GID = gid
	groups, _ := is.GroupIds() // none, where nobody can tell
	for _, g := range groups {
		if id, err := strconv.Atoi(g); err == nil {
			u.Groups = append(u.Groups, id)
		}
	}
	return u, cmp.Or(err, err2)
}

// Whose returns the user that the daemon runs as. That is the named one; or, for root, the
// one of the unit; or who runs this.
func Whose(name string, unit Unit) (User, error) {
	if name == "" && os.Geteuid() != 0 {
		return Self(), nil
	}
	if name == "" && (unit.File == "" || unit.User == "" && !unit.Dynamic) {
		return Self(), nil
	}
	if name != "" {
		u, err := Lookup(name)
		u.Why = "--user"
		if err == nil && !u.isSelf() && os.Geteuid() != 0 {
			err = fmt.Errorf("--user %s: only root can look as another user: sudo tailflux check --user %s", name, name)
		}
		return u, err
	}
	u, err := Lookup(unit.User)
	if unit.Dynamic && err != nil {
		// systemd takes a number from its own range when it starts the unit.
		const first = 61184
		u, err = User{Name: cmp.Or(unit.User, "tailflux"), UID: first, GID: first}, nil
	}
	if err != nil {
		return Self(), nil //nolint:nilerr // which is said when it is looked at
	}
	u.Why = "User= of " + unit.File
	for _, name := range append(unit.Groups, unit.Group) {
		g, err := user.LookupGroup(name)
		if err != nil {
			continue // it does not exist, or Group= is not set
		}
		if id, err := strconv.Atoi(g.Gid); err == nil && name == unit.Group {
			u.GID = id
		} else if err == nil {
			u.Groups = append(u.Groups, id)
		}
	}
	return u, nil
}

// nameOf is the name of a number, or the number.
func nameOf[T any](lookup func(string) (T, error), id int) string {
	text := strconv.Itoa(id)
	is, err := lookup(text)
	if err != nil {
		return text
	}
	switch is := any(is).(type) {
	case *user.User:
		return is.Username
	case *user.Group:
		return is.Name
	}
	return text
}

// groups are the names of the groups that the user is in.
func (u *User) groups() string {
	ids := append([]int{u.GID}, u.Groups...)
	slices.Sort(ids[1:])
	var names []string
	for _, id := range slices.Compact(ids) {
		if name := nameOf(user.LookupGroupId, id); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func known(name string) bool {
	_, err := user.Lookup(name)
	return err == nil
}

// cause is an error without the call and the path that it is about.
func cause(err error) string {
	if is, ok := errors.AsType[*fs.PathError](err); ok {
		return is.Err.Error()
	}
	return err.Error()
}

func (d *doctor) user() {
	d.ok("user", "looks as %s (%s), in the groups %s", d.User.Name, d.User.Why, d.User.groups())
	switch name := d.Unit.User; {
	case name == "" || name == d.User.Name || !d.User.isSelf():
	case !d.Unit.Dynamic && !known(name):
		d.say(Error, "user",
			fmt.Sprintf("there is no user %s (User= of %s): the service cannot start", name, d.Unit.File),
			"useradd --system --user-group "+name)
	case os.Geteuid() != 0:
		d.say(Note, "user",
			fmt.Sprintf("the daemon runs as %s (User= of %s), and you are %s", d.Unit.User, d.Unit.File, d.User.Name),
			"sudo tailflux check looks as "+d.Unit.User)
	}
	d.secrets()
	d.unit()
}
