//go:build e2e

package e2e

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A release has everything for each machine, and nothing else.
func TestRelease(t *testing.T) {
	made := makePackages(t, "release", "VERSION=v1.2.3-rc.1")
	dir := filepath.Dir(made("SHA256SUMS"))
	command(t, "sh", "-c", "cd "+dir+" && sha256sum --check --strict SHA256SUMS")
	sums, err := os.ReadFile(made("SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	count := strings.Count(string(sums), "\n")
	if entries, err := os.ReadDir(dir); err != nil || count != 18 || len(entries) != count+1 {
		t.Errorf("%d files (%v), %d sums, want 18:\n%s", len(entries), err, count, sums)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "armv7": elf.EM_ARM} {
		tree := t.TempDir()
		command(t, "tar", "-C", tree, "-xzf", made("tailflux_1.2.3-rc.1_linux_"+arch+".tar.gz"), "--strip-components=1")
		for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "tailflux.yaml", "tailflux.service", "sysusers.conf", "third-party.gz", "docs/log-formats.md", "man/tailflux.1.gz", "completions/_tailflux"} {
			if _, err := os.Stat(filepath.Join(tree, name)); err != nil {
				t.Error(err)
			}
		}
		program := filepath.Join(tree, "tailflux")
		f, err := elf.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != machine || f.Section(".interp") != nil || f.Section(".dynamic") != nil {
			t.Errorf("%s: %v, want a static one for %v", arch, f.Machine, machine)
		}
		f.Close()
		modules := command(t, "go", "version", "-m", program)
		data, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		if here, err := filepath.Abs(repository); err != nil || bytes.Contains(data, []byte(here+"/")) {
			t.Errorf("%s: a path of this machine is in it, %s (%v)", arch, here, err)
		}
		if arch == "armv7" && !strings.Contains(modules, "GOARM=7") {
			t.Errorf("armv7: %s", modules)
		}
		listsModules(t, made("tailflux_1.2.3-rc.1_linux_"+arch+".cdx.json"), modules)
	}
	deb := made("tailflux_1.2.3-rc.1_amd64.deb")
	if got := strings.TrimSpace(command(t, "dpkg-deb", "-f", deb, "Version")); got != "1.2.3~rc.1" {
		t.Errorf("version %s, want 1.2.3~rc.1", got)
	}
}

// listsModules fails unless a list of what is in a program has each module of it.
func listsModules(t *testing.T, file, modules string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BomFormat string `json:"bomFormat"`
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(data, &bom); err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, c := range bom.Components {
		has[c.Name+" "+c.Version] = true
	}
	if bom.BomFormat != "CycloneDX" || bom.Metadata.Component.Name != "github.com/tailflux/tailflux" || bom.Metadata.Component.Version != "v1.2.3-rc.1" {
		t.Errorf("%s: %+v", file, bom.Metadata)
	}
	deps := regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(modules, -1)
	if len(deps) < 10 || len(has) != len(deps)+1 { // and Go's library
		t.Errorf("%s: %d modules, want the %d of the program and one", file, len(has), len(deps))
	}
	for _, dep := range deps {
		if !has[dep[1]+" "+dep[2]] {
			t.Errorf("%s lacks %s", file, dep[0])
		}
	}
}

// The same files of the source give the same packages, in whatever directory, with
// whatever umask, language and time zone they are made.
func TestPackagesAreReproducible(t *testing.T) {
	var all [2]string
	for i, place := range []struct{ dir, umask, env string }{{"a", "022", "TZ=UTC"}, {"another/directory with blanks", "077", "TZ=Asia/Tokyo LANG=de_DE.UTF-8"}} {
		dir := filepath.Join(t.TempDir(), place.dir)
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", `
			umask `+place.umask+`
			mkdir -p "$1"
			git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1"
			find "$1" -exec touch -d "`+[]string{"2001-01-01", "2020-02-02"}[i]+`" {} +
			tools=$PWD/.cache/bin
			cd "$1"
			env `+place.env+` OUT=out ARCHS=amd64 FORMATS="deb rpm apk archlinux targz sbom" VERSION=v1.2.3 SOURCE_DATE_EPOCH=1700000000 \
				NFPM="$(ls "$tools"/nfpm-v* | grep -v lock)" GOMOD="$(ls "$tools"/cyclonedx-gomod-v* | grep -v lock)" deploy/package/build.sh
			cat out/SHA256SUMS`, "", dir)
		cmd.Dir = repository
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(out)
	}
	if all[0] != all[1] || strings.Count(all[0], "\n") != 6 {
		t.Errorf("here\n%sthere\n%s", all[0], all[1])
	}
}
