package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// replacedEnd is the end of the name of a configuration that was replaced.
const replacedEnd = ".old"

// writeConfigFile writes the configuration, whole or not at all. The group tailflux may
// read it, and nobody else but its owner; if there is no such group here, or it is not
// ours to give, everybody may.
func writeConfigFile(path, text string, keep bool) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // unless it was renamed
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if gid, ok := ownGroup(); ok && f.Chown(-1, gid) == nil {
		mode = 0o640
	}
	if err := errors.Join(f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if keep {
		if err := os.Rename(path, path+replacedEnd); err != nil {
			return err
		}
	}
	return os.Rename(f.Name(), path)
}

// ownGroup is the group that tailflux's package makes.
var ownGroup = func() (gid int, ok bool) {
	g, err := user.LookupGroup("tailflux")
	if err != nil {
		return 0, false
	}
	gid, err = strconv.Atoi(g.Gid)
	return gid, err == nil
}
